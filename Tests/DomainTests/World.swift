import Crypto
import Interfaces
import NTLM
import Wire

@testable import Domain

/// A domain whose records are kept in a dictionary, and whose writing can be refused.
final class World {
    static let begin: UInt64 = 133_000_000_000_000_000
    static let sid = SID("S-1-5-21-1-2-3")!

    var records: [String: [UInt8]] = [:]
    var commits = 0
    var refuses = false
    var now = World.begin
    private(set) var domain: LocalDomain!

    init(policy: AccountPolicy = AccountPolicy(), proofs: ProofPolicy = .init()) {
        domain = LocalDomain.create(
            name: "gate", sid: Self.sid, policy: policy, proofs: proofs, now: now
        ) { [unowned self] in commit($0) }
    }

    private func commit(_ changes: [DomainChange]) -> Bool {
        if refuses { return false }
        commits += 1
        for change in changes { records[change.key] = change.content }
        return true
    }

    /// The domain as another process would find it.
    func reloaded(proofs: ProofPolicy = .init()) -> LocalDomain? {
        var loader = DomainLoader()
        for key in records.keys.sorted() { loader.take(key: key, records[key]!) }
        return loader.finish(proofs: proofs) { _ in false }
    }

    @discardableResult
    func user(
        _ name: String, password: String? = "secret", flags: AccountFlags = .normal
    ) throws -> Account {
        let account = try domain.createAccount(name, flags: flags)
        if let password {
            try domain.setPassword(account.rid, NewPassword(Secret(Array(password.utf8))), now: now)
        }
        return domain.accounts[account.rid]!
    }

    /// What a logon with the plain password ends with; nil: accepted.
    func logon(
        _ name: String, _ password: String = "secret", workstation: String = "",
        control: ParameterControl = []
    ) -> NTStatus? {
        status(
            of: LocalLogon(
                domain: "GATE", user: name, workstation: workstation, control: control,
                proof: .password(Secret(Array(password.utf8)))))
    }

    func status(of logon: LocalLogon) -> NTStatus? {
        switch domain.validate(logon, now: now) {
        case .accepted: nil
        case .refused(let status): status
        }
    }

    func session(_ logon: LocalLogon) -> LocalSession? {
        switch domain.validate(logon, now: now) {
        case .accepted(let session): session
        case .refused: nil
        }
    }
}
