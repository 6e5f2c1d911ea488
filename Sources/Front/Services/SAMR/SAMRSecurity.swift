import Domain
import Interfaces
import RPC
import Wire

/// The security descriptors of SAM's objects: what `SAMRAccess` grants, in the form that clients
/// read (MS-DTYP 2.4.6). It follows from the domain's roles, so that nobody can set another.
extension SAMRService {
    func security(
        _ request: SamrQuerySecurityObject.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrSecurityDescriptor {
        let known = try object(
            request.objectHandle, caller, needs: SAMRAccess.readControl)
        return SamrSecurityDescriptor(
            descriptor(of: known.object, parts: request.securityInformation))
    }

    /// Setting what is there already does nothing, as a client may that writes back what it read.
    func setSecurity(
        _ request: SamrSetSecurityObject.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) {
        let known = try object(
            request.objectHandle, caller, needs: SAMRAccess.writeDACL)
        let own = descriptor(of: known.object, parts: request.securityInformation)
        if request.securityDescriptor.bytes != own { throw .status(.notSupported) }
    }

    private enum Part {
        static let owner: UInt32 = 0x1
        static let group: UInt32 = 0x2
        static let dacl: UInt32 = 0x4
    }

    /// Revision(1) Sbz1(1) Control(2) OffsetOwner(4) OffsetGroup(4) OffsetSacl(4) OffsetDacl(4),
    /// then the parts that are asked for.
    private func descriptor(of object: SAMRHandle.Object, parts: UInt32) -> [UInt8] {
        let selfRelative: UInt16 = 0x8000
        let daclPresent: UInt16 = 0x4
        let administrators = SID(identifierAuthority: 5, subAuthorities: [32, 544])
        var writer = WireWriter(capacity: 128)
        writer.uint8(1)
        writer.uint8(0)
        writer.uint16LE(
            parts & Part.dacl != 0 ? selfRelative | daclPresent : selfRelative)
        let owner = writer.reserve32()
        let group = writer.reserve32()
        writer.uint32LE(0)
        let dacl = writer.reserve32()
        if parts & Part.dacl != 0 {
            writer.patch32LE(dacl, writer.count)
            write(entries(object), into: &writer)
        }
        if parts & Part.owner != 0 {
            writer.patch32LE(owner, writer.count)
            administrators.write(into: &writer)
        }
        if parts & Part.group != 0 {
            writer.patch32LE(group, writer.count)
            administrators.write(into: &writer)
        }
        return writer.finish()
    }

    /// Who may what: everybody, the embedded domain's administrators, and a user's own.
    private func entries(_ object: SAMRHandle.Object) -> [(SID, UInt32)] {
        let rights = SAMRAccess.rights(of: object)
        let reading = rights.read | rights.execute
        var entries = [
            (SID(identifierAuthority: 1, subAuthorities: [0]), reading),
            (domain.sid(of: WellKnownRID.domainAdmins), rights.all),
        ]
        if case .user(let rid) = object {
            entries.append((domain.sid(of: rid), reading | rights.write))
        }
        return entries
    }

    /// AclRevision(1) Sbz1(1) AclSize(2) AceCount(2) Sbz2(2), then for each entry AceType(1)
    /// AceFlags(1) AceSize(2) Mask(4) and its SID (MS-DTYP 2.4.4.2, 2.4.5).
    private func write(_ entries: [(SID, UInt32)], into writer: inout WireWriter) {
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
