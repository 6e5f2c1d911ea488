import RPC
import TestSupport
import Testing
import Wire

@testable import Interfaces

@Suite struct SamrTests {
    @Test func everyCallWithstandsTheDriver() {
        #expect(checkMessages(SamrSamples.all) == [])
    }

    @Test func narrowClassesCarryTheirFieldsOnly() throws {
        let bytes = NetlogonSamples.stub(
            SamrQueryInformationUser2.Response(information: SamrSamples.parsed(10)))
        let response: SamrQueryInformationUser2.Response = try NetlogonSamples.parse(bytes)
        guard case .fields(10, let fields) = response.information else {
            Issue.record("another class")
            return
        }
        #expect(fields.homeDirectory == "\\\\GATE1\\anna")
        #expect(fields.userName == "" && fields.userID == 0)
    }

    @Test func allFieldsComeBack() throws {
        let bytes = NetlogonSamples.stub(
            SamrQueryInformationUser2.Response(information: SamrSamples.parsed(21)))
        let response: SamrQueryInformationUser2.Response = try NetlogonSamples.parse(bytes)
        #expect(response.information == SamrSamples.parsed(21))
    }

    @Test func setRefusesAClassThatIsNotTheBuffers() {
        var bytes = NetlogonSamples.stub(
            SamrSetInformationUser2.Request(
                userHandle: SamrSamples.handle, information: SamrSamples.parsed(16)))
        bytes[20] = 21
        #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(bytes, SamrSetInformationUser2.Request.self)
        }
    }

    @Test func lookupTakesAThousandNamesAndNoMore() throws {
        let most = SamrLookupIdsInDomain.Request(
            domainHandle: SamrSamples.handle, relativeIDs: [UInt32](repeating: 500, count: 1_000))
        var bytes = NetlogonSamples.stub(most)
        #expect(try NetlogonSamples.parse(bytes) == most)
        for position in [20, 24, 32] {
            bytes[position] = 0xe9
        }
        bytes += [0, 0, 0, 0]
        #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(bytes, SamrLookupIdsInDomain.Request.self)
        }
    }
}

/// Other people's stubs.
@Suite(.enabled(if: Material.vectors != nil)) struct PublishedSamrTests {
    private func parse<M: NDRMessage>(_ name: String, _ type: M.Type = M.self) throws -> M {
        try NetlogonSamples.parse(VectorFile("samba_ndr_samr.json").array(name), type)
    }

    private func rewrites<M: NDRMessage>(_ name: String, _ type: M.Type) throws -> Bool {
        let bytes = try VectorFile("samba_ndr_samr.json").array(name)
        return NetlogonSamples.stub(try NetlogonSamples.parse(bytes, type)) == bytes
    }

    @Test func connectAndOpenDomain() throws {
        let connect: SamrConnect5.Request = try parse("samr_connect5_in_data")
        #expect(connect.serverName == "\\\\amy.samba4.abartlet.net")
        #expect(connect.desiredAccess == 0x21)
        #expect(connect.revision == SamrRevision(revision: 3))
        #expect(try rewrites("samr_connect5_out_data", SamrConnect5.Response.self))
        let open: SamrOpenDomain.Request = try parse("samr_opendomain_in_data")
        #expect(open.domainID.description == "S-1-5-21-73289978-35886354-64005093")
        #expect(try rewrites("samr_opendomain_in_data", SamrOpenDomain.Request.self))
        #expect(try rewrites("samr_opendomain_out_data", SamrOpenDomain.Response.self))
    }

    @Test func lookUpAndOpenUser() throws {
        let lookup: SamrLookupNamesInDomain.Request = try parse("samr_lookupnamesindomain_in_data")
        #expect(lookup.names == ["XPPROSP2$"])
        let found: SamrLookupNamesInDomain.Response = try parse("samr_lookupnamesindomain_out_data")
        #expect(found.relativeIDs == [1_003] && found.uses == [.user])
        let open: SamrOpenUser.Request = try parse("samr_openuser_in_data")
        #expect(open.relativeID == 1_003 && open.desiredAccess == 0xb0)
        #expect(try rewrites("samr_openuser_in_data", SamrOpenUser.Request.self))
        #expect(try rewrites("samr_openuser_out_data", SamrOpenUser.Response.self))
        #expect(try rewrites("samr_closehandle_in_data", SamrCloseHandle.Request.self))
        #expect(try rewrites("samr_closehandle_out_data", SamrCloseHandle.Response.self))
    }

    @Test func queryAndSetUser() throws {
        let query: SamrQueryInformationUser.Request = try parse("samr_queryuserinfo_in_data")
        #expect(query.informationClass == 16)
        // The published answer leaves out the status at its end.
        let bytes = try VectorFile("samba_ndr_samr.json").array("samr_queryuserinfo_out_data")
        let answer: SamrQueryInformationUser.Response = try NetlogonSamples.parse(bytes)
        guard case .fields(16, let fields) = answer.information else {
            Issue.record("another class")
            return
        }
        #expect(fields.userAccountControl == 0x80)
        #expect(try rewrites("samr_setuserinfo_in_data", SamrSetInformationUser.Request.self))
        #expect(try rewrites("samr_setuserinfo_out_data", SamrSetInformationUser.Response.self))
        let set: SamrSetInformationUser2.Request = try parse("samr_setuserinfo2_in_data")
        guard case .saltedPassword(let password, passwordExpired: 0) = set.information else {
            Issue.record("another class")
            return
        }
        #expect(Array(password.bytes[0..<4]) == [0xe9, 0x83, 0x46, 0xc5])
        #expect(try rewrites("samr_setuserinfo2_in_data", SamrSetInformationUser2.Request.self))
        #expect(
            try rewrites(
                "samr_getuserpwinfo_in_data", SamrGetUserDomainPasswordInformation.Request.self))
        let rules: SamrPasswordInformationResponse = try parse("samr_getuserpwinfo_out_data")
        #expect(rules.minPasswordLength == 7 && rules.passwordProperties == 0)
    }

    @Test func changePassword() throws {
        let change: SamrUnicodeChangePasswordUser3.Request = try parse(
            "samr_changepassworduser3_w2k_in_data")
        #expect(change.change.serverName == "\\\\W2KSRV")
        #expect(change.change.userName == "gd")
        #expect(change.change.newPasswordEncryptedWithOldNT != nil)
        #expect(change.change.lmPresent)
        let refused: SamrUnicodeChangePasswordUser3.Response = try parse(
            "samr_changepassworduser3_w2k8r2_out_data")
        #expect(refused.status == .passwordRestriction)
        #expect(refused.reason == 5)
        #expect(refused.policy?.minPasswordLength == 7)
        #expect(refused.policy?.passwordProperties == 1)
    }
}
