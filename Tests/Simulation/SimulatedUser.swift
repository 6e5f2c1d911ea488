import Crypto
import SecureChannel
import Wire

/// Users who exist without being listed: all that a controller knows of one follows from the name.
///
///     anybody            an account; one group
///     anybody.2000       an account in 2,000 groups
///     nobody…            no account
package enum SimulatedUser {
    package static let challenge = Bytes8([1, 2, 3, 4, 5, 6, 7, 8])

    package static func exists(_ name: String) -> Bool { !name.hasPrefix("nobody") }

    /// What the user's right password answers to `challenge`.
    package static func response(_ name: String) -> [UInt8] {
        digest("response of", name).bytes + [UInt8](repeating: 0x5a, count: 32)
    }

    package static func wrongResponse(_ name: String) -> [UInt8] {
        digest("a guess at", name).bytes + [UInt8](repeating: 0xa5, count: 32)
    }

    package static func sessionKey(_ name: String) -> Bytes16 { digest("key of", name) }

    package static func relativeID(_ name: String) -> UInt32 {
        let bytes = digest("number of", name).bytes
        return 1_000 + UInt32(bytes[0]) << 8 + UInt32(bytes[1])
    }

    package static func groups(_ name: String) -> Int {
        guard let dot = name.lastIndex(of: ".") else { return 1 }
        return Int(name[name.index(after: dot)...]) ?? 1
    }

    private static func digest(_ what: String, _ name: String) -> Bytes16 {
        MD5.hash(Array(what.utf8), Array(name.utf8))
    }

    package static func request(
        _ name: String, rightPassword: Bool = true, domain: String = "ADLAB"
    ) -> LogonRequest {
        LogonRequest(
            domain: domain, user: name, workstation: "CLIENT", parameterControl: 0,
            proof: .network(
                challenge: challenge, nt: rightPassword ? response(name) : wrongResponse(name),
                lm: []))
    }

    /// What is wrong with an identity that a controller is said to have given for `name`, or nil.
    package static func fault(_ identity: LogonIdentity, of name: String) -> String? {
        if identity.user != name { return "\(name) became \(identity.user)" }
        if identity.sessionKey != sessionKey(name) { return "\(name) has another session key" }
        if identity.userRID != relativeID(name) { return "\(name) has another number" }
        if identity.groupRIDs.count != groups(name) { return "\(name) lost groups" }
        return nil
    }
}
