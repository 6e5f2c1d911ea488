import RPC
import Wire

/// A list that is shown to people, sorted by name (MS-SAMR 2.2.8.12, DOMAIN_DISPLAY_INFORMATION).
package struct SamrDisplayClass: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let user = SamrDisplayClass(rawValue: 1)
    package static let machine = SamrDisplayClass(rawValue: 2)
    package static let group = SamrDisplayClass(rawValue: 3)
    /// Names in the OEM code page.
    package static let oemUser = SamrDisplayClass(rawValue: 4)
    package static let oemGroup = SamrDisplayClass(rawValue: 5)
}

/// An entry of classes 1 to 3 (MS-SAMR 2.2.8.1 to .3):
/// ```
/// Index(4)  Rid(4)  AccountControl or Attributes(4)  AccountName(8)  AdminComment(8)
/// FullName(8)                                                        class 1 only
/// ```
package struct SamrDisplayEntry: Equatable, Sendable {
    package var index: UInt32
    package var relativeID: UInt32
    package var accountControl: UInt32
    package var accountName: String
    package var adminComment: String
    package var fullName: String

    package init(
        index: UInt32, relativeID: UInt32, accountControl: UInt32, accountName: String,
        adminComment: String = "", fullName: String = ""
    ) {
        self.index = index
        self.relativeID = relativeID
        self.accountControl = accountControl
        self.accountName = accountName
        self.adminComment = adminComment
        self.fullName = fullName
    }
}

/// An entry of classes 4 and 5: Index(4) and the name's bytes(8).
package struct SamrOEMDisplayEntry: Equatable, Sendable {
    package var index: UInt32
    package var name: [UInt8]

    package init(index: UInt32, name: [UInt8]) {
        self.index = index
        self.name = name
    }
}

