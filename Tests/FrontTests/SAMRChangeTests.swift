import Crypto
import Domain
import Interfaces
import NTLM
import RPC
import Testing
import Wire

@testable import Front

@Suite struct SAMRChangeTests {
    private let random = [UInt8](repeating: 0x77, count: 512)

    private func utf16(_ password: String) -> Secret {
        Secret(password.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
    }

    @Test func computerJoins() throws {
        for form in [23, 24, 25, 26] {
            let world = try SAMRWorld()
            let made = try #require(
                try world.call(
                    SamrCreateUser2InDomain.self,
                    .init(
                        domainHandle: try world.domainHandle(), name: "PC1$", accountType: 0x80,
                        desiredAccess: 0xe00500b0)))
            try #require(made.status == .success)
            #expect(world.domain.accounts[made.relativeID]?.isDisabled == true)
            let sealed = SAMPassword.seal(
                utf16("machine"), key: SAMRWorld.key.bytes, random: random)
            let salted = SAMPassword.seal(
                utf16("machine"), sessionKey: SAMRWorld.key, salt: Bytes16(random),
                random: random)
            var fields = SamrUserFields()
            fields.whichFields = [.ntPasswordPresent, .userAccountControl]
            fields.userAccountControl = 0x280
            let information: SamrUserInformation
            switch form {
            case 23: information = .fieldsWithPassword(fields, sealed)
            case 24: information = .password(sealed, passwordExpired: 0)
            case 25: information = .fieldsWithSaltedPassword(fields, salted)
            default: information = .saltedPassword(salted, passwordExpired: 0)
            }
            let set = try world.call(
                SamrSetInformationUser2.self,
                .init(userHandle: made.handle, information: information))
            #expect(set?.status == .success)
            if form == 24 || form == 26 {
                let enabled = try world.call(
                    SamrSetInformationUser.self,
                    .init(
                        userHandle: made.handle,
                        information: .fields(informationClass: 16, fields)))
                #expect(enabled?.status == .success)
            }
            #expect(world.accepts("PC1$", "machine"))
            #expect(world.domain.accounts[made.relativeID]?.flags.rawValue == 0x280)
        }
    }

    @Test func hashesAreSetUnderTheSessionKey() throws {
        let world = try SAMRWorld()
        let rid = try world.user("anna")
        let handle = try world.userHandle(rid)
        let hash = HashEncryption.encrypt(NTOWF.v1(password: "other"), key: SAMRWorld.key)
        let set = try world.call(
            SamrSetInformationUser.self,
            .init(
                userHandle: handle,
                information: .hashes(
                    nt: hash, lm: Bytes16(), ntPresent: true, lmPresent: false,
                    passwordExpired: 0)))
        #expect(set?.status == .success && world.accepts("anna", "other"))
        var fields = SamrUserFields()
        fields.whichFields = [.ntPasswordPresent, .fullName, .passwordExpired]
        fields.fullName = "Anna"
        fields.passwordExpired = 1
        fields.ntOwfPassword =
            HashEncryption.encrypt(NTOWF.v1(password: "third"), key: SAMRWorld.key).bytes
        let all = try world.call(
            SamrSetInformationUser.self,
            .init(userHandle: handle, information: .fields(informationClass: 21, fields)))
        #expect(all?.status == .success)
        let account = try #require(world.domain.accounts[rid])
        #expect(account.ntHash == NTOWF.v1(password: "third"))
        #expect(account.passwordLastSet == 0 && account.fullName == "Anna")
    }

    @Test func wrongSessionKeySetsNothing() throws {
        let world = try SAMRWorld()
        let rid = try world.user("anna", "secret")
        let sealed = SAMPassword.seal(utf16("x"), key: [9, 9], random: random)
        let set = try world.call(
            SamrSetInformationUser2.self,
            .init(
                userHandle: try world.userHandle(rid),
                information: .password(sealed, passwordExpired: 0)))
        #expect(set?.status == .wrongPassword && world.accepts("anna", "secret"))
    }

