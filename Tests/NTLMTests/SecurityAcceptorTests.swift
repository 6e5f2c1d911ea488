import Simulation
import Testing
import Wire

@testable import NTLM

/// A client's handshake against the acceptor, in each wrapping that clients use.
@Suite struct SecurityAcceptorTests {
    static let time = FileTime.at(unixSeconds: 1_700_000_000)

    enum Wrapping: CaseIterable {
        case bare
        case spnego
        /// Kerberos is the client's first choice.
        case kerberosFirst
        /// The same, as Windows of every age lists it.
        case windows

        var mechanisms: [MechType] {
            switch self {
            case .bare, .spnego: [.ntlmssp]
            case .kerberosFirst: [.kerberos, .ntlmssp]
            case .windows: [.microsoftKerberos, .kerberos, .ntlmssp]
            }
        }
    }

    /// The client's code over its mechanisms.
    enum Code {
        case none, right, wrong
    }

    struct Outcome {
        var client: NTLMSession
        var server: SecurityAcceptor.Session
    }

    static func acceptor() -> SecurityAcceptor {
        SecurityAcceptor(
            identity: ServerHandshake.Identity(nbComputerName: "GATE1", nbDomainName: "GATE"),
            challenge: Bytes8([1, 2, 3, 4, 5, 6, 7, 8]))
    }

