import Wire

/// Whether a controller may change the domain's accounts (MS-SAMR 2.2.3.17, DOMAIN_SERVER_ROLE).
package enum DomainRole: UInt32, Sendable {
    case backup = 2
    case primary = 3

    package var name: String { self == .primary ? "primary" : "backup" }
}

/// What the domain knows of itself.
package struct DomainHeader: Equatable, Sendable {
    /// The NetBIOS name, in capitals.
    package var name: String
    package var sid: SID
    package var role: DomainRole
    package var nextRID: UInt32 = WellKnownRID.firstFree
    package var policy = AccountPolicy()
    package var comment = ""
    /// Of a backup: the computer name of its primary.
    package var replicaSource = ""
    /// For each database when it was made: a backup whose database was made at another time
    /// begins from nothing.
    var created: InlineArray<3, UInt64>
    /// For each database the serial number of its last change.
    var serials: InlineArray<3, UInt64>

    package init(name: String, sid: SID, role: DomainRole = .primary, now: UInt64) {
        self.name = name
        self.sid = sid
        self.role = role
        created = InlineArray(repeating: now)
        serials = InlineArray(repeating: 1)
    }

    package func created(_ database: DomainDatabase) -> UInt64 { created[Int(database.rawValue)] }
    package func serial(of database: DomainDatabase) -> UInt64 { serials[Int(database.rawValue)] }

    /// Whether there is anything to serve: always but for a backup before its first copy.
    package var hasCopy: Bool {
        for index in 0..<3 where created[index] == 0 { return false }
        return true
    }

    package static func == (left: DomainHeader, right: DomainHeader) -> Bool {
        for index in 0..<3 {
            if left.created[index] != right.created[index] { return false }
            if left.serials[index] != right.serials[index] { return false }
        }
        return left.name == right.name && left.sid == right.sid && left.role == right.role
            && left.nextRID == right.nextRID && left.policy == right.policy
            && left.comment == right.comment && left.replicaSource == right.replicaSource
    }
}

extension SID {
    /// A new domain's SID, of 12 random bytes.
    package static func domain(random bytes: [UInt8]) -> SID {
        precondition(bytes.count >= 12)
        let numbers = (0..<3).map { part in
            (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[part * 4 + $1]) }
        }
        return SID(identifierAuthority: 5, subAuthorities: [21] + numbers)
    }

    /// `S-1-5-32`, the domain of the aliases that every controller has.
    package static let builtinDomain = SID(identifierAuthority: 5, subAuthorities: [32])
}
