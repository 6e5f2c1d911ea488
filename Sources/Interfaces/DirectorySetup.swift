import RPC
import Wire

/// The Directory Services Setup Remote Protocol (MS-DSSP).
package enum DirectorySetup {
    package static let interface = SyntaxID(
        GUID(
            data1: 0x3919_286a, data2: 0xb10c, data3: 0x11d0, data4: 0x9ba8_00c0_4fd9_2ef5), 0)
}

/// A computer's role in its domain (MS-DSSP 2.2.1, DSROLE_MACHINE_ROLE).
package struct MachineRole: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let standaloneWorkstation = MachineRole(rawValue: 0)
    package static let memberWorkstation = MachineRole(rawValue: 1)
    package static let standaloneServer = MachineRole(rawValue: 2)
    package static let memberServer = MachineRole(rawValue: 3)
    package static let backupController = MachineRole(rawValue: 4)
    package static let primaryController = MachineRole(rawValue: 5)
}

/// Which domain a computer is of, and as what (MS-DSSP 3.2.5.1).
package enum DsRolerGetPrimaryDomainInformation: RemoteProcedure {
    package static let opnum: UInt16 = 0

    package struct Request: NDRMessage, Equatable, Sendable {
        /// DsRolePrimaryDomainInfoBasic.
        package static let basic: UInt16 = 1
        /// DsRoleUpgradeStatus.
        package static let upgradeStatus: UInt16 = 2
        /// DsRoleOperationState.
        package static let operationState: UInt16 = 3

        package var infoLevel: UInt16

        package init(infoLevel: UInt16 = basic) { self.infoLevel = infoLevel }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            infoLevel = try stub.uint16("InfoLevel")
            try stub.expectEndOfRequest("DsRolerGetPrimaryDomainInformation")
        }

        package func write(into stub: inout NDRWriter) { stub.uint16(infoLevel) }
    }

    /// DSROLER_PRIMARY_DOMAIN_INFO_BASIC (2.2.2):
    /// ```
    /// MachineRole(2)  Flags(4)  DomainNameFlat(4)  DomainNameDns(4)  DomainForestName(4)
    /// DomainGuid(16)
    /// ```
    package struct Basic: Equatable, Sendable {
        package var machineRole: MachineRole
        package var flags: UInt32
        package var domainNameFlat: String?
        package var domainNameDNS: String?
        package var domainForestName: String?
        package var domainGUID: GUID

        package init(
            machineRole: MachineRole, flags: UInt32 = 0, domainNameFlat: String?,
            domainNameDNS: String? = nil, domainForestName: String? = nil,
            domainGUID: GUID = .zero
        ) {
            self.machineRole = machineRole
            self.flags = flags
            self.domainNameFlat = domainNameFlat
            self.domainNameDNS = domainNameDNS
            self.domainForestName = domainForestName
            self.domainGUID = domainGUID
        }
    }

    /// DSROLER_PRIMARY_DOMAIN_INFORMATION (2.2.6): a union with its level as tag.
    package enum Information: Equatable, Sendable {
        case basic(Basic)
        /// DSROLE_UPGRADE_STATUS_INFO (2.2.3): whether an upgrade is under way(4), and what the
        /// computer was before(2).
        case upgradeStatus(operationState: UInt32, previousServerState: UInt16)
        /// DSROLE_OPERATION_STATE_INFO (2.2.4): 0 where nothing is under way(2).
        case operationState(UInt16)
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Nil is a null pointer.
        package var domainInfo: Information?
        package var status: NetStatus

        package init(domainInfo: Information?, status: NetStatus = .success) {
            self.domainInfo = domainInfo
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            domainInfo = nil
            if try stub.pointer("DomainInfo") {
                domainInfo = try Self.parse(&stub)
            }
            status = try stub.netStatus("status")
            try stub.expectEnd("DsRolerGetPrimaryDomainInformation")
        }

        private static func parse(_ stub: inout NDRReader) throws(WireError) -> Information {
            let tag = try stub.uint16("DomainInfo tag")
            try stub.align(4, "DomainInfo")
            switch tag {
            case Request.basic: return .basic(try parseBasic(&stub))
            case Request.upgradeStatus:
                let state = try stub.uint32("OperationState")
                return .upgradeStatus(
                    operationState: state,
                    previousServerState: try stub.uint16("PreviousServerState"))
            case Request.operationState:
                return .operationState(try stub.uint16("OperationState"))
            case _: throw stub.wire.invalid("DomainInfo tag", Int(tag), width: 4)
            }
        }

        private static func parseBasic(_ stub: inout NDRReader) throws(WireError) -> Basic {
            let role = MachineRole(rawValue: try stub.uint16("MachineRole"))
            let flags = try stub.uint32("Flags")
            let hasFlat = try stub.pointer("DomainNameFlat")
            let hasDNS = try stub.pointer("DomainNameDns")
            let hasForest = try stub.pointer("DomainForestName")
            let guid = try GUID(parsing: &stub.wire)
            let flat = hasFlat ? try stub.wideText("DomainNameFlat") : nil
            let dns = hasDNS ? try stub.wideText("DomainNameDns") : nil
            let forest = hasForest ? try stub.wideText("DomainForestName") : nil
            return Basic(
                machineRole: role, flags: flags, domainNameFlat: flat, domainNameDNS: dns,
                domainForestName: forest, domainGUID: guid)
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(domainInfo != nil)
            switch domainInfo {
            case .basic(let info):
                stub.uint16(Request.basic)
                stub.align(4)
                Self.write(info, into: &stub)
            case .upgradeStatus(let state, let previous):
                stub.uint16(Request.upgradeStatus)
                stub.uint32(state)
                stub.uint16(previous)
            case .operationState(let state):
                stub.uint16(Request.operationState)
                stub.align(4)
                stub.uint16(state)
            case nil: break
            }
            stub.netStatus(status)
        }

        private static func write(_ info: Basic, into stub: inout NDRWriter) {
            stub.uint16(info.machineRole.rawValue)
            stub.uint32(info.flags)
            stub.pointer(info.domainNameFlat != nil)
            stub.pointer(info.domainNameDNS != nil)
            stub.pointer(info.domainForestName != nil)
            info.domainGUID.write(into: &stub.wire)
            if let text = info.domainNameFlat { stub.wideString(text) }
            if let text = info.domainNameDNS { stub.wideString(text) }
            if let text = info.domainForestName { stub.wideString(text) }
        }
    }
}
