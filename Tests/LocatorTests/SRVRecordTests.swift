import Testing

@testable import Locator

@Suite struct SRVRecordTests {
    private func record(_ priority: UInt16, _ weight: UInt16, _ target: String) -> SRVRecord {
        SRVRecord(priority: priority, weight: weight, port: 389, target: target)
    }

    @Test func ordersByPriorityFirst() {
        let records = [record(20, 9, "c"), record(0, 1, "a"), record(10, 5, "b")]
        let order = SRVRecord.ordered(records) { _ in 0 }.map(\.target)
        #expect(order == ["a", "b", "c"])
    }

    @Test func drawsByWeightWithinAPriority() {
        let records = [record(0, 1, "one"), record(0, 3, "three")]
        var first: [String: Int] = [:]
        var state: UInt32 = 1
        for _ in 0..<4000 {
            let order = SRVRecord.ordered(records) { top in
                state = state &* 1_664_525 &+ 1_013_904_223
                return UInt32((UInt64(state) * (UInt64(top) + 1)) >> 32)
            }
            first[order[0].target, default: 0] += 1
        }
        // RFC 2782 draws from 0...4 inclusive, so that "one" wins 0 and 1 of five.
        #expect(first["three"]! > 2200 && first["three"]! < 2600)
        #expect(first["one"]! + first["three"]! == 4000)
    }

    @Test func weightZeroStillHasAChance() {
        let records = [record(0, 100, "big"), record(0, 0, "small")]
        #expect(SRVRecord.ordered(records) { _ in 0 }.map(\.target) == ["small", "big"])
        #expect(SRVRecord.ordered(records) { $0 }.map(\.target) == ["big", "small"])
    }

    @Test func leavesOutTheTargetThatMeansNone() {
        #expect(SRVRecord.ordered([record(0, 0, "."), record(0, 0, "")]) { $0 }.isEmpty)
    }

    @Test func boundsAnAnswerOfThousands() {
        let records = (0..<5000).map { record(UInt16($0 % 7), UInt16($0), "dc\($0)") }
        #expect(SRVRecord.ordered(records) { $0 }.count == SRVRecord.maximumRecords)
    }
}
