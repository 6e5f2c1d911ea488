import Crypto
import Wire

// The responses to a challenge (MS-NLMP 3.3.1, 3.3.2; RFC 2759 8) as pure functions.

/// The responses of NTLM version 1 and of LM: the challenge under DES with the hash as the key.
package enum NTLMv1 {
    /// The response to `challenge` under an NT or LM hash: DESL of MS-NLMP 6, the hash and five
    /// zeros being three DES keys.
    package static func response(owf: Bytes16, challenge: Bytes8) -> FixedBytes<24> {
        var key = owf.bytes + [UInt8](repeating: 0, count: 5)
        defer { Wipe.bytes(&key) }
        var out: [UInt8] = []
        for start in [0, 7, 14] {
            var third = Array(key[start..<(start + 7)])
            out += DES.encrypt(challenge, key7: third).bytes
            Wipe.bytes(&third)
        }
        return FixedBytes<24>(out)
    }

    /// Both responses under extended session security: the client's challenge takes LM's place.
    package static func extendedResponse(
        ntowf: Bytes16, serverChallenge: Bytes8, clientChallenge: Bytes8
    ) -> (nt: FixedBytes<24>, lm: FixedBytes<24>) {
        let challenge = sessionChallenge(server: serverChallenge, client: clientChallenge)
        let lm = clientChallenge.bytes + [UInt8](repeating: 0, count: 16)
        return (response(owf: ntowf, challenge: challenge), FixedBytes<24>(lm))
    }

    /// What extended session security encrypts: MD5 of both challenges, its first half.
    package static func sessionChallenge(server: Bytes8, client: Bytes8) -> Bytes8 {
        Bytes8(MD5.hash(server.bytes, client.bytes).bytes)
    }

    /// The session base key, which a controller returns as the user session key.
    package static func sessionBaseKey(ntowf: Bytes16) -> Bytes16 {
        var key = ntowf.bytes
        defer { Wipe.bytes(&key) }
        return MD4.hash(key)
    }
}

/// The responses of NTLM version 2.
package enum NTLMv2 {
    /// Bytes of the proof, which stands before the client's challenge structure.
    package static let proofLength = 16

    /// Both responses and the session base key. `ntowf` is NTOWFv1; `timestamp` is a FILETIME;
    /// `targetInfo` is the server's list of AV pairs, as edited by the client, with its end.
    package static func response(
        ntowf: Bytes16, user: String, domain: String, serverChallenge: Bytes8,
        clientChallenge: Bytes8, timestamp: UInt64, targetInfo: [UInt8]
    ) -> (nt: [UInt8], lm: [UInt8], sessionBaseKey: Bytes16) {
        let owf = NTOWF.v2(ntowf: ntowf, user: user, domain: domain)
        var blob = WireWriter(capacity: 36 + targetInfo.count)
        NTLMv2ClientChallenge(timestamp: timestamp, challengeFromClient: clientChallenge)
            .write(targetInfo: targetInfo.span, into: &blob)
        let proof = proof(owf: owf, serverChallenge: serverChallenge, blob: blob.bytes)
        let lm = lmResponse(
            owf: owf, serverChallenge: serverChallenge, clientChallenge: clientChallenge)
        return (
            proof.bytes + blob.bytes, lm.bytes, sessionBaseKey(owf: owf, proof: proof)
        )
    }

    /// NTProofStr: what the first 16 bytes of an NT response must be for the rest of it.
    /// `owf` is NTOWFv2.
    package static func proof(owf: Bytes16, serverChallenge: Bytes8, blob: [UInt8]) -> Bytes16 {
        code(owf, serverChallenge.bytes, blob)
    }

    /// LMv2: the proof over the client's challenge alone, and that challenge.
    package static func lmResponse(
        owf: Bytes16, serverChallenge: Bytes8, clientChallenge: Bytes8
    ) -> FixedBytes<24> {
        let proof = code(owf, serverChallenge.bytes, clientChallenge.bytes)
        return FixedBytes<24>(proof.bytes + clientChallenge.bytes)
    }

    package static func sessionBaseKey(owf: Bytes16, proof: Bytes16) -> Bytes16 {
        code(owf, proof.bytes, [])
    }

    private static func code(_ owf: Bytes16, _ first: [UInt8], _ second: [UInt8]) -> Bytes16 {
        var key = owf.bytes
        defer { Wipe.bytes(&key) }
        return HMACMD5.code(key: key, first, second)
    }
}

/// MS-CHAPv2, whose response is NTLMv1's over a challenge that both ends and the name made.
package enum MSCHAPv2 {
    /// ChallengeHash (RFC 2759 8.2). `userName` is without a domain, in the bytes that the
    /// client sent.
    package static func challengeHash(
        peerChallenge: Bytes16, authenticatorChallenge: Bytes16, userName: [UInt8]
    ) -> Bytes8 {
        let digest = SHA1.hash(peerChallenge.bytes, authenticatorChallenge.bytes, userName)
        return Bytes8(digest.bytes)
    }
}
