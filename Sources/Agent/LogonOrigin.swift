import Domain
import Front
import Wire

/// Where a logon came from.
package enum LogonOrigin: Hashable, Sendable, CustomStringConvertible {
    /// This host's own sockets: the control socket, which `ntlm_auth` uses too, and winbindd's.
    case host
    case network(FrontLogon.Listener, IPv4Address)

    package var description: String {
        switch self {
        case .host: "this host"
        case .network(.session, let address): "\(address.description) on port 139"
        case .network(.direct, let address): "\(address.description) on port 445"
        case .network(.rpc, let address): "\(address.description) by remote calls"
        case .network(.member, let address): "member \(address.description)"
        }
    }
}

/// Which proofs each listener takes. The domain's own policy then narrows it: of the two the
/// stricter one wins.
package struct ListenerPolicies {
    package var host = ProofPolicy.all
    package var session = ProofPolicy.all
    package var direct = ProofPolicy.all
    package var rpc = ProofPolicy.all
    package var member = ProofPolicy.all

    package init() {}

    package subscript(origin: LogonOrigin) -> ProofPolicy {
        switch origin {
        case .host: host
        case .network(.session, _): session
        case .network(.direct, _): direct
        case .network(.rpc, _): rpc
        case .network(.member, _): member
        }
    }
}

extension ProofPolicy {
    /// Whether it takes no logon of that protocol. An LM response that stands alone is refused with
    /// LM, though it might be one of LMv2: nobody can tell without the password.
    func blocks(_ proof: Ledger.Proof) -> Bool {
        switch proof {
        case .plain, .interactive: false
        case .lm: !allowsLM
        case .mschapv2: ntlmv1 == .refuse
        case .ntlmv1: ntlmv1 != .allow
        case .ntlmv2: !allowsNTLMv2
        }
    }
}

extension Agent {
    /// The computer that a logon comes from: users may be restricted to some by name. Programs of
    /// this host speak for it; a client without a name is known by its address, which is nobody's
    /// name, and does not pass for this host.
    func workstation(of call: LogonCall) -> String {
        if !call.workstation.isEmpty { return call.workstation }
        switch call.origin {
        case .host: return name
        case .network(_, let address): return address.description
        }
    }
}

extension LogonCall {
    /// What the front wants validated.
    package init(_ logon: FrontLogon) {
        let proof: LogonCall.Proof
        switch logon.proof {
        case .responses(let challenge, let nt, let lm):
            proof = .responses(challenge: challenge, nt: nt, lm: lm)
        case .password(let secret): proof = .password(secret)
        case .hashes(let nt, let lm): proof = .hashes(nt: nt, lm: lm)
        }
        self.init(
            domain: logon.domain, user: logon.user, workstation: logon.workstation,
            parameterControl: logon.parameterControl, proof: proof,
            origin: .network(logon.listener, logon.peer), wantsWhole: logon.wantsWhole)
    }
}
