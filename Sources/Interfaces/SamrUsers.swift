import RPC
import Wire

/// MS-SAMR 3.1.5.1.9.
package enum SamrOpenUser: RemoteProcedure {
    package static let opnum: UInt16 = 34
    package typealias Request = SamrOpenRequest
    package typealias Response = SamrHandleResponse
}

/// The handle comes back closed (MS-SAMR 3.1.5.7.3).
package enum SamrDeleteUser: RemoteProcedure {
    package static let opnum: UInt16 = 35
    package typealias Request = SamrHandleRequest
    package typealias Response = SamrHandleResponse
}

/// MS-SAMR 3.1.5.5.5.
package enum SamrQueryInformationUser2: RemoteProcedure {
    package static let opnum: UInt16 = 47
    package typealias Request = SamrQueryRequest

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Nil where the call failed.
        package var information: SamrUserInformation?
        package var status: NTStatus

        package init(information: SamrUserInformation?, status: NTStatus = .success) {
            self.information = information
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            information =
                try stub.pointer("Buffer") ? try SamrUserInformation(parsing: &stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("SamrQueryInformationUser2")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(information != nil)
            information?.write(into: &stub)
            stub.status(status)
        }
    }
}

/// MS-SAMR 3.1.5.5.6: the same under its older number.
package enum SamrQueryInformationUser: RemoteProcedure {
    package static let opnum: UInt16 = 36
    package typealias Request = SamrQueryRequest
    package typealias Response = SamrQueryInformationUser2.Response
}

/// MS-SAMR 3.1.5.6.4.
package enum SamrSetInformationUser2: RemoteProcedure {
    package static let opnum: UInt16 = 58
    package typealias Response = SamrStatusResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var userHandle: ContextHandle
        package var information: SamrUserInformation

        package init(userHandle: ContextHandle, information: SamrUserInformation) {
            self.userHandle = userHandle
            self.information = information
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            userHandle = try stub.contextHandle("UserHandle")
            let informationClass = try stub.uint16("UserInformationClass")
            information = try SamrUserInformation(parsing: &stub)
            if information.informationClass != informationClass {
                throw stub.wire.invalid("UserInformationClass", Int(informationClass))
            }
            try stub.expectEndOfRequest("SamrSetInformationUser2")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(userHandle)
            stub.uint16(information.informationClass)
            information.write(into: &stub)
        }
    }
}

/// MS-SAMR 3.1.5.6.5: the same under its older number.
package enum SamrSetInformationUser: RemoteProcedure {
    package static let opnum: UInt16 = 37
    package typealias Request = SamrSetInformationUser2.Request
    package typealias Response = SamrStatusResponse
}
