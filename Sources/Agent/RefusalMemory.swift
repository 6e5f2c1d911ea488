import Crypto
import SecureChannel
import Wire

/// Passwords that a controller has just refused: the same one again is refused without asking, so
/// that a device with a stale password does not lock its user out.
///
/// Only refusals are kept, only of passwords (a response to a challenge is another one each time),
/// and only for so long that a password that is changed to the refused one works soon enough.
/// What is kept is a keyed digest, under a key that this process alone knows.
struct RefusalMemory {
    private enum Limit {
        static let entries = 4_096
    }

    private struct Entry {
        var status: NTStatus
        var until: UInt64
    }

    private let key: [UInt8]
    /// Milliseconds that a refusal is kept; zero: none are.
    private let span: UInt64
    private var entries: [Mark: Entry] = [:]
    /// The marks in the order they were made, the oldest at `next` once all room is used.
    private var order: [Mark] = []
    private var next = 0

    /// Stands for one user's password in one domain.
    struct Mark: Hashable {
        let low: UInt64
        let high: UInt64
    }

    init(key: [UInt8], span: UInt64) {
        self.key = key
        self.span = span
    }

    /// Nil where nothing is kept.
    func mark(domain: String, user: String, password: Secret) -> Mark? {
        if span == 0 { return nil }
        let names = Array("\(domain.uppercased())\\\(user.uppercased())\\".utf8)
        let code = HMACSHA256.code(key: key, names, password.bytes)
        var halves: [UInt64] = [0, 0]
        for index in 0..<16 { halves[index / 8] = halves[index / 8] << 8 | UInt64(code[index]) }
        return Mark(low: halves[0], high: halves[1])
    }

    /// How the same was refused a moment ago.
    func refusal(of mark: Mark, now: UInt64) -> NTStatus? {
        guard let entry = entries[mark], now < entry.until else { return nil }
        return entry.status
    }

    mutating func note(_ mark: Mark, _ outcome: LogonOutcome, now: UInt64) {
        // Other refusals are of the account, and may be put right at any moment.
        guard case .refused(let status, _) = outcome,
            status == .wrongPassword || status == .logonFailure
        else { return }
        if entries[mark] == nil {
            if order.count < Limit.entries {
                order.append(mark)
            } else {
                entries[order[next]] = nil
                order[next] = mark
                next = (next + 1) % Limit.entries
            }
        }
        entries[mark] = Entry(status: status, until: now + span)
    }
}
