import Mailslot
import NetBIOS
import Wire

/// One domain and the controller that is named for it, with the texts of the answers prepared:
/// an answer only appends them.
struct DomainAnswers {
    private(set) var domain: ServedDomain
    private(set) var controller: NamedController?
    /// Whether the named controller is this agent.
    private(set) var isFront = false
    var isPaused = false

    /// With two backslashes, for LM2.0 LOGON.
    private(set) var oemServer = OEMText(bytes: [])
    /// Without, for GETDC.
    private(set) var oemName = OEMText(bytes: [])
    private(set) var unicodeServer = UnicodeText("")
    private(set) var unicodeName = UnicodeText("")
    private(set) var unicodeDomain = UnicodeText("")
    /// The controller's NetBIOS name, for the one message that only its source names.
    private(set) var sourceName: NetBIOSName?

    init(_ domain: ServedDomain) {
        self.domain = domain
        unicodeDomain = UnicodeText(domain.name.text)
    }

    /// Replaces what is known of the domain and keeps the controller.
    mutating func update(_ domain: ServedDomain) {
        self.domain = domain
        unicodeDomain = UnicodeText(domain.name.text)
    }

    mutating func name(_ controller: NamedController?, isFront: Bool) {
        self.controller = controller
        self.isFront = isFront
        let name = controller?.name ?? ""
        oemName = OEMText(name)
        oemServer = OEMText("\\\\" + name)
        unicodeName = UnicodeText(name)
        unicodeServer = UnicodeText("\\\\" + name)
        sourceName = NetBIOSName(name, .workstation)
    }

    /// The form of an answer, MS-ADTS 6.3.5: the newest that the client reads and the domain has
    /// the names for.
    enum Form {
        case nt4
        case nt5
        case ex(withAddress: Bool)
    }

    func form(for version: NetlogonVersion) -> Form {
        if domain.directory == nil || controller?.dnsHostName == nil { return .nt4 }
        if version.contains(.v5ExWithIP) { return .ex(withAddress: true) }
        if version.contains(.v5Ex) { return .ex(withAddress: false) }
        return version.contains(.v5) ? .nt5 : .nt4
    }

    /// How a logon request is answered.
    enum Verdict {
        case welcome
        case paused
        case unknownUser
    }

    /// Writes the answer to a SAM LOGON request. `address` is the controller's.
    func writeSAMLogon(
        _ verdict: Verdict, user: UnicodeText, _ version: NetlogonVersion, address: IPv4Address,
        into writer: inout WireWriter
    ) {
        switch form(for: version) {
        case .nt4:
            SAMLogonResponse(
                opcode(verdict), unicodeLogonServer: unicodeServer, unicodeUserName: user,
                unicodeDomainName: unicodeDomain
            ).write(into: &writer)
        case .nt5:
            SAMLogonResponse(
                opcode(verdict), unicodeLogonServer: unicodeServer, unicodeUserName: user,
                unicodeDomainName: unicodeDomain, nt5: nt5(address)
            ).write(into: &writer)
        case .ex(let withAddress):
            responseEx(
                verdict, user: user.description, address: withAddress ? address : nil
            ).write(into: &writer)
        }
    }

    /// Writes the answer to GETDC from Windows NT or later: as a controller that stands in for
    /// one of NT 4.0 does, in the old form unless the request refuses that. Whoever asks this way
    /// reads the old form, since the primary controller may be of NT 4.0; not all that set newer
    /// version bits read the newer forms here.
    func writePrimary(
        _ version: NetlogonVersion, address: IPv4Address, into writer: inout WireWriter
    ) {
        switch version.contains(.avoidNT4Emulation) ? form(for: version) : .nt4 {
        case .nt4:
            PrimaryResponse(
                primaryDCName: oemName, .windowsNT(.init(unicodeName, unicodeDomain))
            ).write(into: &writer)
        case .nt5, .ex:
            writeSAMLogon(
                .welcome, user: UnicodeText(""), version, address: address, into: &writer)
        }
    }

    private func opcode(_ verdict: Verdict) -> NetlogonOpcode {
        switch verdict {
        case .welcome: .samLogonResponse
        case .paused: .samPauseResponse
        case .unknownUser: .samUserUnknown
        }
    }

    private var flags: ControllerFlags {
        guard let controller else { return [] }
        return controller.isPrimary
            ? controller.flags.union(.primary) : controller.flags.subtracting(.primary)
    }

    private func nt5(_ address: IPv4Address) -> SAMLogonResponse.NT5 {
        SAMLogonResponse.NT5(
            domainGuid: domain.directory?.domainGuid ?? .zero,
            dnsForestName: domain.directory?.dnsForestName ?? "",
            dnsDomainName: domain.directory?.dnsDomainName ?? "",
            dnsHostName: controller?.dnsHostName ?? "", dcIPAddress: address, flags: flags)
    }

    private func responseEx(
        _ verdict: Verdict, user: String, address: IPv4Address?
    ) -> SAMLogonResponseEx {
        let opcode: NetlogonOpcode
        switch verdict {
        case .welcome: opcode = .samLogonResponseEx
        case .paused: opcode = .samPauseResponseEx
        case .unknownUser: opcode = .samUserUnknownEx
        }
        let directory = domain.directory
        return SAMLogonResponseEx(
            opcode, flags: flags, domainGuid: directory?.domainGuid ?? .zero,
            dnsForestName: directory?.dnsForestName ?? "",
            dnsDomainName: directory?.dnsDomainName ?? "",
            dnsHostName: controller?.dnsHostName ?? "", netbiosDomainName: domain.name.text,
            netbiosComputerName: controller?.name ?? "", userName: user,
            dcSiteName: directory?.siteName ?? "", clientSiteName: directory?.siteName ?? "",
            dcSockAddr: address)
    }
}
