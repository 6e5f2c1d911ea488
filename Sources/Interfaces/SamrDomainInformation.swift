import RPC
import Wire

/// The password policy of a domain (MS-SAMR 2.2.3.5, DOMAIN_PASSWORD_INFORMATION):
/// ```
/// MinPasswordLength(2)  PasswordHistoryLength(2)  PasswordProperties(4)
/// MaxPasswordAge(8)  MinPasswordAge(8)
/// ```
/// Ages are negative numbers of 100 ns; the lowest number means never.
package struct SamrPasswordPolicy: NDRMessage, Equatable, Sendable {
    package var minPasswordLength: UInt16 = 0
    package var passwordHistoryLength: UInt16 = 0
    package var passwordProperties: UInt32 = 0
    package var maxPasswordAge: UInt64 = 1 << 63
    package var minPasswordAge: UInt64 = 0

    package init() {}

    package init(parsing stub: inout NDRReader) throws(WireError) {
        try stub.align(4, "MinPasswordLength")
        minPasswordLength = try stub.uint16("MinPasswordLength")
        passwordHistoryLength = try stub.uint16("PasswordHistoryLength")
        passwordProperties = try stub.uint32("PasswordProperties")
        maxPasswordAge = try stub.longPair("MaxPasswordAge")
        minPasswordAge = try stub.longPair("MinPasswordAge")
    }

    package func write(into stub: inout NDRWriter) {
        stub.align(4)
        stub.uint16(minPasswordLength)
        stub.uint16(passwordHistoryLength)
        stub.uint32(passwordProperties)
        stub.longPair(maxPasswordAge)
        stub.longPair(minPasswordAge)
    }
}

/// What a domain is (MS-SAMR 2.2.3.10, SAMPR_DOMAIN_GENERAL_INFORMATION):
/// ```
/// ForceLogoff(8)  OemInformation(8)  DomainName(8)  ReplicaSourceNodeName(8)
/// DomainModifiedCount(8)  DomainServerState(4)  DomainServerRole(4)
/// UasCompatibilityRequired(1)  UserCount(4)  GroupCount(4)  AliasCount(4)
/// ```
package struct SamrDomainGeneral: Equatable, Sendable {
    package static let enabled: UInt32 = 1
    package static let backupRole: UInt32 = 2
    package static let primaryRole: UInt32 = 3

    package var forceLogoff: UInt64 = 1 << 63
    package var oemInformation = ""
    package var domainName = ""
    package var replicaSourceNodeName = ""
    package var domainModifiedCount: UInt64 = 0
    package var domainServerState = enabled
    package var domainServerRole = primaryRole
    package var uasCompatibilityRequired: UInt8 = 1
    package var userCount: UInt32 = 0
    package var groupCount: UInt32 = 0
    package var aliasCount: UInt32 = 0

    package init() {}

    /// The structure without what its texts point to, which follows whatever holds it.
    fileprivate init(
        parsing stub: inout NDRReader, texts: inout [CountedString]
    ) throws(WireError) {
        forceLogoff = try stub.longPair("ForceLogoff")
        texts.append(try stub.countedString("OemInformation"))
        texts.append(try stub.countedString("DomainName"))
        texts.append(try stub.countedString("ReplicaSourceNodeName"))
        domainModifiedCount = try stub.longPair("DomainModifiedCount")
        domainServerState = try stub.uint32("DomainServerState")
        domainServerRole = try stub.uint32("DomainServerRole")
        uasCompatibilityRequired = try stub.uint8("UasCompatibilityRequired")
        userCount = try stub.uint32("UserCount")
        groupCount = try stub.uint32("GroupCount")
        aliasCount = try stub.uint32("AliasCount")
    }

    fileprivate mutating func parseTexts(
        _ texts: [CountedString], from stub: inout NDRReader
    ) throws(WireError) {
        oemInformation = try stub.samText(of: texts[0], "OemInformation")
        domainName = try stub.samText(of: texts[1], "DomainName")
        replicaSourceNodeName = try stub.samText(of: texts[2], "ReplicaSourceNodeName")
    }

    fileprivate func write(into stub: inout NDRWriter) {
        stub.longPair(forceLogoff)
        stub.samText(head: oemInformation)
        stub.samText(head: domainName)
        stub.samText(head: replicaSourceNodeName)
        stub.longPair(domainModifiedCount)
        stub.uint32(domainServerState)
        stub.uint32(domainServerRole)
        stub.uint8(uasCompatibilityRequired)
        stub.uint32(userCount)
        stub.uint32(groupCount)
        stub.uint32(aliasCount)
    }

    fileprivate func writeTexts(into stub: inout NDRWriter) {
        stub.samText(buffer: oemInformation)
        stub.samText(buffer: domainName)
        stub.samText(buffer: replicaSourceNodeName)
    }
}

