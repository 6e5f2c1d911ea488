import CLibuv
import CPosix

/// Tells the service manager how the daemon is (sd_notify(3)): one datagram each to the socket
/// that it named in the environment. Without one nothing is sent.
package struct ServiceManager: Sendable {
    private let path: String?
    /// Milliseconds within which the manager wants to hear `alive()`; nil where it does not watch.
    package let watchdogInterval: UInt64?

    /// As the environment of this process says.
    package init() {
        path = Environment.value("NOTIFY_SOCKET")
        let forUs = Environment.value("WATCHDOG_PID").map { Int32($0) == getpid() } ?? true
        if forUs, let text = Environment.value("WATCHDOG_USEC"), let interval = UInt64(text) {
            watchdogInterval = max(interval / 1_000, 1)
        } else {
            watchdogInterval = nil
        }
    }

    package func ready(status: String) { tell("READY=1\nSTATUS=" + Self.line(status)) }
    package func status(_ text: String) { tell("STATUS=" + Self.line(text)) }
    package func alive() { tell("WATCHDOG=1") }
    package func stopping() { tell("STOPPING=1") }

    /// A status is one line of the message.
    private static func line(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 < 32 ? 32 : $0 }, as: UTF8.self)
    }

    private func tell(_ message: String) {
        guard let path, let socket = try? openSocket(AF_UNIX, SOCK_DGRAM) else { return }
        // Best effort: a manager that does not read is no reason to fail.
        if unsafe callLocal(socket, path, connect) == 0 {
            let bytes = Array(message.utf8)
            _ = unsafe bytes.withUnsafeBytes {
                unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
        }
        _ = close(socket)
    }
}

package enum Environment {
    /// The value of a variable, or nil where it is not set or empty.
    package static func value(_ name: String) -> String? {
        guard let text = unsafe getenv(name), unsafe text.pointee != 0 else { return nil }
        return unsafe String(cString: text)
    }
}
