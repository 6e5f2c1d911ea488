import RPC
import Wire

/// The databases that a primary controller replicates (MS-NRPC 3.5.4.6.1, DatabaseID).
package struct NetlogonDatabase: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The accounts of the domain.
    package static let account = NetlogonDatabase(rawValue: 0)
    /// The aliases of Builtin.
    package static let builtin = NetlogonDatabase(rawValue: 1)
    /// LSA's policy, trusted domains, privileges and secrets.
    package static let lsa = NetlogonDatabase(rawValue: 2)
}

/// What happened to which kind of object (MS-NRPC 2.2.1.5.28, NETLOGON_DELTA_TYPE).
package struct NetlogonDeltaType: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let addOrChangeDomain = NetlogonDeltaType(rawValue: 1)
    package static let addOrChangeGroup = NetlogonDeltaType(rawValue: 2)
    package static let deleteGroup = NetlogonDeltaType(rawValue: 3)
    package static let renameGroup = NetlogonDeltaType(rawValue: 4)
    package static let addOrChangeUser = NetlogonDeltaType(rawValue: 5)
    package static let deleteUser = NetlogonDeltaType(rawValue: 6)
    package static let renameUser = NetlogonDeltaType(rawValue: 7)
    package static let changeGroupMembership = NetlogonDeltaType(rawValue: 8)
    package static let addOrChangeAlias = NetlogonDeltaType(rawValue: 9)
    package static let deleteAlias = NetlogonDeltaType(rawValue: 10)
    package static let renameAlias = NetlogonDeltaType(rawValue: 11)
    package static let changeAliasMembership = NetlogonDeltaType(rawValue: 12)
    package static let addOrChangePolicy = NetlogonDeltaType(rawValue: 13)
    package static let addOrChangeTrustedDomain = NetlogonDeltaType(rawValue: 14)
    package static let deleteTrustedDomain = NetlogonDeltaType(rawValue: 15)
    package static let addOrChangeAccount = NetlogonDeltaType(rawValue: 16)
    package static let deleteAccount = NetlogonDeltaType(rawValue: 17)
    package static let addOrChangeSecret = NetlogonDeltaType(rawValue: 18)
    package static let deleteSecret = NetlogonDeltaType(rawValue: 19)
    package static let deleteGroupByName = NetlogonDeltaType(rawValue: 20)
    package static let deleteUserByName = NetlogonDeltaType(rawValue: 21)
    package static let serialNumberSkip = NetlogonDeltaType(rawValue: 22)
}

