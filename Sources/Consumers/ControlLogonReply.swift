import Crypto
import Wire

/// How a logon ended. Unavailable and overloaded say nothing about the user's credential.
package enum LogonOutcome: UInt8, Sendable {
    case success = 0
    /// A controller, or the policy here, said no.
    case refused = 1
    /// No controller could be asked in time.
    case unavailable = 2
    /// There are too many logons under way; another try later may do.
    case overloaded = 3
    /// The request makes no sense.
    case badRequest = 4
}

/// The agent's answer to a logon request.
///
///     kind(1) requestID(4) outcome(1) ntStatus(4) authoritative(1) keys(1)
///     ntKey(16) where keys has 1; lmKey(8) where keys has 2
///     domain(text) user(text) count(2) groupRIDs(4 each) text(text)
package struct ControlLogonReply: CustomStringConvertible {
    private enum Key {
        static let nt: UInt8 = 1
        static let lm: UInt8 = 2
    }

    static let layer: StaticString = "logon reply"
    package static let maximumGroups = 8 * 1024
    package static let maximumText = 1024

    package var requestID: UInt32
    package var outcome: LogonOutcome
    package var ntStatus: NTStatus
    /// False where another domain might still know the user.
    package var isAuthoritative = true
    /// 16 bytes.
    package var ntKey: Secret?
    /// 8 bytes.
    package var lmKey: Secret?
    /// The names as the controller spells them.
    package var domain = ""
    package var user = ""
    package var groupRIDs: [UInt32] = []
    /// What a person should know: the cause and the remedy.
    package var text = ""

    package init(requestID: UInt32, outcome: LogonOutcome, ntStatus: NTStatus) {
        self.requestID = requestID
        self.outcome = outcome
        self.ntStatus = ntStatus
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        requestID = try reader.controlHeader(.logonReply)
        let code = try reader.uint8("outcome")
        guard let known = LogonOutcome(rawValue: code) else {
            throw reader.invalid("outcome", Int(code), width: 1)
        }
        outcome = known
        ntStatus = NTStatus(rawValue: try reader.uint32LE("ntStatus"))
        let authoritative = try reader.uint8("authoritative")
        if authoritative > 1 {
            throw reader.invalid("authoritative", Int(authoritative), width: 1)
        }
        isAuthoritative = authoritative == 1
        let keys = try reader.uint8("keys")
        if keys & ~(Key.nt | Key.lm) != 0 { throw reader.invalid("keys", Int(keys), width: 1) }
        if keys & Key.nt != 0 { ntKey = Secret(reader.copy(try reader.take(16, "ntKey"))) }
        if keys & Key.lm != 0 { lmKey = Secret(reader.copy(try reader.take(8, "lmKey"))) }
        domain = try reader.countedText("domain", limit: ControlLogonRequest.maximumName)
        user = try reader.countedText("user", limit: ControlLogonRequest.maximumName)
        let count = Int(try reader.uint16LE("count"))
        if count > Self.maximumGroups {
            throw WireError(
                .limit, layer: Self.layer, field: "count", offset: reader.offset - 2,
                needed: count, available: Self.maximumGroups)
        }
        try reader.need(count * 4, "groupRIDs")
        groupRIDs.reserveCapacity(count)
        for _ in 0..<count { groupRIDs.append(try reader.uint32LE("groupRIDs")) }
        text = try reader.countedText("text", limit: Self.maximumText)
        try reader.expectEnd("text")
    }

    package func write(into writer: inout WireWriter) {
        precondition(groupRIDs.count <= Self.maximumGroups)
        writer.controlHeader(.logonReply, requestID)
        writer.uint8(outcome.rawValue)
        writer.uint32LE(ntStatus.rawValue)
        writer.uint8(isAuthoritative ? 1 : 0)
        writer.uint8((ntKey == nil ? 0 : Key.nt) | (lmKey == nil ? 0 : Key.lm))
        if let ntKey {
            precondition(ntKey.bytes.count == 16)
            writer.append(ntKey.bytes)
        }
        if let lmKey {
            precondition(lmKey.bytes.count == 8)
            writer.append(lmKey.bytes)
        }
        writer.countedText(domain, limit: ControlLogonRequest.maximumName)
        writer.countedText(user, limit: ControlLogonRequest.maximumName)
        writer.uint16LE(UInt16(groupRIDs.count))
        for rid in groupRIDs { writer.uint32LE(rid) }
        writer.countedText(text, limit: Self.maximumText)
    }

    package var description: String {
        let name: StaticString =
            switch outcome {
            case .success: "success"
            case .refused: "refused"
            case .unavailable: "unavailable"
            case .overloaded: "overloaded"
            case .badRequest: "bad request"
            }
        return "logon \(requestID): \(name.description), \(ntStatus.name)"
    }
}
