import Wire

/// Any message to or from a NETLOGON mailslot, by its opcode.
package enum NetlogonMessage: Equatable, Sendable, CustomStringConvertible {
    case logonRequest(LogonRequest)
    case logonResponseLM10(LogonResponseLM10)
    case logonResponseLM20(LogonResponseLM20)
    case logonRefusalLM20(LogonRefusalLM20)
    case primaryQuery(PrimaryQuery)
    case primaryResponse(PrimaryResponse)
    case announceChange(AnnounceChange)
    case samLogonRequest(SAMLogonRequest)
    case samLogonResponse(SAMLogonResponse)
    case samLogonResponseEx(SAMLogonResponseEx)
    /// One that this program has no use for, with what follows its opcode.
    case other(NetlogonOpcode, Range<Int>)

    package init(parsing reader: inout WireReader) throws(WireError) {
        let place = reader.offset
        let opcode = NetlogonOpcode(rawValue: try reader.uint16LE("Opcode"))
        try reader.seek(place, "Opcode")
        switch opcode {
        case .logonRequest:
            self = .logonRequest(try LogonRequest(parsing: &reader))
        case .logonResponseLM10:
            self = .logonResponseLM10(try LogonResponseLM10(parsing: &reader))
        case .logonResponseLM20:
            self = .logonResponseLM20(try LogonResponseLM20(parsing: &reader))
        case .logonPausedLM20, .logonUserUnknownLM20:
            self = .logonRefusalLM20(try LogonRefusalLM20(parsing: &reader))
        case .primaryQuery:
            self = .primaryQuery(try PrimaryQuery(parsing: &reader))
        case .primaryResponse:
            self = .primaryResponse(try PrimaryResponse(parsing: &reader))
        case .announceChange:
            self = .announceChange(try AnnounceChange(parsing: &reader))
        case .samLogonRequest:
            self = .samLogonRequest(try SAMLogonRequest(parsing: &reader))
        case .samLogonResponse, .samPauseResponse, .samUserUnknown:
            self = .samLogonResponse(try SAMLogonResponse(parsing: &reader))
        case .samLogonResponseEx, .samPauseResponseEx, .samUserUnknownEx:
            self = .samLogonResponseEx(try SAMLogonResponseEx(parsing: &reader))
        case _:
            _ = try reader.uint16LE("Opcode")
            self = .other(opcode, reader.takeRest())
        }
    }

    /// `span` is what was parsed; only a message that this program has no use for needs it.
    package func write(from span: Span<UInt8>, into writer: inout WireWriter) {
        switch self {
        case .logonRequest(let message): message.write(into: &writer)
        case .logonResponseLM10(let message): message.write(into: &writer)
        case .logonResponseLM20(let message): message.write(into: &writer)
        case .logonRefusalLM20(let message): message.write(into: &writer)
        case .primaryQuery(let message): message.write(into: &writer)
        case .primaryResponse(let message): message.write(into: &writer)
        case .announceChange(let message): message.write(into: &writer)
        case .samLogonRequest(let message): message.write(into: &writer)
        case .samLogonResponse(let message): message.write(into: &writer)
        case .samLogonResponseEx(let message): message.write(into: &writer)
        case .other(let opcode, let range):
            writer.uint16LE(opcode.rawValue)
            writer.append(span.extracting(range))
        }
    }

    package var description: String {
        switch self {
        case .logonRequest(let message): message.description
        case .logonResponseLM10(let message): message.description
        case .logonResponseLM20(let message): message.description
        case .logonRefusalLM20(let message): message.description
        case .primaryQuery(let message): message.description
        case .primaryResponse(let message): message.description
        case .announceChange(let message): message.description
        case .samLogonRequest(let message): message.description
        case .samLogonResponse(let message): message.description
        case .samLogonResponseEx(let message): message.description
        case .other(let opcode, let range):
            "NETLOGON message \(opcode.rawValue), \(range.count) bytes"
        }
    }
}
