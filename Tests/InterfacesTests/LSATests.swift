import RPC
import TestSupport
import Testing
import Wire

@testable import Interfaces

@Suite struct LSAMessageTests {
    @Test func aNullArrayIsEmptyWhateverItsCount() throws {
        var stub = NDRWriter()
        stub.contextHandle(LSASamples.handle)
        stub.uint32(1)
        stub.uint32(1)
        stub.countedString("bob")
        stub.buffer(of: "bob")
        stub.uint32(1)  // TranslatedSids: one, of which there is none
        stub.uint32(0)
        stub.uint16(1)
        stub.uint32(0)
        let request: LsarLookupNames.Request = try NetlogonSamples.parse(stub.wire.finish())
        #expect(request.names == ["bob"])
    }

    @Test func refusesMoreNamesThanTheLimit() {
        var stub = NDRWriter()
        stub.contextHandle(LSASamples.handle)
        stub.uint32(1_001)
        stub.uint32(1_001)
        for _ in 0..<1_001 { stub.countedString(nil) }
        let bytes = stub.wire.finish()
        #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(bytes, LsarLookupNames.Request.self)
        }
    }

    @Test func refusesALookupOfNoSID() {
        var stub = NDRWriter()
        stub.contextHandle(LSASamples.handle)
        stub.uint32(1)
        stub.pointer(true)
        stub.uint32(1)
        stub.pointer(false)
        let bytes = stub.wire.finish()
        #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(bytes, LsarLookupSids.Request.self)
        }
    }

    @Test func theClockKnowsLeapYears() {
        let leap = TimeOfDayInfo(unix: 951_782_400 + 3_661)
        #expect([leap.year, leap.month, leap.day, leap.weekday] == [2000, 2, 29, 2])
        #expect([leap.hours, leap.minutes, leap.seconds] == [1, 1, 1])
        let first = TimeOfDayInfo(unix: 0)
        #expect([first.year, first.month, first.day, first.weekday] == [1970, 1, 1, 4])
        let last = TimeOfDayInfo(unix: 1_735_689_599)
        #expect([last.year, last.month, last.day, last.weekday] == [2024, 12, 31, 2])
    }
}

