import Crypto
import Wire

/// What a program linked with libwbclient asks for:
///
///     length(4) command(4) originalCommand(4) process(4) genericFlags(4) flags(4)
///     domainName[256]
///     clientName[32]      from interface 31 on
///     traceNumber(8)      from interface 32 on
///     body[1800]          by the command
///     extraPointer(8) extraLength(4) padding(4)
///     extra[extraLength]
///
/// `length` is the structure's, without `extra`. Bytes that belong to no field of the command are
/// what the client's memory held, and are not read.
package struct WinbindRequest: CustomStringConvertible {
    package enum Body {
        case none
        /// PAM_AUTH: `user[256] password[256] requiredSIDs[1024]`. The user may have a domain.
        case password(user: String, Secret, requiredSIDs: String)
        case response(WinbindChallengeResponse)
        /// LOOKUPNAME: `domain[256] name[256]`.
        case name(domain: String, name: String)
        /// LOOKUPSID: `sid[256]`.
        case sid(String)
    }

    /// What the answer to a logon is to have.
    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Who the user is, as NDR has it. Not served: libwbclient never asks for it.
        package static let infoNDR = Flags(rawValue: 0x1)
        package static let infoText = Flags(rawValue: 0x2)
        package static let userSessionKey = Flags(rawValue: 0x4)
        package static let lmKey = Flags(rawValue: 0x8)
        package static let unixName = Flags(rawValue: 0x80)
        /// A wrong password and an unknown user are to look the same.
        package static let squashesStatus = Flags(rawValue: 0x200)
        /// The NT response is in `extra`, as its field is too short for it.
        static let responseIsExtra = Flags(rawValue: 0x1_0000)
    }

    static let layer: StaticString = "winbind request"
    /// An NTLMv2 response ends with the target information, which is as long as its sender likes.
    static let maximumExtra = 16 * 1_024
    static let bodySize = 1_800

    package var interface: WinbindInterface
    package var command: WinbindCommand
    package var process: UInt32 = 0
    package var genericFlags: UInt32 = 0
    package var flags: Flags = []
    package var domainName = ""
    package var clientName = ""
    package var traceNumber: UInt64 = 0
    package var body = Body.none
    package var extra: [UInt8] = []

    package init(_ command: WinbindCommand, _ interface: WinbindInterface) {
        self.command = command
        self.interface = interface
    }

    package init(
        parsing reader: inout WireReader, _ interface: WinbindInterface
    ) throws(WireError) {
        self.interface = interface
        let length = Int(clamping: try reader.uint32LE("length"))
        if length != interface.requestSize { throw reader.invalid("length", length, width: 4) }
        command = WinbindCommand(number: try reader.uint32LE("command"), in: interface)
        _ = try reader.uint32LE("originalCommand")
        process = try reader.uint32LE("process")
        genericFlags = try reader.uint32LE("genericFlags")
        flags = Flags(rawValue: try reader.uint32LE("flags"))
        domainName = try reader.winbindText("domainName")
        if interface.hasClientName {
            clientName = try reader.winbindText("clientName", size: WinbindText.clientName)
        }
        if interface.hasTraceNumber { traceNumber = try reader.uint64LE("traceNumber") }
        var fields = reader.part(try reader.take(Self.bodySize, "body"))
        _ = try reader.uint64LE("extraPointer")
        let extraLength = Int(clamping: try reader.uint32LE("extraLength"))
        _ = try reader.take(4, "padding")
        if extraLength > Self.maximumExtra {
            throw WireError(
                .limit, layer: Self.layer, field: "extraLength", offset: reader.offset - 8,
                needed: extraLength, available: Self.maximumExtra)
        }
        extra = reader.copy(try reader.take(extraLength, "extra"))
        try reader.expectEnd("extra")
        switch command {
        case .pamAuth:
            let user = try fields.winbindText("user")
            let password = try fields.winbindBytes(WinbindText.name, "password")
            body = .password(
                user: user, Secret(fields.copy(password)),
                requiredSIDs: try fields.winbindText(
                    "requiredSIDs", size: WinbindText.requiredSIDs))
        case .pamAuthCrap:
            var response = try WinbindChallengeResponse(parsing: &fields, flags)
            if flags.contains(.responseIsExtra) { swap(&response.nt, &extra) }
            body = .response(response)
        case .lookupName:
            let domain = try fields.winbindText("domain")
            body = .name(domain: domain, name: try fields.winbindText("name"))
        case .lookupSID: body = .sid(try fields.winbindText("sid"))
        case _: break
        }
    }

    package func write(into writer: inout WireWriter) {
        let start = writer.count
        var flags = self.flags.subtracting(.responseIsExtra)
        var extra = self.extra
        if case .response(let response) = body, response.isLong {
            flags.insert(.responseIsExtra)
            extra = response.nt
        }
        writer.uint32LE(UInt32(interface.requestSize))
        writer.uint32LE(command.number(in: interface))
        writer.uint32LE(0)
        writer.uint32LE(process)
        writer.uint32LE(genericFlags)
        writer.uint32LE(flags.rawValue)
        writer.winbindText(domainName)
        if interface.hasClientName {
            writer.winbindText(clientName, size: WinbindText.clientName)
        }
        if interface.hasTraceNumber { writer.uint64LE(traceNumber) }
        let end = writer.count + Self.bodySize
        switch body {
        case .none: break
        case .password(let user, let password, let requiredSIDs):
            writer.winbindText(user)
            let bytes = password.bytes.prefix(WinbindText.name - 1)
            writer.append(Array(bytes))
            writer.zeros(WinbindText.name - bytes.count)
            writer.winbindText(requiredSIDs, size: WinbindText.requiredSIDs)
        case .response(let response): response.write(into: &writer)
        case .name(let domain, let name):
            writer.winbindText(domain)
            writer.winbindText(name)
        case .sid(let sid): writer.winbindText(sid)
        }
        writer.zeros(end - writer.count)
        writer.uint64LE(0)
        writer.uint32LE(UInt32(extra.count))
        writer.zeros(4)
        assert(writer.count - start == interface.requestSize)
        writer.append(extra)
    }

    package var description: String {
        let number = "winbind command \(command.rawValue)"
        switch body {
        case .none: return domainName.isEmpty ? number : "\(number) for \(domainName)"
        case .password(let user, _, _): return "\(number), logon of \(user) by password"
        case .response(let response): return "\(number), \(response.description)"
        case .name(let domain, let name): return "\(number), name \(domain)\\\(name)"
        case .sid(let sid): return "\(number), SID \(sid)"
        }
    }
}

