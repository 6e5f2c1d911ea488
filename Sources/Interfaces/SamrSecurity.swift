import RPC
import Wire

/// A security descriptor in its self-relative form, or none (MS-SAMR 2.2.3.11,
/// SAMPR_SR_SECURITY_DESCRIPTOR): its length(4) and its pointer(4).
package struct SamrSecurityDescriptor: Equatable, Sendable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    init(parsing stub: inout NDRReader) throws(WireError) {
        let length = Int(clamping: try stub.uint32("Length"))
        if try stub.pointer("SecurityDescriptor") {
            bytes = try stub.octets(
                announced: length, limit: SAMR.maximumSecurityDescriptor, "SecurityDescriptor")
        } else {
            if length != 0 { throw stub.wire.invalid("Length", length, width: 8) }
            bytes = []
        }
    }

    func write(into stub: inout NDRWriter) {
        stub.uint32(UInt32(bytes.count))
        stub.pointer(!bytes.isEmpty)
        if !bytes.isEmpty { stub.octets(bytes) }
    }
}

/// MS-SAMR 3.1.5.12.1.
package enum SamrSetSecurityObject: RemoteProcedure {
    package static let opnum: UInt16 = 2
    package typealias Response = SamrStatusResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var objectHandle: ContextHandle
        /// Which parts are to be set (MS-DTYP 2.4.7).
        package var securityInformation: UInt32
        package var securityDescriptor: SamrSecurityDescriptor

        package init(
            objectHandle: ContextHandle, securityInformation: UInt32,
            securityDescriptor: SamrSecurityDescriptor
        ) {
            self.objectHandle = objectHandle
            self.securityInformation = securityInformation
            self.securityDescriptor = securityDescriptor
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            objectHandle = try stub.contextHandle("ObjectHandle")
            securityInformation = try stub.uint32("SecurityInformation")
            securityDescriptor = try SamrSecurityDescriptor(parsing: &stub)
            try stub.expectEndOfRequest("SamrSetSecurityObject")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(objectHandle)
            stub.uint32(securityInformation)
            securityDescriptor.write(into: &stub)
        }
    }
}

/// MS-SAMR 3.1.5.12.2.
package enum SamrQuerySecurityObject: RemoteProcedure {
    package static let opnum: UInt16 = 3

    package struct Request: NDRMessage, Equatable, Sendable {
        package var objectHandle: ContextHandle
        package var securityInformation: UInt32

        package init(objectHandle: ContextHandle, securityInformation: UInt32) {
            self.objectHandle = objectHandle
            self.securityInformation = securityInformation
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            objectHandle = try stub.contextHandle("ObjectHandle")
            securityInformation = try stub.uint32("SecurityInformation")
            try stub.expectEndOfRequest("SamrQuerySecurityObject")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(objectHandle)
            stub.uint32(securityInformation)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Nil where the call failed.
        package var securityDescriptor: SamrSecurityDescriptor?
        package var status: NTStatus

        package init(securityDescriptor: SamrSecurityDescriptor?, status: NTStatus = .success) {
            self.securityDescriptor = securityDescriptor
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            securityDescriptor =
                try stub.pointer("SecurityDescriptor")
                ? try SamrSecurityDescriptor(parsing: &stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("SamrQuerySecurityObject")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(securityDescriptor != nil)
            securityDescriptor?.write(into: &stub)
            stub.status(status)
        }
    }
}
