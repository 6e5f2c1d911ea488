import Crypto
import Domain
import NetBIOS
import NTLM
import RPC
import SecureChannel
import Wire

/// Where a client connected.
package enum FrontPort: Equatable, Sendable {
    /// 139: SMB behind the NetBIOS session service.
    case session
    /// 445: SMB directly.
    case direct
    /// 135, or the one that the endpoint mapper names: RPC.
    case rpc(UInt16)
}

/// One TCP connection of a client. The number of one that is closed may be given again.
package enum FrontConnection: Hashable, Sendable {
    case smb(SMBConnectionID)
    case rpc(UInt32)
}

/// All that clients speak to: the SMB server, the RPC server, and the services behind both.
///
/// A core that holds cores. Connections, bytes, outcomes of logons and the time go in; `nextOutput`
/// says what is to be done, `nextDeadline` when `tick` is due.
///
///     139, 445 ─→ SMBServer ─ pipes ─→ RPCServer ─→ services ─→ LocalDomain
///     135, Netlogon's port ──────────────↗              └─ logons of other domains ─→ outputs
package final class Front {
    package enum Output {
        case send(FrontConnection, [UInt8])
        /// After what was sent before; `closed` is not called for it.
        case close(FrontConnection)
        /// To be validated; its outcome comes back by `answered` under the same token, once.
        case logon(token: UInt64, FrontLogon)
        /// Refused by policy without asking, to be counted.
        case blocked(FrontLogon)
        /// To be asked of the domain's controller; the outcome comes back by `translated` under
        /// the same token, once.
        case translate(token: UInt64, domain: String, TranslationQuestion)
        /// To be copied from the embedded domain's primary, of which this host is a backup.
        case copy(NetlogonService.CopyOrder)
    }

    private enum Waiter {
        case smb(UInt64)
        case bind(UInt64)
        case netlogon(UInt64)
        case lookup(UInt64)
    }

    package let smb: SMBServer
    package let rpc: RPCServer
    /// Where there is an embedded domain.
    package let netlogon: NetlogonService?
    private let lsa: LSAService?
    private var nextSMB: UInt64 = 0
    /// The logons of RPC binds, which count with those of sessions.
    private var binds: LogonQueue<UInt64>
    private var waiting: [UInt64: Waiter] = [:]
    private var nextToken: UInt64 = 0
    private var outputs = OutputQueue<Output>()

    package init(
        smb: SMBServer, rpc: RPCServer, netlogon: NetlogonService?, lsa: LSAService? = nil
    ) {
        self.smb = smb
        binds = LogonQueue(smb.guesses)
        self.rpc = rpc
        self.netlogon = netlogon
        self.lsa = lsa
    }

    // MARK: Connections

    /// A client has connected; nil where there are too many, and the owner closes it.
    package func opened(
        from peer: IPv4Address, on port: FrontPort, now: FrontTime
    ) -> FrontConnection? {
        switch port {
        case .session: return openSMB(peer, .netBIOS, now)
        case .direct: return openSMB(peer, .direct, now)
        case .rpc(let number):
            return rpc.accept(from: peer, port: number, now: now).map { .rpc($0) }
        }
    }

    private func openSMB(
        _ peer: IPv4Address, _ framing: SessionFraming, _ now: FrontTime
    ) -> FrontConnection? {
        nextSMB += 1
        let id = SMBConnectionID(nextSMB)
        return smb.opened(id, from: peer, framing, now: now) ? .smb(id) : nil
    }

    package func received(
        _ connection: FrontConnection, _ bytes: Span<UInt8>, now: FrontTime
    ) {
        switch connection {
        case .smb(let id): smb.received(id, bytes, now: now)
        case .rpc(let id): rpc.received(id, bytes, now: now)
        }
        settle(now)
    }

    /// The client, or the network, has ended the connection.
    package func closed(_ connection: FrontConnection, now: FrontTime) {
        switch connection {
        case .smb(let id): smb.closed(id)
        case .rpc(let id): rpc.closed(id)
        }
        settle(now)
    }

    // MARK: Logons

    package func answered(_ token: UInt64, _ outcome: LogonOutcome, now: FrontTime) {
        switch waiting.removeValue(forKey: token) {
        case .smb(let number):
            smb.logonAnswered(number, FrontVerdict(outcome), now: now)
        case .bind(let number):
            if let bind = binds.answered(number, FrontVerdict(outcome), now: now.now) {
                rpc.validated(bind, outcome, now: now)
            }
        case .netlogon(let ticket):
            if let netlogon, let reply = netlogon.answered(ticket, outcome) {
                rpc.answered(netlogon.interface, ticket: ticket, reply, now: now)
            }
        case .lookup, nil: return
        }
        settle(now)
    }

    package func translated(_ token: UInt64, _ outcome: TranslationOutcome, now: FrontTime) {
        guard case .lookup(let number) = waiting.removeValue(forKey: token), let lsa,
            let (ticket, reply) = lsa.answered(number, outcome, now: now)
        else { return }
        rpc.answered(lsa.interface, ticket: ticket, reply, now: now)
        settle(now)
    }

    /// Asks for a bind's logon, unless too many logons have failed.
    private func ask(_ logon: FrontLogon, ofBind token: UInt64, _ now: FrontTime) {
        switch binds.submit(logon, for: token, now: now.now) {
        case .ask(let number): ask(logon, .bind(number))
        case .wait: break
        case .refuse, .full: refuse(bind: token, now)
        }
    }

    private func refuse(bind token: UInt64, _ now: FrontTime) {
        rpc.validated(token, .refused(.accountLockedOut, authoritative: true), now: now)
    }

    /// One logon's verdict may let others go on that wait for it, wherever they came from.
    private func askWaiting(_ now: FrontTime) {
        smb.askWaiting(now: now)
        while let ready = binds.nextReady(now: now.now) {
            switch ready {
            case .ask(let number, let logon): ask(logon, .bind(number))
            case .refuse(let token, _): refuse(bind: token, now)
            }
        }
    }

    private func ask(_ logon: FrontLogon, _ waiter: Waiter) {
        nextToken += 1
        waiting[nextToken] = waiter
        outputs.append(.logon(token: nextToken, logon))
    }

    package var waitingLogons: Int { waiting.count }

    // MARK: Time

    package var nextDeadline: UInt64 { min(rpc.nextDeadline, smb.nextDeadline ?? .max) }

    package func tick(now: FrontTime) {
        rpc.tick(now: now)
        smb.tick(now: now)
        settle(now)
    }

    // MARK: Outputs

    /// What is to be done next, in order; nil when all has been told.
    package func nextOutput() -> Output? { outputs.next() }

    /// What one server did concerns the other: an answer on a pipe is news for the session that
    /// opened it. Each round is caused by something new.
    private func settle(_ now: FrontTime) {
        var before = -1
        while before != outputs.count || rpc.hasOutputs {
            before = outputs.count
            askWaiting(now)
            for output in rpc.takeOutputs() {
                switch output {
                case .send(let id, let bytes): outputs.append(.send(.rpc(id), bytes))
                case .close(let id): outputs.append(.close(.rpc(id)))
                case .logon(let token, let logon): ask(logon, ofBind: token, now)
                case .forget(let token): binds.forget { $0 == token }
                }
            }
            for (ticket, logon) in netlogon?.takeLogons() ?? [] { ask(logon, .netlogon(ticket)) }
            if let order = netlogon?.takeCopyOrder() { outputs.append(.copy(order)) }
            for (number, domain, question) in lsa?.takeQuestions() ?? [] {
                nextToken += 1
                waiting[nextToken] = .lookup(number)
                outputs.append(.translate(token: nextToken, domain: domain, question))
            }
            smb.pipesAnswered(now: now)
            while let output = smb.nextOutput() {
                switch output {
                case .send(let id, let bytes): outputs.append(.send(.smb(id), bytes))
                case .close(let id): outputs.append(.close(.smb(id)))
                case .logon(let token, let logon): ask(logon, .smb(token))
                case .blocked(let logon): outputs.append(.blocked(logon))
                }
            }
        }
    }
}

extension FrontVerdict {
    /// What the router of logons found. A name that no domain knows is refused like any other.
    package init(_ outcome: LogonOutcome) {
        switch outcome {
        case .accepted(let identity):
            self = .accepted(FrontIdentity(identity))
        case .refused(let status, _): self = .refused(status)
        case .unavailable: self = .unavailable
        }
    }
}
