import Consumers
import Flows

/// An explanation as programs read it: the chapters with their steps, and how it ended.
extension ChannelTrace {
    func json(_ words: String, _ code: ExitCode) -> String {
        var writer = JSONWriter()
        writer.object { whole in
            whole.member("succeeded", code == .success)
            whole.member("outcome", words)
            whole.array("chapters") { list in
                for chapter in chapters where !chapter.record.steps.isEmpty {
                    list.object { Self.member(chapter, &$0) }
                }
            }
        }
        return writer.finish() + "\n"
    }

    private static func member(_ chapter: Chapter, _ object: inout JSONWriter) {
        let record = chapter.record
        object.member("title", chapter.title)
        if let documented = chapter.documented { object.member("documented", documented) }
        figures(record.totalFrames, record.totalBytes, record.totalMicroseconds, &object)
        object.array("steps") { list in
            for step in record.steps { list.object { member(step, &$0) } }
        }
    }

    private static func member(_ step: FlowStep, _ object: inout JSONWriter) {
        object.member("step", step.title)
        if let documented = step.documented { object.member("documented", documented) }
        figures(step.frames, step.bytes, step.microseconds, &object)
        switch step.outcome {
        case .done(let words): outcome("done", words, &object)
        case .skipped(let reason): outcome("skipped", reason, &object)
        case .failed(let reason): outcome("failed", reason, &object)
        }
    }

    private static func figures(
        _ frames: Int, _ bytes: Int, _ microseconds: UInt64, _ object: inout JSONWriter
    ) {
        object.member("frames", frames)
        object.member("bytes", bytes)
        object.member("microseconds", Int(microseconds))
    }

    private static func outcome(_ name: String, _ words: String, _ object: inout JSONWriter) {
        object.member("outcome", name)
        if !words.isEmpty { object.member("words", words) }
    }
}