/// A page (MS-SAMR 2.2.8.13, SAMPR_DISPLAY_INFO_BUFFER): the class(2) as the union's tag,
/// EntriesRead(4) and a pointer to the entries.
package enum SamrDisplayPage: NDRMessage, Equatable, Sendable {
    case users([SamrDisplayEntry])
    case machines([SamrDisplayEntry])
    case groups([SamrDisplayEntry])
    case oemUsers([SamrOEMDisplayEntry])
    case oemGroups([SamrOEMDisplayEntry])

    package var displayClass: SamrDisplayClass {
        switch self {
        case .users: .user
        case .machines: .machine
        case .groups: .group
        case .oemUsers: .oemUser
        case .oemGroups: .oemGroup
        }
    }

    package var count: Int {
        switch self {
        case .users(let entries), .machines(let entries), .groups(let entries): entries.count
        case .oemUsers(let entries), .oemGroups(let entries): entries.count
        }
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let tag = SamrDisplayClass(rawValue: try stub.uint16("DisplayInformationClass"))
        switch tag {
        case .user: self = .users(try Self.entries(&stub, withFullName: true))
        case .machine: self = .machines(try Self.entries(&stub, withFullName: false))
        case .group: self = .groups(try Self.entries(&stub, withFullName: false))
        case .oemUser: self = .oemUsers(try Self.oemEntries(&stub))
        case .oemGroup: self = .oemGroups(try Self.oemEntries(&stub))
        case _: throw stub.wire.invalid("DisplayInformationClass", Int(tag.rawValue), width: 2)
        }
    }

    private static func count(
        _ stub: inout NDRReader, elementSize: Int
    ) throws(WireError) -> Int {
        let announced = Int(clamping: try stub.uint32("EntriesRead"))
        guard try stub.pointer("Buffer") else {
            if announced != 0 { throw stub.wire.invalid("EntriesRead", announced, width: 8) }
            return 0
        }
        let count = try stub.conformance(
            elementSize: elementSize, limit: SAMR.maximumElements, "Buffer")
        if count != announced { throw stub.wire.invalid("Buffer", count, width: 4) }
        return count
    }

    private static func entries(
        _ stub: inout NDRReader, withFullName: Bool
    ) throws(WireError) -> [SamrDisplayEntry] {
        let count = try count(&stub, elementSize: withFullName ? 36 : 28)
        var entries: [SamrDisplayEntry] = []
        var texts: [CountedString] = []
        for _ in 0..<count {
            let index = try stub.uint32("Index")
            let relativeID = try stub.uint32("Rid")
            let control = try stub.uint32("AccountControl")
            texts.append(try stub.countedString("AccountName"))
            texts.append(try stub.countedString("AdminComment"))
            if withFullName { texts.append(try stub.countedString("FullName")) }
            entries.append(
                SamrDisplayEntry(
                    index: index, relativeID: relativeID, accountControl: control, accountName: ""))
        }
        let each = withFullName ? 3 : 2
        for entry in 0..<count {
            let first = entry * each
            entries[entry].accountName = try stub.samText(of: texts[first], "AccountName")
            entries[entry].adminComment = try stub.samText(of: texts[first + 1], "AdminComment")
            if withFullName {
                entries[entry].fullName = try stub.samText(of: texts[first + 2], "FullName")
            }
        }
        return entries
    }

    private static func oemEntries(
        _ stub: inout NDRReader
    ) throws(WireError) -> [SamrOEMDisplayEntry] {
        let count = try count(&stub, elementSize: 12)
        var entries: [SamrOEMDisplayEntry] = []
        var names: [CountedString] = []
        for _ in 0..<count {
            entries.append(SamrOEMDisplayEntry(index: try stub.uint32("Index"), name: []))
            names.append(try stub.countedString("OemAccountName"))
        }
        for index in 0..<count {
            entries[index].name = try stub.bytes(of: names[index], "OemAccountName") ?? []
        }
        return entries
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint16(displayClass.rawValue)
        stub.uint32(UInt32(count))
        stub.pointer(count > 0)
        if count > 0 { stub.uint32(UInt32(count)) }
        switch self {
        case .users(let entries): Self.write(entries, withFullName: true, into: &stub)
        case .machines(let entries), .groups(let entries):
            Self.write(entries, withFullName: false, into: &stub)
        case .oemUsers(let entries), .oemGroups(let entries):
            for entry in entries {
                stub.uint32(entry.index)
                stub.countedBytes(entry.name)
            }
            for entry in entries { stub.buffer(of: entry.name) }
        }
    }

    private static func write(
        _ entries: [SamrDisplayEntry], withFullName: Bool, into stub: inout NDRWriter
    ) {
        for entry in entries {
            stub.uint32(entry.index)
            stub.uint32(entry.relativeID)
            stub.uint32(entry.accountControl)
            stub.samText(head: entry.accountName)
            stub.samText(head: entry.adminComment)
            if withFullName { stub.samText(head: entry.fullName) }
        }
        for entry in entries {
            stub.samText(buffer: entry.accountName)
            stub.samText(buffer: entry.adminComment)
            if withFullName { stub.samText(buffer: entry.fullName) }
        }
    }
}

