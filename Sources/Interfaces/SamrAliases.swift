import RPC
import Wire

/// MS-SAMR 3.1.5.1.8.
package enum SamrOpenAlias: RemoteProcedure {
    package static let opnum: UInt16 = 27
    package typealias Request = SamrOpenRequest
    package typealias Response = SamrHandleResponse
}

/// A class of what there is to know of an alias (MS-SAMR 2.2.5.7, SAMPR_ALIAS_INFO_BUFFER): the
/// class(2) as the union's tag, then its structure.
package enum SamrAliasInformation: NDRMessage, Equatable, Sendable {
    case general(name: String, memberCount: UInt32, adminComment: String)
    case name(String)
    case adminComment(String)

    package var informationClass: UInt16 {
        switch self {
        case .general: 1
        case .name: 2
        case .adminComment: 3
        }
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let tag = try stub.uint16("AliasInformationClass")
        switch tag {
        case 1:
            let name = try stub.countedString("Name")
            let members = try stub.uint32("MemberCount")
            let comment = try stub.countedString("AdminComment")
            let nameText = try stub.samText(of: name, "Name")
            self = .general(
                name: nameText, memberCount: members,
                adminComment: try stub.samText(of: comment, "AdminComment"))
        case 2: self = .name(try stub.samText("Name"))
        case 3: self = .adminComment(try stub.samText("AdminComment"))
        case _: throw stub.wire.invalid("AliasInformationClass", Int(tag), width: 2)
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint16(informationClass)
        switch self {
        case .general(let name, let count, let comment):
            stub.samText(head: name)
            stub.uint32(count)
            stub.samText(head: comment)
            stub.samText(buffer: name)
            stub.samText(buffer: comment)
        case .name(let text), .adminComment(let text): stub.samText(text)
        }
    }
}

/// MS-SAMR 3.1.5.5.4.
package enum SamrQueryInformationAlias: RemoteProcedure {
    package static let opnum: UInt16 = 28
    package typealias Request = SamrQueryRequest

    package struct Response: NDRMessage, Equatable, Sendable {
        package var information: SamrAliasInformation?
        package var status: NTStatus

        package init(information: SamrAliasInformation?, status: NTStatus = .success) {
            self.information = information
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            information =
                try stub.pointer("Buffer") ? try SamrAliasInformation(parsing: &stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("SamrQueryInformationAlias")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(information != nil)
            information?.write(into: &stub)
            stub.status(status)
        }
    }
}

/// MS-SAMR 3.1.5.6.3.
package enum SamrSetInformationAlias: RemoteProcedure {
    package static let opnum: UInt16 = 29
    package typealias Response = SamrStatusResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var aliasHandle: ContextHandle
        package var information: SamrAliasInformation

        package init(aliasHandle: ContextHandle, information: SamrAliasInformation) {
            self.aliasHandle = aliasHandle
            self.information = information
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            aliasHandle = try stub.contextHandle("AliasHandle")
            let informationClass = try stub.uint16("AliasInformationClass")
            information = try SamrAliasInformation(parsing: &stub)
            if information.informationClass != informationClass {
                throw stub.wire.invalid("AliasInformationClass", Int(informationClass))
            }
            try stub.expectEndOfRequest("SamrSetInformationAlias")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(aliasHandle)
            stub.uint16(information.informationClass)
            information.write(into: &stub)
        }
    }
}

/// The handle comes back closed (MS-SAMR 3.1.5.7.2).
package enum SamrDeleteAlias: RemoteProcedure {
    package static let opnum: UInt16 = 30
    package typealias Request = SamrHandleRequest
    package typealias Response = SamrHandleResponse
}

/// A request about a member, which may be of any domain.
package struct SamrMemberRequest: NDRMessage, Equatable, Sendable {
    package var handle: ContextHandle
    package var memberID: SID

    package init(handle: ContextHandle, memberID: SID) {
        self.handle = handle
        self.memberID = memberID
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        handle = try stub.contextHandle("Handle")
        memberID = try stub.sid("MemberId")
        try stub.expectEndOfRequest("MemberId")
    }

    package func write(into stub: inout NDRWriter) {
        stub.contextHandle(handle)
        stub.sid(memberID)
    }
}

/// MS-SAMR 3.1.5.8.4.
package enum SamrAddMemberToAlias: RemoteProcedure {
    package static let opnum: UInt16 = 31
    package typealias Request = SamrMemberRequest
    package typealias Response = SamrStatusResponse
}

/// MS-SAMR 3.1.5.8.5.
package enum SamrRemoveMemberFromAlias: RemoteProcedure {
    package static let opnum: UInt16 = 32
    package typealias Request = SamrMemberRequest
    package typealias Response = SamrStatusResponse
}

/// Takes a SID out of every alias of a domain (MS-SAMR 3.1.5.8.8).
package enum SamrRemoveMemberFromForeignDomain: RemoteProcedure {
    package static let opnum: UInt16 = 45
    package typealias Request = SamrMemberRequest
    package typealias Response = SamrStatusResponse
}

/// MS-SAMR 3.1.5.8.6.
package enum SamrGetMembersInAlias: RemoteProcedure {
    package static let opnum: UInt16 = 33
    package typealias Request = SamrHandleRequest

    package struct Response: NDRMessage, Equatable, Sendable {
        package var members: [SID]
        package var status: NTStatus

        package init(members: [SID], status: NTStatus = .success) {
            self.members = members
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            members = try stub.sidArray(limit: SAMR.maximumElements, "Members")
            status = try stub.status("status")
            try stub.expectEnd("SamrGetMembersInAlias")
        }

        package func write(into stub: inout NDRWriter) {
            stub.sidArray(members)
            stub.status(status)
        }
    }
}
