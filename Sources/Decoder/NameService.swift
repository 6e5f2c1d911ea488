import NetBIOS
import Wire

/// The name service of port 137.
enum NameServiceDecoder {
    static let layer: StaticString = "NBNS"

    static func decode(_ reader: inout WireReader, into outline: inout Outline) throws(WireError) {
        show(try NameServicePacket(parsing: &reader), into: &outline)
    }

    private static func show(_ packet: NameServicePacket, into outline: inout Outline) {
        let flags = packet.flags
        outline.open(
            "NBNS " + kind(packet) + (flags.isResponse ? " response" : " request")
                + ", id \(packet.transactionID)")
        defer { outline.close() }
        var names = BitNames()
        names.add(flags.isAuthoritative, "authoritative")
        names.add(flags.isTruncated, "truncated")
        names.add(flags.isRecursionDesired, "recursion-desired")
        names.add(flags.isRecursionAvailable, "recursion-available")
        names.add(flags.isBroadcast, "broadcast")
        if !names.text.isEmpty { outline.field("flags", names.text) }
        if flags.isResponse { outline.field("result", flags.result.description) }
        if let question = packet.question {
            outline.field("question", question.name.description + " " + text(question.type))
        }
        show("answer", packet.answer, into: &outline)
        show("authority", packet.authority, into: &outline)
        show("additional", packet.additional, into: &outline)
    }

    private static func kind(_ packet: NameServicePacket) -> String {
        switch packet.flags.opcode {
        case .query: packet.question?.type == .nodeStatus ? "node status" : "query"
        case .registration: "registration"
        case .release: "release"
        case .waitForAcknowledgement: "wait for acknowledgement"
        case .refresh, .alternativeRefresh: "refresh"
        case .multihomedRegistration: "multi-homed registration"
        case let opcode: "opcode \(opcode.rawValue)"
        }
    }

    private static func text(_ type: NameServiceType) -> String {
        switch type {
        case .address: "A"
        case .nameServer: "NS"
        case .null: "NULL"
        case .netBIOS: "NB"
        case .nodeStatus: "NBSTAT"
        case _: "type \(type.rawValue)"
        }
    }

    private static func show(
        _ role: String, _ record: NameServiceRecord?, into outline: inout Outline
    ) {
        guard let record else { return }
        outline.open(
            role + ": " + record.name.description + " " + text(record.type)
                + ", ttl \(record.timeToLive) s")
        defer { outline.close() }
        switch record.data {
        case .addresses(let entries):
            for entry in entries {
                outline.field("address", entry.description + ", " + text(entry.flags.nodeType))
            }
        case .nodeStatus(let status):
            for entry in status.names {
                var names = BitNames()
                names.add(entry.flags.isGroup, "group")
                names.add(entry.flags.isActive, "active")
                names.add(entry.flags.isInConflict, "in-conflict")
                outline.field("name", entry.name.description + " " + names.text)
            }
            outline.field("unit id", Hex.string(status.statistics.unitID.bytes))
        case .acknowledged(let flags):
            outline.flags("request's flags", UInt32(flags.rawValue))
        case .address(let address): outline.field("address", address.description)
        case .nameServer(let server): outline.field("server", server.description)
        case .other(let bytes): outline.field("data", "\(bytes.count) bytes")
        }
    }

    private static func text(_ type: NodeType) -> String {
        switch type {
        case .broadcast: "B node"
        case .pointToPoint: "P node"
        case .mixed: "M node"
        case .hybrid: "H node"
        }
    }
}
