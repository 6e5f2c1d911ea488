import RPC
import Wire

/// What both calls that query the policy ask.
package struct PolicyQuery: NDRMessage, Equatable, Sendable {
    package var policyHandle: ContextHandle
    package var informationClass: PolicyInformationClass

    package init(policyHandle: ContextHandle, informationClass: PolicyInformationClass) {
        self.policyHandle = policyHandle
        self.informationClass = informationClass
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        policyHandle = try stub.contextHandle("PolicyHandle")
        informationClass = PolicyInformationClass(
            rawValue: try stub.uint16("InformationClass"))
        try stub.expectEndOfRequest("LsarQueryInformationPolicy")
    }

    package func write(into stub: inout NDRWriter) {
        stub.contextHandle(policyHandle)
        stub.uint16(informationClass.rawValue)
    }
}

package struct PolicyAnswer: NDRMessage, Equatable, Sendable {
    package var policyInformation: PolicyInformation?
    package var status: NTStatus

    package init(policyInformation: PolicyInformation?, status: NTStatus = .success) {
        self.policyInformation = policyInformation
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        policyInformation =
            try stub.pointer("PolicyInformation") ? try PolicyInformation(parsing: &stub) : nil
        status = try stub.status("status")
        try stub.expectEnd("LsarQueryInformationPolicy")
    }

    package func write(into stub: inout NDRWriter) {
        stub.pointer(policyInformation != nil)
        policyInformation?.write(into: &stub)
        stub.status(status)
    }
}

/// Tells a part of the policy (MS-LSAD 3.1.4.4.4).
package enum LsarQueryInformationPolicy: RemoteProcedure {
    package static let opnum: UInt16 = 7
    package typealias Request = PolicyQuery
    package typealias Response = PolicyAnswer
}

/// The same, of clients since Windows 2000 (MS-LSAD 3.1.4.4.3).
package enum LsarQueryInformationPolicy2: RemoteProcedure {
    package static let opnum: UInt16 = 46
    package typealias Request = PolicyQuery
    package typealias Response = PolicyAnswer
}
