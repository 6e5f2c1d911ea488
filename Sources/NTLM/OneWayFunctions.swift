import Crypto
import Wire

// The one-way functions that turn a password into a key (MS-NLMP 3.3.1, 3.3.2). Every array that
// held the password or a key is wiped before the function returns.

/// NTOWF: the hash that a controller keeps for an account.
package enum NTOWF {
    /// MD4 of the password in UTF-16LE. A secret holds UTF-8, as it was typed or stored.
    package static func v1(password: Secret) -> Bytes16 {
        var units: [UInt8] = []
        // Reserved whole, so that growing leaves no copy of the password behind.
        units.reserveCapacity(password.bytes.count * 3)
        _ = transcode(
            password.bytes.makeIterator(), from: UTF8.self, to: UTF16.self,
            stoppingOnError: false
        ) { unit in
            units.append(UInt8(truncatingIfNeeded: unit))
            units.append(UInt8(truncatingIfNeeded: unit >> 8))
        }
        defer { Wipe.bytes(&units) }
        return MD4.hash(units)
    }

    package static func v1(password: String) -> Bytes16 {
        v1(password: Secret(Array(password.utf8)))
    }

    /// MD4 of a password that is UTF-16LE already: a machine's or a trust's, whose random units
    /// need not be text.
    package static func v1(utf16LE password: Secret) -> Bytes16 { MD4.hash(password.bytes) }

    /// HMAC-MD5 of the user's upper-case name and the domain's name as given, under NTOWFv1.
    /// LMOWFv2 is the same function.
    package static func v2(ntowf: Bytes16, user: String, domain: String) -> Bytes16 {
        var names = WireWriter(capacity: 128)
        names.utf16LE(UpperCase.text(user))
        names.utf16LE(domain)
        var key = ntowf.bytes
        defer { Wipe.bytes(&key) }
        return HMACMD5.code(key: key, names.bytes)
    }
}

/// LMOWF: the hash of the LAN Manager password, of 14 characters at most, in capitals.
package enum LMOWF {
    /// Characters of the password that count.
    package static let passwordLimit = 14

    /// The hash, or nil where the password has none: it is longer, or has a character that the
    /// OEM code page has not.
    package static func v1(password: String) -> Bytes16? {
        guard var oem = oemUpperCase(password) else { return nil }
        defer { Wipe.bytes(&oem) }
        return oem.count > passwordLimit ? nil : v1(oemUpperCase: oem)
    }

    /// The hash of a password in the OEM code page and in capitals already. What is over the
    /// limit does not count.
    package static func v1(oemUpperCase password: [UInt8]) -> Bytes16 {
        var key = [UInt8](repeating: 0, count: passwordLimit)
        for index in 0..<min(password.count, passwordLimit) { key[index] = password[index] }
        var halves = [Array(key[0..<7]), Array(key[7..<14])]
        defer {
            Wipe.bytes(&key)
            Wipe.bytes(&halves[0])
            Wipe.bytes(&halves[1])
        }
        let magic = Bytes8(Array("KGS!@#$%".utf8))
        let first = DES.encrypt(magic, key7: halves[0])
        let second = DES.encrypt(magic, key7: halves[1])
        return Bytes16(first.bytes + second.bytes)
    }

    private static func oemUpperCase(_ password: String) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(password.utf8.count)
        for scalar in password.unicodeScalars {
            // A capital outside the code page, as that of y with diaeresis, leaves the letter.
            let upper = String(UpperCase.scalar(scalar))
            guard let byte = OEMCodePage.exactBytes(upper) ?? OEMCodePage.exactBytes(String(scalar))
            else { return nil }
            out += byte
        }
        return out
    }
}
