import Wire

/// A packet of the name service on port 137, RFC 1002 4.2.1. Every packet of 4.2.2 to 4.2.18 is
/// one of these with at most one question and at most one record of each kind; the makers in
/// `NameServicePackets.swift` build them by name.
///
/// ```
/// NAME_TRN_ID(2) | OPCODE, NM_FLAGS, RCODE(2) | QDCOUNT(2) ANCOUNT(2) NSCOUNT(2) ARCOUNT(2)
/// | QUESTION_NAME QUESTION_TYPE(2) QUESTION_CLASS(2) | RESOURCE_RECORD …
/// ```
///
/// Bytes beyond what the counts announce are refused.
package struct NameServicePacket: Equatable, Sendable, CustomStringConvertible {
    package struct Question: Equatable, Sendable {
        package var name: ScopedName
        package var type: NameServiceType

        package init(_ name: ScopedName, _ type: NameServiceType) {
            self.name = name
            self.type = type
        }
    }

    package static let headerLength = 12

    package var transactionID: UInt16
    package var flags: NameServiceFlags
    package var question: Question?
    package var answer: NameServiceRecord?
    package var authority: NameServiceRecord?
    package var additional: NameServiceRecord?

    package init(
        transactionID: UInt16, _ flags: NameServiceFlags, question: Question? = nil,
        answer: NameServiceRecord? = nil, authority: NameServiceRecord? = nil,
        additional: NameServiceRecord? = nil
    ) {
        self.transactionID = transactionID
        self.flags = flags
        self.question = question
        self.answer = answer
        self.authority = authority
        self.additional = additional
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let start = reader.offset
        transactionID = try reader.uint16BE("NAME_TRN_ID")
        flags = NameServiceFlags(rawValue: try reader.uint16BE("NM_FLAGS"))
        let hasQuestion = try Self.parseCount(&reader, "QDCOUNT")
        let hasAnswer = try Self.parseCount(&reader, "ANCOUNT")
        let hasAuthority = try Self.parseCount(&reader, "NSCOUNT")
        let hasAdditional = try Self.parseCount(&reader, "ARCOUNT")
        if hasQuestion {
            let name = try ScopedName(parsing: &reader, packetAt: start)
            let type = NameServiceType(rawValue: try reader.uint16BE("QUESTION_TYPE"))
            let number = try reader.uint16BE("QUESTION_CLASS")
            if number != NameServiceRecord.internetClass {
                throw reader.invalid("QUESTION_CLASS", Int(number), width: 2)
            }
            question = Question(name, type)
        }
        let opcode = flags.opcode
        if hasAnswer {
            answer = try NameServiceRecord(parsing: &reader, packetAt: start, opcode: opcode)
        }
        if hasAuthority {
            authority = try NameServiceRecord(parsing: &reader, packetAt: start, opcode: opcode)
        }
        if hasAdditional {
            additional = try NameServiceRecord(parsing: &reader, packetAt: start, opcode: opcode)
        }
        try reader.expectEnd("packet")
    }

    /// A count of 0 or 1: no packet of the specification has more.
    private static func parseCount(
        _ reader: inout WireReader, _ field: StaticString
    ) throws(WireError) -> Bool {
        let count = try reader.uint16BE(field)
        if count > 1 {
            throw WireError(
                .limit, layer: reader.layer, field: field, offset: reader.offset - 2,
                needed: Int(count), available: 1)
        }
        return count == 1
    }

    /// A record of the question's name points to it, as everyone writes them.
    package func write(into writer: inout WireWriter) {
        writer.uint16BE(transactionID)
        writer.uint16BE(flags.rawValue)
        writer.uint16BE(question == nil ? 0 : 1)
        writer.uint16BE(answer == nil ? 0 : 1)
        writer.uint16BE(authority == nil ? 0 : 1)
        writer.uint16BE(additional == nil ? 0 : 1)
        if let question {
            question.name.write(into: &writer)
            writer.uint16BE(question.type.rawValue)
            writer.uint16BE(NameServiceRecord.internetClass)
        }
        if let answer { write(answer, into: &writer) }
        if let authority { write(authority, into: &writer) }
        if let additional { write(additional, into: &writer) }
    }

    private func write(_ record: NameServiceRecord, into writer: inout WireWriter) {
        let same = question?.name == record.name
        record.write(into: &writer, pointer: same ? Self.headerLength : nil)
    }

    package var description: String {
        let kind: String
        switch flags.opcode {
        case .query: kind = "query"
        case .registration: kind = "registration"
        case .release: kind = "release"
        case .waitForAcknowledgement: kind = "wait"
        case .refresh, .alternativeRefresh: kind = "refresh"
        case .multihomedRegistration: kind = "multi-homed registration"
        case _: kind = "opcode \(flags.opcode.rawValue)"
        }
        var text = "NBNS \(transactionID) " + kind
        if flags.isResponse { text += " response: " + flags.result.description }
        if let question { text += ", " + question.name.description }
        if let answer { text += ", " + answer.description }
        if let authority { text += ", " + authority.description }
        if let additional { text += ", " + additional.description }
        return text
    }
}
