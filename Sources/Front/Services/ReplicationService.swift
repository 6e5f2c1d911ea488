import Domain
import Interfaces
import RPC
import SecureChannel
import Wire

/// The opnums by which backup controllers copy the embedded domain (MS-NRPC 3.5.4.6). Only a
/// backup's own secure channel may: what it carries are everybody's passwords.
package final class ReplicationService: NetlogonReplication {
    private let domain: LocalDomain
    package private(set) var counters = Counters()

    package struct Counters {
        package var deltas = 0
        package var syncs = 0
        package var redos = 0
        package var refused = 0
    }

    package init(domain: LocalDomain) { self.domain = domain }

    private func source(_ visit: Visit) -> ReplicationSource {
        ReplicationSource(domain: domain, now: visit.now.fileTime)
    }

    package func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime,
        over netlogon: NetlogonService
    ) -> ServiceReply? {
        let reader = stub
        do throws(WireError) {
            return try pull(opnum, NDRReader(reader), Visit(caller, now, netlogon))
        } catch {
            return .fault(.badStubData)
        }
    }

    /// One call on its way in.
    private struct Visit {
        let caller: RemoteCaller
        let now: FrontTime
        let netlogon: NetlogonService

        init(_ caller: RemoteCaller, _ now: FrontTime, _ netlogon: NetlogonService) {
            self.caller = caller
            self.now = now
            self.netlogon = netlogon
        }
    }

    /// The channel's key and the answer's authenticator, or why not.
    private enum Admission {
        case key(Bytes16, NetlogonAuthenticator)
        case refused(NTStatus, NetlogonAuthenticator)
    }

    private func admit(
        _ computer: String, _ authenticator: NetlogonAuthenticator, _ visit: Visit
    ) -> Admission {
        guard case .through(let session, let answer) = visit.netlogon.enter(
            computer, authenticator, visit.caller, visit.now)
        else {
            counters.refused += 1
            return .refused(.accessDenied, NetlogonAuthenticator())
        }
        // Without RC4 there is no way known to conceal what is longer than a hash.
        guard session.type == .server,
            SecureChannel.NegotiateFlags(rawValue: session.flags).contains(.rc4)
        else {
            counters.refused += 1
            return .refused(.accessDenied, answer)
        }
        return .key(session.key.key, answer)
    }

    private func pull(
        _ opnum: UInt16, _ stub: NDRReader, _ visit: Visit
    ) throws(WireError) -> ServiceReply? {
        var stub = stub
        switch opnum {
        case NetrDatabaseDeltas.opnum:
            return deltas(try NetrDatabaseDeltas.Request(parsing: &stub), visit)
        case NetrDatabaseSync.opnum:
            let request = try NetrDatabaseSync.Request(parsing: &stub)
            return sync(request.call, request.syncContext, visit) {
                source(visit).sync(request, key: $0)
            }
        case NetrDatabaseSync2.opnum:
            let request = try NetrDatabaseSync2.Request(parsing: &stub)
            return sync(request.call, request.syncContext, visit) {
                source(visit).sync2(request, key: $0)
            }
        case NetrDatabaseRedo.opnum:
            return redo(try NetrDatabaseRedo.Request(parsing: &stub), visit)
        case NetrAccountDeltas.opnum:
            let request = try NetrAccountDeltas.Request(parsing: &stub)
            return .stub(source(visit).accountDeltas(request))
        case NetrAccountSync.opnum:
            return .stub(source(visit).accountSync(try NetrAccountSync.Request(parsing: &stub)))
        case _: return nil
        }
    }

    private func deltas(_ request: NetrDatabaseDeltas.Request, _ visit: Visit) -> ServiceReply {
        switch admit(request.call.computerName, request.call.authenticator, visit) {
        case .key(let key, let answer):
            counters.deltas += 1
            var response = source(visit).deltas(request, key: key)
            response.returnAuthenticator = answer
            return .stub(response)
        case .refused(let status, let answer):
            return .stub(
                NetrDatabaseDeltas.Response(
                    returnAuthenticator: answer,
                    domainModifiedCount: request.domainModifiedCount, deltas: nil,
                    status: status))
        }
    }

    private func sync(
        _ call: DatabaseCall, _ context: UInt32, _ visit: Visit,
        _ page: (Bytes16) -> NetrDatabaseSync.Response
    ) -> ServiceReply {
        switch admit(call.computerName, call.authenticator, visit) {
        case .key(let key, let answer):
            counters.syncs += 1
            var response = page(key)
            response.returnAuthenticator = answer
            return .stub(response)
        case .refused(let status, let answer):
            return .stub(
                NetrDatabaseSync.Response(
                    returnAuthenticator: answer, syncContext: context, deltas: nil,
                    status: status))
        }
    }

    private func redo(_ request: NetrDatabaseRedo.Request, _ visit: Visit) -> ServiceReply {
        switch admit(request.call.computerName, request.call.authenticator, visit) {
        case .key(let key, let answer):
            counters.redos += 1
            var response = source(visit).redo(request, key: key)
            response.returnAuthenticator = answer
            return .stub(response)
        case .refused(let status, let answer):
            return .stub(
                NetrDatabaseRedo.Response(
                    returnAuthenticator: answer, deltas: nil, status: status))
        }
    }
}