    @Test func passwordsOverTCPNeedASeal() throws {
        let world = try SAMRWorld()
        let rid = try world.user("anna", "secret")
        world.caller = SAMRWorld.caller(.administrator, carriage: .tcp)
        let sealed = SAMPassword.seal(
            utf16("open"), key: Array("SystemLibraryDTC".utf8), random: random)
        let request = SamrSetInformationUser2.Request(
            userHandle: try world.userHandle(rid),
            information: .password(sealed, passwordExpired: 0))
        #expect(try world.call(SamrSetInformationUser2.self, request)?.status == .accessDenied)
        world.caller.authLevel = .privacy
        #expect(try world.call(SamrSetInformationUser2.self, request)?.status == .success)
        #expect(world.accepts("anna", "open"))
    }

    @Test func fieldsOfEveryKindAreSet() throws {
        let world = try SAMRWorld()
        let rid = try world.user("anna")
        let handle = try world.userHandle(rid)
        var fields = SamrUserFields()
        fields.userName = "annabel"
        fields.workStations = "PC1,PC2"
        fields.logonHours = SamrLogonHours(hours: [UInt8](repeating: 0, count: 21))
        fields.accountExpires = 5
        fields.parameters = "m:1"
        fields.userAccountControl = 0x211
        fields.whichFields = [
            .userName, .workStations, .logonHours, .accountExpires, .parameters,
            .userAccountControl,
        ]
        let set = try world.call(
            SamrSetInformationUser2.self,
            .init(userHandle: handle, information: .fields(informationClass: 21, fields)))
        #expect(set?.status == .success)
        let account = try #require(world.domain.accounts[rid])
        #expect(account.name == "annabel" && account.workstations == ["PC1", "PC2"])
        #expect(!account.logonHours.isAll && account.accountExpires == 5)
        #expect(account.flags == [.disabled, .normal, .passwordNeverExpires])
        let query = try world.call(
            SamrQueryInformationUser2.self, SamrQueryRequest(handle: handle, informationClass: 20))
        guard case .fields(20, let read) = query?.information else { return }
        #expect(read.parameters == "m:1")
    }

    @Test func whatHappenedCannotBeSet() throws {
        let world = try SAMRWorld()
        let handle = try world.userHandle(try world.user("anna"))
        var fields = SamrUserFields()
        for (which, status) in [
            (.passwordLastSet, .accessDenied), ([], .invalidInfoClass),
            (.userID, .accessDenied),
        ] as [(SamrWhichFields, NTStatus)] {
            fields.whichFields = which
            let set = try world.call(
                SamrSetInformationUser2.self,
                .init(userHandle: handle, information: .fields(informationClass: 21, fields)))
            #expect(set?.status == status)
        }
    }

