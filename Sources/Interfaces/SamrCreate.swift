import RPC
import Wire

/// A request to create an account by its name.
package struct SamrCreateRequest: NDRMessage, Equatable, Sendable {
    package var domainHandle: ContextHandle
    package var name: String
    package var desiredAccess: UInt32

    package init(
        domainHandle: ContextHandle, name: String, desiredAccess: UInt32 = SAMR.maximumAllowed
    ) {
        self.domainHandle = domainHandle
        self.name = name
        self.desiredAccess = desiredAccess
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        domainHandle = try stub.contextHandle("DomainHandle")
        name = try stub.samText("Name")
        desiredAccess = try stub.uint32("DesiredAccess")
        try stub.expectEndOfRequest("DesiredAccess")
    }

    package func write(into stub: inout NDRWriter) {
        stub.contextHandle(domainHandle)
        stub.samText(name)
        stub.uint32(desiredAccess)
    }
}

/// The new account's handle and relative identifier.
package struct SamrCreateResponse: NDRMessage, Equatable, Sendable {
    package var handle: ContextHandle
    package var relativeID: UInt32
    package var status: NTStatus

    package init(handle: ContextHandle, relativeID: UInt32, status: NTStatus = .success) {
        self.handle = handle
        self.relativeID = relativeID
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        handle = try stub.contextHandle("Handle")
        relativeID = try stub.uint32("RelativeId")
        status = try stub.status("status")
        try stub.expectEnd("RelativeId")
    }

    package func write(into stub: inout NDRWriter) {
        stub.contextHandle(handle)
        stub.uint32(relativeID)
        stub.status(status)
    }
}

/// MS-SAMR 3.1.5.4.2.
package enum SamrCreateGroupInDomain: RemoteProcedure {
    package static let opnum: UInt16 = 10
    package typealias Request = SamrCreateRequest
    package typealias Response = SamrCreateResponse
}

/// A plain user (MS-SAMR 3.1.5.4.5).
package enum SamrCreateUserInDomain: RemoteProcedure {
    package static let opnum: UInt16 = 12
    package typealias Request = SamrCreateRequest
    package typealias Response = SamrCreateResponse
}

/// MS-SAMR 3.1.5.4.3.
package enum SamrCreateAliasInDomain: RemoteProcedure {
    package static let opnum: UInt16 = 14
    package typealias Request = SamrCreateRequest
    package typealias Response = SamrCreateResponse
}

/// An account of any kind, as a computer that joins creates its own (MS-SAMR 3.1.5.4.4).
package enum SamrCreateUser2InDomain: RemoteProcedure {
    package static let opnum: UInt16 = 50

    package struct Request: NDRMessage, Equatable, Sendable {
        package var domainHandle: ContextHandle
        package var name: String
        /// The one bit of MS-SAMR 2.2.1.12 that says what the account is.
        package var accountType: UInt32
        package var desiredAccess: UInt32

        package init(
            domainHandle: ContextHandle, name: String, accountType: UInt32,
            desiredAccess: UInt32 = SAMR.maximumAllowed
        ) {
            self.domainHandle = domainHandle
            self.name = name
            self.accountType = accountType
            self.desiredAccess = desiredAccess
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            domainHandle = try stub.contextHandle("DomainHandle")
            name = try stub.samText("Name")
            accountType = try stub.uint32("AccountType")
            desiredAccess = try stub.uint32("DesiredAccess")
            try stub.expectEndOfRequest("SamrCreateUser2InDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(domainHandle)
            stub.samText(name)
            stub.uint32(accountType)
            stub.uint32(desiredAccess)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var handle: ContextHandle
        package var grantedAccess: UInt32
        package var relativeID: UInt32
        package var status: NTStatus

        package init(
            handle: ContextHandle, grantedAccess: UInt32, relativeID: UInt32,
            status: NTStatus = .success
        ) {
            self.handle = handle
            self.grantedAccess = grantedAccess
            self.relativeID = relativeID
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            handle = try stub.contextHandle("UserHandle")
            grantedAccess = try stub.uint32("GrantedAccess")
            relativeID = try stub.uint32("RelativeId")
            status = try stub.status("status")
            try stub.expectEnd("SamrCreateUser2InDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(handle)
            stub.uint32(grantedAccess)
            stub.uint32(relativeID)
            stub.status(status)
        }
    }
}
