import Testing
import Wire

@Suite struct NTStatusTests {
    @Test func printsTheLineThatCallersOfNTLMAuthSearch() {
        #expect(
            NTStatus.logonFailure.line
                == "The attempted logon is invalid. This is either due to a bad username or "
                + "authentication information. (0xc000006d)")
        #expect(
            NTStatus.accountLockedOut.line
                == "The user account has been automatically locked because too many invalid logon "
                + "attempts or password change attempts have been requested. (0xc0000234)")
    }

    @Test func namesStatuses() {
        #expect(NTStatus.wrongPassword.name == "NT_STATUS_WRONG_PASSWORD")
        #expect(NTStatus.success.name == "NT_STATUS_OK")
        #expect(NTStatus(0xc000_0328).name == "NT code 0xc0000328")
        #expect(NTStatus(0xc000_0328).line == "NT code 0xc0000328 (0xc0000328)")
    }

    @Test func onlyErrorsAreErrors() {
        #expect(NTStatus.wrongPassword.isError)
        #expect(!NTStatus.success.isError && !NTStatus.bufferOverflow.isError)
    }
}

@Suite struct SIDTests {
    @Test func textAndPackedFormAgree() throws {
        let sid = try #require(SID("S-1-5-21-1752528256-445188232-319910807-500"))
        var writer = WireWriter()
        sid.write(into: &writer)
        let bytes = writer.finish()
        #expect(bytes.count == sid.byteCount)
        var reader = WireReader(bytes.span, layer: "test")
        #expect(try SID(parsing: &reader) == sid)
        #expect(sid.description == "S-1-5-21-1752528256-445188232-319910807-500")
        #expect(sid.domain?.appending(500) == sid)
        #expect(sid.relativeIdentifier == 500)
    }

    @Test func largeAuthorityIsHexadecimal() {
        #expect(SID("S-1-0x0a0b0c0d0e0f-7")?.description == "S-1-0x0a0b0c0d0e0f-7")
    }

    @Test(arguments: [
        "", "S-1", "S-2-5", "S-1-", "S-1-5-", "S-1-5-4294967296", "S-1-5-+1", "S-1-x", "X-1-5",
        "S-1-0x1000000000000", "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
    ])
    func refusesTextThatIsNoSID(_ text: String) { #expect(SID(text) == nil) }

    @Test func refusesOtherRevisionAndTooManySubAuthorities() {
        let tooMany: [UInt8] = [1, 16] + [UInt8](repeating: 0, count: 70)
        for bytes in [[2, 0, 0, 0, 0, 0, 0, 5], tooMany] {
            #expect(throws: WireError.self) {
                var reader = WireReader(bytes.span, layer: "test")
                _ = try SID(parsing: &reader)
            }
        }
    }
}
