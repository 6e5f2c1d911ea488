import Crypto
import Testing
import Wire

@testable import Consumers

/// What Samba 4.17's ntlm_auth does with the same arguments, where nothing else is said.
@Suite struct NTLMAuthTests {
    private let challenge = "--challenge=0123456789abcdef"
    private let response = "--nt-response=112233445566778811223344556677881122334455667788"

    private func parse(_ arguments: String...) -> NTLMAuthInvocation {
        NTLMAuthOptions.parse(arguments, version: "1.0")
    }

    private func options(_ invocation: NTLMAuthInvocation) throws -> NTLMAuthOptions {
        guard case .logon(let options) = invocation else {
            Issue.record("no logon: \(invocation)")
            throw Missing()
        }
        return options
    }

    private func end(_ invocation: NTLMAuthInvocation) throws -> ToolOutput {
        guard case .end(let output) = invocation else { throw Missing() }
        return output
    }

    private struct Missing: Error {}

    private func reply(
        _ outcome: LogonOutcome, _ status: NTStatus = .success
    ) -> ControlLogonReply {
        var reply = ControlLogonReply(requestID: 1, outcome: outcome, ntStatus: status)
        if outcome == .success {
            reply.ntKey = Secret(Hex.bytes("5b82e3b6b3e99ae41a949d6ad4627fbe")!)
            reply.lmKey = Secret(Hex.bytes("5b82e3b6b3e99ae4")!)
        }
        return reply
    }

    // MARK: Arguments

    @Test func readsWhatFreeRADIUSPasses() throws {
        let made = try options(
            parse(
                "--request-nt-key", "--allow-mschapv2", "--username=alice", "--domain=ADLAB",
                challenge, response))
        #expect(made.username == "alice" && made.domain == "ADLAB" && made.requestsNTKey)
        let request = try #require(made.request(id: 3, deadline: 5_000))
        #expect(request.parameterControl == 0x0001_0820)
        #expect(request.wants == [.ntKey, .text])
        #expect(request.domain == "ADLAB" && request.workstation == nil)
        guard case .response(let sent, let nt, let lm) = request.credential else {
            Issue.record("no response")
            return
        }
        #expect(sent.hex == "0123456789abcdef" && nt.count == 24 && lm.isEmpty)
    }

    @Test func valuesMayStandInTheNextWord() throws {
        let made = try options(
            parse("--username", "alice", "--domain", "ADLAB", "--password", "pw"))
        #expect(made.username == "alice" && made.domain == "ADLAB")
        #expect(made.password?.bytes == Array("pw".utf8))
    }

    @Test func anEmptyDomainIsKept() throws {
        #expect(try options(parse("--username=a", "--domain=", challenge)).domain == "")
        #expect(try options(parse("--username=a", challenge)).domain == nil)
    }

    @Test func optionsOfSambaAreTakenAndIgnored() throws {
        let made = try options(
            parse(
                "--diagnostics", "-d", "3", "-d5",
                "-s", "/etc/samba/smb.conf", "--configfile=/x", "--option=a=b",
                "--option", "c=d", "--debug-stdout", "--use-cached-creds", "--offline-logon",
                "--pam-winbind-conf=/y", "--target-service=http", "--target-hostname", "h",
                "--debuglevel=10", "word", "-", "--request-nt-key=1", "--username=alice",
                "--password=x", "--", "--username=bob"))
        #expect(made.username == "alice" && made.requestsNTKey)
    }

    @Test func theHelpNamesEveryHelper() throws {
        let help = try end(parse("--help")).standardOutput
        for helper in HelperProtocol.allCases {
            #expect(help.contains(helper.name.description), "\(helper.name)")
        }
    }

    @Test func whyAGroupIsUnknownIsSaidBesideTheVerdict() throws {
        var refused = reply(.refused, .noSuchGroup)
        refused.text = "no group is known as X"
        let output = try options(parse("--username=a", challenge)).output(for: refused)
        #expect(output.standardOutput.hasSuffix("(0xc0000066)\n") && output.exitCode == 1)
        #expect(output.standardError == "ntlm_auth: no group is known as X\n")
    }

    @Test func aValueMissingAtTheEndIsNoError() throws {
        #expect(try options(parse("--username=alice", "--password")).needsPassword)
        #expect(try options(parse("--username=alice", "--password=x", "--domain")).domain == nil)
    }

