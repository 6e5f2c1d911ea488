import Testing

@testable import Domain

@Suite struct AccountTests {
    @Test func kindsAreThoseThatExcludeEachOther() {
        #expect(AccountFlags.kinds.rawValue == 0x1d8)
    }
}
