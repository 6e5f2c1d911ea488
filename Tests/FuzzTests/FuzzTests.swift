import Foundation
import FuzzTargets
import Testing

/// Each input that ever did harm, and some around every target's seeds.
@Suite struct FuzzTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fuzz/Regressions")

    @Test(arguments: FuzzTarget.all.map(\.name))
    func inputsThatDidHarmDoNoneAnyMore(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let inputs = Self.folder.appendingPathComponent(name)
        let files = (try? FileManager.default.contentsOfDirectory(
            at: inputs, includingPropertiesForKeys: nil)) ?? []
        for file in files.sorted(by: { $0.path < $1.path }) {
            target.run([UInt8](try Data(contentsOf: file)))
        }
    }

    @Test func regressionsBelongToTargets() throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: Self.folder.path)) ?? []
        for name in names where !name.contains(".") {
            #expect(FuzzTarget.named(name) != nil, "no target \(name)")
        }
    }

    @Test(arguments: FuzzTarget.all.map(\.name))
    func changedSeedsAreTakenOrRefused(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        var state: UInt64 = 1
        func number(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        for seed in target.seeds + [[]] {
            target.run(seed)
            for _ in 0..<20 {
                var changed = seed
                for _ in 0...number(below: 4) {
                    if changed.isEmpty || number(below: 3) == 0 {
                        changed.insert(
                            UInt8(number(below: 256)), at: number(below: changed.count + 1))
                    } else {
                        changed[number(below: changed.count)] = UInt8(number(below: 256))
                    }
                }
                target.run(changed)
            }
        }
    }

    /// What needs a secure channel is reached: each of its calls succeeds as it stands, and none
    /// of them without the channel's seal.
    @Test func callsUnderAChannelsSealAreCarriedOut() {
        let seeds = FuzzTarget.sealedCalls
        #expect(seeds.count == 2)
        for seed in seeds {
            let answers = FuzzTarget.answers(toCalls: seed)
            #expect(answers.count >= 11)
            for (number, answer) in answers.enumerated() {
                // The call's status is its answer's end.
                #expect(answer?.suffix(4) == [0, 0, 0, 0], "call \(number)")
            }
            for (number, answer) in FuzzTarget.answers(toCalls: FuzzTarget.unsealed(seed))
                .enumerated()
            {
                #expect(answer?.suffix(4) != [0, 0, 0, 0], "call \(number)")
            }
        }
    }
}
