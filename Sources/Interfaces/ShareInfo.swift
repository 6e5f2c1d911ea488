import RPC
import Wire

/// A share (MS-SRVS 2.2.4.22 to 2.2.4.29, SHARE_INFO_0, 1, 2, 501, 502 and 1005):
/// ```
/// netname(4), but in 1005, which is flags(4) alone
/// 1, 2, 501, 502: type(4)  remark(4)     501: flags(4)
/// 2, 502: permissions(4)  max_uses(4)  current_uses(4)  path(4)  passwd(4)
/// 502: reserved(4), the descriptor's length  security_descriptor(4)
/// ```
package struct ShareInfo: Equatable, Sendable {
    /// STYPE_DISKTREE, STYPE_IPC; with STYPE_SPECIAL for those that are the system's own.
    package static let diskTree: UInt32 = 0
    package static let ipc: UInt32 = 3
    package static let special: UInt32 = 0x8000_0000
    package static let unlimitedUses: UInt32 = 0xffff_ffff
    package static let maximumDescriptor = 65_536

    /// Those of lists, and of one share.
    package static let listLevels: [UInt32] = [0, 1, 2, 501, 502]
    package static let flagsLevel: UInt32 = 1_005
    package static let levels = listLevels + [flagsLevel]

    package var netName: String?
    package var type: UInt32
    package var remark: String?
    package var flags: UInt32
    package var permissions: UInt32
    package var maximumUses: UInt32
    package var currentUses: UInt32
    package var path: String?
    package var password: String?
    package var securityDescriptor: [UInt8]?

    package init(
        netName: String?, type: UInt32 = diskTree, remark: String? = nil,
        maximumUses: UInt32 = unlimitedUses, currentUses: UInt32 = 0, path: String? = nil
    ) {
        self.netName = netName
        self.type = type
        self.remark = remark
        flags = 0
        permissions = 0
        self.maximumUses = maximumUses
        self.currentUses = currentUses
        self.path = path
        password = nil
        securityDescriptor = nil
    }

    /// The members whose content is yet to come.
    struct Deferred {
        var name = false
        var remark = false
        var path = false
        var password = false
        var descriptor = false
        var descriptorLength = 0
    }

    static func byteCount(_ level: UInt32) -> Int {
        switch level {
        case 1: 12
        case 2: 32
        case 501: 16
        case 502: 40
        case _: 4
        }
    }

    private static func hasType(_ level: UInt32) -> Bool { level != 0 && level != flagsLevel }
    private static func hasUses(_ level: UInt32) -> Bool { level == 2 || level == 502 }

    static func parse(
        level: UInt32, _ stub: inout NDRReader
    ) throws(WireError) -> (ShareInfo, Deferred) {
        var share = ShareInfo(netName: nil)
        var deferred = Deferred()
        if level == flagsLevel {
            share.flags = try stub.uint32("flags")
            return (share, deferred)
        }
        deferred.name = try stub.pointer("netname")
        if hasType(level) {
            share.type = try stub.uint32("type")
            deferred.remark = try stub.pointer("remark")
        }
        if level == 501 { share.flags = try stub.uint32("flags") }
        if hasUses(level) {
            share.permissions = try stub.uint32("permissions")
            share.maximumUses = try stub.uint32("max_uses")
            share.currentUses = try stub.uint32("current_uses")
            deferred.path = try stub.pointer("path")
            deferred.password = try stub.pointer("passwd")
        }
        if level == 502 {
            deferred.descriptorLength = Int(clamping: try stub.uint32("reserved"))
            deferred.descriptor = try stub.pointer("security_descriptor")
        }
        return (share, deferred)
    }

    mutating func parsePointees(
        _ deferred: Deferred, from stub: inout NDRReader
    ) throws(WireError) {
        if deferred.name { netName = try stub.wideText("netname") }
        if deferred.remark { remark = try stub.wideText("remark") }
        if deferred.path { path = try stub.wideText("path") }
        if deferred.password { password = try stub.wideText("passwd") }
        guard deferred.descriptor else { return }
        let count = try stub.conformance(
            elementSize: 1, limit: Self.maximumDescriptor, "security_descriptor")
        if count != deferred.descriptorLength { throw stub.wire.invalid("reserved", count) }
        securityDescriptor = stub.wire.copy(try stub.wire.take(count, "security_descriptor"))
    }

    func writeMembers(level: UInt32, into stub: inout NDRWriter) {
        if level == Self.flagsLevel {
            stub.uint32(flags)
            return
        }
        stub.pointer(netName != nil)
        if Self.hasType(level) {
            stub.uint32(type)
            stub.pointer(remark != nil)
        }
        if level == 501 { stub.uint32(flags) }
        if Self.hasUses(level) {
            stub.uint32(permissions)
            stub.uint32(maximumUses)
            stub.uint32(currentUses)
            stub.pointer(path != nil)
            stub.pointer(password != nil)
        }
        if level == 502 {
            stub.uint32(UInt32(securityDescriptor?.count ?? 0))
            stub.pointer(securityDescriptor != nil)
        }
    }

    func writePointees(level: UInt32, into stub: inout NDRWriter) {
        if level == Self.flagsLevel { return }
        if let netName { stub.wideString(netName) }
        if Self.hasType(level), let remark { stub.wideString(remark) }
        if Self.hasUses(level), let path { stub.wideString(path) }
        if Self.hasUses(level), let password { stub.wideString(password) }
        if level == 502, let securityDescriptor {
            stub.uint32(UInt32(securityDescriptor.count))
            stub.wire.append(securityDescriptor)
        }
    }
}
