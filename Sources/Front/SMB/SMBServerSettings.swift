import NTLM
import Wire

/// What the SMB server says of itself, and what it permits.
package struct SMBServerSettings {
    package enum Signing: Sendable {
        case off
        /// For clients that ask for it.
        case offered
        /// Users whose client does not sign are refused.
        case required
    }

    /// Our NetBIOS computer name.
    package var computerName: String
    /// The domain that we say we belong to.
    package var domainName: String
    package var dnsComputerName: String?
    package var dnsDomainName: String?
    /// Whether NTLMv2 responses are to be bound to the domain's name (`ServerHandshake.Identity`).
    package var bindsDomain = true
    package var serverGUID = Bytes16()
    /// Whether a password in plain is taken from a client that sends one. None is asked for.
    package var allowsPlainPasswords = false
    /// Whether a null session is given `IPC$`. What it is told there is each service's affair.
    package var allowsNullSessions = true
    package var signing = Signing.offered
    package var guessing = GuessLimits()

    package init(computerName: String, domainName: String) {
        self.computerName = computerName
        self.domainName = domainName
    }

    var identity: ServerHandshake.Identity {
        var identity = ServerHandshake.Identity(
            nbComputerName: computerName, nbDomainName: domainName,
            dnsComputerName: dnsComputerName, dnsDomainName: dnsDomainName)
        identity.bindsDomain = bindsDomain
        return identity
    }
}

/// The bounds of the SMB server.
package enum SMBLimits {
    /// Connections in all, and of one address as long as nobody has logged on.
    package static let connections = 16_384
    package static let connectionsOfPeer = 1_024
    /// The longest message that is read; clients are told MaxBufferSize, and some send more.
    package static let message = 65_535
    /// MaxBufferSize: of a message without the session header, as NT 4.0 has it.
    package static let buffer = 16_644
    /// The least that a client's buffer is taken for (MS-CIFS 2.2.4.53.1).
    package static let smallestBuffer = 1_024
    /// Bytes kept over all connections: of incomplete messages, of requests that wait, and of
    /// what clients have not read. Beyond it the connection with the most of them ends.
    package static let heldBytes = 16_777_216

    // Of one connection.
    package static let sessions = 128
    package static let unfinishedSessions = 8
    package static let trees = 128
    package static let opens = 256
    /// MaxMpxCount: requests that wait for their answer.
    package static let requests = 50
    package static let searches = 32
    package static let assemblies = 4
    /// Answers to one echo.
    package static let echoes = 8
    /// Bytes of a user's, a domain's or a workstation's name.
    package static let name = 1_024

    // Milliseconds.
    /// A frame or a transaction that has begun is complete.
    package static let partialTime: UInt64 = 15_000
    /// Somebody has logged on, or has a null session.
    package static let logonTime: UInt64 = 60_000
    /// A connection of null sessions only does something.
    package static let nullSessionTime: UInt64 = 600_000
    /// Deadlines are met this late at most, so that few of them are looked at.
    package static let tick: UInt64 = 1_000
}