    @Test func theUserMayNameItsDomain() throws {
        let made = try options(parse("--username=ADLAB\\alice", challenge))
        #expect(made.username == "alice" && made.domain == "ADLAB")
        let same = try options(parse("--username=ADLAB\\alice", "--domain=adlab", challenge))
        #expect(same.username == "alice" && same.domain == "ADLAB")
        let principal = try options(parse("--username=alice@ad.lab", challenge))
        #expect(principal.username == "alice@ad.lab" && principal.domain == nil)
        let other = try end(parse("--domain=A", "--username=B\\c", challenge))
        #expect(other.exitCode == 1 && other.standardOutput == "")
        #expect(other.standardError.hasPrefix(
            "Domain specified in username (B) doesn't match specified domain (A)!\n"))
        let empty = try end(parse("--domain=", "--username=B\\c", challenge))
        #expect(empty.standardError.hasPrefix(
            "Domain specified in username (B) doesn't match specified domain ()!\n"))
    }

    @Test func anAccentDoesNotJoinTheSignBeforeIt() throws {
        let made = try options(parse("--username=D\\\u{301}u", "--password=\u{301}x", "-d=\u{301}"))
        #expect(made.password?.bytes == Array("\u{301}x".utf8))
        #expect(made.domain == "D" && made.username == "\u{301}u")
    }

    @Test func hexIsReadAsTheToolReadsIt() throws {
        for text in ["0x0123456789abcdef", "01234567890123456", "0123456789abcdefzz"] {
            #expect(try options(parse("--username=a", "--challenge=\(text)")).challenge != nil)
        }
        for (option, text, got) in [
            ("challenge", "0123456789abcdef00zz", 9), ("challenge", "01 23456789abcdef", 1),
            ("challenge", "zz", 0), ("challenge", "", 0), ("lm-response", "1122", 2),
            ("nt-response", "11223344556677881122334455667788112233445566778", 23),
            ("nt-response", "", 0),
            ("lm-response", "11223344556677881122334455667788112233445566778899", 25),
        ] {
            let output = try end(parse("--username=a", "--\(option)=\(text)"))
            #expect(output == ToolOutput(
                error: "hex decode of \(text) failed! (only got \(got) bytes)\n", exitCode: 1))
        }
    }

    @Test func wrongArgumentsEndWithOne() throws {
        #expect(try end(parse()).standardError.hasPrefix("username must be specified!\n\nUsage:"))
        #expect(try end(parse("--username=", challenge)).exitCode == 1)
        for argument in ["--bogus", "--request-nt", "-request-nt-key", "-N", "--bogus=x", "---"] {
            let output = try end(parse(argument, "--username=a"))
            #expect(output.exitCode == 1 && output.standardOutput == "")
            #expect(output.standardError.hasPrefix(
                "\nInvalid option \(argument): unknown option\n\n"))
        }
        let helper = try end(parse("--helper-protocol=foo"))
        #expect(helper.exitCode == 1)
        #expect(helper.standardError.hasPrefix("unknown helper protocol [foo]\n\nValid helper "))
    }

    @Test func versionAndHelpEndAtOnceInOrder() throws {
        for arguments in [["-V"], ["--version"], ["-Vd"], ["-d3", "-V"], ["-V", "--challenge=zz"]] {
            let output = try end(NTLMAuthOptions.parse(arguments, version: "1.0"))
            #expect(output == ToolOutput("Version 1.0\n", exitCode: 0))
        }
        #expect(try end(parse("--challenge=zz", "--help")).exitCode == 1)
        for argument in ["--help", "-?", "--usage"] {
            let output = try end(parse(argument))
            #expect(output.exitCode == 0 && output.standardOutput.hasPrefix("Usage: "))
        }
    }

    @Test func aPasswordIsPromptedForOnlyWithoutAChallenge() throws {
        #expect(try options(parse("--username=a")).needsPassword)
        #expect(try options(parse("--username=a", response)).needsPassword)
        #expect(try !options(parse("--username=a", challenge)).needsPassword)
        #expect(try !options(parse("--username=a", "--password=")).needsPassword)
        #expect(NTLMAuthOptions.prompt == "Password: ")
    }

    @Test func aNameThatCannotExistIsRefusedHere() throws {
        let long = String(repeating: "u", count: 5_000)
        let made = try options(parse("--username=\(long)", challenge))
        #expect(made.request(id: 1, deadline: 0) == nil)
        #expect(made.outputForImpossibleName.standardOutput.hasSuffix("(0xc000006d)\n"))
    }

    // MARK: Output

    @Test func printsKeysAsTheyWereAskedFor() throws {
        let nt = "NT_KEY: 5B82E3B6B3E99AE41A949D6AD4627FBE\n"
        let lm = "LM_KEY: 5B82E3B6B3E99AE4\n"
        for (flags, expected) in [
            (["--request-nt-key"], nt), (["--request-lm-key"], lm),
            (["--request-nt-key", "--request-lm-key"], lm + nt), ([], ""),
        ] {
            let made = try options(NTLMAuthOptions.parse(
                ["--username=a", challenge, response] + flags, version: ""))
            #expect(made.output(for: reply(.success)) == ToolOutput(expected, exitCode: 0))
        }
        let byPassword = try options(parse("--username=a", "--password=x", "--request-nt-key"))
        #expect(byPassword.output(for: reply(.success)) == ToolOutput(":  (0x0)\n", exitCode: 0))
    }

    @Test func aKeyOfZerosIsNotPrinted() throws {
        var zeros = reply(.success)
        zeros.ntKey = Secret([UInt8](repeating: 0, count: 16))
        let made = try options(parse("--username=a", challenge, "--request-nt-key"))
        #expect(made.output(for: zeros) == ToolOutput("", exitCode: 0))
    }

    @Test func printsFailuresWithTheirStatus() throws {
        let invalid = "The attempted logon is invalid. This is either due to a bad username or "
            + "authentication information. (0xc000006d)\n"
        let cases: [(NTStatus, String)] = [
            (.wrongPassword, invalid), (.noSuchUser, invalid), (.logonFailure, invalid),
            (
                NTStatus(0xc000_0072),
                "The referenced account is currently disabled and cannot be logged on to. "
                    + "(0xc0000072)\n"
            ),
            (
                NTStatus(0xc000_0234),
                "The user account has been automatically locked because too many invalid logon "
                    + "attempts or password change attempts have been requested. (0xc0000234)\n"
            ),
            (NTStatus(0xc000_0193), "The user account has expired. (0xc0000193)\n"),
            (NTStatus(0xc000_0071), "The user account password has expired. (0xc0000071)\n"),
            (
                NTStatus(0xc000_0224),
                "The user password must be changed before logging on the first time. "
                    + "(0xc0000224)\n"
            ),
            (
                NTStatus(0xc000_0070),
                "The user account is restricted so that it cannot be used to log on from the "
                    + "source workstation. (0xc0000070)\n"
            ),
            (
                NTStatus(0xc000_006f),
                "The user account has time restrictions and cannot be logged onto at this time. "
                    + "(0xc000006f)\n"
            ),
        ]
        let made = try options(parse("--username=a", challenge, response, "--request-nt-key"))
        for (status, expected) in cases {
            #expect(made.output(for: reply(.refused, status))
                == ToolOutput(expected, exitCode: 1))
        }
    }

    @Test func failuresByPasswordNameTheStatusToo() throws {
        let made = try options(parse("--username=a", "--password=x"))
        #expect(made.output(for: reply(.refused, .wrongPassword)).standardOutput
            == "NT_STATUS_WRONG_PASSWORD: When trying to update a password, this return status "
            + "indicates that the value provided as the current password is not correct. "
            + "(0xc000006a)\n")
        #expect(made.output(for: reply(.refused, .noSuchUser)).standardOutput
            == "NT_STATUS_NO_SUCH_USER: The specified account does not exist. (0xc0000064)\n")
        #expect(made.output(for: reply(.refused, .logonFailure)).standardOutput
            == "NT_STATUS_LOGON_FAILURE: The attempted logon is invalid. This is either due to a "
            + "bad username or authentication information. (0xc000006d)\n")
    }

    @Test func unavailableIsNeverTakenForRejected() throws {
        for arguments in [[challenge, response], ["--password=x"]] {
            let made = try options(NTLMAuthOptions.parse(["--username=a"] + arguments, version: ""))
            let none = made.output(for: nil)
            #expect(none == ToolOutput(
                "Reading winbind reply failed! (0xc0000001)\n", exitCode: 1))
            for status in [NTStatus.noLogonServers, NTStatus(0xc000_00b5), NTStatus(0xc000_009a)] {
                for outcome in [LogonOutcome.unavailable, .overloaded] {
                    let output = made.output(for: reply(outcome, status))
                    let text = output.standardOutput
                    // What FreeRADIUS looks for in the first 256 bytes.
                    #expect(text.uppercased().contains("C000005E")
                        || text.contains("Reading winbind reply failed"))
                    #expect(text.utf8.count <= 256 && output.exitCode == 1)
                }
            }
        }
    }
}