/// One change of a database (MS-NRPC 2.2.1.5.11, NETLOGON_DELTA_ENUM):
/// ```
/// DeltaType(2)  DeltaID: tag(2), Rid(4) or Sid*(4) or Name*(4)  DeltaUnion: tag(2), content*(4)
/// ```
/// A deletion has no content, and the skip of a serial number no identifier.
package enum NetlogonDelta: Equatable, Sendable {
    case domain(rid: UInt32, NetlogonDeltaDomain)
    case group(rid: UInt32, NetlogonDeltaGroup)
    case deleteGroup(rid: UInt32)
    case renameGroup(rid: UInt32, NetlogonDeltaRename)
    case user(rid: UInt32, NetlogonDeltaUser)
    case deleteUser(rid: UInt32)
    case renameUser(rid: UInt32, NetlogonDeltaRename)
    case groupMembers(rid: UInt32, NetlogonDeltaGroupMembers)
    case alias(rid: UInt32, NetlogonDeltaAlias)
    case deleteAlias(rid: UInt32)
    case renameAlias(rid: UInt32, NetlogonDeltaRename)
    case aliasMembers(rid: UInt32, NetlogonDeltaAliasMembers)
    case policy(sid: SID, NetlogonDeltaPolicy)
    case trustedDomain(sid: SID, NetlogonDeltaTrustedDomain)
    case deleteTrustedDomain(sid: SID)
    case account(sid: SID, NetlogonDeltaAccount)
    case deleteAccount(sid: SID)
    case secret(name: String, NetlogonDeltaSecret)
    case deleteSecret(name: String)
    case deleteGroupByName(rid: UInt32, NetlogonDeltaDelete)
    case deleteUserByName(rid: UInt32, NetlogonDeltaDelete)
    /// The database went on to this serial number.
    case serialNumberSkip(modifiedCount: UInt64)

    package var type: NetlogonDeltaType {
        switch self {
        case .domain: .addOrChangeDomain
        case .group: .addOrChangeGroup
        case .deleteGroup: .deleteGroup
        case .renameGroup: .renameGroup
        case .user: .addOrChangeUser
        case .deleteUser: .deleteUser
        case .renameUser: .renameUser
        case .groupMembers: .changeGroupMembership
        case .alias: .addOrChangeAlias
        case .deleteAlias: .deleteAlias
        case .renameAlias: .renameAlias
        case .aliasMembers: .changeAliasMembership
        case .policy: .addOrChangePolicy
        case .trustedDomain: .addOrChangeTrustedDomain
        case .deleteTrustedDomain: .deleteTrustedDomain
        case .account: .addOrChangeAccount
        case .deleteAccount: .deleteAccount
        case .secret: .addOrChangeSecret
        case .deleteSecret: .deleteSecret
        case .deleteGroupByName: .deleteGroupByName
        case .deleteUserByName: .deleteUserByName
        case .serialNumberSkip: .serialNumberSkip
        }
    }

    fileprivate enum Identifier {
        case rid(UInt32)
        case sid(SID)
        case name(String)
        case none
    }

    fileprivate var identifier: Identifier {
        switch self {
        case .domain(let rid, _), .group(let rid, _), .deleteGroup(let rid),
            .renameGroup(let rid, _), .user(let rid, _), .deleteUser(let rid),
            .renameUser(let rid, _), .groupMembers(let rid, _), .alias(let rid, _),
            .deleteAlias(let rid), .renameAlias(let rid, _), .aliasMembers(let rid, _),
            .deleteGroupByName(let rid, _), .deleteUserByName(let rid, _):
            .rid(rid)
        case .policy(let sid, _), .trustedDomain(let sid, _), .deleteTrustedDomain(let sid),
            .account(let sid, _), .deleteAccount(let sid):
            .sid(sid)
        case .secret(let name, _), .deleteSecret(let name): .name(name)
        case .serialNumberSkip: .none
        }
    }
}

// MARK: The array