    @Test func usersAndGroupsComeAndGo() throws {
        let world = try SAMRWorld()
        let handle = try world.domainHandle()
        let user = try #require(
            try world.call(
                SamrCreateUserInDomain.self, .init(domainHandle: handle, name: "anna")))
        let again = try world.call(
            SamrCreateUserInDomain.self, .init(domainHandle: handle, name: "ANNA"))
        #expect(again?.status == .userExists)
        let group = try #require(
            try world.call(
                SamrCreateGroupInDomain.self, .init(domainHandle: handle, name: "players")))
        for expected in [NTStatus.success, .memberInGroup] {
            let added = try world.call(
                SamrAddMemberToGroup.self,
                .init(groupHandle: group.handle, memberID: user.relativeID))
            #expect(added?.status == expected)
        }
        let members = try world.call(
            SamrGetMembersInGroup.self, SamrHandleRequest(handle: group.handle))
        #expect(members?.members?.map { $0.relativeID } == [user.relativeID])
        let full = try world.call(
            SamrDeleteGroup.self, SamrHandleRequest(handle: group.handle))
        #expect(full?.status == .memberInGroup && full?.handle == group.handle)
        let removed = try world.call(
            SamrRemoveMemberFromGroup.self,
            .init(groupHandle: group.handle, memberID: user.relativeID))
        #expect(removed?.status == .success)
        let gone = try world.call(
            SamrDeleteGroup.self, SamrHandleRequest(handle: group.handle))
        #expect(gone?.status == .success && gone?.handle == .null)
        let deleted = try world.call(SamrDeleteUser.self, SamrHandleRequest(handle: user.handle))
        #expect(deleted?.status == .success)
        _ = try world.call(SamrDeleteUser.self, SamrHandleRequest(handle: user.handle))
        #expect(world.fault == .contextMismatch)
    }

    @Test func aliasesHaveMembersOfAnyDomain() throws {
        let world = try SAMRWorld()
        let handle = try world.domainHandle()
        let alias = try #require(
            try world.call(
                SamrCreateAliasInDomain.self, .init(domainHandle: handle, name: "printers")))
        let foreign = SID("S-1-5-21-7-7-7-1000")!
        let added = try world.call(
            SamrAddMemberToAlias.self, .init(handle: alias.handle, memberID: foreign))
        #expect(added?.status == .success)
        let members = try world.call(
            SamrGetMembersInAlias.self, SamrHandleRequest(handle: alias.handle))
        #expect(members?.members == [foreign])
        // Tools open the domain for no more than lookups before they delete a user.
        let opened = try world.domainHandle(SAMRWorld.sid, SAMRAccess.Domain.lookup)
        let swept = try world.call(
            SamrRemoveMemberFromForeignDomain.self, .init(handle: opened, memberID: foreign))
        #expect(swept?.status == .success)
        let empty = try world.call(
            SamrGetMembersInAlias.self, SamrHandleRequest(handle: alias.handle))
        #expect(empty?.members == [])
        let gone = try world.call(SamrDeleteAlias.self, SamrHandleRequest(handle: alias.handle))
        #expect(gone?.status == .success)
    }

    @Test(arguments: [0x0100_0000, 0x0000_0000] as [UInt32])
    func whatCannotBeOpenedIsNotMade(_ desired: UInt32) throws {
        let world = try SAMRWorld()
        let handle = try world.domainHandle()
        var refusal = NTStatus.accessDenied
        if desired == 0 {
            refusal = .insufficientResources
            for number in 1...UInt32(HandleTable.Limit.group) {
                let uuid = GUID(data1: number, data2: 0, data3: 0, data4: 0)
                world.caller[ContextHandle(attributes: 9, uuid: uuid)] = world.service
            }
        }
        let user = try world.call(
            SamrCreateUserInDomain.self,
            .init(domainHandle: handle, name: "anna", desiredAccess: desired))
        #expect(user?.status == refusal)
        let computer = try world.call(
            SamrCreateUser2InDomain.self,
            .init(
                domainHandle: handle, name: "PC1$", accountType: 0x80, desiredAccess: desired))
        #expect(computer?.status == refusal)
        let group = try world.call(
            SamrCreateGroupInDomain.self,
            .init(domainHandle: handle, name: "players", desiredAccess: desired))
        #expect(group?.status == refusal)
        let alias = try world.call(
            SamrCreateAliasInDomain.self,
            .init(domainHandle: handle, name: "printers", desiredAccess: desired))
        #expect(alias?.status == refusal)
        for name in ["anna", "PC1$", "players", "printers"] {
            #expect(world.domain.lookup(name) == nil)
        }
    }

    @Test(arguments: [nil, 10] as [UInt16?])
    func configuredThresholdOutlivesWhatIsSet(_ configured: UInt16?) throws {
        let world = try SAMRWorld()
        var overrides = PolicyOverrides()
        overrides.lockoutThreshold = configured
        try world.domain.setOverrides(overrides)
        let window = 0 &- 10 * DomainTime.minute
        let set = try world.call(
            SamrSetInformationDomain.self,
            .init(
                domainHandle: try world.domainHandle(),
                information: .lockout(SamrLockoutPolicy(
                    lockoutDuration: window, lockoutObservationWindow: window,
                    lockoutThreshold: 0))))
        #expect(set?.status == .success)
        #expect(world.domain.policy.lockoutThreshold == configured ?? 0)
    }

    @Test func workstationsBeyondARecordAreRefused() throws {
        let world = try SAMRWorld()
        let rid = try world.user("anna")
        var fields = SamrUserFields()
        fields.workStations = [String](
            repeating: String(repeating: "€", count: 341), count: 64
        ).joined(separator: ",")
        let set = try world.call(
            SamrSetInformationUser2.self,
            .init(
                userHandle: try world.userHandle(rid),
                information: .fields(informationClass: 14, fields)))
        #expect(set?.status == .invalidParameter)
        #expect(world.domain.accounts[rid]?.workstations == [])
    }

    @Test func policyIsSet() throws {
        let world = try SAMRWorld()
        var policy = SamrPasswordPolicy()
        policy.minPasswordLength = 8
        policy.maxPasswordAge = 0 &- 42 * DomainTime.day
        let handle = try world.domainHandle()
        let set = try world.call(
            SamrSetInformationDomain.self,
            .init(domainHandle: handle, information: .password(policy)))
        #expect(set?.status == .success)
        #expect(world.domain.policy.minimumPasswordLength == 8)
        #expect(world.domain.policy.maximumPasswordAge == 42 * DomainTime.day)
        let rules = try world.call(SamrGetDomainPasswordInformation.self, .init())
        #expect(rules?.minPasswordLength == 8)
        let read = try world.call(
            SamrQueryInformationDomain.self, SamrQueryRequest(handle: handle, informationClass: 1))
        guard case .password(let told) = read?.information else { return }
        #expect(told.maxPasswordAge == policy.maxPasswordAge)
        let tenMinutes = 0 &- 10 * DomainTime.minute
        for (duration, status) in [
            (tenMinutes, NTStatus.success), (tenMinutes &+ 1, .invalidParameter),
        ] {
            let set = try world.call(
                SamrSetInformationDomain.self,
                .init(
                    domainHandle: handle,
                    information: .lockout(SamrLockoutPolicy(
                        lockoutDuration: duration, lockoutObservationWindow: tenMinutes,
                        lockoutThreshold: 5))))
            #expect(set?.status == status)
        }
    }
}

