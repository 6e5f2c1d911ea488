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

    /// Who vouched counts, and not the domain's name in what he said.
    @Test func whoVouchedSaysWhoseUserItIs() {
        func identity(isOurs: Bool, userFlags: UInt32 = 0) -> FrontIdentity {
            let logon = LogonIdentity(
                user: "root", domain: "GATE", userRID: 500, primaryGroupRID: 513,
                domainSID: nil, groupRIDs: [512], userFlags: userFlags, isOurs: isOurs)
            logon.isInAdministrators = true
            return FrontIdentity(logon)
        }
        #expect(identity(isOurs: true).isAdministrator)
        #expect(identity(isOurs: false).kind == .remote)
        #expect(!identity(isOurs: false).isAdministrator)
        #expect(identity(isOurs: true, userFlags: 1).kind == .guest)
        #expect(!identity(isOurs: true, userFlags: 1).isAdministrator)
    }

    @Test func numbersMakeNobodyAnAdministrator() {
        let logon = LogonIdentity(
            user: "root", domain: "GATE", userRID: 500, primaryGroupRID: 513, domainSID: nil,
            groupRIDs: [512], isOurs: true)
        #expect(!FrontIdentity(logon).isAdministrator)
    }
}
