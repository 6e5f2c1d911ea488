import Crypto
import Wire

/// Asks the agent to have a controller validate a logon.
///
///     kind(1) requestID(4) flags(4) parameterControl(4) deadline(4)
///     domain(text) user(text) workstation(text) requiredGroup(text)
///     password(text)                                          where flags has `password`, else
///     challenge(8) ntResponse(bytes) lmResponse(bytes)
package struct ControlLogonRequest: CustomStringConvertible {
    /// How the user proves to be who it is.
    package enum Credential {
        /// The agent computes the response; the password travels in UTF-8.
        case password(Secret)
        case response(challenge: Bytes8, nt: [UInt8], lm: [UInt8])
    }

    /// What besides the outcome is wanted.
    package struct Wants: OptionSet, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let ntKey = Wants(rawValue: 0x1)
        package static let lmKey = Wants(rawValue: 0x2)
        package static let text = Wants(rawValue: 0x4)
        package static let groups = Wants(rawValue: 0x8)
        static let all: Wants = [.ntKey, .lmKey, .text, .groups]
    }

    /// Bits of ParameterControl (MS-NRPC 2.2.1.4.15) that callers ask for.
    package enum ParameterControl {
        package static let serverTrustAccount: UInt32 = 0x0000_0020
        package static let workstationTrustAccount: UInt32 = 0x0000_0800
        package static let msChapV2: UInt32 = 0x0001_0000
    }

    private enum Flag {
        static let password: UInt32 = 0x0001_0000
        static let domain: UInt32 = 0x0002_0000
        static let workstation: UInt32 = 0x0004_0000
        static let all: UInt32 = 0x0007_0000
    }

    static let layer: StaticString = "logon request"
    /// Longest text in bytes: a name of 256 UTF-16 units, the most that a controller takes.
    package static let maximumName = 768
    package static let maximumPassword = 768
    /// An NTLMv2 response ends with the target information, which is as long as its sender likes.
    package static let maximumNTResponse = 16 * 1024
    package static let maximumLMResponse = 24

    package var requestID: UInt32
    package var wants: Wants = []
    package var parameterControl: UInt32 = 0
    /// Milliseconds until the answer must be there; zero for the domain's own deadline.
    package var deadline: UInt32 = 0
    /// Nil where the caller names none, which is not the same as an empty one.
    package var domain: String?
    package var user: String
    package var workstation: String?
    /// SIDs and names as DOMAIN\group, between commas, one of which the user must belong to; empty
    /// for none.
    package var requiredGroup = ""
    package var credential: Credential

    package init(requestID: UInt32, domain: String?, user: String, credential: Credential) {
        self.requestID = requestID
        self.domain = domain
        self.user = user
        self.credential = credential
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        requestID = try reader.controlHeader(.logonRequest)
        let flags = try reader.uint32LE("flags")
        if flags & ~(Flag.all | Wants.all.rawValue) != 0 {
            throw reader.invalid("flags", Int(truncatingIfNeeded: flags), width: 4)
        }
        wants = Wants(rawValue: flags & Wants.all.rawValue)
        parameterControl = try reader.uint32LE("parameterControl")
        deadline = try reader.uint32LE("deadline")
        if flags & Flag.domain != 0 {
            domain = try reader.countedText("domain", limit: Self.maximumName)
        }
        user = try reader.countedText("user", limit: Self.maximumName)
        if flags & Flag.workstation != 0 {
            workstation = try reader.countedText("workstation", limit: Self.maximumName)
        }
        requiredGroup = try reader.countedText("requiredGroup", limit: Self.maximumName)
        if flags & Flag.password != 0 {
            let bytes = try reader.countedBytes("password", limit: Self.maximumPassword)
            credential = .password(Secret(bytes))
        } else {
            let challenge: Bytes8 = try reader.fixed("challenge")
            let nt = try reader.countedBytes("ntResponse", limit: Self.maximumNTResponse)
            let lm = try reader.countedBytes("lmResponse", limit: Self.maximumLMResponse)
            credential = .response(challenge: challenge, nt: nt, lm: lm)
        }
        try reader.expectEnd("credential")
    }

    /// Every text and response must keep to its limit; `isWithinLimits` tells.
    package func write(into writer: inout WireWriter) {
        writer.controlHeader(.logonRequest, requestID)
        var flags = wants.rawValue
        if case .password = credential { flags |= Flag.password }
        if domain != nil { flags |= Flag.domain }
        if workstation != nil { flags |= Flag.workstation }
        writer.uint32LE(flags)
        writer.uint32LE(parameterControl)
        writer.uint32LE(deadline)
        if let domain { writer.countedText(domain) }
        writer.countedText(user)
        if let workstation { writer.countedText(workstation) }
        writer.countedText(requiredGroup)
        switch credential {
        case .password(let password):
            writer.countedBytes(password.bytes)
        case .response(let challenge, let nt, let lm):
            writer.append(challenge)
            writer.countedBytes(nt)
            writer.countedBytes(lm)
        }
    }

    /// Whether the agent will read the request at all. Callers hand over what strangers typed.
    package var isWithinLimits: Bool {
        for name in [domain ?? "", user, workstation ?? "", requiredGroup]
        where name.utf8.count > Self.maximumName { return false }
        switch credential {
        case .password(let password):
            return password.bytes.count <= Self.maximumPassword
        case .response(_, let nt, let lm):
            return nt.count <= Self.maximumNTResponse && lm.count <= Self.maximumLMResponse
        }
    }

    package var description: String {
        let name = (domain.map { $0 + "\\" } ?? "") + user
        switch credential {
        case .password: return "logon \(requestID) of \(name) by password"
        case .response(_, let nt, let lm):
            return "logon \(requestID) of \(name) by NT (\(nt.count) bytes), LM (\(lm.count) bytes)"
        }
    }
}
