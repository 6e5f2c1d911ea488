import Crypto
import Interfaces
import RPC
import Wire

/// What became of one call of a backup controller that pulls a database.
package enum PullOutcome {
    /// The answer, by the controller that holds the key, and the session key.
    case answered(stub: [UInt8], key: Bytes16)
    /// There is no answer; the call may have been carried out or not, which changes nothing.
    case failed
}

/// How a call ended that was made with the credential chain.
enum ChainedEnding {
    /// The controller's own answer, with the status that it ends in.
    case answered([UInt8], NTStatus)
    /// Nobody carried it out.
    case notSent
    /// There is no answer, or none whose authenticator shows that it is the controller's.
    case lost
}

/// A call of another kind than a logon, made with the credential chain (MS-NRPC 3.1.4.5). There is
/// one at a time, as each authenticator follows from the answer before; it has its connection for
/// itself, as its answer may be long; and it is sent once and never again.
struct ChainedCall {
    enum Purpose {
        case password
        case pull
    }

    /// Not a logon's: those count from one.
    static var tag: UInt32 { .max }

    var purpose: Purpose
    var link: Int
    var deadline: UInt64
}

extension Channel {
    /// Pulls a page of a database. `stub` is given the primary's name and our authenticator. The
    /// outcome is told as an output, once.
    package func pull(
        _ opnum: UInt16, deadline: UInt64, now: UInt64,
        stub: (_ primary: String, NetlogonAuthenticator) -> [UInt8]
    ) {
        let wasSent = chainedCall(.pull, deadline: deadline, now: now) {
            (opnum, stub($0.controller.name, $1))
        }
        if !wasSent { outputs.append(.pulled(.failed)) }
    }

    func chainedCall(
        _ purpose: ChainedCall.Purpose, deadline: UInt64, now: UInt64,
        _ body: (Session, NetlogonAuthenticator) -> (opnum: UInt16, stub: [UInt8])
    ) -> Bool {
        guard chained == nil, case .keyed = phase else { return false }
        if isChainLost {
            renewKey(now: now)
            return false
        }
        guard let id = freeLink(), let link = links[id], var session else { return false }
        let timestamp = UInt32(truncatingIfNeeded: epoch + now / 1_000)
        let authenticator = NetlogonAuthenticator(
            credential: session.chain.next(timestamp: timestamp), timestamp: timestamp)
        self.session = session
        let (opnum, stub) = body(session, authenticator)
        chained = ChainedCall(purpose: purpose, link: id, deadline: deadline)
        links[id]?.lastUsed = now
        if link.silentSince == nil { links[id]?.silentSince = now }
        link.association.call(tag: ChainedCall.tag, opnum: opnum, stub: stub, random: random)
        flush(id)
        return true
    }

    // MARK: What came of it

    func chainedReplied(_ stub: [UInt8], link: Int, now: UInt64) {
        guard chained != nil else { return }
        links[link]?.lastUsed = now
        let returned: NetlogonAuthenticator
        let status: NTStatus
        do throws(WireError) {
            var reader = NDRReader(WireReader(stub.span, layer: "Netlogon"))
            returned = try NetlogonAuthenticator(parsing: &reader)
            // All of these answers end in their status.
            try reader.wire.seek(max(12, stub.count - 4), "status")
            status = NTStatus(try reader.wire.uint32LE("status"))
        } catch {
            chainedEnded(.lost)
            return keyForgotten(by: link, isReplaced: false, now: now)
        }
        guard chainHolds(returned, link: link) else {
            chainedEnded(.lost)
            return keyForgotten(by: link, isReplaced: status != .notFound, now: now)
        }
        chainedEnded(.answered(stub, status))
        // Logons may have waited for the connection.
        dispatch(now: now)
    }

    func chainedEnded(_ ending: ChainedEnding) {
        guard let call = chained else { return }
        chained = nil
        switch call.purpose {
        case .password: passwordEnded(ending)
        case .pull:
            if case .answered(let stub, _) = ending, let key = key(of: call.link)?.key {
                outputs.append(.pulled(.answered(stub: stub, key: key)))
            } else {
                outputs.append(.pulled(.failed))
            }
        }
    }

    func expireChainedCall(now: UInt64) {
        guard let call = chained, now >= call.deadline else { return }
        links[call.link]?.association.abandon(tag: ChainedCall.tag)
        chainedEnded(.lost)
        // At once, so that the next call of the kind finds a key to go out under.
        if isChainLost { renewKey(now: now) }
    }

    // MARK: A chain that is lost

    /// Whether nobody waits any more for the answer from which the next authenticator follows:
    /// its connection is gone, its deadline has passed, or it was an error without authenticator.
    /// The controller would refuse the next call, as if another host had taken our key's place
    /// (MS-NRPC 3.1.4.5).
    var isChainLost: Bool {
        guard chained == nil, let session, session.chain.isUnanswered else { return false }
        return settings.profile == .modern
            || !links.values.contains { $0.isOpen && $0.association.isAwaited }
    }

    /// Makes a new key at the same controller, for which all logons wait that are not under way.
    func renewKey(now: UInt64) {
        guard case .keyed = phase, let session else { return }
        keyWasReplaced = false
        retireLinks(now: now)
        tried = []
        refusal = nil
        pursue(session.controller, now: now)
    }
}
