import CNettle
import Wire

/// Bytes that must not outlive their use: wiped when the last holder lets go, and never printed.
///
/// A class, so that handing a secret on makes no further copy of it.
package final class Secret: CustomStringConvertible {
    package private(set) var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    deinit { Wipe.bytes(&bytes) }

    package var description: String { "(secret)" }
}

package enum Wipe {
    /// Overwrites with zeros in a way that the compiler must keep.
    package static func bytes(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes {
            guard let base = $0.baseAddress else { return }
            unsafe explicit_bzero(base, $0.count)
        }
    }
}

/// The operating system's randomness.
package enum SystemRandom {
    /// Up to so many bytes, getrandom gives all or fails only where the kernel has none at all.
    private static let most = 256

    /// `count` unpredictable bytes.
    package static func bytes(_ count: Int) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: count)
        unsafe out.withUnsafeMutableBytes { buffer in
            var start = 0
            while start < count {
                let size = min(most, count - start)
                let place = unsafe buffer.baseAddress.map { unsafe $0 + start }
                precondition(
                    unsafe getrandom(place, size, 0) == size, "no randomness from the kernel")
                start += size
            }
        }
        return out
    }
}
