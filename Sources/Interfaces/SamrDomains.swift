import RPC
import Wire

/// The SID of a domain by its name (MS-SAMR 3.1.5.11.1).
package enum SamrLookupDomainInSamServer: RemoteProcedure {
    package static let opnum: UInt16 = 5
    package typealias Response = SamrSIDResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverHandle: ContextHandle
        package var name: String

        package init(serverHandle: ContextHandle, name: String) {
            self.serverHandle = serverHandle
            self.name = name
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverHandle = try stub.contextHandle("ServerHandle")
            name = try stub.samText("Name")
            try stub.expectEndOfRequest("SamrLookupDomainInSamServer")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(serverHandle)
            stub.samText(name)
        }
    }
}

/// A response that gives a SID, or none where the call failed.
package struct SamrSIDResponse: NDRMessage, Equatable, Sendable {
    package var sid: SID?
    package var status: NTStatus

    package init(sid: SID?, status: NTStatus = .success) {
        self.sid = sid
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        sid = try stub.pointer("Sid") ? try stub.sid("Sid") : nil
        status = try stub.status("status")
        try stub.expectEnd("Sid")
    }

    package func write(into stub: inout NDRWriter) {
        stub.pointer(sid != nil)
        if let sid { stub.sid(sid) }
        stub.status(status)
    }
}

/// The domains of a server, page by page (MS-SAMR 3.1.5.2.1).
package enum SamrEnumerateDomainsInSamServer: RemoteProcedure {
    package static let opnum: UInt16 = 6
    package typealias Request = SamrEnumerateRequest
    package typealias Response = SamrEnumerateResponse
}

/// Opens a domain (MS-SAMR 3.1.5.1.5).
package enum SamrOpenDomain: RemoteProcedure {
    package static let opnum: UInt16 = 7
    package typealias Response = SamrHandleResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverHandle: ContextHandle
        package var desiredAccess: UInt32
        package var domainID: SID

        package init(
            serverHandle: ContextHandle, desiredAccess: UInt32 = SAMR.maximumAllowed, domainID: SID
        ) {
            self.serverHandle = serverHandle
            self.desiredAccess = desiredAccess
            self.domainID = domainID
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverHandle = try stub.contextHandle("ServerHandle")
            desiredAccess = try stub.uint32("DesiredAccess")
            domainID = try stub.sid("DomainId")
            try stub.expectEndOfRequest("SamrOpenDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(serverHandle)
            stub.uint32(desiredAccess)
            stub.sid(domainID)
        }
    }
}

/// The SID of an account of the handle's domain (MS-SAMR 3.1.5.13.6).
package enum SamrRidToSid: RemoteProcedure {
    package static let opnum: UInt16 = 65
    package typealias Response = SamrSIDResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var objectHandle: ContextHandle
        package var relativeID: UInt32

        package init(objectHandle: ContextHandle, relativeID: UInt32) {
            self.objectHandle = objectHandle
            self.relativeID = relativeID
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            objectHandle = try stub.contextHandle("ObjectHandle")
            relativeID = try stub.uint32("Rid")
            try stub.expectEndOfRequest("SamrRidToSid")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(objectHandle)
            stub.uint32(relativeID)
        }
    }
}
