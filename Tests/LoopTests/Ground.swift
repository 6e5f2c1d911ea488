import Foundation
import Loop
import Wire

/// What the tests of this target share: a folder of their own, and runs that cannot hang.
func temporaryFolder() -> String {
    var template = Array("/tmp/postern-loop-XXXXXX".utf8CString)
    return unsafe String(cString: mkdtemp(&template))
}

/// Runs the loop until `done` or for `limit` milliseconds; says whether it was done.
@discardableResult
func run(_ loop: EventLoop, limit: UInt64 = 5_000, until done: () -> Bool) -> Bool {
    let alarm = Timer(loop) {}
    alarm.arm(after: limit)
    while !done(), alarm.deadline != nil { loop.runOnce(waiting: true) }
    return done()
}

/// Collects what callbacks tell; a class, so that closures share it.
final class Record {
    var bytes: [UInt8] = []
    var endpoints: [Endpoint] = []
    var counts: [Int] = []
    var connected = 0
    var closed: [SystemError?] = []
    var failed: [SystemError] = []

    func take(_ span: Span<UInt8>) {
        counts.append(span.count)
        for index in 0..<span.count { bytes.append(span[index]) }
    }
}

/// Says when it is freed: for closures that must not be kept.
final class Canary {
    let gone: () -> Void
    init(_ gone: @escaping () -> Void) { self.gone = gone }
    deinit { gone() }
}
