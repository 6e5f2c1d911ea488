import Crypto
import Wire

/// The answer to a request:
///
///     length(4) result(4) body by the command, up to 8 bytes before the interface's size
///     extraPointer(8) extra
///
/// `length` is that of all. What stands in `extra`, if anything, is the command's; texts end with
/// a zero there.
package struct WinbindResponse: CustomStringConvertible {
    package enum Body {
        case none
        /// INTERFACE_VERSION's, and how many entries a list in `extra` has.
        case number(UInt32)
        /// `text[256]`.
        case name(String)
        /// INFO: `separator(1) version[256]`.
        case info(separator: UInt8, version: String)
        case domain(WinbindDomainInfo)
        /// LOOKUPNAME: `sid[256] use(4)`.
        case sid(SID, use: UInt16)
        /// LOOKUPSID: `domain[256] name[256] use(4)`.
        case account(domain: String, name: String, use: UInt16)
        case logon(WinbindLogon)
    }

    private enum Result {
        static let error: UInt32 = 0
        static let ok: UInt32 = 2
    }

    static let layer: StaticString = "winbind response"

    package var interface: WinbindInterface
    package var isOK: Bool
    package var body: Body
    package var extra: [UInt8] = []
    /// Whether the structure has the size of the newest interface, whatever it has else: for the
    /// first answer, of which nobody knows how much its reader waits for. One that waits for less
    /// takes the rest for extra bytes, as the length says.
    private var isPadded: Bool {
        if case .number = body { return extra.isEmpty }
        return false
    }

    package init(_ interface: WinbindInterface, isOK: Bool = true, _ body: Body = .none) {
        self.interface = interface
        self.isOK = isOK
        self.body = body
    }

    /// A list of names, or of whatever has no separator in it.
    package static func list(
        _ entries: [String], separator: String, _ interface: WinbindInterface
    ) -> WinbindResponse {
        var response = WinbindResponse(interface, .number(UInt32(entries.count)))
        response.extra = Array(entries.joined(separator: separator).utf8) + [0]
        return response
    }

    package init(
        parsing reader: inout WireReader, to command: WinbindCommand,
        _ interface: WinbindInterface
    ) throws(WireError) {
        self.interface = interface
        let length = Int(clamping: try reader.uint32LE("length"))
        if length != reader.end { throw reader.invalid("length", length, width: 4) }
        let result = try reader.uint32LE("result")
        isOK = result == Result.ok
        if !isOK && result != Result.error {
            throw reader.invalid("result", Int(clamping: result), width: 4)
        }
        let end = interface.responseSize - 8
        var fields = reader.part(try reader.take(end - reader.offset, "body"))
        _ = try reader.uint64LE("extraPointer")
        let rest = reader.takeRest()
        body = try Self.body(&fields, command, isOK: isOK, interface)
        if case .logon(var logon) = body, logon.user != nil {
            var lines = reader.part(rest)
            try logon.user?.parseGroups(&lines)
            body = .logon(logon)
        } else {
            extra = reader.copy(rest)
            if command == .interfaceVersion { extra = [] }
        }
    }

    private static func body(
        _ fields: inout WireReader, _ command: WinbindCommand, isOK: Bool,
        _ interface: WinbindInterface
    ) throws(WireError) -> Body {
        switch command {
        case .pamAuth, .pamAuthCrap, .checkMachineAccount, .pamLogoff, .pamChangePassword,
            .pamChangePasswordCrap:
            let logon = try WinbindLogon(parsing: &fields, isOK: isOK, interface)
            // What is not permitted is not done, and no status says so.
            return !isOK && !logon.status.isError ? .none : .logon(logon)
        case _ where !isOK: return .none
        case .interfaceVersion, .listTrustedDomains, .listUsers, .listGroups:
            return .number(try fields.uint32LE("number"))
        case .netbiosName, .domainName: return .name(try fields.winbindText("name"))
        case .info:
            let separator = try fields.uint8("separator")
            return .info(separator: separator, version: try fields.winbindText("version"))
        case .domainInfo: return .domain(try WinbindDomainInfo(parsing: &fields))
        case .lookupName:
            let text = try fields.winbindText("sid")
            guard let sid = SID(text) else { throw fields.invalid("sid", 0) }
            return .sid(sid, use: UInt16(truncatingIfNeeded: try fields.uint32LE("use")))
        case .lookupSID:
            let domain = try fields.winbindText("domain")
            let name = try fields.winbindText("name")
            return .account(
                domain: domain, name: name,
                use: UInt16(truncatingIfNeeded: try fields.uint32LE("use")))
        case _: return .none
        }
    }

    package func write(into writer: inout WireWriter) {
        let start = writer.count
        let length = writer.reserve32()
        writer.uint32LE(isOK ? Result.ok : Result.error)
        switch body {
        case .none: break
        case .number(let number): writer.uint32LE(number)
        case .name(let name): writer.winbindText(name)
        case .info(let separator, let version):
            writer.uint8(separator)
            writer.winbindText(version)
        case .domain(let domain): domain.write(into: &writer)
        case .sid(let sid, let use):
            writer.winbindText(sid.description)
            writer.uint32LE(UInt32(use))
        case .account(let domain, let name, let use):
            writer.winbindText(domain)
            writer.winbindText(name)
            writer.uint32LE(UInt32(use))
        case .logon(let logon): logon.write(into: &writer, interface)
        }
        let size = isPadded ? WinbindInterface.largestResponse : interface.responseSize
        writer.zeros(start + size - writer.count)
        if case .logon(let logon) = body, let user = logon.user {
            user.writeGroups(into: &writer)
        } else {
            writer.append(extra)
        }
        writer.patch32LE(length, writer.count - start)
    }

    package var description: String {
        let result = isOK ? "done" : "not done"
        guard case .logon(let logon) = body else { return "winbind: \(result)" }
        return "winbind: \(result), \(logon.status.name)"
    }
}

/// DOMAIN_INFO's answer: `name[256] dnsName[256] sid[256] isNative(1) isActiveDirectory(1)
/// isPrimary(1)`.
package struct WinbindDomainInfo: Equatable, Sendable {
    package var name: String
    package var dnsName: String
    package var sid: String
    package var isActiveDirectory: Bool
    package var isPrimary: Bool

    package init(
        name: String, dnsName: String, sid: String, isActiveDirectory: Bool, isPrimary: Bool
    ) {
        self.name = name
        self.dnsName = dnsName
        self.sid = sid
        self.isActiveDirectory = isActiveDirectory
        self.isPrimary = isPrimary
    }

    init(parsing fields: inout WireReader) throws(WireError) {
        name = try fields.winbindText("name")
        dnsName = try fields.winbindText("dnsName")
        sid = try fields.winbindText("sid")
        // A native domain is one without controllers of NT 4.0, as every AD domain is now.
        _ = try fields.uint8("isNative")
        isActiveDirectory = try fields.uint8("isActiveDirectory") != 0
        isPrimary = try fields.uint8("isPrimary") != 0
    }

    func write(into writer: inout WireWriter) {
        writer.winbindText(name)
        writer.winbindText(dnsName)
        writer.winbindText(sid)
        writer.uint8(isActiveDirectory ? 1 : 0)
        writer.uint8(isActiveDirectory ? 1 : 0)
        writer.uint8(isPrimary ? 1 : 0)
    }
}
