import Crypto
import Wire

/// Bytes that came in and may be passwords: wiped where they are taken out, where the buffer
/// grows out of its memory, and when it ends.
///
/// A class, because only a class can wipe its own memory at its end.
final class SecretBuffer {
    /// Memory that an idle buffer keeps.
    private static let kept = 8 * 1024

    private var held: [UInt8] = []
    /// Where what is not taken yet begins.
    private var start = 0

    deinit { Wipe.bytes(&held) }

    var count: Int { held.count - start }

    subscript(index: Int) -> UInt8 { held[start + index] }

    func append(_ piece: Span<UInt8>) {
        compact()
        let needed = held.count + piece.count
        if needed > held.capacity {
            var grown: [UInt8] = []
            grown.reserveCapacity(max(needed, held.capacity * 2))
            grown.append(contentsOf: held)
            swap(&grown, &held)
            Wipe.bytes(&grown)
        }
        held.append(copying: piece)
    }

    /// The bytes from `skipped` on up to `end`; all before `end` is gone afterwards.
    func take(from skipped: Int, to end: Int) -> Secret {
        let secret = Secret(Array(held[(start + skipped)..<(start + end)]))
        drop(end)
        return secret
    }

    /// Forgets the first `count` bytes.
    func drop(_ count: Int) {
        for index in start..<(start + count) { held[index] = 0 }
        start += count
        if start == held.count {
            held.removeAll(keepingCapacity: held.capacity <= Self.kept)
            start = 0
        }
    }

    private func compact() {
        if start == 0 { return }
        let left = held.count - start
        for index in 0..<left { held[index] = held[start + index] }
        for index in left..<held.count { held[index] = 0 }
        held.removeLast(start)
        start = 0
    }
}
