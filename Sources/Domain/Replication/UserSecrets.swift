import Crypto
import NTLM
import Wire

/// The hashes of an account as they travel to a backup controller (MS-NRPC 2.2.1.5.15,
/// NLPR_USER_PRIVATE_INFO, Data):
/// ```
/// DataType(4) = 2
/// LmLength(2) LmMaximumLength(2) Unused1(4) LmHash(16)
/// NtLength(2) NtMaximumLength(2) Unused2(4) NtHash(16)
/// NtHistoryLength(2) NtHistoryMaximumLength(2) Unused3(4)
/// LmHistoryLength(2) LmHistoryMaximumLength(2) Unused4(4)
/// NtHistoryArray(NtHistoryLength)  LmHistoryArray(LmHistoryLength)
/// ```
/// Each hash is encrypted with the account's RID, the whole by RC4 with the session key. The two
/// histories are as long as each other, because readers differ in which length comes first.
package struct UserSecrets: Equatable, CustomStringConvertible {
    private static let dataType: UInt32 = 2

    package var nt: Bytes16?
    package var lm: Bytes16?
    /// The last one first.
    package var history: [Bytes16]

    package init(nt: Bytes16?, lm: Bytes16? = nil, history: [Bytes16] = []) {
        self.nt = nt
        self.lm = lm
        self.history = history
    }

    package var description: String { "secrets, \(history.count) old ones" }

    /// What travels in the private data of the account with the number `rid`.
    package func sealed(rid: UInt32, key: Bytes16) -> [UInt8] {
        var writer = WireWriter(capacity: 64 + 32 * history.count)
        writer.uint32LE(Self.dataType)
        Self.write(lm, rid, into: &writer)
        Self.write(nt, rid, into: &writer)
        let length = UInt16(16 * min(history.count, AccountPolicy.historyLimit))
        for _ in 0..<2 {
            writer.uint16LE(length)
            writer.uint16LE(length)
            writer.uint32LE(0)
        }
        for hash in history.prefix(AccountPolicy.historyLimit) {
            writer.append(HashEncryption.encrypt(hash, rid: rid))
        }
        writer.zeros(Int(length))
        var bytes = writer.finish()
        defer { Wipe.bytes(&bytes) }
        return RC4.apply(key: key.bytes, bytes)
    }

    private static func write(_ hash: Bytes16?, _ rid: UInt32, into writer: inout WireWriter) {
        let length: UInt16 = hash == nil ? 0 : 16
        writer.uint16LE(length)
        writer.uint16LE(length)
        writer.uint32LE(0)
        writer.append(hash.map { HashEncryption.encrypt($0, rid: rid) } ?? Bytes16())
    }

    /// The opposite of `sealed`. Another key shows in the type or the lengths.
    package init(sealed: [UInt8], rid: UInt32, key: Bytes16) throws(WireError) {
        var bytes = RC4.apply(key: key.bytes, sealed)
        defer { Wipe.bytes(&bytes) }
        var reader = WireReader(bytes.span, layer: "private data")
        let type = try reader.uint32LE("DataType")
        if type != Self.dataType { throw reader.invalid("DataType", Int(type), width: 4) }
        lm = try Self.hash(rid, &reader)
        nt = try Self.hash(rid, &reader)
        let length = try Self.historyLength(&reader)
        _ = try Self.historyLength(&reader)
        history = []
        for _ in 0..<(length / 16) {
            let hash: Bytes16 = try reader.fixed("NtHistoryArray")
            history.append(HashEncryption.decrypt(hash, rid: rid))
        }
    }

    private static func hash(
        _ rid: UInt32, _ reader: inout WireReader
    ) throws(WireError) -> Bytes16? {
        let length = try reader.uint16LE("HashLength")
        _ = try reader.uint16LE("HashMaximumLength")
        _ = try reader.uint32LE("Unused")
        let hash: Bytes16 = try reader.fixed("Hash")
        if length == 0 { return nil }
        if length != 16 { throw reader.invalid("HashLength", Int(length), width: 24) }
        return HashEncryption.decrypt(hash, rid: rid)
    }

    private static func historyLength(_ reader: inout WireReader) throws(WireError) -> Int {
        let length = Int(try reader.uint16LE("HistoryLength"))
        _ = try reader.uint16LE("HistoryMaximumLength")
        _ = try reader.uint32LE("Unused")
        if length % 16 != 0 || length / 16 > AccountPolicy.historyLimit {
            throw reader.invalid("HistoryLength", length, width: 8)
        }
        return length
    }
}