/// When accounts are locked out (MS-SAMR 2.2.3.15, SAMPR_DOMAIN_LOCKOUT_INFORMATION). Both times
/// are negative numbers of 100 ns; a threshold of zero locks nobody out.
package struct SamrLockoutPolicy: NDRMessage, Equatable, Sendable {
    package var lockoutDuration: UInt64
    package var lockoutObservationWindow: UInt64
    package var lockoutThreshold: UInt16

    package init(
        lockoutDuration: UInt64 = 0, lockoutObservationWindow: UInt64 = 0,
        lockoutThreshold: UInt16 = 0
    ) {
        self.lockoutDuration = lockoutDuration
        self.lockoutObservationWindow = lockoutObservationWindow
        self.lockoutThreshold = lockoutThreshold
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        lockoutDuration = try stub.uint64("LockoutDuration")
        lockoutObservationWindow = try stub.uint64("LockoutObservationWindow")
        lockoutThreshold = try stub.uint16("LockoutThreshold")
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint64(lockoutDuration)
        stub.uint64(lockoutObservationWindow)
        stub.uint16(lockoutThreshold)
    }
}

/// A class of what there is to know of a domain (MS-SAMR 2.2.3.17, SAMPR_DOMAIN_INFO_BUFFER):
/// the class(2) as the union's tag, then its structure. Times and ages are in 100 ns.
package enum SamrDomainInformation: NDRMessage, Equatable, Sendable {
    case password(SamrPasswordPolicy)
    case general(SamrDomainGeneral)
    case logoff(forceLogoff: UInt64)
    case oem(String)
    case name(String)
    case replication(sourceNodeName: String)
    case serverRole(UInt32)
    case modified(count: UInt64, creationTime: UInt64)
    case state(UInt32)
    case general2(SamrDomainGeneral, SamrLockoutPolicy)
    case lockout(SamrLockoutPolicy)
    case modified2(count: UInt64, creationTime: UInt64, atLastPromotion: UInt64)

    package var informationClass: UInt16 {
        switch self {
        case .password: 1
        case .general: 2
        case .logoff: 3
        case .oem: 4
        case .name: 5
        case .replication: 6
        case .serverRole: 7
        case .modified: 8
        case .state: 9
        case .general2: 11
        case .lockout: 12
        case .modified2: 13
        }
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let tag = try stub.uint16("DomainInformationClass")
        switch tag {
        case 1: self = .password(try SamrPasswordPolicy(parsing: &stub))
        case 2: self = .general(try Self.general(&stub))
        case 3: self = .logoff(forceLogoff: try stub.longPair("ForceLogoff"))
        case 4: self = .oem(try stub.samText("OemInformation"))
        case 5: self = .name(try stub.samText("DomainName"))
        case 6: self = .replication(sourceNodeName: try stub.samText("ReplicaSourceNodeName"))
        case 7: self = .serverRole(try stub.uint32("DomainServerRole"))
        case 8:
            let count = try stub.longPair("DomainModifiedCount")
            self = .modified(count: count, creationTime: try stub.longPair("CreationTime"))
        case 9: self = .state(try stub.uint32("DomainServerState"))
        case 11:
            try stub.align(8, "General")
            var texts: [CountedString] = []
            var general = try SamrDomainGeneral(parsing: &stub, texts: &texts)
            let lockout = try SamrLockoutPolicy(parsing: &stub)
            try general.parseTexts(texts, from: &stub)
            self = .general2(general, lockout)
        case 12: self = .lockout(try SamrLockoutPolicy(parsing: &stub))
        case 13:
            let count = try stub.longPair("DomainModifiedCount")
            let creation = try stub.longPair("CreationTime")
            self = .modified2(
                count: count, creationTime: creation,
                atLastPromotion: try stub.longPair("ModifiedCountAtLastPromotion"))
        case _: throw stub.wire.invalid("DomainInformationClass", Int(tag), width: 2)
        }
    }

    private static func general(_ stub: inout NDRReader) throws(WireError) -> SamrDomainGeneral {
        var texts: [CountedString] = []
        var general = try SamrDomainGeneral(parsing: &stub, texts: &texts)
        try general.parseTexts(texts, from: &stub)
        return general
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint16(informationClass)
        switch self {
        case .password(let policy): policy.write(into: &stub)
        case .general(let general):
            general.write(into: &stub)
            general.writeTexts(into: &stub)
        case .logoff(let forceLogoff): stub.longPair(forceLogoff)
        case .oem(let text), .name(let text), .replication(let text): stub.samText(text)
        case .serverRole(let value), .state(let value): stub.uint32(value)
        case .modified(let count, let creationTime):
            stub.longPair(count)
            stub.longPair(creationTime)
        case .general2(let general, let lockout):
            stub.align(8)
            general.write(into: &stub)
            lockout.write(into: &stub)
            general.writeTexts(into: &stub)
        case .lockout(let lockout): lockout.write(into: &stub)
        case .modified2(let count, let creationTime, let atLastPromotion):
            stub.longPair(count)
            stub.longPair(creationTime)
            stub.longPair(atLastPromotion)
        }
    }
}

