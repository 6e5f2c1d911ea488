import Wire

/// What a name-service packet asks for, RFC 1002 4.2.1.1, and multi-homed registration, which
/// Windows added.
package struct NameServiceOpcode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue & 15 }

    package static let query = NameServiceOpcode(rawValue: 0)
    package static let registration = NameServiceOpcode(rawValue: 5)
    package static let release = NameServiceOpcode(rawValue: 6)
    package static let waitForAcknowledgement = NameServiceOpcode(rawValue: 7)
    package static let refresh = NameServiceOpcode(rawValue: 8)
    /// RFC 1002's text and its table disagree on refresh; both numbers are met.
    package static let alternativeRefresh = NameServiceOpcode(rawValue: 9)
    package static let multihomedRegistration = NameServiceOpcode(rawValue: 15)
}

/// A response's result code, RFC 1002 4.2.
package struct NameServiceResult: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue & 15 }

    package static let success = NameServiceResult(rawValue: 0)
    package static let formatError = NameServiceResult(rawValue: 1)
    package static let serverFailure = NameServiceResult(rawValue: 2)
    package static let nameError = NameServiceResult(rawValue: 3)
    package static let notImplemented = NameServiceResult(rawValue: 4)
    package static let refused = NameServiceResult(rawValue: 5)
    /// Another node owns the name.
    package static let active = NameServiceResult(rawValue: 6)
    /// Several nodes own what should be a unique name.
    package static let conflict = NameServiceResult(rawValue: 7)

    package var description: String {
        switch self {
        case .success: "success"
        case .formatError: "format error"
        case .serverFailure: "server failure"
        case .nameError: "no such name"
        case .notImplemented: "not implemented"
        case .refused: "refused"
        case .active: "name is active"
        case .conflict: "name is in conflict"
        case _: "result \(rawValue)"
        }
    }
}

/// The second and third byte pair of the header, RFC 1002 4.2.1.1.
///
/// ```
///   0   1 - 4    5    6    7    8    9   10   11   12 - 15
/// | R | OPCODE | AA | TC | RD | RA | 0 | 0 | B |  RCODE |
/// ```
package struct NameServiceFlags: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    @inlinable
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable
    package init(
        response: Bool = false, _ opcode: NameServiceOpcode, authoritative: Bool = false,
        recursionDesired: Bool = false, recursionAvailable: Bool = false,
        broadcast: Bool = false, result: NameServiceResult = .success
    ) {
        rawValue =
            (response ? 0x8000 : 0) | UInt16(opcode.rawValue) << 11
            | (authoritative ? 0x0400 : 0) | (recursionDesired ? 0x0100 : 0)
            | (recursionAvailable ? 0x0080 : 0) | (broadcast ? 0x0010 : 0)
            | UInt16(result.rawValue)
    }

    @inlinable package var isResponse: Bool { rawValue & 0x8000 != 0 }
    @inlinable package var opcode: NameServiceOpcode {
        NameServiceOpcode(rawValue: UInt8(truncatingIfNeeded: rawValue >> 11))
    }
    @inlinable package var isAuthoritative: Bool { rawValue & 0x0400 != 0 }
    @inlinable package var isTruncated: Bool { rawValue & 0x0200 != 0 }
    @inlinable package var isRecursionDesired: Bool { rawValue & 0x0100 != 0 }
    @inlinable package var isRecursionAvailable: Bool { rawValue & 0x0080 != 0 }
    @inlinable package var isBroadcast: Bool { rawValue & 0x0010 != 0 }
    @inlinable package var result: NameServiceResult {
        NameServiceResult(rawValue: UInt8(truncatingIfNeeded: rawValue))
    }
}

/// What a question or a record is about, RFC 1002 4.2.1.2 and 4.2.1.3.
package struct NameServiceType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    @inlinable
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let address = NameServiceType(rawValue: 0x0001)
    package static let nameServer = NameServiceType(rawValue: 0x0002)
    package static let null = NameServiceType(rawValue: 0x000a)
    package static let netBIOS = NameServiceType(rawValue: 0x0020)
    package static let nodeStatus = NameServiceType(rawValue: 0x0021)
}

/// How a node finds names, RFC 1001 10: by broadcast, by server, or both in that or the other
/// order.
package enum NodeType: UInt8, Sendable {
    case broadcast = 0
    case pointToPoint = 1
    case mixed = 2
    case hybrid = 3
}

/// A name's flags in NB and NBSTAT records, RFC 1002 4.2.1.3 and 4.2.18.
///
/// ```
///   0   1 - 2    3     4     5     6    7 - 15
/// | G |  ONT  | DRG | CNF | ACT | PRM |  0  |        the last four in NBSTAT only
/// ```
package struct NameFlags: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    @inlinable
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable
    package init(group: Bool, _ nodeType: NodeType) {
        rawValue = (group ? 0x8000 : 0) | UInt16(nodeType.rawValue) << 13
    }

    package static let deregistering: UInt16 = 0x1000
    package static let conflict: UInt16 = 0x0800
    package static let active: UInt16 = 0x0400
    package static let permanent: UInt16 = 0x0200

    @inlinable package var isGroup: Bool { rawValue & 0x8000 != 0 }
    @inlinable package var nodeType: NodeType {
        NodeType(rawValue: UInt8(truncatingIfNeeded: rawValue >> 13) & 3) ?? .broadcast
    }
    @inlinable package var isInConflict: Bool { rawValue & Self.conflict != 0 }
    @inlinable package var isActive: Bool { rawValue & Self.active != 0 }
}