/// MS-SAMR 3.1.5.3.1.
package enum SamrQueryDisplayInformation3: RemoteProcedure {
    package static let opnum: UInt16 = 51

    package struct Request: NDRMessage, Equatable, Sendable {
        package var domainHandle: ContextHandle
        package var displayClass: SamrDisplayClass
        /// The first entry that is wanted, counted from zero.
        package var index: UInt32
        package var entryCount: UInt32
        package var preferredMaximumLength: UInt32

        package init(
            domainHandle: ContextHandle, displayClass: SamrDisplayClass, index: UInt32 = 0,
            entryCount: UInt32 = 1_000, preferredMaximumLength: UInt32 = 0xffff
        ) {
            self.domainHandle = domainHandle
            self.displayClass = displayClass
            self.index = index
            self.entryCount = entryCount
            self.preferredMaximumLength = preferredMaximumLength
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            domainHandle = try stub.contextHandle("DomainHandle")
            displayClass = SamrDisplayClass(rawValue: try stub.uint16("DisplayInformationClass"))
            index = try stub.uint32("Index")
            entryCount = try stub.uint32("EntryCount")
            preferredMaximumLength = try stub.uint32("PreferredMaximumLength")
            try stub.expectEndOfRequest("SamrQueryDisplayInformation")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(domainHandle)
            stub.uint16(displayClass.rawValue)
            stub.uint32(index)
            stub.uint32(entryCount)
            stub.uint32(preferredMaximumLength)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Bytes of the whole list, if the server cares to tell, and of this page.
        package var totalAvailable: UInt32
        package var totalReturned: UInt32
        package var page: SamrDisplayPage
        package var status: NTStatus

        package init(
            totalAvailable: UInt32 = 0, totalReturned: UInt32 = 0, page: SamrDisplayPage,
            status: NTStatus = .success
        ) {
            self.totalAvailable = totalAvailable
            self.totalReturned = totalReturned
            self.page = page
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            totalAvailable = try stub.uint32("TotalAvailable")
            totalReturned = try stub.uint32("TotalReturned")
            page = try SamrDisplayPage(parsing: &stub)
            status = try stub.status("status")
            try stub.expectEnd("SamrQueryDisplayInformation")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(totalAvailable)
            stub.uint32(totalReturned)
            page.write(into: &stub)
            stub.status(status)
        }
    }
}

/// MS-SAMR 3.1.5.3.2: the same under an older number.
package enum SamrQueryDisplayInformation2: RemoteProcedure {
    package static let opnum: UInt16 = 48
    package typealias Request = SamrQueryDisplayInformation3.Request
    package typealias Response = SamrQueryDisplayInformation3.Response
}

/// MS-SAMR 3.1.5.3.3: the same under its oldest number.
package enum SamrQueryDisplayInformation: RemoteProcedure {
    package static let opnum: UInt16 = 40
    package typealias Request = SamrQueryDisplayInformation3.Request
    package typealias Response = SamrQueryDisplayInformation3.Response
}

/// Where a list's names with a prefix begin (MS-SAMR 3.1.5.3.4).
package enum SamrGetDisplayEnumerationIndex2: RemoteProcedure {
    package static let opnum: UInt16 = 49

    package struct Request: NDRMessage, Equatable, Sendable {
        package var domainHandle: ContextHandle
        package var displayClass: SamrDisplayClass
        package var prefix: String

        package init(
            domainHandle: ContextHandle, displayClass: SamrDisplayClass, prefix: String
        ) {
            self.domainHandle = domainHandle
            self.displayClass = displayClass
            self.prefix = prefix
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            domainHandle = try stub.contextHandle("DomainHandle")
            displayClass = SamrDisplayClass(rawValue: try stub.uint16("DisplayInformationClass"))
            prefix = try stub.samText("Prefix")
            try stub.expectEndOfRequest("SamrGetDisplayEnumerationIndex")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(domainHandle)
            stub.uint16(displayClass.rawValue)
            stub.samText(prefix)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var index: UInt32
        package var status: NTStatus

        package init(index: UInt32, status: NTStatus = .success) {
            self.index = index
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            index = try stub.uint32("Index")
            status = try stub.status("status")
            try stub.expectEnd("SamrGetDisplayEnumerationIndex")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(index)
            stub.status(status)
        }
    }
}

/// MS-SAMR 3.1.5.3.5: the same under its older number.
package enum SamrGetDisplayEnumerationIndex: RemoteProcedure {
    package static let opnum: UInt16 = 41
    package typealias Request = SamrGetDisplayEnumerationIndex2.Request
    package typealias Response = SamrGetDisplayEnumerationIndex2.Response
}
