import Wire

/// An interface or a transfer syntax with its version (C706 12.6.3.1, p_syntax_id_t):
/// ```
/// if_uuid(16)  if_version(4): the major version, and 65,536 times the minor one
/// ```
package struct SyntaxID: Hashable, Sendable, CustomStringConvertible {
    package var uuid: GUID
    package var majorVersion: UInt16
    package var minorVersion: UInt16

    package init(_ uuid: GUID, _ majorVersion: UInt16, _ minorVersion: UInt16 = 0) {
        self.uuid = uuid
        self.majorVersion = majorVersion
        self.minorVersion = minorVersion
    }

    /// What a refused context's result carries in place of a syntax.
    package static let none = SyntaxID(.zero, 0)

    /// NDR 2.0 (C706 14), the only transfer syntax that this program speaks.
    package static let ndr = SyntaxID(
        GUID(
            data1: 0x8a88_5d04, data2: 0x1ceb, data3: 0x11c9, data4: 0x9fe8_0800_2b10_4860), 2)

    /// NDR64 (MS-RPCE 2.2.5), offered by today's clients beside NDR 2.0.
    package static let ndr64 = SyntaxID(
        GUID(
            data1: 0x7171_0533, data2: 0xbeba, data3: 0x4937, data4: 0x8319_b5db_ef9c_cc36), 1)

    package init(parsing reader: inout WireReader) throws(WireError) {
        uuid = try GUID(parsing: &reader)
        let version = try reader.uint32("if_version")
        majorVersion = UInt16(truncatingIfNeeded: version)
        minorVersion = UInt16(version >> 16)
    }

    package func write(into writer: inout WireWriter) {
        uuid.write(into: &writer)
        writer.uint16LE(majorVersion)
        writer.uint16LE(minorVersion)
    }

    package var description: String {
        "\(uuid.description) v\(majorVersion).\(minorVersion)"
    }
}

/// What both ends of an association can do, negotiated as if it were a transfer syntax
/// (MS-RPCE 3.3.1.5.3): the client's bits stand in the UUID, the server's in the result's reason.
package struct BindTimeFeatures: OptionSet, Sendable {
    package let rawValue: UInt16

    @inlinable
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Several security contexts on one connection.
    package static let securityContextMultiplexing = BindTimeFeatures(rawValue: 1)
    /// The connection stays when a call on it is orphaned.
    package static let keepConnectionOnOrphan = BindTimeFeatures(rawValue: 2)

    private static let data1: UInt32 = 0x6cb7_1c2c
    private static let data2: UInt16 = 0x9812
    private static let data3: UInt16 = 0x4540

    /// The bits that `syntax` carries, or nil where it is a transfer syntax indeed.
    package init?(_ syntax: SyntaxID) {
        let uuid = syntax.uuid
        guard uuid.data1 == Self.data1, uuid.data2 == Self.data2, uuid.data3 == Self.data3 else {
            return nil
        }
        self.init(rawValue: UInt16(truncatingIfNeeded: uuid.data4 >> 48).byteSwapped)
    }

    package var syntax: SyntaxID {
        SyntaxID(
            GUID(
                data1: Self.data1, data2: Self.data2, data3: Self.data3,
                data4: UInt64(rawValue.byteSwapped) << 48), 1)
    }
}
