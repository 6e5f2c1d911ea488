import Foundation
import FuzzTargets

// The program that libFuzzer drives. `POSTERN_FUZZ` in the environment names the target; without it
// the targets' names are printed. `Tests/Fuzz/run` makes one process for each.

private typealias Words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
private typealias TestOneInput = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>, _ words: UnsafeMutablePointer<Words>,
    _ test: TestOneInput
) -> Int32

nonisolated(unsafe) private var target: FuzzTarget?

@_cdecl("fuzz_main")
public func fuzz(
    _ count: Int32, _ words: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> Int32 {
    let environment = ProcessInfo.processInfo.environment
    guard let name = environment["POSTERN_FUZZ"] else {
        print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
        return 0
    }
    guard let found = FuzzTarget.named(name) else {
        print("no target \(name)")
        return 2
    }
    if let folder = environment["POSTERN_FUZZ_SEEDS"] {
        for (index, seed) in found.seeds.enumerated() {
            let path = URL(fileURLWithPath: "\(folder)/seed-\(index)")
            try? Data(seed).write(to: path)
        }
    }
    unsafe target = found
    var count = count
    var words = unsafe words
    return unsafe runDriver(&count, &words) { bytes, length in
        unsafe target?.run(Array(UnsafeBufferPointer(start: bytes, count: length)))
        return 0
    }
}