/// PAM_AUTH_CRAP's body: a challenge, and what the user's host answered to it.
///
///     challenge(8) parameterControl(4) user[256] domain[256] lm[256] lmLength(4)
///     nt[256] ntLength(4) workstation[256] requiredSIDs[256]
///
/// A response that is longer than its field is in the request's extra bytes instead.
package struct WinbindChallengeResponse: CustomStringConvertible {
    private static let field = 256

    package var challenge = Bytes8()
    package var parameterControl: UInt32 = 0
    package var user = ""
    package var domain = ""
    package var lm: [UInt8] = []
    package var nt: [UInt8] = []
    package var workstation = ""
    package var requiredSIDs = ""

    package init() {}

    /// Without the NT response where that is in the extra bytes.
    init(
        parsing fields: inout WireReader, _ flags: WinbindRequest.Flags
    ) throws(WireError) {
        challenge = try fields.fixed("challenge")
        parameterControl = try fields.uint32LE("parameterControl")
        user = try fields.winbindText("user")
        domain = try fields.winbindText("domain")
        lm = try Self.counted(&fields, "lm", isElsewhere: false)
        nt = try Self.counted(
            &fields, "nt", isElsewhere: flags.contains(.responseIsExtra))
        workstation = try fields.winbindText("workstation")
        requiredSIDs = try fields.winbindText("requiredSIDs")
    }

    func write(into writer: inout WireWriter) {
        writer.append(challenge)
        writer.uint32LE(parameterControl)
        writer.winbindText(user)
        writer.winbindText(domain)
        Self.counted(lm, into: &writer)
        Self.counted(nt, into: &writer)
        writer.winbindText(workstation)
        writer.winbindText(requiredSIDs)
    }

    var isLong: Bool { nt.count > Self.field }

    private static func counted(
        _ fields: inout WireReader, _ field: StaticString, isElsewhere: Bool
    ) throws(WireError) -> [UInt8] {
        let room = try fields.take(Self.field, field)
        let length = Int(clamping: try fields.uint32LE(field))
        if isElsewhere { return [] }
        if length > Self.field { throw fields.invalid(field, length, width: 4) }
        return fields.copy(room.lowerBound..<(room.lowerBound + length))
    }

    private static func counted(_ bytes: [UInt8], into writer: inout WireWriter) {
        let fits = bytes.count <= field
        if fits { writer.append(bytes) }
        writer.zeros(fits ? field - bytes.count : field)
        writer.uint32LE(UInt32(bytes.count))
    }

    package var description: String {
        "logon of \(domain)\\\(user) by NT (\(nt.count) bytes), LM (\(lm.count) bytes)"
    }
}