    /// Runs a handshake to its end.
    static func handshake(
        _ wrapping: Wrapping, responses: ClientHandshake.Responses = .ntlmv2, mic: Code = .none
    ) throws -> Outcome {
        let account = ClientHandshake.Account(
            userName: "alice", domainName: "GATE", ntowf: SecurityBlobs.password)
        let client = ClientHandshake(account: account, workstation: "PC1", responses: responses)
        var server = acceptor()
        let mechanisms = wrapping.mechanisms
        var blob = client.negotiate
        switch wrapping {
        case .bare: break
        case .spnego:
            blob = SecurityBlobs.wrap(
                NegTokenInit(mechTypes: mechanisms, mechToken: 0..<blob.count), blob)
        case .kerberosFirst, .windows:
            let first = SecurityBlobs.wrap(
                NegTokenInit(mechTypes: mechanisms, mechToken: 0..<2), [1, 2])
            guard case .continues(let chosen) = try server.accept(first, now: time) else {
                throw SecurityAcceptor.Refused.unexpected
            }
            var reader = WireReader(chosen.span, layer: "test")
            let choice = try NegTokenResp(parsing: &reader)
            #expect(choice.supportedMech == .ntlmssp)
            #expect(
                choice.negState == (wrapping == .windows ? .acceptIncomplete : .requestMIC))
            blob = SecurityBlobs.wrap(NegTokenResp(responseToken: 0..<blob.count), blob)
        }
        guard case .continues(let challenge) = try server.accept(blob, now: time) else {
            throw SecurityAcceptor.Refused.unexpected
        }
        let (answer, session) = try client.authenticate(
            challenge: try SecurityBlobs.inner(challenge),
            ClientHandshake.Nonces(
                clientChallenge: Bytes8([9, 8, 7, 6, 5, 4, 3, 2]),
                sessionKey: Bytes16([UInt8](repeating: 7, count: 16)), now: time))
        var last = answer
        if wrapping != .bare {
            var response = NegTokenResp(responseToken: 0..<answer.count)
            var payload = answer
            if mic != .none {
                var security = session.security
                payload += security.mechListMIC(NegTokenInit.mechTypeList(mechanisms)).bytes
                if mic == .wrong { payload[payload.count - 1] ^= 1 }
                response.mechListMIC = answer.count..<payload.count
            }
            last = SecurityBlobs.wrap(response, payload)
        }
        guard case .validate(let asked) = try server.accept(last, now: time) else {
            throw SecurityAcceptor.Refused.unexpected
        }
        let key = try #require(SecurityBlobs.sessionKey(asked))
        return Outcome(
            client: session, server: try server.finish(sessionKey: key, lmKey: Bytes8()))
    }

    @Test(arguments: Wrapping.allCases)
    func bothEndsHaveOneSession(_ wrapping: Wrapping) throws {
        for responses in [ClientHandshake.Responses.ntlmv2, .ntlmv1] {
            let outcome = try Self.handshake(
                wrapping, responses: responses, mic: wrapping == .kerberosFirst ? .right : .none)
            #expect(outcome.client.exportedSessionKey == outcome.server.exportedSessionKey)
        }
    }

    @Test(arguments: [Wrapping.spnego, .kerberosFirst, .windows])
    func codeOverTheMechanismsIsAnsweredWithOurs(_ wrapping: Wrapping) throws {
        let outcome = try Self.handshake(wrapping, mic: .right)
        var reader = WireReader(outcome.server.blob.span, layer: "test")
        let last = try NegTokenResp(parsing: &reader)
        #expect(last.negState == .acceptCompleted)
        var security = outcome.client.security
        let list = NegTokenInit.mechTypeList(wrapping.mechanisms)
        _ = security.mechListMIC(list)
        try security.verify(mechListMIC: reader.copy(try #require(last.mechListMIC)), list)
    }

    @Test(arguments: [Wrapping.spnego, .kerberosFirst, .windows])
    func codeThatDoesNotFitIsRefused(_ wrapping: Wrapping) {
        #expect(throws: SecurityAcceptor.Refused.integrity) {
            _ = try Self.handshake(wrapping, mic: .wrong)
        }
    }

    @Test func clientThatWasAskedForACodeAndHasItInNTLMOwesOne() {
        #expect(throws: SecurityAcceptor.Refused.integrity) {
            _ = try Self.handshake(.kerberosFirst)
        }
    }

    @Test func clientWithoutCodesInNTLMOwesNone() throws {
        let outcome = try Self.handshake(.kerberosFirst, responses: .ntlmv1)
        var reader = WireReader(outcome.server.blob.span, layer: "test")
        let last = try NegTokenResp(parsing: &reader)
        #expect(last.negState == .acceptCompleted && last.mechListMIC == nil)
    }

    @Test func offerOverTheLimitIsRefusedAndOthersCount() throws {
        let client = ClientHandshake(account: nil, workstation: "PC1")
        let most = ServerHandshake.negotiateLimit
        for length in [most, most + 1] {
            var server = Self.acceptor()
            let padding = [UInt8](repeating: 0, count: length - client.negotiate.count)
            if length > most {
                #expect(throws: SecurityAcceptor.Refused.malformed) {
                    _ = try server.accept(client.negotiate + padding, now: Self.time)
                }
                continue
            }
            guard case .continues(let challenge) = try server.accept(
                client.negotiate + padding, now: Self.time)
            else { throw SecurityAcceptor.Refused.unexpected }
            #expect(server.heldBytes == most + challenge.count)
        }
    }

    @Test func listWithoutNTLMIsRefused() {
        var server = Self.acceptor()
        let blob = SecurityBlobs.wrap(
            NegTokenInit(mechTypes: [.kerberos], mechToken: 0..<2), [1, 2])
        #expect(throws: SecurityAcceptor.Refused.mechanism) {
            _ = try server.accept(blob, now: Self.time)
        }
    }

    @Test func blobsOutOfTurnAndNonsenseAreRefused() throws {
        var server = Self.acceptor()
        #expect(throws: SecurityAcceptor.Refused.malformed) {
            _ = try server.accept([0x4e, 1, 2], now: Self.time)
        }
        server = Self.acceptor()
        #expect(throws: SecurityAcceptor.Refused.unexpected) {
            _ = try server.accept(
                SecurityBlobs.wrap(NegTokenResp(responseToken: 0..<1), [1]), now: Self.time)
        }
    }

    @Test func nullSessionNeedsNoValidation() throws {
        let client = ClientHandshake(account: nil, workstation: "PC1")
        var server = Self.acceptor()
        guard case .continues(let challenge) = try server.accept(
            client.negotiate, now: Self.time)
        else { throw SecurityAcceptor.Refused.unexpected }
        let (answer, session) = try client.authenticate(
            challenge: challenge,
            ClientHandshake.Nonces(
                clientChallenge: Bytes8(), sessionKey: Bytes16([UInt8](repeating: 3, count: 16)),
                now: Self.time))
        guard case .anonymous = try server.accept(answer, now: Self.time) else {
            throw SecurityAcceptor.Refused.unexpected
        }
        let ended = try server.finish(sessionKey: Bytes16(), lmKey: Bytes8())
        #expect(ended.exportedSessionKey == session.exportedSessionKey)
    }
}
