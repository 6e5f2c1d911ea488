import Crypto
import NTLM
import RPC
import SecureChannel
import Wire

/// The RPC server: associations over named pipes and TCP, and the services behind them.
///
/// A core: bytes and validations come in, `takeOutputs` says what to do. A pipe's PDUs are read by
/// whoever serves the pipes (`PipeServer`); a TCP connection's come as outputs.
package final class RPCServer: PipeServer {
    package enum Output {
        /// For the peer of a TCP connection.
        case send(connection: UInt32, [UInt8])
        /// After what was sent before.
        case close(connection: UInt32)
        /// To be validated; its outcome comes back by `validated` under the same token.
        case logon(token: UInt64, FrontLogon)
        /// Whoever wanted that validated is gone.
        case forget(token: UInt64)
    }

    package enum Limit {
        /// Pipes and TCP connections.
        package static let associations = 16_384
        /// Those of one address.
        package static let associationsOfPeer = 1_024
        /// Bytes kept over all associations. Beyond it the one with the most of them is given up.
        package static let heldBytes = 16_777_216
    }

    /// The names of pipes that lead here, in lower case, and how a bind's answer calls them.
    private static let pipes: [(name: String, address: String)] = [
        ("netlogon", "\\PIPE\\lsass"), ("lsarpc", "\\PIPE\\lsass"), ("lsass", "\\PIPE\\lsass"),
        ("samr", "\\PIPE\\lsass"), ("wkssvc", "\\PIPE\\wkssvc"), ("srvsvc", "\\PIPE\\srvsvc"),
        ("epmapper", "\\PIPE\\epmapper"),
    ]

    private let environment: RPCEnvironment
    private var associations: [UInt32: ServerAssociation] = [:]
    private var perPeer: [IPv4Address: Int] = [:]
    private var nextID: UInt32 = 0
    private var logons: [UInt64: (association: UInt32, state: SecurityState)] = [:]
    private var nextLogon: UInt64 = 0
    private var tickets: [Ticket: (association: UInt32, call: UInt32)] = [:]
    private var outputs: [Output] = []
    private var ready: [PipeID] = []
    private var latest = FrontTime(now: 0, unix: 0)
    /// Over all associations.
    private(set) var heldBytes = 0
    package var heldLimit = Limit.heldBytes
    /// In whole seconds, so that many associations are looked at together.
    private var earliest: UInt64 = .max
    package private(set) var counters = Counters()

    package struct Counters {
        package var associations = 0
        package var broken = 0
        package var overLimit = 0
        package var bindsValidated = 0
        package var bindsRefused = 0
    }

    private struct Ticket: Hashable {
        var service: Int
        var number: UInt64
    }

    /// `services` are reached by their interfaces, on every pipe and port alike.
    package init(
        services: [RemoteService], identity: ServerHandshake.Identity,
        channels: ChannelKeys?, random: @escaping (Int) -> [UInt8]
    ) {
        environment = RPCEnvironment(
            services: services, identity: identity, channels: channels, random: random)
    }

    package func takeOutputs() -> [Output] {
        var taken: [Output] = []
        swap(&taken, &outputs)
        return taken
    }

    package var hasOutputs: Bool { !outputs.isEmpty }

    package var openAssociations: Int { associations.count }

    /// Calls whose parameters could not be read.
    package var badStubs: Int { environment.badStubs }

    // MARK: TCP

    /// Takes a connection to `port`, or says that there are too many.
    package func accept(from peer: IPv4Address, port: UInt16, now: FrontTime) -> UInt32? {
        let text = String(port)
        return add(peer, .tcp, Array(text.utf8), .anonymous, now)
    }

    package func received(_ connection: UInt32, _ bytes: Span<UInt8>, now: FrontTime) {
        guard let association = associations[connection] else { return }
        association.received(bytes, now: now)
        settle(association, now)
    }

    /// The peer is gone.
    package func closed(_ connection: UInt32) { remove(connection) }

    // MARK: Pipes

    package func open(
        _ name: String, as identity: FrontIdentity, from peer: IPv4Address, now: FrontTime
    ) -> PipeOpening {
        guard let pipe = Self.pipes.first(where: { $0.name == name }) else {
            return .refused(.objectNameNotFound)
        }
        guard let id = add(peer, .pipe(name), Array(pipe.address.utf8), identity, now) else {
            return .refused(.pipeNotAvailable)
        }
        return .opened(PipeID(id))
    }

    package func write(_ pipe: PipeID, _ message: Span<UInt8>, now: FrontTime) {
        guard let association = associations[pipe.rawValue] else { return }
        association.received(message, now: now)
        settle(association, now)
    }

    package func read(_ pipe: PipeID) -> PipeRead {
        guard let association = associations[pipe.rawValue] else { return .broken }
        if let pdu = association.takePDU() {
            association.resume(latest)
            settle(association, latest)
            return .message(pdu)
        }
        return association.isBroken ? .broken : .nothing
    }

    package func close(_ pipe: PipeID) { remove(pipe.rawValue) }

    package func nextReady() -> PipeID? {
        while !ready.isEmpty {
            let pipe = ready.removeFirst()
            if associations[pipe.rawValue] != nil { return pipe }
        }
        return nil
    }

    // MARK: What comes later

    package func validated(_ token: UInt64, _ outcome: LogonOutcome, now: FrontTime) {
        guard let logon = logons.removeValue(forKey: token),
            let association = associations[logon.association]
        else { return }
        switch outcome {
        case .accepted(let identity) where !identity.isGuest:
            counters.bindsValidated += 1
            association.validated(
                logon.state, FrontIdentity(identity), sessionKey: identity.sessionKey,
                lmKey: identity.lmKey, now: now)
        case .accepted, .refused, .unavailable:
            counters.bindsRefused += 1
            association.validated(
                logon.state, nil, sessionKey: Bytes16(), lmKey: Bytes8(), now: now)
        }
        settle(association, now, outOfTurn: true)
    }

    /// The answer of a call that `interface`'s service put off.
    package func answered(
        _ interface: SyntaxID, ticket: UInt64, _ reply: ServiceReply, now: FrontTime
    ) {
        guard let service = environment.service(of: interface),
            let call = tickets.removeValue(forKey: Ticket(service: service, number: ticket)),
            let association = associations[call.association]
        else { return }
        association.answered(call.call, reply, now: now)
        settle(association, now, outOfTurn: true)
    }

    // MARK: Time

    /// When `tick` wants to be called next.
    package var nextDeadline: UInt64 { earliest }

    package func tick(now: FrontTime) {
        guard now.now >= earliest else { return }
        earliest = .max
        for association in Array(associations.values) {
            association.expire(now: now)
            settle(association, now, outOfTurn: true)
        }
    }

    // MARK: Associations

    private func add(
        _ peer: IPv4Address, _ carriage: RemoteCaller.Carriage, _ address: [UInt8],
        _ identity: FrontIdentity, _ now: FrontTime
    ) -> UInt32? {
        let ofPeer = perPeer[peer] ?? 0
        guard associations.count < Limit.associations, ofPeer < Limit.associationsOfPeer else {
            counters.overLimit += 1
            return nil
        }
        repeat { nextID &+= 1 } while associations[nextID] != nil
        let association = ServerAssociation(
            id: nextID, environment, peer: peer, carriage: carriage, secondaryAddress: address,
            identity: identity, now: now)
        associations[nextID] = association
        perPeer[peer] = ofPeer + 1
        counters.associations += 1
        watch(association)
        return nextID
    }

    private func remove(_ id: UInt32) {
        guard let association = associations.removeValue(forKey: id) else { return }
        association.end()
        recount(association)
        let left = (perPeer[association.peer] ?? 1) - 1
        perPeer[association.peer] = left > 0 ? left : nil
        for (token, logon) in logons where logon.association == id {
            logons[token] = nil
            outputs.append(.forget(token: token))
        }
    }

    private func watch(_ association: ServerAssociation) {
        guard let deadline = association.deadline else { return }
        earliest = min(earliest, (deadline + 999) / 1_000 * 1_000)
    }

    /// Does what the association wants done. `outOfTurn`: nobody waits for a pipe's answer to
    /// what was just written.
    private func settle(
        _ association: ServerAssociation, _ now: FrontTime, outOfTurn: Bool = false
    ) {
        latest = now
        // Another one's turn may have ended it.
        guard associations[association.id] === association else { return }
        grant(association)
        watch(association)
        if case .pipe = association.carriage {
            if outOfTurn, association.hasOutgoing || association.isBroken {
                ready.append(PipeID(association.id))
            }
            return count(association)
        }
        while association.hasOutgoing {
            while let pdu = association.takePDU() {
                outputs.append(.send(connection: association.id, pdu))
            }
            association.resume(now)
            grant(association)
        }
        if association.isBroken { end(association) }
        count(association)
    }

    private func end(_ association: ServerAssociation) {
        counters.broken += 1
        remove(association.id)
        outputs.append(.close(connection: association.id))
    }

    /// Takes the bytes that it has us keep into the account, and sees to the limit: whoever has us
    /// keep the most loses all of it, answers that it has not read among them.
    private func count(_ association: ServerAssociation) {
        recount(association)
        while heldBytes > heldLimit,
            let greediest = associations.values.max(by: { $0.countedBytes < $1.countedBytes })
        {
            counters.overLimit += 1
            greediest.letGo()
            if case .pipe = greediest.carriage {
                recount(greediest)
                ready.append(PipeID(greediest.id))
            } else {
                end(greediest)
            }
        }
    }

    private func recount(_ association: ServerAssociation) {
        let held = associations[association.id] == nil ? 0 : association.heldBytes
        heldBytes += held - association.countedBytes
        association.countedBytes = held
    }

    private func grant(_ association: ServerAssociation) {
        let id = association.id
        for wish in association.takeWishes() {
            switch wish {
            case .validate(let state, let answered):
                nextLogon += 1
                logons[nextLogon] = (id, state)
                outputs.append(
                    .logon(
                        token: nextLogon,
                        FrontLogon(
                            domain: answered.domain, user: answered.user,
                            workstation: answered.workstation,
                            parameterControl: FrontLogon.computersMayLogOn,
                            proof: answered.proof, at: .rpc, from: association.peer)))
            case .later(let call, let service, let ticket):
                tickets[Ticket(service: service, number: ticket)] = (id, call)
            }
        }
    }
}

extension FrontIdentity {
    /// Whom a domain vouched for.
    package init(_ identity: LogonIdentity) {
        var groups = identity.groupRIDs
        if !groups.contains(identity.primaryGroupRID) { groups.append(identity.primaryGroupRID) }
        self.init(
            kind: identity.isGuest ? .guest : identity.isOurs ? .local : .remote,
            user: identity.user, domain: identity.domain, domainSID: identity.domainSID,
            userRID: identity.userRID, groupRIDs: groups,
            isInAdministrators: identity.isInAdministrators, sessionKey: identity.sessionKey)
    }
}
