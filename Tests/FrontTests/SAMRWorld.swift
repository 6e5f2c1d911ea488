import Crypto
import Domain
import Interfaces
import NTLM
import RPC
import Testing
import Wire

@testable import Front

/// The SAM service over a small domain, and a client that calls it.
final class SAMRWorld {
    static let sid = SID("S-1-5-21-1-2-3")!
    static let begin: UInt64 = 133_000_000_000_000_000
    static let key = Bytes16((1...16).map { UInt8($0) })

    let domain: LocalDomain
    let service: SAMRService
    var caller: RemoteCaller
    /// What a failed call of the client ended with.
    private(set) var fault: FaultStatus?

    enum Who { case administrator, user, nobody }

    init(
        as who: Who = .administrator, policy: AccountPolicy = AccountPolicy(),
        allowsLM: Bool = false, anonymous: AnonymousAccess = .all
    ) throws {
        domain = try #require(
            LocalDomain.create(
                name: "GATE", sid: Self.sid, policy: policy,
                proofs: ProofPolicy(allowsLM: allowsLM), now: Self.begin) { _ in true })
        var next: UInt8 = 0
        service = SAMRService(domain: domain, anonymous: anonymous) { count in
            next += 1
            return [UInt8](repeating: next, count: count)
        }
        caller = Self.caller(who)
    }

    static func caller(
        _ who: Who, carriage: RemoteCaller.Carriage = .pipe("samr"), rid: UInt32 = 1_000,
        handles: HandleTable = HandleTable()
    ) -> RemoteCaller {
        let identity: FrontIdentity
        switch who {
        case .administrator:
            identity = FrontIdentity(
                kind: .local, user: "Administrator", domain: "GATE", userRID: 500,
                groupRIDs: [512], isInAdministrators: true, sessionKey: key)
        case .user:
            identity = FrontIdentity(
                kind: .local, user: "anna", domain: "GATE", userRID: rid, groupRIDs: [513],
                sessionKey: key)
        case .nobody: identity = .anonymous
        }
        return RemoteCaller(
            carriage: carriage, peer: IPv4Address(10, 77, 0, 50), identity: identity,
            handles: handles)
    }

    var now = FrontTime(now: 0, unix: 1_700_000_000)

    @discardableResult
    func user(_ name: String, _ password: String? = nil) throws -> UInt32 {
        let account = try domain.createAccount(name)
        if let password {
            try domain.setPassword(
                account.rid, NewPassword(Secret(Array(password.utf8))), now: Self.begin)
        }
        return account.rid
    }

    func reply(_ opnum: UInt16, _ stub: [UInt8]) -> ServiceReply {
        service.call(opnum, WireReader(stub.span, layer: "stub"), from: caller, now: now)
    }

    /// The response, or nil for a fault, which `fault` then has.
    func call<Call: RemoteProcedure>(
        _: Call.Type, _ request: Call.Request
    ) throws -> Call.Response? {
        var writer = WireWriter()
        request.write(into: &writer)
        fault = nil
        switch reply(Call.opnum, writer.finish()) {
        case .response(let bytes):
            var reader = WireReader(bytes.span, layer: "SAMR")
            return try Call.Response(parsing: &reader)
        case .fault(let status):
            fault = status
            return nil
        case .later:
            Issue.record("an answer that comes later")
            return nil
        }
    }

    // MARK: Handles

    func server() throws -> ContextHandle {
        let response = try call(SamrConnect5.self, .init(serverName: "\\\\GATE1"))
        return try #require(response).handle
    }

    func domainHandle(
        _ sid: SID = sid, _ desired: UInt32 = SAMR.maximumAllowed
    ) throws -> ContextHandle {
        let response = try call(
            SamrOpenDomain.self,
            .init(serverHandle: try server(), desiredAccess: desired, domainID: sid))
        return try #require(response).handle
    }

    func userHandle(
        _ rid: UInt32, _ desired: UInt32 = SAMR.maximumAllowed
    ) throws -> ContextHandle {
        let response = try #require(
            try call(
                SamrOpenUser.self,
                .init(
                    domainHandle: try domainHandle(), desiredAccess: desired, relativeID: rid)))
        try #require(response.status == .success)
        return response.handle
    }

    func names(_ response: SamrEnumerateResponse?) -> [String] {
        response?.entries?.map { $0.name } ?? []
    }

    func accepts(_ user: String, _ password: String) -> Bool {
        let logon = LocalLogon(
            domain: "GATE", user: user, workstation: "", control: [.allowWorkstationTrustAccount],
            proof: .password(Secret(Array(password.utf8))))
        if case .accepted = domain.validate(logon, now: now.fileTime) { return true }
        return false
    }
}
