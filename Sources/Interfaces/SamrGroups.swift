import RPC
import Wire

/// MS-SAMR 3.1.5.1.7.
package enum SamrOpenGroup: RemoteProcedure {
    package static let opnum: UInt16 = 19
    package typealias Request = SamrOpenRequest
    package typealias Response = SamrHandleResponse
}

/// A class of what there is to know of a group (MS-SAMR 2.2.4.7, SAMPR_GROUP_INFO_BUFFER): the
/// class(2) as the union's tag, then its structure.
package enum SamrGroupInformation: NDRMessage, Equatable, Sendable {
    case general(name: String, attributes: UInt32, memberCount: UInt32, adminComment: String)
    case name(String)
    case attributes(UInt32)
    case adminComment(String)
    /// General, without the cost of counting the members.
    case replication(name: String, attributes: UInt32, memberCount: UInt32, adminComment: String)

    package var informationClass: UInt16 {
        switch self {
        case .general: 1
        case .name: 2
        case .attributes: 3
        case .adminComment: 4
        case .replication: 5
        }
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let tag = try stub.uint16("GroupInformationClass")
        switch tag {
        case 1, 5:
            let name = try stub.countedString("Name")
            let attributes = try stub.uint32("Attributes")
            let members = try stub.uint32("MemberCount")
            let comment = try stub.countedString("AdminComment")
            let nameText = try stub.samText(of: name, "Name")
            let commentText = try stub.samText(of: comment, "AdminComment")
            if tag == 1 {
                self = .general(
                    name: nameText, attributes: attributes, memberCount: members,
                    adminComment: commentText)
            } else {
                self = .replication(
                    name: nameText, attributes: attributes, memberCount: members,
                    adminComment: commentText)
            }
        case 2: self = .name(try stub.samText("Name"))
        case 3: self = .attributes(try stub.uint32("Attributes"))
        case 4: self = .adminComment(try stub.samText("AdminComment"))
        case _: throw stub.wire.invalid("GroupInformationClass", Int(tag), width: 2)
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint16(informationClass)
        switch self {
        case .general(let name, let attributes, let count, let comment),
            .replication(let name, let attributes, let count, let comment):
            stub.samText(head: name)
            stub.uint32(attributes)
            stub.uint32(count)
            stub.samText(head: comment)
            stub.samText(buffer: name)
            stub.samText(buffer: comment)
        case .name(let text), .adminComment(let text): stub.samText(text)
        case .attributes(let attributes): stub.uint32(attributes)
        }
    }
}

/// MS-SAMR 3.1.5.5.3.
package enum SamrQueryInformationGroup: RemoteProcedure {
    package static let opnum: UInt16 = 20
    package typealias Request = SamrQueryRequest

    package struct Response: NDRMessage, Equatable, Sendable {
        package var information: SamrGroupInformation?
        package var status: NTStatus

        package init(information: SamrGroupInformation?, status: NTStatus = .success) {
            self.information = information
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            information =
                try stub.pointer("Buffer") ? try SamrGroupInformation(parsing: &stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("SamrQueryInformationGroup")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(information != nil)
            information?.write(into: &stub)
            stub.status(status)
        }
    }
}

/// MS-SAMR 3.1.5.6.2.
package enum SamrSetInformationGroup: RemoteProcedure {
    package static let opnum: UInt16 = 21
    package typealias Response = SamrStatusResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var groupHandle: ContextHandle
        package var information: SamrGroupInformation

        package init(groupHandle: ContextHandle, information: SamrGroupInformation) {
            self.groupHandle = groupHandle
            self.information = information
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            groupHandle = try stub.contextHandle("GroupHandle")
            let informationClass = try stub.uint16("GroupInformationClass")
            information = try SamrGroupInformation(parsing: &stub)
            if information.informationClass != informationClass {
                throw stub.wire.invalid("GroupInformationClass", Int(informationClass))
            }
            try stub.expectEndOfRequest("SamrSetInformationGroup")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(groupHandle)
            stub.uint16(information.informationClass)
            information.write(into: &stub)
        }
    }
}

/// MS-SAMR 3.1.5.8.1.
package enum SamrAddMemberToGroup: RemoteProcedure {
    package static let opnum: UInt16 = 22
    package typealias Response = SamrStatusResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var groupHandle: ContextHandle
        package var memberID: UInt32
        package var attributes: UInt32

        package init(
            groupHandle: ContextHandle, memberID: UInt32,
            attributes: UInt32 = GroupMembership.plainAttributes
        ) {
            self.groupHandle = groupHandle
            self.memberID = memberID
            self.attributes = attributes
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            groupHandle = try stub.contextHandle("GroupHandle")
            memberID = try stub.uint32("MemberId")
            attributes = try stub.uint32("Attributes")
            try stub.expectEndOfRequest("SamrAddMemberToGroup")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(groupHandle)
            stub.uint32(memberID)
            stub.uint32(attributes)
        }
    }
}