/// MS-SAMR 3.1.5.5.1.
package enum SamrQueryInformationDomain2: RemoteProcedure {
    package static let opnum: UInt16 = 46
    package typealias Request = SamrQueryRequest

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Nil where the call failed.
        package var information: SamrDomainInformation?
        package var status: NTStatus

        package init(information: SamrDomainInformation?, status: NTStatus = .success) {
            self.information = information
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            information =
                try stub.pointer("Buffer") ? try SamrDomainInformation(parsing: &stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("SamrQueryInformationDomain2")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(information != nil)
            information?.write(into: &stub)
            stub.status(status)
        }
    }
}

/// MS-SAMR 3.1.5.5.2: the same under its older number.
package enum SamrQueryInformationDomain: RemoteProcedure {
    package static let opnum: UInt16 = 8
    package typealias Request = SamrQueryRequest
    package typealias Response = SamrQueryInformationDomain2.Response
}

/// MS-SAMR 3.1.5.6.1.
package enum SamrSetInformationDomain: RemoteProcedure {
    package static let opnum: UInt16 = 9
    package typealias Response = SamrStatusResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var domainHandle: ContextHandle
        package var information: SamrDomainInformation

        package init(domainHandle: ContextHandle, information: SamrDomainInformation) {
            self.domainHandle = domainHandle
            self.information = information
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            domainHandle = try stub.contextHandle("DomainHandle")
            let informationClass = try stub.uint16("DomainInformationClass")
            information = try SamrDomainInformation(parsing: &stub)
            if information.informationClass != informationClass {
                throw stub.wire.invalid("DomainInformationClass", Int(informationClass))
            }
            try stub.expectEndOfRequest("SamrSetInformationDomain")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(domainHandle)
            stub.uint16(information.informationClass)
            information.write(into: &stub)
        }
    }
}

/// The rules that a password must meet (MS-SAMR 2.2.3.18, USER_DOMAIN_PASSWORD_INFORMATION).
package struct SamrPasswordInformationResponse: NDRMessage, Equatable, Sendable {
    package var minPasswordLength: UInt16
    package var passwordProperties: UInt32
    package var status: NTStatus

    package init(
        minPasswordLength: UInt16, passwordProperties: UInt32, status: NTStatus = .success
    ) {
        self.minPasswordLength = minPasswordLength
        self.passwordProperties = passwordProperties
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        minPasswordLength = try stub.uint16("MinPasswordLength")
        passwordProperties = try stub.uint32("PasswordProperties")
        status = try stub.status("status")
        try stub.expectEnd("PasswordProperties")
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint16(minPasswordLength)
        stub.uint32(passwordProperties)
        stub.status(status)
    }
}

/// The rules for a user's own password (MS-SAMR 3.1.5.13.4).
package enum SamrGetUserDomainPasswordInformation: RemoteProcedure {
    package static let opnum: UInt16 = 44
    package typealias Request = SamrHandleRequest
    package typealias Response = SamrPasswordInformationResponse
}

/// The rules of the server's account domain, for anybody (MS-SAMR 3.1.5.13.5).
package enum SamrGetDomainPasswordInformation: RemoteProcedure {
    package static let opnum: UInt16 = 56
    package typealias Response = SamrPasswordInformationResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var unused: String?

        package init(unused: String? = nil) { self.unused = unused }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            unused = try stub.optionalSAMText("Unused")
            try stub.expectEndOfRequest("SamrGetDomainPasswordInformation")
        }

        package func write(into stub: inout NDRWriter) { stub.optionalSAMText(unused) }
    }
}
