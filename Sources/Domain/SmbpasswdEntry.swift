import Crypto
import Wire

/// One account of a file in the form that smbpasswd(5) describes:
/// ```
/// name:uid:LM hash, 32 digits:NT hash, 32 digits:[flags, 11 characters]:LCT-seconds, 8 digits:
/// ```
/// A hash of 32 `X` means that the account has none, and one that begins with `NO PASSWORD` that
/// anybody may log on, which is not taken over. Times are seconds since 1970 in hexadecimal.
package struct SmbpasswdEntry: CustomStringConvertible {
    package struct Malformed: Error, Equatable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    package static let lineLimit = 4_096

    package let name: String
    package let lmHash: Bytes16?
    package let ntHash: Bytes16?
    package let flags: AccountFlags
    /// When the password was set, as a FILETIME; nil where the line does not say.
    package let passwordLastSet: UInt64?

    /// Whether a line has an account at all: it is neither empty nor a comment.
    package static func isEntry(_ line: [UInt8]) -> Bool {
        guard let first = line.first(where: { $0 != 32 && $0 != 9 && $0 != 13 }) else {
            return false
        }
        return first != UInt8(ascii: "#")
    }

    package init(_ line: [UInt8]) throws(Malformed) {
        if line.count > Self.lineLimit {
            throw Malformed("longer than \(Self.lineLimit) bytes")
        }
        var line = line
        if line.last == 13 { line.removeLast() }
        let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { Array($0) }
        guard fields.count >= 4 else { throw Malformed("not name:uid:LM hash:NT hash:…") }
        name = String(decoding: fields[0], as: UTF8.self)
        if name.isEmpty || Array(name.utf8) != fields[0] { throw Malformed("no name") }
        lmHash = try Self.hash(fields[2], "LM")
        ntHash = try Self.hash(fields[3], "NT")
        flags = try Self.flags(fields.count > 4 ? fields[4] : [])
        passwordLastSet = try Self.time(fields.count > 5 ? fields[5] : [])
    }

    private static func hash(_ field: [UInt8], _ what: String) throws(Malformed) -> Bytes16? {
        if field.isEmpty || field.starts(with: "NO PASSWORD".utf8)
            || !field.contains(where: { $0 != UInt8(ascii: "X") && $0 != UInt8(ascii: "*") })
        {
            return nil
        }
        guard field.count == 32, let bytes = Hex.bytes(String(decoding: field, as: UTF8.self))
        else { throw Malformed("the \(what) hash is not 32 hexadecimal digits") }
        return Bytes16(bytes)
    }

    /// `[UX         ]`: letters in any order among blanks.
    private static func flags(_ field: [UInt8]) throws(Malformed) -> AccountFlags {
        if field.isEmpty { return .normal }
        guard field.first == UInt8(ascii: "["), field.last == UInt8(ascii: "]") else {
            throw Malformed("the flags are not in brackets")
        }
        var flags: AccountFlags = []
        for letter in field.dropFirst().dropLast() {
            switch letter {
            case UInt8(ascii: "U"): flags.insert(.normal)
            case UInt8(ascii: "W"): flags.insert(.workstationTrust)
            case UInt8(ascii: "S"): flags.insert(.serverTrust)
            case UInt8(ascii: "I"): flags.insert(.interdomainTrust)
            case UInt8(ascii: "T"): flags.insert(.temporaryDuplicate)
            case UInt8(ascii: "D"): flags.insert(.disabled)
            case UInt8(ascii: "H"): flags.insert(.homeDirectoryRequired)
            case UInt8(ascii: "M"): flags.insert(.mnsLogon)
            case UInt8(ascii: "X"): flags.insert(.passwordNeverExpires)
            // No password, locked out: a state, not a property; and blanks.
            case UInt8(ascii: "N"), UInt8(ascii: "L"), 32: break
            case _: throw Malformed("unknown flag \(String(decoding: [letter], as: UTF8.self))")
            }
        }
        let kind = flags.intersection(.kinds).rawValue
        if kind & (kind &- 1) != 0 { throw Malformed("flags of more than one kind of account") }
        return kind == 0 ? flags.union(.normal) : flags
    }

    private static func time(_ field: [UInt8]) throws(Malformed) -> UInt64? {
        if field.isEmpty { return nil }
        guard field.starts(with: "LCT-".utf8),
            let seconds = UInt32(String(decoding: field.dropFirst(4), as: UTF8.self), radix: 16)
        else { throw Malformed("the time is not LCT- and hexadecimal digits") }
        return seconds == 0 ? nil : DomainTime.at(unix: UInt64(seconds))
    }

    package var description: String {
        "smbpasswd entry of \(name), flags 0x\(Hex.string(flags.rawValue))"
    }
}

extension LocalDomain {
    /// Takes an account over from a file, or its password and flags where it is there already.
    /// Says whether it is new.
    package func take(_ entry: SmbpasswdEntry, now: UInt64) throws(DomainError) -> Bool {
        let known = account(entry.name)
        if let known, known.flags.isDisjoint(with: entry.flags.intersection(.kinds)) {
            throw DomainError(.userExists)
        }
        return try change { () throws(DomainError) -> Bool in
            let account: Account
            if let known {
                account = known
                try updateAccount(account.rid) { $0.flags = entry.flags }
            } else {
                account = try createAccount(entry.name, flags: entry.flags)
            }
            if let hash = entry.ntHash, hash != account.ntHash || entry.lmHash != account.lmHash {
                try setPassword(
                    account.rid, NewPassword(nt: hash, lm: entry.lmHash),
                    now: entry.passwordLastSet ?? now)
            }
            return known == nil
        }
    }
}
