import Wire

/// What a NETLOGON mailslot message is, MS-ADTS 6.3.1.3; those of LAN Manager, which precede it,
/// are as protocol analysers name them.
///
/// LAN Manager's opcodes are one byte and a zero, all others two bytes little-endian: the same.
package struct NetlogonOpcode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    @inlinable
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let logonRequest = NetlogonOpcode(rawValue: 0x00)
    package static let logonResponseLM10 = NetlogonOpcode(rawValue: 0x01)
    package static let logonResponseLM20 = NetlogonOpcode(rawValue: 0x06)
    package static let primaryQuery = NetlogonOpcode(rawValue: 0x07)
    package static let primaryStartup = NetlogonOpcode(rawValue: 0x08)
    package static let announceChange = NetlogonOpcode(rawValue: 0x0a)
    package static let primaryResponse = NetlogonOpcode(rawValue: 0x0c)
    package static let logonPausedLM20 = NetlogonOpcode(rawValue: 0x0f)
    package static let logonUserUnknownLM20 = NetlogonOpcode(rawValue: 0x10)
    package static let samLogonRequest = NetlogonOpcode(rawValue: 0x12)
    package static let samLogonResponse = NetlogonOpcode(rawValue: 0x13)
    package static let samPauseResponse = NetlogonOpcode(rawValue: 0x14)
    package static let samUserUnknown = NetlogonOpcode(rawValue: 0x15)
    package static let samLogonResponseEx = NetlogonOpcode(rawValue: 0x17)
    package static let samPauseResponseEx = NetlogonOpcode(rawValue: 0x18)
    package static let samUserUnknownEx = NetlogonOpcode(rawValue: 0x19)
}

/// The version bits by which a client says which form of answer it can read, MS-ADTS 6.3.1.1.
package struct NetlogonVersion: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let v1 = NetlogonVersion(rawValue: 0x0000_0001)
    package static let v5 = NetlogonVersion(rawValue: 0x0000_0002)
    package static let v5Ex = NetlogonVersion(rawValue: 0x0000_0004)
    package static let v5ExWithIP = NetlogonVersion(rawValue: 0x0000_0008)
    package static let withClosestSite = NetlogonVersion(rawValue: 0x0000_0010)
    package static let avoidNT4Emulation = NetlogonVersion(rawValue: 0x0100_0000)
    package static let primary = NetlogonVersion(rawValue: 0x1000_0000)
    package static let ip = NetlogonVersion(rawValue: 0x2000_0000)
    package static let local = NetlogonVersion(rawValue: 0x4000_0000)
    package static let globalCatalog = NetlogonVersion(rawValue: 0x8000_0000)
}

/// The accounts that may answer for a user in a SAM LOGON request: the SAM's codes,
/// MS-SAMR 2.2.1.12.
package struct AccountControl: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let normal = AccountControl(rawValue: 0x10)
    package static let interdomainTrust = AccountControl(rawValue: 0x40)
    package static let workstationTrust = AccountControl(rawValue: 0x80)
    package static let serverTrust = AccountControl(rawValue: 0x100)
}

/// What a controller is and offers: DS_FLAG, MS-ADTS 6.3.1.2.
package struct ControllerFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let primary = ControllerFlags(rawValue: 0x0001)
    package static let globalCatalog = ControllerFlags(rawValue: 0x0004)
    package static let ldap = ControllerFlags(rawValue: 0x0008)
    package static let directoryService = ControllerFlags(rawValue: 0x0010)
    package static let keyDistribution = ControllerFlags(rawValue: 0x0020)
    package static let timeService = ControllerFlags(rawValue: 0x0040)
    package static let closest = ControllerFlags(rawValue: 0x0080)
    package static let writable = ControllerFlags(rawValue: 0x0100)
    package static let goodTimeService = ControllerFlags(rawValue: 0x0200)
    package static let nonDomainNC = ControllerFlags(rawValue: 0x0400)
    package static let selectSecretDomain = ControllerFlags(rawValue: 0x0800)
    package static let fullSecretDomain = ControllerFlags(rawValue: 0x1000)
    package static let webService = ControllerFlags(rawValue: 0x2000)
    package static let functionalLevel2012 = ControllerFlags(rawValue: 0x4000)
    package static let dnsController = ControllerFlags(rawValue: 0x2000_0000)
    package static let dnsDomain = ControllerFlags(rawValue: 0x4000_0000)
    package static let dnsForest = ControllerFlags(rawValue: 0x8000_0000)
}

/// What ends a message of Windows NT and later, MS-ADTS 6.3.1.4 and following.
///
/// ```
/// NtVersion(4) | LmNtToken(2) = 0xFFFF | Lm20Token(2) = 0xFFFF
/// ```
///
/// The tokens' values were version marks once; senders are found that put other values there.
package struct NetlogonTrailer: Equatable, Sendable {
    package static let byteCount = 8

    package var ntVersion: NetlogonVersion
    package var lmNtToken: UInt16 = 0xffff
    package var lm20Token: UInt16 = 0xffff

    @inlinable
    package init(_ ntVersion: NetlogonVersion) { self.ntVersion = ntVersion }

    package init(parsing reader: inout WireReader) throws(WireError) {
        ntVersion = NetlogonVersion(rawValue: try reader.uint32LE("NtVersion"))
        lmNtToken = try reader.uint16LE("LmNtToken")
        lm20Token = try reader.uint16LE("Lm20Token")
        try reader.expectEnd("Lm20Token")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint32LE(ntVersion.rawValue)
        writer.uint16LE(lmNtToken)
        writer.uint16LE(lm20Token)
    }

    /// The version of a message whose middle depends on it, `reader` being before its end.
    static func peekVersion(_ reader: inout WireReader) throws(WireError) -> NetlogonVersion {
        let place = reader.offset
        try reader.need(byteCount, "NtVersion")
        try reader.seek(reader.end - byteCount, "NtVersion")
        let version = NetlogonVersion(rawValue: try reader.uint32LE("NtVersion"))
        try reader.seek(place, "NtVersion")
        return version
    }
}

extension WireReader {
    /// Reads the opcode, which must be `expected`.
    @_lifetime(self: copy self)
    mutating func opcode(_ expected: NetlogonOpcode) throws(WireError) {
        let code = try uint16LE("Opcode")
        if code != expected.rawValue { throw invalid("Opcode", Int(code), width: 2) }
    }

    /// Reads a SID of `length` bytes that follows padding to a multiple of four, counted from the
    /// message's `start`, and precedes the trailer. Without a SID, some senders pad and some do
    /// not: what is left tells.
    @_lifetime(self: copy self)
    mutating func paddedSID(_ length: Int, messageAt start: Int) throws(WireError) -> SID? {
        if length == 0 {
            if remaining > NetlogonTrailer.byteCount { try align(4, from: start, "DomainSid") }
            return nil
        }
        try align(4, from: start, "DomainSid")
        let range = try take(length, "DomainSid")
        var part = part(range)
        let sid = try SID(parsing: &part)
        try part.expectEnd("DomainSid")
        return sid
    }
}

extension WireWriter {
    /// Writes the SID's size, and the SID where there is one, as `paddedSID` reads it.
    mutating func paddedSID(_ sid: SID?, messageAt start: Int) {
        uint32LE(UInt32(sid?.byteCount ?? 0))
        guard let sid else { return }
        align(4, from: start)
        sid.write(into: &self)
    }
}
