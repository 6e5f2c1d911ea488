import RPC
import Wire

/// The Netlogon Remote Protocol (MS-NRPC).
package enum Netlogon {
    package static let interface = SyntaxID(
        GUID(
            data1: 0x1234_5678, data2: 0x1234, data3: 0xabcd, data4: 0xef00_0123_4567_cffb), 1)

    /// Below `\PIPE\`.
    package static let pipe = "NETLOGON"
}

/// What a secure channel is for (MS-NRPC 2.2.1.3.13, NETLOGON_SECURE_CHANNEL_TYPE).
package struct SecureChannelType: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let null = SecureChannelType(rawValue: 0)
    /// A member, to a controller of its domain.
    package static let workstation = SecureChannelType(rawValue: 2)
    package static let trustedDNSDomain = SecureChannelType(rawValue: 3)
    /// A controller, to one of a domain that its own trusts.
    package static let trustedDomain = SecureChannelType(rawValue: 4)
    /// A backup controller, to the primary one.
    package static let server = SecureChannelType(rawValue: 6)
    /// A read-only controller.
    package static let cdcServer = SecureChannelType(rawValue: 7)
}

/// Proves that a call comes next in the chain of credentials (MS-NRPC 2.2.1.1.5,
/// NETLOGON_AUTHENTICATOR):
/// ```
/// Credential(8)  Timestamp(4)
/// ```
package struct NetlogonAuthenticator: NDRMessage, Equatable, Sendable {
    package var credential: Bytes8
    /// Seconds since 1970; zero in a server's.
    package var timestamp: UInt32

    package init(credential: Bytes8 = Bytes8(), timestamp: UInt32 = 0) {
        self.credential = credential
        self.timestamp = timestamp
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        try stub.align(4, "Authenticator")
        credential = try stub.fixed("Credential")
        timestamp = try stub.uint32("Timestamp")
    }

    package func write(into stub: inout NDRWriter) {
        stub.align(4)
        stub.fixed(credential)
        stub.uint32(timestamp)
    }
}

extension NDRReader {
    @_lifetime(self: copy self)
    mutating func optionalAuthenticator(
        _ field: StaticString
    ) throws(WireError) -> NetlogonAuthenticator? {
        try pointer(field) ? try NetlogonAuthenticator(parsing: &self) : nil
    }
}

extension NDRWriter {
    mutating func optionalAuthenticator(_ authenticator: NetlogonAuthenticator?) {
        pointer(authenticator != nil)
        authenticator?.write(into: &self)
    }
}
