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
        /// DsRolePrimaryDomainInfoBasic; others ask for an upgrade's or a promotion's state.
        package static let basic: UInt16 = 1

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

    package struct Response: NDRMessage, Equatable, Sendable {
        /// A union with its level as tag; nil is a null pointer.
        package var domainInfo: Basic?
        package var status: NetStatus

        package init(domainInfo: Basic?, status: NetStatus = .success) {
            self.domainInfo = domainInfo
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            domainInfo = nil
            if try stub.pointer("DomainInfo") {
                let tag = try stub.uint16("DomainInfo tag")
                if tag != Request.basic {
                    throw stub.wire.invalid("DomainInfo tag", Int(tag), width: 2)
                }
                domainInfo = try Self.parseBasic(&stub)
            }
            status = try stub.netStatus("status")
            try stub.expectEnd("DsRolerGetPrimaryDomainInformation")
        }

        private static func parseBasic(_ stub: inout NDRReader) throws(WireError) -> Basic {
            try stub.align(4, "MachineRole")
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
            if let info = domainInfo {
                stub.uint16(Request.basic)
                stub.align(4)
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
            stub.netStatus(status)
        }
    }
}
