import Crypto
import Interfaces
import NTLM
import Wire

/// The keys that a proof of the right password gives.
struct ProofKeys {
    var session = Bytes16()
    var lm = Bytes8()
    var usedLM = false
    var isNTLMv2 = false
}

/// Compares what a logon offers with an account's hashes. Every comparison takes as long for a
/// proof that is nearly right as for any other.
struct ProofCheck {
    let logon: LocalLogon
    let policy: ProofPolicy

    enum Verdict {
        case right(ProofKeys)
        case wrong
        /// The policy takes no such proof: nothing was compared.
        case blocked
    }

    /// `lm` is the hash of the same password, where the domain keeps it.
    func verdict(nt: Bytes16?, lm: Bytes16?) -> Verdict {
        switch logon.proof {
        case .password(let password): return check(password, nt, lm)
        case .hashes(let givenNT, let givenLM):
            return check(hash: Self.hash(givenNT), lmHash: Self.hash(givenLM), nt, lm)
        case .responses(let challenge, let ntResponse, let lmResponse):
            return check(challenge, ntResponse, lmResponse, nt, lm)
        }
    }

    private static func hash(_ secret: Secret?) -> Bytes16? {
        guard let bytes = secret?.bytes, bytes.count == 16 else { return nil }
        let hash = Bytes16(bytes)
        return hash == Bytes16() ? nil : hash
    }

    // MARK: Passwords and hashes

    private func check(_ password: Secret, _ nt: Bytes16?, _ lm: Bytes16?) -> Verdict {
        if let nt, NTOWF.v1(password: password) == nt { return .right(keys(nt, lm)) }
        // A client of LAN Manager's time sends the password in capitals.
        let text = String(decoding: password.bytes, as: UTF8.self)
        if policy.allowsLM, let lm, LMOWF.v1(password: text) == lm { return .right(lmKeys(lm)) }
        return .wrong
    }

    private func check(
        hash: Bytes16?, lmHash: Bytes16?, _ nt: Bytes16?, _ lm: Bytes16?
    ) -> Verdict {
        if let hash {
            if let nt, hash == nt { return .right(keys(nt, lm)) }
            if !policy.allowsLM { return .wrong }
        }
        guard policy.allowsLM else { return .blocked }
        if let lmHash, let lm, lmHash == lm { return .right(lmKeys(lm)) }
        return .wrong
    }

    /// MS-NLMP 3.3.1: what an NT response's keys are made of.
    private func keys(_ nt: Bytes16, _ lm: Bytes16?) -> ProofKeys {
        var keys = ProofKeys()
        keys.session = NTLMv1.sessionBaseKey(ntowf: nt)
        if let lm { keys.lm = Bytes8(lm.bytes) }
        return keys
    }

    private func lmKeys(_ lm: Bytes16) -> ProofKeys {
        var keys = ProofKeys()
        keys.lm = Bytes8(lm.bytes)
        keys.session = Bytes16(keys.lm.bytes + [UInt8](repeating: 0, count: 8))
        keys.usedLM = true
        return keys
    }

    // MARK: Responses

