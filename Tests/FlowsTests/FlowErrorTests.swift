import Testing
import Wire

@testable import Flows

@Suite struct FlowErrorTests {
    @Test func namesStepAndReason() {
        let error = FlowError.refused(step: "session setup", .accessDenied)
        #expect(error.description == "session setup: NT_STATUS_ACCESS_DENIED")
    }
}