/// Stubs of Windows servers and clients.
@Suite(.enabled(if: Material.vectors != nil)) struct PublishedLSATests {
    private func vector(_ name: String) throws -> [UInt8] {
        let bytes = try VectorFile("samba_ndr_lsa.json").array(name)
        try #require(!bytes.isEmpty)
        return bytes
    }

    /// Whether what was parsed is the same once written and parsed again.
    private func survives<M: NDRMessage & Equatable>(_ message: M) throws -> Bool {
        try NetlogonSamples.parse(NetlogonSamples.stub(message), M.self) == message
    }

    @Test func openPolicy() throws {
        let old: LsarOpenPolicy.Request = try NetlogonSamples.parse(
            try vector("lsaropenpolicy_in_data"))
        #expect(old.systemName == 0x5c)
        #expect(old.desiredAccess == LSAAccess.maximumAllowed)
        #expect(old.objectAttributes.qualityOfService == .init())
        #expect(try survives(old))
        let new: LsarOpenPolicy2.Request = try NetlogonSamples.parse(
            try vector("lsaropenpolicy2_in_data"))
        #expect(new.systemName == "\\")
        #expect(new.objectAttributes == old.objectAttributes)
        #expect(try survives(new))
        let opened: OpenedHandle = try NetlogonSamples.parse(
            try vector("lsaropenpolicy2_out_data"))
        #expect(opened.handle.uuid.description == "84b8ab2a-c636-4fed-8316-04e86315eb84")
        #expect(opened.status == .success)
    }

    @Test func lookupNames() throws {
        let first: LsarLookupNames.Request = try NetlogonSamples.parse(
            try vector("lsarlookupnames_in_data"))
        #expect(first.names == [String](repeating: "Users", count: 100))
        #expect(first.lookupLevel == .workstation)
        #expect(try survives(first))
        let answer: LsarLookupNames.Response = try NetlogonSamples.parse(
            try vector("lsarlookupnames_out_data"))
        #expect(answer.referencedDomains?.domains.map(\.name) == ["BUILTIN"])
        #expect(answer.translations.allSatisfy { $0.use == .alias && $0.relativeID == 545 })
        #expect(answer.translations.count == 100 && answer.mappedCount == 100)
        #expect(try survives(answer))
        let names = [
            "Account Operators", "Administrators", "SUPPORT_388945a0", "NETWORK SERVICE",
            "LOCAL SERVICE", "Authenticated Users", "Everyone",
        ]
        let second: LsarLookupNames2.Request = try NetlogonSamples.parse(
            try vector("lsarlookupnames2_in_data"))
        #expect(second.names == names)
        let third: LsarLookupNames3.Request = try NetlogonSamples.parse(
            try vector("lsarlookupnames3_in_data"))
        #expect(third.names == names)
        let secondAnswer: LsarLookupNames2.Response = try NetlogonSamples.parse(
            try vector("lsarlookupnames2_out_data"))
        #expect(
            secondAnswer.translations.map(\.account.relativeID)
                == [548, 544, 1_001, 20, 19, 11, 0])
        #expect(secondAnswer.translations.map(\.account.domainIndex) == [2, 2, 3, 0, 0, 0, 1])
        #expect(try survives(secondAnswer))
        let thirdAnswer: LsarLookupNames3.Response = try NetlogonSamples.parse(
            try vector("lsarlookupnames3_out_data"))
        #expect(thirdAnswer.translations[1].sid?.description == "S-1-5-32-544")
        #expect(thirdAnswer.translations[6].sid?.description == "S-1-1-0")
        #expect(try survives(thirdAnswer))
    }

    @Test func lookupSids() throws {
        let first: LsarLookupSids.Request = try NetlogonSamples.parse(
            try vector("lsarlookupsids_in_data"))
        #expect(first.sids.count == 100 && first.sids[99].description == "S-1-5-32-545")
        #expect(try survives(first))
        let firstAnswer: LsarLookupSids.Response = try NetlogonSamples.parse(
            try vector("lsarlookupsids_out_data"))
        #expect(firstAnswer.translations.allSatisfy { $0.name == "Users" })
        let second: LsarLookupSids2.Request = try NetlogonSamples.parse(
            try vector("lsarlookupsids2_in_data"))
        #expect(second.sids.map(\.count) == [2, 2, 5, 1, 1, 1, 1])
        let answer: LsarLookupSids2.Response = try NetlogonSamples.parse(
            try vector("lsarlookupsids2_out_data"))
        #expect(
            answer.referencedDomains?.domains.map(\.name)
                == ["NT AUTHORITY", "", "BUILTIN", "WIN2K3DOM"])
        #expect(answer.translations.map(\.account.name)[2] == "SUPPORT_388945a0")
        #expect(answer.translations.map(\.account.use.rawValue) == [4, 4, 1, 5, 5, 5, 5])
        #expect(try survives(answer))
        let third: LsarLookupSids3.Request = try NetlogonSamples.parse(
            try vector("lsarlookupsids3_in_data"))
        #expect(third.sids == second.sids)
        let refusal: LsarLookupSids3.Response = try NetlogonSamples.parse(
            try vector("lsarlookupsids3_out_data"))
        #expect(refusal.status == .accessDenied && refusal.translations.isEmpty)
    }

    @Test func enumerations() throws {
        let request: LsarEnumerateAccounts.Request = try NetlogonSamples.parse(
            try vector("lsarenumerateaccounts_in_data"))
        #expect(request.preferredMaximumLength == 100)
        let accounts: LsarEnumerateAccounts.Response = try NetlogonSamples.parse(
            try vector("lsarenumerateaccounts_out_data"))
        #expect(accounts.entries.count == 7)
        #expect(accounts.entries[0].sid.description == "S-1-5-32-548")
        #expect(try survives(accounts))
        let privileges: LsarEnumeratePrivileges.Response = try NetlogonSamples.parse(
            try vector("lsarenumerateprivileges_out_data"))
        #expect(privileges.entries.count == 29)
        #expect(privileges.entries[0].name == "SeCreateTokenPrivilege")
        #expect(privileges.entries[0].localValue == 2)
        #expect(try survives(privileges))
    }
}
