import Wire

/// A domain that ours trusts, as it was when the trust was last established: `trusted/DOMAIN`.
package struct TrustedDomain: StateRecord, Equatable, Sendable, CustomStringConvertible {
    package static var kind: StaticString { "trusted" }
    package static var version: UInt8 { 1 }

    /// Unknown where its controllers tell it to nobody.
    package var sid: SID?
    /// The computer name of its primary controller.
    package var primary: String
    /// When the trust was established, and last verified, in seconds since 1970.
    package var established: UInt64
    package var verified: UInt64

    package init(sid: SID?, primary: String, established: UInt64, verified: UInt64) {
        self.sid = sid
        self.primary = primary
        self.established = established
        self.verified = verified
    }

    package var description: String { "\(sid?.description ?? "no SID"), primary \(primary)" }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let hasSID = try reader.uint8("hasSID")
        if hasSID > 1 { throw reader.invalid("hasSID", Int(hasSID), width: 1) }
        if hasSID == 1 { sid = try SID(parsing: &reader) }
        let length = Int(try reader.uint16LE("primaryLength"))
        let range = try reader.take(length, "primary")
        primary = String(decoding: reader.copy(range), as: UTF8.self)
        established = try reader.uint64LE("established")
        verified = try reader.uint64LE("verified")
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(sid == nil ? 0 : 1)
        sid?.write(into: &writer)
        let bytes = Array(primary.utf8.prefix(Int(UInt8.max)))
        writer.uint16LE(UInt16(bytes.count))
        writer.append(bytes)
        writer.uint64LE(established)
        writer.uint64LE(verified)
    }
}
