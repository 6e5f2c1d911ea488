import RPC
import Wire

/// Opens a trusted domain by its SID (MS-LSAD 3.1.4.7.1).
package enum LsarOpenTrustedDomain: RemoteProcedure {
    package static let opnum: UInt16 = 25
    package typealias Response = OpenedHandle

    package struct Request: NDRMessage, Equatable, Sendable {
        package var policyHandle: ContextHandle
        package var trustedDomainSID: SID
        package var desiredAccess: UInt32

        package init(
            policyHandle: ContextHandle, trustedDomainSID: SID,
            desiredAccess: UInt32 = LSAAccess.maximumAllowed
        ) {
            self.policyHandle = policyHandle
            self.trustedDomainSID = trustedDomainSID
            self.desiredAccess = desiredAccess
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            policyHandle = try stub.contextHandle("PolicyHandle")
            trustedDomainSID = try stub.sid("TrustedDomainSid")
            desiredAccess = try stub.uint32("DesiredAccess")
            try stub.expectEndOfRequest("LsarOpenTrustedDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(policyHandle)
            stub.sid(trustedDomainSID)
            stub.uint32(desiredAccess)
        }
    }
}

/// What every query of a trusted domain returns.
package struct TrustedDomainAnswer: NDRMessage, Equatable, Sendable {
    package var trustedDomainInformation: TrustedDomainInformation?
    package var status: NTStatus

    package init(
        trustedDomainInformation: TrustedDomainInformation?, status: NTStatus = .success
    ) {
        self.trustedDomainInformation = trustedDomainInformation
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        trustedDomainInformation =
            try stub.pointer("TrustedDomainInformation")
            ? try TrustedDomainInformation(parsing: &stub) : nil
        status = try stub.status("status")
        try stub.expectEnd("LsarQueryTrustedDomainInfo")
    }

    package func write(into stub: inout NDRWriter) {
        stub.pointer(trustedDomainInformation != nil)
        trustedDomainInformation?.write(into: &stub)
        stub.status(status)
    }
}

/// Tells a part of the trust that a handle is for (MS-LSAD 3.1.4.7.13).
package enum LsarQueryInfoTrustedDomain: RemoteProcedure {
    package static let opnum: UInt16 = 26
    package typealias Response = TrustedDomainAnswer

    package struct Request: NDRMessage, Equatable, Sendable {
        package var trustedDomainHandle: ContextHandle
        package var informationClass: TrustedInformationClass

        package init(
            trustedDomainHandle: ContextHandle, informationClass: TrustedInformationClass
        ) {
            self.trustedDomainHandle = trustedDomainHandle
            self.informationClass = informationClass
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            trustedDomainHandle = try stub.contextHandle("TrustedDomainHandle")
            informationClass = TrustedInformationClass(
                rawValue: try stub.uint16("InformationClass"))
            try stub.expectEndOfRequest("LsarQueryInfoTrustedDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(trustedDomainHandle)
            stub.uint16(informationClass.rawValue)
        }
    }
}

/// Tells a part of the trust with the domain of a SID (MS-LSAD 3.1.4.7.2).
package enum LsarQueryTrustedDomainInfo: RemoteProcedure {
    package static let opnum: UInt16 = 39
    package typealias Response = TrustedDomainAnswer

    package struct Request: NDRMessage, Equatable, Sendable {
        package var policyHandle: ContextHandle
        package var trustedDomainSID: SID
        package var informationClass: TrustedInformationClass

        package init(
            policyHandle: ContextHandle, trustedDomainSID: SID,
            informationClass: TrustedInformationClass
        ) {
            self.policyHandle = policyHandle
            self.trustedDomainSID = trustedDomainSID
            self.informationClass = informationClass
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            policyHandle = try stub.contextHandle("PolicyHandle")
            trustedDomainSID = try stub.sid("TrustedDomainSid")
            informationClass = TrustedInformationClass(
                rawValue: try stub.uint16("InformationClass"))
            try stub.expectEndOfRequest("LsarQueryTrustedDomainInfo")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(policyHandle)
            stub.sid(trustedDomainSID)
            stub.uint16(informationClass.rawValue)
        }
    }
}

/// Tells a part of the trust with the domain of a name (MS-LSAD 3.1.4.7.5).
package enum LsarQueryTrustedDomainInfoByName: RemoteProcedure {
    package static let opnum: UInt16 = 48
    package typealias Response = TrustedDomainAnswer

    package struct Request: NDRMessage, Equatable, Sendable {
        package var policyHandle: ContextHandle
        package var trustedDomainName: String?
        package var informationClass: TrustedInformationClass

        package init(
            policyHandle: ContextHandle, trustedDomainName: String?,
            informationClass: TrustedInformationClass
        ) {
            self.policyHandle = policyHandle
            self.trustedDomainName = trustedDomainName
            self.informationClass = informationClass
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            policyHandle = try stub.contextHandle("PolicyHandle")
            trustedDomainName = try stub.unicodeString("TrustedDomainName")
            informationClass = TrustedInformationClass(
                rawValue: try stub.uint16("InformationClass"))
            try stub.expectEndOfRequest("LsarQueryTrustedDomainInfoByName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(policyHandle)
            stub.unicodeString(trustedDomainName)
            stub.uint16(informationClass.rawValue)
        }
    }
}
