import Locator
import NTLM
import Wire

@testable import Flows

/// The directory of the fake controller: one connection of LDAP.
final class FakeDirectory {
    private let host: FakeController
    private var handshake = ServerHandshake(
        identity: .init(nbComputerName: "AD", nbDomainName: "ADLAB"),
        serverChallenge: Bytes8([1, 2, 3, 4, 5, 6, 7, 8]))
    private var security: MessageSecurity?
    private var isChallenged = false

    init(_ host: FakeController) { self.host = host }

    /// Whole messages come, one at a time. Nil ends the connection.
    func receive(_ bytes: [UInt8]) -> [UInt8]? {
        var bytes = bytes
        var start = 0
        if security != nil {
            guard bytes.count > 20,
                (try? security?.unseal(
                    &bytes, body: 20..<bytes.count, covered: 20..<bytes.count, token: 4..<20))
                    != nil
            else { return nil }
            start = 20
        }
        let message = Array(bytes[start...])
        var reader = WireReader(message.span, layer: "test")
        guard let request = try? LDAPMessage(parsing: &reader) else { return nil }
        host.log.append(request.operation.description)
        if request.operation == .unbindRequest { return nil }
        let wasSealed = security != nil
        guard let answers = try? answer(request.operation) else { return nil }
        return answers.flatMap { sealed(LDAPMessage(messageID: request.messageID, $0), wasSealed) }
    }

    private func sealed(_ message: LDAPMessage, _ isSealed: Bool) -> [UInt8] {
        var writer = WireWriter()
        if isSealed { writer.zeros(20) }
        message.write(into: &writer)
        var bytes = writer.finish()
        guard isSealed else { return bytes }
        security?.seal(
            &bytes, body: 20..<bytes.count, covered: 20..<bytes.count, token: 4)
        let length = bytes.count - 4
        bytes[2] = UInt8(length >> 8)
        bytes[3] = UInt8(length & 0xff)
        return bytes
    }

    private func answer(_ operation: LDAPOperation) throws -> [LDAPOperation] {
        switch operation {
        case .bindRequest(_, let token): return [try bind(token)]
        case .searchRequest(let search): return found(search)
        case .addRequest(let entry):
            guard let status = host.setStatus else { return [] }
            if status != .success {
                return [.addResponse(LDAPResult(.insufficientAccessRights))]
            }
            host.entries[entry.name] = values(entry)
            return [.addResponse(LDAPResult(.success))]
        case .modifyRequest(let entry):
            guard let status = host.setStatus else { return [] }
            if status != .success {
                return [.modifyResponse(LDAPResult(.insufficientAccessRights))]
            }
            for (name, value) in values(entry) { host.entries[entry.name]?[name] = value }
            return [.modifyResponse(LDAPResult(.success))]
        default: throw WireError(.invalid, layer: "test", field: "op", offset: 0)
        }
    }

    private func values(_ entry: LDAPEntry) -> [String: [UInt8]] {
        var values: [String: [UInt8]] = [:]
        for attribute in entry.attributes { values[attribute.type] = attribute.vals[0] }
        return values
    }

    private func found(_ search: LDAPSearch) -> [LDAPOperation] {
        var found: [LDAPOperation] = []
        if search.baseObject.hasPrefix("<WKGUID=") {
            found.append(
                .searchResultEntry(LDAPEntry(name: "CN=Computers,DC=ad,DC=lab")))
        } else if case .equal(let type, let value) = search.filter {
            for (name, values) in host.entries where values[type] == value {
                found.append(
                    .searchResultEntry(
                        LDAPEntry(
                            name: name,
                            search.attributes.map { LDAPAttribute($0, [values[$0] ?? []]) })))
            }
            found.append(.searchResultReference)
        }
        return found + [.searchResultDone(LDAPResult(.success))]
    }

    private func bind(_ token: [UInt8]) throws -> LDAPOperation {
        if !isChallenged {
            isChallenged = true
            let challenge = try handshake.challenge(
                negotiate: token, now: 133_000_000_000_000_000)
            return .bindResponse(LDAPResult(.saslBindInProgress), credentials: challenge)
        }
        let answer = try handshake.accept(authenticate: token)
        let proof = Array(answer.ntResponse.prefix(16))
        let blob = Array(answer.ntResponse.dropFirst(16))
        let ntowf = NTOWF.v2(
            ntowf: host.administrator, user: answer.userName, domain: answer.domainName)
        let expected = NTLMv2.proof(
            owf: ntowf, serverChallenge: handshake.serverChallenge, blob: blob)
        guard expected.bytes == proof else {
            return .bindResponse(LDAPResult(.invalidCredentials), credentials: [])
        }
        let session = try handshake.session(
            answer, sessionBaseKey: NTLMv2.sessionBaseKey(owf: ntowf, proof: expected),
            lmSessionKey: Bytes8())
        security = session.security
        return .bindResponse(LDAPResult(.success), credentials: [])
    }
}