    private func check(
        _ challenge: Bytes8, _ ntResponse: [UInt8], _ lmResponse: [UInt8], _ nt: Bytes16?,
        _ lm: Bytes16?
    ) -> Verdict {
        var wasCompared = false
        if ntResponse.count > 24, policy.allowsNTLMv2 {
            wasCompared = true
            if let nt, let keys = version2(challenge, ntResponse, nt, beside: []) {
                return .right(keys)
            }
        } else if ntResponse.count == 24, takesNTLMv1 {
            wasCompared = true
            if let nt, version1(challenge, ntResponse, lmResponse, nt) {
                return .right(keys(nt, lm))
            }
        }
        guard lmResponse.count == 24 else { return wasCompared ? .wrong : blocked(ntResponse) }
        // Where the NT response is missing or wrong, the LM field may still prove the user:
        // by LMv2, or by an LM response, or by an NT response that an old client put there.
        if ntResponse.count != 24, policy.allowsNTLMv2 {
            wasCompared = true
            if let nt, let keys = version2(challenge, lmResponse, nt, beside: ntResponse) {
                return .right(keys)
            }
        }
        if policy.allowsLM {
            wasCompared = true
            let right = [UInt8](lmResponse)
            if let lm, NTLMv1.response(owf: lm, challenge: challenge) == FixedBytes<24>(right) {
                return .right(lmKeys(lm))
            }
        }
        if takesNTLMv1, let nt {
            wasCompared = true
            if NTLMv1.response(owf: nt, challenge: challenge) == FixedBytes<24>(lmResponse) {
                // A client that knows of NT responses makes NT's keys, though its own field was
                // cut short: nmap's is.
                if (1..<24).contains(ntResponse.count) { return .right(keys(nt, lm)) }
                // An older one makes them of the LM hash, and has none where we keep none.
                var keys = ProofKeys()
                if let lm { keys.lm = Bytes8(lm.bytes) }
                keys.session = Bytes16(keys.lm.bytes + [UInt8](repeating: 0, count: 8))
                return .right(keys)
            }
        }
        return wasCompared ? .wrong : .blocked
    }

    /// No response that could be compared: none at all is a wrong one.
    private func blocked(_ ntResponse: [UInt8]) -> Verdict {
        ntResponse.count >= 24 ? .blocked : .wrong
    }

    private var takesNTLMv1: Bool {
        switch policy.ntlmv1 {
        case .refuse: false
        case .mschap: logon.control.contains(.allowMSVCHAPV2)
        case .allow: true
        }
    }

    /// The challenge is encrypted as it is, or together with the client's, which then is in the
    /// LM field: the caller says so, or the field does by its zeros.
    private func version1(
        _ challenge: Bytes8, _ ntResponse: [UInt8], _ lmResponse: [UInt8], _ nt: Bytes16
    ) -> Bool {
        let given = FixedBytes<24>(ntResponse)
        let isPaired = logon.control.contains(.useClientChallenge)
        if !isPaired, NTLMv1.response(owf: nt, challenge: challenge) == given { return true }
        let hasZeros = lmResponse.count == 24 && !lmResponse[8...].contains { $0 != 0 }
        guard lmResponse.count >= 8, isPaired || hasZeros else { return false }
        let paired = NTLMv1.sessionChallenge(server: challenge, client: Bytes8(lmResponse))
        return NTLMv1.response(owf: nt, challenge: paired) == given
    }

    /// Clients differ in what they take for the domain: as it was typed, in capitals, or nothing.
    /// `beside` is the NT response where the LM field's is checked: the client made its keys with
    /// that one's blob, whatever became of its proof.
    private func version2(
        _ challenge: Bytes8, _ response: [UInt8], _ nt: Bytes16, beside: [UInt8]
    ) -> ProofKeys? {
        let proof = Bytes16(response)
        let blob = Array(response[NTLMv2.proofLength...])
        var tried: [String] = []
        for domain in [logon.domain, LocalDomain.fold(logon.domain), ""] {
            if tried.contains(domain) { continue }
            tried.append(domain)
            let owf = NTOWF.v2(ntowf: nt, user: logon.user, domain: domain)
            guard NTLMv2.proof(owf: owf, serverChallenge: challenge, blob: blob) == proof
            else { continue }
            var keys = ProofKeys()
            var base = proof
            if beside.count > 24 {
                base = NTLMv2.proof(
                    owf: owf, serverChallenge: challenge,
                    blob: Array(beside[NTLMv2.proofLength...]))
            }
            keys.session = NTLMv2.sessionBaseKey(owf: owf, proof: base)
            keys.lm = Bytes8(keys.session.bytes)
            keys.isNTLMv2 = true
            return keys
        }
        return nil
    }
}
