import SecureChannel
import Testing

@testable import Front

@Suite struct FrontIdentityTests {
    @Test func fileTimeCountsFrom1601() {
        #expect(FrontTime(now: 0, unix: 0).fileTime == 116_444_736_000_000_000)
    }

    @Test func administratorsOfOtherDomainsHaveNoSay() {
        var identity = FrontIdentity(
            kind: .remote, user: "root", domain: "ELSEWHERE", userRID: 500, groupRIDs: [512],
            isInAdministrators: true)
        #expect(!identity.isAdministrator)
        identity.kind = .local
        #expect(identity.isAdministrator)
        #expect(!FrontIdentity.anonymous.isAdministrator)
    }

    @Test func theDomainSaysWhoIsAnAdministrator() {
        let logon = LogonIdentity(
            user: "root", domain: "GATE", userRID: 1_000, primaryGroupRID: 513, domainSID: nil,
            groupRIDs: [512])
        #expect(!FrontIdentity(logon, localDomain: "GATE").isAdministrator)
        logon.isInAdministrators = true
        #expect(FrontIdentity(logon, localDomain: "GATE").isAdministrator)
        #expect(!FrontIdentity(logon, localDomain: "OTHER").isAdministrator)
    }
}
