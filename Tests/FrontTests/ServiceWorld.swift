import Crypto
import Domain
import Interfaces
import RPC
import Testing
import Wire

@testable import Front

/// A small domain, and callers of one of its services without what carries their calls.
final class ServiceWorld {
    static let sid = SID("S-1-5-21-1-2-3")!
    static let adSID = SID("S-1-5-21-7-8-9")!

    let domain: LocalDomain
    var configured: [ConfiguredDomain] = [
        ConfiguredDomain(name: "ADLAB", dnsName: "ad.lab", sid: adSID),
        ConfiguredDomain(name: "DARK"),
    ]
    var now = FrontTime(now: 5_000, unix: 1_700_000_000)
    private var counter: UInt8 = 0
    private(set) var alice: UInt32 = 0

    init() throws {
        domain = try #require(
            LocalDomain.create(
                name: "GATE", sid: Self.sid, now: 133_000_000_000_000_000, commit: { _ in true }))
        alice = try domain.createAccount("alice", flags: .normal).rid
    }

    func random(_ count: Int) -> [UInt8] {
        counter += 1
        return [UInt8](repeating: counter, count: count)
    }

    func lsa(_ anonymous: AnonymousAccess = .all) -> LSAService {
        LSAService(
            domain: domain, configured: { [unowned self] in configured }, anonymous: anonymous,
            random: { [unowned self] in random($0) })
    }

    func netlogon() -> NetlogonService {
        let service = NetlogonService(
            NetlogonService.Settings(
                computerName: "GATE1", address: IPv4Address(10, 77, 0, 40)),
            domain: domain, channels: ChannelTable(),
            random: { [unowned self] in random($0) })
        service.otherDomains = { [unowned self] in configured }
        return service
    }

    static let host = ServedHost(
        computerName: "GATE1", domainName: "GATE", comment: "Postern", serverType: 0x102b)

    // MARK: Callers

    func caller(_ identity: FrontIdentity = .anonymous) -> RemoteCaller {
        RemoteCaller(
            carriage: .pipe("lsarpc"), peer: IPv4Address(10, 0, 0, 1), identity: identity)
    }

    var user: RemoteCaller {
        caller(FrontIdentity(
            kind: .local, user: "alice", domain: "GATE", domainSID: Self.sid, userRID: alice,
            groupRIDs: [513]))
    }

    var administrator: RemoteCaller {
        caller(FrontIdentity(
            kind: .local, user: "Administrator", domain: "GATE", domainSID: Self.sid,
            userRID: 500, groupRIDs: [513, 512]))
    }

    // MARK: Calls

    struct Fault: Error, Equatable { var status: FaultStatus }

    func call<P: RemoteProcedure>(
        _ service: RemoteService, _ procedure: P.Type, _ request: P.Request,
        _ caller: RemoteCaller
    ) throws -> P.Response {
        var stub = NDRWriter()
        request.write(into: &stub)
        let bytes = try raw(service, P.opnum, stub.wire.finish(), caller)
        var reader = WireReader(bytes.span, layer: "answer")
        return try P.Response(parsing: &reader)
    }

    func raw(
        _ service: RemoteService, _ opnum: UInt16, _ stub: [UInt8], _ caller: RemoteCaller
    ) throws -> [UInt8] {
        switch service.call(opnum, WireReader(stub.span, layer: "stub"), from: caller, now: now) {
        case .response(let bytes): return bytes
        case .fault(let status): throw Fault(status: status)
        case .later: throw Fault(status: .callFailed)
        }
    }

    /// Opens the policy.
    func open(
        _ service: LSAService, _ caller: RemoteCaller,
        access: UInt32 = LSAAccess.maximumAllowed
    ) throws -> ContextHandle {
        let opened = try call(
            service, LsarOpenPolicy2.self,
            LsarOpenPolicy2.Request(systemName: "\\\\GATE1", desiredAccess: access), caller)
        #expect(opened.status == .success)
        return opened.handle
    }
}
