import RPC
import Wire

/// Which part of a trust is asked for (MS-LSAD 2.2.7.2, TRUSTED_INFORMATION_CLASS).
package struct TrustedInformationClass: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let name = TrustedInformationClass(rawValue: 1)
    package static let controllers = TrustedInformationClass(rawValue: 2)
    package static let posixOffset = TrustedInformationClass(rawValue: 3)
    package static let basic = TrustedInformationClass(rawValue: 5)
    package static let ex = TrustedInformationClass(rawValue: 6)
}

/// A trust (MS-LSAD 2.2.7.9, LSAPR_TRUSTED_DOMAIN_INFORMATION_EX):
/// ```
/// Name(8)  FlatName(8)  Sid(4)  TrustDirection(4)  TrustType(4)  TrustAttributes(4)
/// ```
package struct TrustedDomainInformationEx: NDRElement, Equatable, Sendable {
    package static var byteCount: Int { 32 }

    package static let inbound: UInt32 = 1
    package static let outbound: UInt32 = 2
    /// A domain before Active Directory, and one with it.
    package static let downlevel: UInt32 = 1
    package static let uplevel: UInt32 = 2

    package var name: String?
    package var flatName: String?
    package var sid: SID?
    package var trustDirection: UInt32
    package var trustType: UInt32
    package var trustAttributes: UInt32

    package init(
        name: String?, flatName: String?, sid: SID?, trustDirection: UInt32 = outbound,
        trustType: UInt32 = downlevel, trustAttributes: UInt32 = 0
    ) {
        self.name = name
        self.flatName = flatName
        self.sid = sid
        self.trustDirection = trustDirection
        self.trustType = trustType
        self.trustAttributes = trustAttributes
    }

    package struct Pointees {
        var name: CountedString
        var flatName: CountedString
        var hasSID: Bool
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (TrustedDomainInformationEx, Pointees) {
        let name = try stub.countedString("Name")
        let flatName = try stub.countedString("FlatName")
        let hasSID = try stub.pointer("Sid")
        let information = TrustedDomainInformationEx(
            name: nil, flatName: nil, sid: nil,
            trustDirection: try stub.uint32("TrustDirection"),
            trustType: try stub.uint32("TrustType"),
            trustAttributes: try stub.uint32("TrustAttributes"))
        return (information, Pointees(name: name, flatName: flatName, hasSID: hasSID))
    }

    package mutating func parsePointees(
        _ pointees: Pointees, from stub: inout NDRReader
    ) throws(WireError) {
        name = try stub.text(of: pointees.name, "Name")
        flatName = try stub.text(of: pointees.flatName, "FlatName")
        if pointees.hasSID { sid = try stub.sid("Sid") }
    }

    package func writeMembers(into stub: inout NDRWriter) {
        stub.countedString(name)
        stub.countedString(flatName)
        stub.pointer(sid != nil)
        stub.uint32(trustDirection)
        stub.uint32(trustType)
        stub.uint32(trustAttributes)
    }

    package func writePointees(into stub: inout NDRWriter) {
        stub.buffer(of: name)
        stub.buffer(of: flatName)
        if let sid { stub.sid(sid) }
    }
}

/// A part of a trust (MS-LSAD 2.2.7.3, LSAPR_TRUSTED_DOMAIN_INFO): the class(2), then the part,
/// aligned to 8 because some parts hold a time.
package enum TrustedDomainInformation: NDRMessage, Equatable, Sendable {
    package static let maximumControllers = 1_000

    case name(String?)
    case controllers([CountedName])
    case posixOffset(UInt32)
    case basic(LSADomain)
    case ex(TrustedDomainInformationEx)

    package var informationClass: TrustedInformationClass {
        switch self {
        case .name: .name
        case .controllers: .controllers
        case .posixOffset: .posixOffset
        case .basic: .basic
        case .ex: .ex
        }
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let tag = TrustedInformationClass(rawValue: try stub.uint16("InformationClass"))
        try stub.align(8, "TrustedDomainInformation")
        switch tag {
        case .name: self = .name(try stub.unicodeString("Name"))
        case .controllers:
            let array = try stub.countedArray("Names")
            self = .controllers(
                try stub.elements(of: array, limit: Self.maximumControllers, "Names"))
        case .posixOffset: self = .posixOffset(try stub.uint32("Offset"))
        case .basic: self = .basic(try stub.whole())
        case .ex: self = .ex(try stub.whole())
        case _: throw stub.wire.invalid("InformationClass", Int(tag.rawValue))
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint16(informationClass.rawValue)
        stub.align(8)
        switch self {
        case .name(let name): stub.unicodeString(name)
        case .controllers(let names):
            stub.countedArray(names.count)
            stub.elements(of: names)
        case .posixOffset(let offset): stub.uint32(offset)
        case .basic(let domain): stub.whole(domain)
        case .ex(let information): stub.whole(information)
        }
    }
}