/// NETLOGON_DELTA_ENUM_ARRAY (MS-NRPC 2.2.1.5.12): a count and a pointer to the deltas.
package struct NetlogonDeltaArray: NDRMessage, Equatable, Sendable {
    /// The most deltas of one response.
    package static let maximum = 16_384

    package var deltas: [NetlogonDelta]

    package init(_ deltas: [NetlogonDelta]) { self.deltas = deltas }

    /// An element whose pointees are yet to come.
    private struct Head {
        var type: NetlogonDeltaType
        var rid: UInt32 = 0
        var hasContent = false
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        deltas = []
        let announced = Int(clamping: try stub.uint32("CountReturned"))
        guard try stub.pointer("Deltas") else {
            if announced != 0 { throw stub.wire.invalid("CountReturned", announced, width: 8) }
            return
        }
        let count = try stub.conformance(elementSize: 8, limit: Self.maximum, "Deltas")
        if count != announced { throw stub.wire.invalid("Deltas", count, width: 4) }
        var heads: [Head] = []
        for _ in 0..<count { heads.append(try Self.head(&stub)) }
        for head in heads { deltas.append(try Self.delta(head, &stub)) }
    }

    private static func head(_ stub: inout NDRReader) throws(WireError) -> Head {
        try stub.align(4, "DeltaType")
        var head = Head(type: NetlogonDeltaType(rawValue: try stub.uint16("DeltaType")))
        let identifierTag = try stub.uint16("DeltaID")
        if identifierTag != head.type.rawValue {
            throw stub.wire.invalid("DeltaID", Int(identifierTag), width: 2)
        }
        switch head.type.rawValue {
        case 1...12, 20, 21: head.rid = try stub.uint32("Rid")
        case 13...19:
            if try !stub.pointer("DeltaID") { throw stub.wire.invalid("DeltaID", 0, width: 4) }
        case 22: break
        case _:
            throw stub.wire.invalid("DeltaType", Int(head.type.rawValue), width: 4)
        }
        let contentTag = try stub.uint16("DeltaUnion")
        if contentTag != head.type.rawValue {
            throw stub.wire.invalid("DeltaUnion", Int(contentTag), width: 2)
        }
        switch head.type {
        case .deleteGroup, .deleteUser, .deleteAlias, .deleteTrustedDomain, .deleteAccount,
            .deleteSecret:
            break
        case _:
            // Every other arm is a pointer, and a change without its content says nothing.
            if try !stub.pointer("DeltaUnion") {
                throw stub.wire.invalid("DeltaUnion", 0, width: 4)
            }
            head.hasContent = true
        }
        return head
    }

    private static func delta(
        _ head: Head, _ stub: inout NDRReader
    ) throws(WireError) -> NetlogonDelta {
        switch head.type.rawValue {
        case 13...17:
            let sid = try stub.sid("Sid")
            return try delta(head.type, sid, &stub)
        case 18:
            let name = try stub.wideText("Name")
            return .secret(name: name, try NetlogonDeltaSecret(parsing: &stub))
        case 19: return .deleteSecret(name: try stub.wideText("Name"))
        case 22: return .serialNumberSkip(modifiedCount: try stub.longPair("ModifiedCount"))
        case _: return try delta(head.type, head.rid, &stub)
        }
    }

    private static func delta(
        _ type: NetlogonDeltaType, _ rid: UInt32, _ stub: inout NDRReader
    ) throws(WireError) -> NetlogonDelta {
        switch type {
        case .addOrChangeDomain: .domain(rid: rid, try NetlogonDeltaDomain(parsing: &stub))
        case .addOrChangeGroup: .group(rid: rid, try NetlogonDeltaGroup(parsing: &stub))
        case .deleteGroup: .deleteGroup(rid: rid)
        case .renameGroup: .renameGroup(rid: rid, try NetlogonDeltaRename(parsing: &stub))
        case .addOrChangeUser: .user(rid: rid, try NetlogonDeltaUser(parsing: &stub))
        case .deleteUser: .deleteUser(rid: rid)
        case .renameUser: .renameUser(rid: rid, try NetlogonDeltaRename(parsing: &stub))
        case .changeGroupMembership:
            .groupMembers(rid: rid, try NetlogonDeltaGroupMembers(parsing: &stub))
        case .addOrChangeAlias: .alias(rid: rid, try NetlogonDeltaAlias(parsing: &stub))
        case .deleteAlias: .deleteAlias(rid: rid)
        case .renameAlias: .renameAlias(rid: rid, try NetlogonDeltaRename(parsing: &stub))
        case .changeAliasMembership:
            .aliasMembers(rid: rid, try NetlogonDeltaAliasMembers(parsing: &stub))
        case .deleteGroupByName:
            .deleteGroupByName(rid: rid, try NetlogonDeltaDelete(parsing: &stub))
        case .deleteUserByName:
            .deleteUserByName(rid: rid, try NetlogonDeltaDelete(parsing: &stub))
        case _: throw stub.wire.invalid("DeltaType", Int(type.rawValue))
        }
    }

    private static func delta(
        _ type: NetlogonDeltaType, _ sid: SID, _ stub: inout NDRReader
    ) throws(WireError) -> NetlogonDelta {
        switch type {
        case .addOrChangePolicy: .policy(sid: sid, try NetlogonDeltaPolicy(parsing: &stub))
        case .addOrChangeTrustedDomain:
            .trustedDomain(sid: sid, try NetlogonDeltaTrustedDomain(parsing: &stub))
        case .deleteTrustedDomain: .deleteTrustedDomain(sid: sid)
        case .addOrChangeAccount: .account(sid: sid, try NetlogonDeltaAccount(parsing: &stub))
        case .deleteAccount: .deleteAccount(sid: sid)
        case _: throw stub.wire.invalid("DeltaType", Int(type.rawValue))
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint32(UInt32(deltas.count))
        stub.pointer(!deltas.isEmpty)
        if deltas.isEmpty { return }
        stub.uint32(UInt32(deltas.count))
        for delta in deltas { delta.writeHead(into: &stub) }
        for delta in deltas {
            switch delta.identifier {
            case .sid(let sid): stub.sid(sid)
            case .name(let name): stub.wideString(name)
            case .rid, .none: break
            }
            delta.writeContent(into: &stub)
        }
    }
}

extension NetlogonDelta {
    fileprivate func writeHead(into stub: inout NDRWriter) {
        stub.align(4)
        stub.uint16(type.rawValue)
        stub.uint16(type.rawValue)
        switch identifier {
        case .rid(let rid): stub.uint32(rid)
        case .sid, .name: stub.pointer(true)
        case .none: break
        }
        stub.uint16(type.rawValue)
        switch self {
        case .deleteGroup, .deleteUser, .deleteAlias, .deleteTrustedDomain, .deleteAccount,
            .deleteSecret:
            break
        case .domain, .group, .renameGroup, .user, .renameUser, .groupMembers, .alias,
            .renameAlias, .aliasMembers, .policy, .trustedDomain, .account, .secret,
            .deleteGroupByName, .deleteUserByName, .serialNumberSkip:
            stub.pointer(true)
        }
    }

    fileprivate func writeContent(into stub: inout NDRWriter) {
        switch self {
        case .domain(_, let content): content.write(into: &stub)
        case .group(_, let content): content.write(into: &stub)
        case .renameGroup(_, let content), .renameUser(_, let content),
            .renameAlias(_, let content):
            content.write(into: &stub)
        case .user(_, let content): content.write(into: &stub)
        case .groupMembers(_, let content): content.write(into: &stub)
        case .alias(_, let content): content.write(into: &stub)
        case .aliasMembers(_, let content): content.write(into: &stub)
        case .policy(_, let content): content.write(into: &stub)
        case .trustedDomain(_, let content): content.write(into: &stub)
        case .account(_, let content): content.write(into: &stub)
        case .secret(_, let content): content.write(into: &stub)
        case .deleteGroupByName(_, let content), .deleteUserByName(_, let content):
            content.write(into: &stub)
        case .serialNumberSkip(let modifiedCount): stub.longPair(modifiedCount)
        case .deleteGroup, .deleteUser, .deleteAlias, .deleteTrustedDomain, .deleteAccount,
            .deleteSecret:
            break
        }
    }
}

// MARK: What the contents share

/// The security descriptor that most contents carry: which parts of it are there (MS-DTYP 2.4.7),
/// and its self-relative form.
package struct NetlogonDeltaSecurity: Equatable, Sendable {
    package var information: UInt32
    package var descriptor: [UInt8]

    package init(information: UInt32 = 0, descriptor: [UInt8] = []) {
        self.information = information
        self.descriptor = descriptor
    }

    /// SecurityInformation(4)  SecuritySize(4)  SecurityDescriptor*(4)
    struct Head {
        var information: UInt32
        var size: Int
        var hasDescriptor: Bool

        init(parsing stub: inout NDRReader) throws(WireError) {
            information = try stub.uint32("SecurityInformation")
            size = Int(clamping: try stub.uint32("SecuritySize"))
            hasDescriptor = try stub.pointer("SecurityDescriptor")
            if !hasDescriptor, size != 0 { throw stub.wire.invalid("SecuritySize", size, width: 8) }
        }

        func pointee(_ stub: inout NDRReader) throws(WireError) -> NetlogonDeltaSecurity {
            guard hasDescriptor else { return NetlogonDeltaSecurity(information: information) }
            let bytes = try stub.octets(
                announced: size, limit: SAMR.maximumSecurityDescriptor, "SecurityDescriptor")
            return NetlogonDeltaSecurity(information: information, descriptor: bytes)
        }
    }

    func writeHead(into stub: inout NDRWriter) {
        stub.uint32(information)
        stub.uint32(UInt32(descriptor.count))
        stub.pointer(!descriptor.isEmpty)
    }

    func writePointee(into stub: inout NDRWriter) {
        if !descriptor.isEmpty { stub.octets(descriptor) }
    }
}

/// DummyString and DummyLong members at a content's end. They are read over, and never written.
struct NetlogonDeltaReserve {
    private var strings: [CountedString] = []

    init(
        strings count: Int, longs: Int, parsing stub: inout NDRReader
    ) throws(WireError) {
        for _ in 0..<count { strings.append(try stub.countedString("DummyString")) }
        for _ in 0..<longs { _ = try stub.uint32("DummyLong") }
    }

    func parsePointees(_ stub: inout NDRReader) throws(WireError) {
        // Their counts are in units of two bytes where they are in use by somebody.
        for string in strings { _ = try stub.buffer(of: string, "DummyString") }
    }

    static func write(strings: Int, longs: Int, into stub: inout NDRWriter) {
        for _ in 0..<strings { stub.countedString(nil) }
        for _ in 0..<longs { stub.uint32(0) }
    }
}
