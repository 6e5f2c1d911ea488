import Domain
import Interfaces
import Locator
import Mailslot
import SecureChannel
import Wire

/// An embedded domain of which this host is a backup controller: the pull of its databases, and
/// the secure channel to its primary that carries it.
package final class AgentBackup {
    /// The domain and the channel, as indices of the agent's lists.
    package let local: Int
    package let channel: Int
    package let pull: ReplicationPull

    package init(local: Int, channel: Int, pull: ReplicationPull) {
        self.local = local
        self.channel = channel
        self.pull = pull
    }

    /// Milliseconds for one page.
    package static let deadline: UInt64 = 15_000
}

// Keeps each backup's pull and its channel in step. Nothing here waits: a page is asked for, and
// its answer is the channel's output like any other.
extension Agent {
    package func backup(of local: Int) -> AgentBackup? {
        backups.first { $0.local == local }
    }

    /// Somebody told that a domain has changed; `random` is any number.
    package func announced(
        _ change: AnnounceChange, random: UInt64, now: UInt64, microseconds: UInt64
    ) {
        for backup in backups {
            backup.pull.announced(change, random: random, now: now)
            settle(backup.channel, now: now, microseconds: microseconds)
        }
    }

    /// How the copy of a local domain is kept; nil where this host is no backup of it.
    package func pullState(_ local: Int, now: UInt64) -> PullState? {
        guard locals[local].domain.role == .backup, let backup = backup(of: local) else {
            return nil
        }
        let channel = domains[backup.channel].channel
        let place = channel.controller.map { ", at " + $0.label } ?? ""
        return PullState(
            channel: channel.stateName + place,
            age: backup.pull.currentAt.map { (now - min($0, now)) / 1_000 },
            trouble: backup.pull.lastTrouble?.description)
    }

    /// Asks the primary whether it is there, where it may be: `looked` tells when that is known.
    /// False: nobody can be asked.
    package func look(_ local: Int, now: UInt64, microseconds: UInt64) -> Bool {
        guard let backup = backup(of: local), domains[backup.channel].channel.controller != nil
        else { return false }
        backup.pull.look(now: now)
        settle(backup.channel, now: now, microseconds: microseconds)
        return true
    }

    /// An administrator's order to follow the primary at once, or with `isWhole` to copy all of its
    /// databases anew: as soon as it is reached.
    package func follow(_ local: Int, isWhole: Bool, now: UInt64, microseconds: UInt64) {
        guard let backup = backup(of: local) else { return }
        backup.pull.look(now: now, isWhole: isWhole)
        settle(backup.channel, now: now, microseconds: microseconds)
    }

    /// Away is a primary that no connection reaches. One that was not found, that has not been
    /// asked, or that did not answer this once, may be at work.
    package func primaryState(_ local: Int) -> PrimaryState {
        guard let backup = backup(of: local) else {
            return .unknown("no channel to the primary is configured")
        }
        let domain = domains[backup.channel]
        let channel = domain.channel
        guard let controller = channel.controller else {
            guard channel.reachesNobody else {
                return .unknown("the channel to the primary is not ready (\(channel.stateName))")
            }
            return domain.locator.controllers.isEmpty
                ? .unknown("its primary was not found") : .away
        }
        switch backup.pull.lastTrouble {
        case .refused(.invalidDomainRole): return .stepsBack
        case .unreachable:
            return .unknown("the primary \(controller.label) has not answered this time")
        case _: return .answers(controller.label)
        }
    }

    /// The channel of a domain that became the primary, or that looks for another one.
    package func stopPulling(_ local: Int, now: UInt64, microseconds: UInt64) {
        guard let backup = backup(of: local) else { return }
        domains[backup.channel].channel.stop()
        settle(backup.channel, now: now, microseconds: microseconds)
    }

    /// When a pull wants something, of a channel that can carry it.
    func pullDeadline(_ backup: AgentBackup) -> UInt64 {
        guard domains[backup.channel].channel.controller != nil else { return .max }
        return backup.pull.nextDeadline ?? .max
    }

    /// What the channel brought forth, as far as its domain's pull is concerned.
    func tellPull(_ index: Int, _ output: Channel.Output, now: UInt64) {
        guard let backup = backups.first(where: { $0.channel == index }) else { return }
        switch output {
        case .notice(.keyed): backup.pull.connected(now: now)
        case .pulled(.answered(let stub, let key)):
            backup.pull.answered(stub.span, key: key, fileTime: fileTime, now: now)
            tell(.looked(local: backup.local))
        case .pulled(.failed):
            backup.pull.failed(now: now)
            tell(.looked(local: backup.local))
        case .open, .send, .close, .answer, .controllerFailed, .controllerSilent,
            .controllerAnswered, .mapped, .notice, .passwordSet, .translated:
            break
        }
    }

    /// Asks for the next page where one is due.
    func pump(_ index: Int, now: UInt64) {
        guard let backup = backups.first(where: { $0.channel == index }) else { return }
        if let controller = domains[index].channel.controller {
            ask(controller.address, for: backup, now: now)
        }
        for notice in backup.pull.takeNotices() {
            tell(.copied(local: backup.local, notice))
        }
    }

    private func ask(_ address: IPv4Address, for backup: AgentBackup, now: UInt64) {
        let domain = domains[backup.channel]
        for controller in domain.locator.controllers where controller.address == address {
            if let name = controller.identity?.netbiosName { backup.pull.isCopy(of: name) }
        }
        guard let request = backup.pull.nextRequest(now: now) else { return }
        domain.channel.pull(
            request.opnum, deadline: now + AgentBackup.deadline, now: now
        ) { primary, authenticator in
            request.stub(
                DatabaseCall(
                    primaryName: "\\\\" + primary, computerName: name,
                    authenticator: authenticator))
        }
    }

    // MARK: Logons that the primary may know better

    /// Where the copy refuses for a reason that may be over at the primary, the primary is asked
    /// if it is there: a new password, or a lock-out that was lifted, gets here later.
    func primary(of local: Int, after outcome: LogonOutcome) -> Int? {
        guard locals[local].domain.role == .backup, let backup = backup(of: local),
            domains[backup.channel].channel.controller != nil,
            case .refused(let status, _) = outcome
        else { return nil }
        switch status {
        case .wrongPassword, .accountLockedOut, .passwordExpired, .passwordMustChange:
            return backup.channel
        case _: return nil
        }
    }
}
