import Wire

/// NETLOGON_SAM_LOGON_RESPONSE_EX, MS-ADTS 6.3.1.9: an answer to a SAM LOGON request or to GETDC
/// from a client of Windows 2000 or later, and the answer to an LDAP ping.
///
/// ```
/// Opcode(2) = 0x17, 0x18 or 0x19 | Sbz(2) | Flags(4) | DomainGuid(16)
/// | DnsForestName DnsDomainName DnsHostName NetbiosDomainName NetbiosComputerName UserName
/// | DcSiteName ClientSiteName
/// | where NtVersion has V5EP: DcSockAddrSize(1) DcSockAddr(16)
/// | where NtVersion has VCS: NextClosestSiteName
/// | NtVersion(4) | LmNtToken(2) | Lm20Token(2)
/// ```
///
/// Names are compressed, see `CompressedName`.
package struct SAMLogonResponseEx: Equatable, Sendable, CustomStringConvertible {
    /// The size of a `sockaddr_in`, the only address that is answered.
    static let socketAddressSize = 16
    /// AF_INET.
    static let internetFamily: UInt16 = 2

    package var opcode: NetlogonOpcode
    package var flags: ControllerFlags
    package var domainGuid: GUID
    package var dnsForestName: String
    package var dnsDomainName: String
    package var dnsHostName: String
    package var netbiosDomainName: String
    package var netbiosComputerName: String
    package var userName: String
    package var dcSiteName: String
    package var clientSiteName: String
    /// Written where it is there, and NtVersion says so.
    package var dcSockAddr: IPv4Address?
    package var nextClosestSiteName: String?
    package var trailer: NetlogonTrailer

    /// `opcode` is `samLogonResponseEx`, `samPauseResponseEx` or `samUserUnknownEx`; NtVersion
    /// follows from what is there.
    package init(
        _ opcode: NetlogonOpcode, flags: ControllerFlags, domainGuid: GUID, dnsForestName: String,
        dnsDomainName: String, dnsHostName: String, netbiosDomainName: String,
        netbiosComputerName: String, userName: String, dcSiteName: String, clientSiteName: String,
        dcSockAddr: IPv4Address? = nil, nextClosestSiteName: String? = nil
    ) {
        self.opcode = opcode
        self.flags = flags
        self.domainGuid = domainGuid
        self.dnsForestName = dnsForestName
        self.dnsDomainName = dnsDomainName
        self.dnsHostName = dnsHostName
        self.netbiosDomainName = netbiosDomainName
        self.netbiosComputerName = netbiosComputerName
        self.userName = userName
        self.dcSiteName = dcSiteName
        self.clientSiteName = clientSiteName
        self.dcSockAddr = dcSockAddr
        self.nextClosestSiteName = nextClosestSiteName
        var version: NetlogonVersion = [.v1, .v5Ex]
        if dcSockAddr != nil { version.insert(.v5ExWithIP) }
        if nextClosestSiteName != nil { version.insert(.withClosestSite) }
        trailer = NetlogonTrailer(version)
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        opcode = NetlogonOpcode(rawValue: try reader.uint16LE("Opcode"))
        switch opcode {
        case .samLogonResponseEx, .samPauseResponseEx, .samUserUnknownEx: break
        case _: throw reader.invalid("Opcode", Int(opcode.rawValue), width: 2)
        }
        _ = try reader.uint16LE("Sbz")
        flags = ControllerFlags(rawValue: try reader.uint32LE("Flags"))
        domainGuid = try GUID(parsing: &reader)
        dnsForestName = try CompressedName.parse(&reader, messageAt: start, "DnsForestName")
        dnsDomainName = try CompressedName.parse(&reader, messageAt: start, "DnsDomainName")
        dnsHostName = try CompressedName.parse(&reader, messageAt: start, "DnsHostName")
        netbiosDomainName = try CompressedName.parse(
            &reader, messageAt: start, "NetbiosDomainName")
        netbiosComputerName = try CompressedName.parse(
            &reader, messageAt: start, "NetbiosComputerName")
        userName = try CompressedName.parse(&reader, messageAt: start, "UserName")
        dcSiteName = try CompressedName.parse(&reader, messageAt: start, "DcSiteName")
        clientSiteName = try CompressedName.parse(&reader, messageAt: start, "ClientSiteName")
        let version = try NetlogonTrailer.peekVersion(&reader)
        if version.contains(.v5ExWithIP) { dcSockAddr = try Self.parseAddress(&reader) }
        if version.contains(.withClosestSite) {
            nextClosestSiteName = try CompressedName.parse(
                &reader, messageAt: start, "NextClosestSiteName")
        }
        trailer = try NetlogonTrailer(parsing: &reader)
    }

    private static func parseAddress(
        _ reader: inout WireReader
    ) throws(WireError) -> IPv4Address {
        let size = try reader.uint8("DcSockAddrSize")
        if Int(size) != socketAddressSize {
            throw reader.invalid("DcSockAddrSize", Int(size), width: 1)
        }
        let family = try reader.uint16LE("sin_family")
        if family != internetFamily { throw reader.invalid("sin_family", Int(family), width: 2) }
        _ = try reader.uint16BE("sin_port")
        let address = IPv4Address(rawValue: try reader.uint32BE("sin_addr"))
        _ = try reader.take(8, "sin_zero")
        return address
    }

    package func write(into writer: inout WireWriter) {
        let start = writer.count
        writer.uint16LE(opcode.rawValue)
        writer.uint16LE(0)
        writer.uint32LE(flags.rawValue)
        domainGuid.write(into: &writer)
        var names = NameCompressor(messageAt: start)
        names.write(dnsForestName, into: &writer)
        names.write(dnsDomainName, into: &writer)
        names.write(dnsHostName, into: &writer)
        names.write(netbiosDomainName, into: &writer)
        names.write(netbiosComputerName, into: &writer)
        names.write(userName, into: &writer)
        names.write(dcSiteName, into: &writer)
        names.write(clientSiteName, into: &writer)
        if let dcSockAddr {
            writer.uint8(UInt8(Self.socketAddressSize))
            writer.uint16LE(Self.internetFamily)
            writer.uint16BE(0)
            writer.uint32BE(dcSockAddr.rawValue)
            writer.zeros(8)
        }
        if let nextClosestSiteName { names.write(nextClosestSiteName, into: &writer) }
        trailer.write(into: &writer)
    }

    package var description: String {
        let kind: String
        switch opcode {
        case .samPauseResponseEx: kind = "SAM LOGON paused at "
        case .samUserUnknownEx: kind = "SAM LOGON user unknown to "
        case _: kind = "SAM LOGON response of "
        }
        return kind + dnsHostName + " (" + netbiosComputerName + ") for " + userName + " of "
            + dnsDomainName + " (" + netbiosDomainName + "), site " + dcSiteName
    }
}
