import Crypto
import NTLM
import Wire

/// What a client of SPNEGO puts around NTLMSSP's tokens and finds in a server's, and the user of
/// whom all tests of it are.
package enum SecurityBlobs {
    package static let password = NTOWF.v1(password: Secret(Array("Us3r-Pass!".utf8)))

    package static func wrap(_ token: NegTokenInit, _ payload: [UInt8]) -> [UInt8] {
        var writer = WireWriter()
        token.write(from: payload.span, into: &writer)
        return writer.finish()
    }

    package static func wrap(_ token: NegTokenResp, _ payload: [UInt8]) -> [UInt8] {
        var writer = WireWriter()
        token.write(from: payload.span, into: &writer)
        return writer.finish()
    }

    /// The NTLMSSP token in a server's blob.
    package static func inner(_ blob: [UInt8]) throws(WireError) -> [UInt8] {
        var reader = WireReader(blob.span, layer: "test")
        let token = try NegotiationToken(parsing: &reader)
        guard let range = token.mechToken else { throw reader.invalid("mechToken", 0) }
        return reader.copy(range)
    }

    /// What a controller would find: the session base key, where alice of GATE proves herself.
    package static func sessionKey(_ asked: SecurityAcceptor.Answered) -> Bytes16? {
        guard asked.user == "alice", asked.domain == "GATE", asked.workstation == "PC1" else {
            return nil
        }
        let (challenge, nt) = (asked.challenge, asked.ntResponse)
        if nt.count == 24 {
            let right = NTLMv1.response(owf: password, challenge: challenge).bytes == nt
            return right ? NTLMv1.sessionBaseKey(ntowf: password) : nil
        }
        let key = NTOWF.v2(ntowf: password, user: "alice", domain: "GATE")
        let proof = HMACMD5.code(key: key.bytes, challenge.bytes, Array(nt[16...]))
        guard proof.bytes == Array(nt[..<16]) else { return nil }
        return HMACMD5.code(key: key.bytes, proof.bytes)
    }
}