@Suite struct SAMRPasswordChangeTests {
    private let random = [UInt8](repeating: 0x31, count: 512)
    private let old = NTOWF.v1(password: "old")
    private let new = NTOWF.v1(password: "new")

    private func unicode(
        _ name: String, old: String, new: String
    ) -> SamrUnicodeChangePasswordUser2.Request {
        let key = NTOWF.v1(password: old)
        let bytes = new.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        return .init(
            serverName: "\\\\GATE1", userName: name,
            newPasswordEncryptedWithOldNT: SAMPassword.seal(
                Secret(bytes), key: key.bytes, random: random),
            oldNTOwfPasswordEncryptedWithNewNT: HashEncryption.encrypt(
                key, key: NTOWF.v1(password: new)))
    }

    @Test func ownerChangesByThePasswordItself() throws {
        let world = try SAMRWorld(as: .nobody)
        try world.user("anna", "old")
        let done = try world.call(
            SamrUnicodeChangePasswordUser2.self, unicode("anna", old: "old", new: "new"))
        #expect(done?.status == .success && world.accepts("anna", "new"))
        let third = try world.call(
            SamrUnicodeChangePasswordUser3.self,
            .init(change: unicode("Anna", old: "new", new: "third")))
        #expect(third?.status == .success && world.accepts("anna", "third"))
    }

    @Test func aDisabledAccountsOwnerChangesItAndStaysDisabled() throws {
        let world = try SAMRWorld(as: .nobody)
        let rid = try world.user("anna", "old")
        try world.domain.updateAccount(rid) { $0.flags.insert(.disabled) }
        let done = try world.call(
            SamrUnicodeChangePasswordUser2.self, unicode("anna", old: "old", new: "new"))
        #expect(done?.status == .success)
        #expect(world.domain.account("anna")?.ntHash == NTOWF.v1(password: "new"))
        #expect(world.domain.account("anna")?.isDisabled == true)
    }

