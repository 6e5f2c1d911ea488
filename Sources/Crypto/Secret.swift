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
    /// `count` unpredictable bytes, 256 at most.
    package static func bytes(_ count: Int) -> [UInt8] {
        precondition(count <= 256)
        var out = [UInt8](repeating: 0, count: count)
        let got = unsafe out.withUnsafeMutableBytes {
            unsafe getrandom($0.baseAddress, $0.count, 0)
        }
        // Up to 256 bytes, getrandom gives all or fails only where the kernel has none at all.
        precondition(got == count, "no randomness from the kernel")
        return out
    }
}
