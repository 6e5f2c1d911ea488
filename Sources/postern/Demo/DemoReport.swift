import Consumers

/// The demonstration's table: each flow beside what the study of Windows NT 4.0 documents.
struct DemoReport {
    struct Row {
        var flow: String
        var documented: String
        /// Messages as the sockets saw them, of which an acknowledgement is none.
        var messages: Int
        var bytes: Int
        var microseconds: UInt64
        var outcome: String
    }

    var rows: [Row] = []

    /// What TCP, IP and Ethernet put in front of a segment, without options.
    static let segmentOverhead = 20 + 20 + 14

    var text: String {
        var text = Self.line("flow", "documented", "measured", "outcome")
        text += String(repeating: "-", count: 100) + "\n"
        for row in rows {
            let measured = "\(row.messages) messages, \(row.bytes) B, "
                + "\(Columns.milliseconds(row.microseconds)) ms"
            text += Self.line(row.flow, row.documented, measured, row.outcome)
        }
        return text
    }

    private static func line(
        _ flow: String, _ documented: String, _ measured: String, _ outcome: String
    ) -> String {
        Columns.padded(flow, 26) + Columns.padded(documented, 28) + Columns.padded(measured, 34)
            + outcome + "\n"
    }

    var json: String {
        var writer = JSONWriter()
        writer.array { list in
            for row in rows {
                list.object { item in
                    item.member("flow", row.flow)
                    item.member("documented", row.documented)
                    item.member("messages", row.messages)
                    item.member("bytes", row.bytes)
                    item.member("microseconds", Int(row.microseconds))
                    item.member("outcome", row.outcome)
                }
            }
        }
        return writer.finish()
    }
}