/// The handle comes back closed (MS-SAMR 3.1.5.7.1).
package enum SamrDeleteGroup: RemoteProcedure {
    package static let opnum: UInt16 = 23
    package typealias Request = SamrHandleRequest
    package typealias Response = SamrHandleResponse
}

/// MS-SAMR 3.1.5.8.2.
package enum SamrRemoveMemberFromGroup: RemoteProcedure {
    package static let opnum: UInt16 = 24
    package typealias Response = SamrStatusResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var groupHandle: ContextHandle
        package var memberID: UInt32

        package init(groupHandle: ContextHandle, memberID: UInt32) {
            self.groupHandle = groupHandle
            self.memberID = memberID
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            groupHandle = try stub.contextHandle("GroupHandle")
            memberID = try stub.uint32("MemberId")
            try stub.expectEndOfRequest("SamrRemoveMemberFromGroup")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(groupHandle)
            stub.uint32(memberID)
        }
    }
}

/// The members of a group (MS-SAMR 3.1.5.8.3): a count, and two arrays of that many longs
/// (2.2.7.14, SAMPR_GET_MEMBERS_BUFFER).
package enum SamrGetMembersInGroup: RemoteProcedure {
    package static let opnum: UInt16 = 25
    package typealias Request = SamrHandleRequest

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Nil where the call failed.
        package var members: [GroupMembership]?
        package var status: NTStatus

        package init(members: [GroupMembership]?, status: NTStatus = .success) {
            self.members = members
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            members = try stub.pointer("Members") ? try Self.members(&stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("SamrGetMembersInGroup")
        }

        private static func members(
            _ stub: inout NDRReader
        ) throws(WireError) -> [GroupMembership] {
            let count = Int(clamping: try stub.uint32("MemberCount"))
            let hasMembers = try stub.pointer("Members")
            let hasAttributes = try stub.pointer("Attributes")
            if hasMembers != hasAttributes || (count > 0) && !hasMembers {
                throw stub.wire.invalid("MemberCount", count, width: 12)
            }
            guard hasMembers else { return [] }
            let ids = try stub.longs(announced: count, "Members")
            let attributes = try stub.longs(announced: count, "Attributes")
            return ids.indices.map {
                GroupMembership(relativeID: ids[$0], attributes: attributes[$0])
            }
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(members != nil)
            if let members {
                stub.uint32(UInt32(members.count))
                stub.pointer(!members.isEmpty)
                stub.pointer(!members.isEmpty)
                if !members.isEmpty {
                    stub.longs(members.map { $0.relativeID })
                    stub.longs(members.map { $0.attributes })
                }
            }
            stub.status(status)
        }
    }
}

/// The groups of a user (MS-SAMR 3.1.5.9.1; 2.2.7.13, SAMPR_GET_GROUPS_BUFFER).
package enum SamrGetGroupsForUser: RemoteProcedure {
    package static let opnum: UInt16 = 39
    package typealias Request = SamrHandleRequest

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Nil where the call failed.
        package var groups: [GroupMembership]?
        package var status: NTStatus

        package init(groups: [GroupMembership]?, status: NTStatus = .success) {
            self.groups = groups
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            groups = try stub.pointer("Groups") ? try Self.groups(&stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("SamrGetGroupsForUser")
        }

        private static func groups(_ stub: inout NDRReader) throws(WireError) -> [GroupMembership] {
            let announced = Int(clamping: try stub.uint32("MembershipCount"))
            guard try stub.pointer("Groups") else {
                if announced != 0 { throw stub.wire.invalid("Groups", announced, width: 8) }
                return []
            }
            let count = try stub.conformance(
                elementSize: GroupMembership.byteCount, limit: GroupList.maximum, "Groups")
            if count != announced { throw stub.wire.invalid("Groups", count, width: 4) }
            var groups: [GroupMembership] = []
            for _ in 0..<count {
                let relativeID = try stub.uint32("RelativeId")
                let attributes = try stub.uint32("Attributes")
                groups.append(GroupMembership(relativeID: relativeID, attributes: attributes))
            }
            return groups
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(groups != nil)
            if let groups {
                stub.uint32(UInt32(groups.count))
                stub.pointer(!groups.isEmpty)
                if !groups.isEmpty { stub.uint32(UInt32(groups.count)) }
                for group in groups {
                    stub.uint32(group.relativeID)
                    stub.uint32(group.attributes)
                }
            }
            stub.status(status)
        }
    }
}