    @Test func guessingLocksOut() throws {
        var policy = AccountPolicy()
        policy.lockoutThreshold = 3
        let world = try SAMRWorld(as: .nobody, policy: policy)
        try world.user("anna", "old")
        for expected in [
            NTStatus.wrongPassword, .wrongPassword, .wrongPassword, .accountLockedOut,
        ] {
            let refused = try world.call(
                SamrUnicodeChangePasswordUser2.self, unicode("anna", old: "x", new: "new"))
            #expect(refused?.status == expected)
        }
        let unknown = try world.call(
            SamrUnicodeChangePasswordUser2.self, unicode("nobody", old: "x", new: "new"))
        #expect(unknown?.status == .wrongPassword)
    }

    /// Where the domain locks nobody out, nobody may guess for ever all the same.
    @Test func guessingEndsWithoutALockout() throws {
        var policy = AccountPolicy()
        policy.lockoutThreshold = 0
        let world = try SAMRWorld(as: .nobody, policy: policy)
        try world.user("anna", "old")
        for _ in 0..<SAMRService.guessLimits.perAccount {
            let refused = try world.call(
                SamrUnicodeChangePasswordUser2.self, unicode("anna", old: "x", new: "new"))
            #expect(refused?.status == .wrongPassword)
        }
        let right = try world.call(
            SamrUnicodeChangePasswordUser2.self, unicode("anna", old: "old", new: "new"))
        #expect(right?.status == .accountLockedOut && world.accepts("anna", "old"))
    }

    @Test func refusedPasswordIsExplained() throws {
        var policy = AccountPolicy()
        policy.minimumPasswordLength = 3
        let world = try SAMRWorld(as: .nobody, policy: policy)
        try world.user("anna", "old")
        let refused = try world.call(
            SamrUnicodeChangePasswordUser3.self,
            .init(change: unicode("anna", old: "old", new: "ab")))
        #expect(refused?.status == .passwordRestriction)
        #expect(refused?.policy?.minPasswordLength == 3)
    }

    @Test func ownerChangesByHashes() throws {
        let world = try SAMRWorld(as: .user)
        let rid = try world.user("anna", "old")
        var request = SamrChangePasswordUser.Request(userHandle: try world.userHandle(rid))
        request.ntPresent = true
        request.oldNTEncryptedWithNewNT = HashEncryption.encrypt(old, key: new)
        request.newNTEncryptedWithOldNT = HashEncryption.encrypt(new, key: old)
        #expect(try world.call(SamrChangePasswordUser.self, request)?.status == .success)
        #expect(world.accepts("anna", "new"))
        #expect(try world.call(SamrChangePasswordUser.self, request)?.status == .wrongPassword)
        request.ntPresent = false
        #expect(try world.call(SamrChangePasswordUser.self, request)?.status == .invalidParameter)
    }

    @Test func windows9xChangesByTheLMHash() throws {
        let world = try SAMRWorld(as: .nobody, allowsLM: true)
        try world.user("anna", "Old")
        let key = try #require(LMOWF.v1(password: "OLD"))
        let newKey = try #require(LMOWF.v1(password: "NEWPASS"))
        let request = SamrOemChangePasswordUser2.Request(
            serverName: Array("\\\\GATE1".utf8), userName: Array("ANNA".utf8),
            newPasswordEncryptedWithOldLM: SAMPassword.seal(
                Secret(Array("NEWPASS".utf8)), key: key.bytes, random: random),
            oldLMOwfPasswordEncryptedWithNewLM: HashEncryption.encrypt(key, key: newKey))
        #expect(try world.call(SamrOemChangePasswordUser2.self, request)?.status == .success)
        #expect(world.accepts("anna", "NEWPASS"))
        let without = try SAMRWorld(as: .nobody)
        try without.user("anna", "Old")
        #expect(
            try without.call(SamrOemChangePasswordUser2.self, request)?.status == .wrongPassword)
    }
}
