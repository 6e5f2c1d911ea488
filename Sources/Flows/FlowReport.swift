/// What a dialogue cost, as a table for people.
package enum FlowReport {
    private static let titleWidth = 46
    private static let numberWidth = 8

    /// One line a step: frames, bytes, milliseconds, and the documented figure beside it; then
    /// what came of it.
    package static func text(_ record: FlowRecord, title: String, documented: String?) -> String {
        var text = title + "\n"
        text += padded("  step", titleWidth) + left("frames") + left("bytes") + left("ms")
            + "  documented\n"
        for (index, step) in record.steps.enumerated() {
            let name = "  \(index + 1). " + step.title
            text += padded(name, titleWidth)
            switch step.outcome {
            case .done, .failed:
                text += left(String(step.frames)) + left(String(step.bytes))
                    + left(milliseconds(step.microseconds))
            case .skipped: text += left("-") + left("-") + left("-")
            }
            text += "  " + (step.documented ?? "") + "\n"
            let words = words(step.outcome)
            if !words.isEmpty { text += "       " + words + "\n" }
        }
        text += padded("  all", titleWidth) + left(String(record.totalFrames))
            + left(String(record.totalBytes)) + left(milliseconds(record.totalMicroseconds))
            + "  " + (documented ?? "") + "\n"
        return text
    }

    private static func words(_ outcome: FlowStep.Outcome) -> String {
        switch outcome {
        case .done(let words): words
        case .skipped(let reason): "skipped: " + reason
        case .failed(let reason): "failed: " + reason
        }
    }

    /// With one decimal.
    package static func milliseconds(_ microseconds: UInt64) -> String {
        let tenths = (microseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        var text = text
        for _ in text.unicodeScalars.count..<max(width, text.unicodeScalars.count + 1) {
            text += " "
        }
        return text
    }

    private static func left(_ text: String) -> String {
        var out = ""
        for _ in text.unicodeScalars.count..<max(numberWidth, text.unicodeScalars.count + 1) {
            out += " "
        }
        return out + text
    }
}
