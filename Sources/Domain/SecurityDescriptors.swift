import Wire

/// What SAM has rights to.
package enum SAMObject: Equatable {
    case server
    case domain(Alias.Home)
    case user(UInt32)
    case group(UInt32)
    case alias(Alias.Home, UInt32)

    /// MS-SAMR 2.2.1.3 to 2.2.1.7.
    package var rights: AccessRights {
        switch self {
        case .server:
            AccessRights(read: 0x2_0010, write: 0x2_000e, execute: 0x2_0021, all: 0xf_003f)
        case .domain:
            AccessRights(read: 0x2_0084, write: 0x2_047a, execute: 0x2_0301, all: 0xf_07ff)
        case .group:
            AccessRights(read: 0x2_0010, write: 0x2_000e, execute: 0x2_0001, all: 0xf_001f)
        case .alias:
            AccessRights(read: 0x2_0004, write: 0x2_0013, execute: 0x2_0008, all: 0xf_001f)
        case .user:
            AccessRights(read: 0x2_031a, write: 0x2_0044, execute: 0x2_0041, all: 0xf_07ff)
        }
    }
}

/// Which parts of a security descriptor are meant (MS-DTYP 2.4.7).
package enum SecurityInformation {
    package static let owner: UInt32 = 0x1
    package static let group: UInt32 = 0x2
    package static let dacl: UInt32 = 0x4
    package static let all = owner | group | dacl
}

/// The security descriptors of SAM's objects, in the form that clients and backup controllers read
/// (MS-DTYP 2.4.6). They follow from the domain's roles, so that nobody can set others.
extension LocalDomain {
    /// Revision(1) Sbz1(1) Control(2) OffsetOwner(4) OffsetGroup(4) OffsetSacl(4) OffsetDacl(4),
    /// then the parts that are asked for.
    package func securityDescriptor(of object: SAMObject, parts: UInt32) -> [UInt8] {
        let selfRelative: UInt16 = 0x8000
        let daclPresent: UInt16 = 0x4
        var writer = WireWriter(capacity: 160)
        writer.uint8(1)
        writer.uint8(0)
        writer.uint16LE(
            parts & SecurityInformation.dacl != 0 ? selfRelative | daclPresent : selfRelative)
        let owner = writer.reserve32()
        let group = writer.reserve32()
        writer.uint32LE(0)
        let dacl = writer.reserve32()
        if parts & SecurityInformation.dacl != 0 {
            writer.patch32LE(dacl, writer.count)
            Self.write(entries(object), into: &writer)
        }
        if parts & SecurityInformation.owner != 0 {
            writer.patch32LE(owner, writer.count)
            Self.administrators.write(into: &writer)
        }
        if parts & SecurityInformation.group != 0 {
            writer.patch32LE(group, writer.count)
            Self.administrators.write(into: &writer)
        }
        return writer.finish()
    }

    private static let administrators = SID(
        identifierAuthority: 5, subAuthorities: [32, WellKnownRID.administrators])

    /// Who may what: everybody, the domain's administrators, and a user's own.
    private func entries(_ object: SAMObject) -> [(SID, UInt32)] {
        let rights = object.rights
        let reading = rights.read | rights.execute
        var entries = [
            (SID(identifierAuthority: 1, subAuthorities: [0]), reading),
            (Self.administrators, rights.all),
        ]
        if case .user(let rid) = object {
            entries.append((sid(of: rid), reading | rights.write))
        }
        return entries
    }

    /// AclRevision(1) Sbz1(1) AclSize(2) AceCount(2) Sbz2(2), then for each entry AceType(1)
    /// AceFlags(1) AceSize(2) Mask(4) and its SID (MS-DTYP 2.4.4.2, 2.4.5).
    private static func write(_ entries: [(SID, UInt32)], into writer: inout WireWriter) {
        let start = writer.count
        writer.uint8(2)
        writer.uint8(0)
        let size = writer.reserve16()
        writer.uint16LE(UInt16(entries.count))
        writer.uint16LE(0)
        for (sid, mask) in entries {
            writer.uint8(0)
            writer.uint8(0)
            writer.uint16LE(UInt16(8 + sid.byteCount))
            writer.uint32LE(mask)
            sid.write(into: &writer)
        }
        writer.patch16LE(size, writer.count - start)
    }
}
