import RPC
import Wire

/// Tells a member of its domain, and the controller of the member (MS-NRPC 3.5.4.4.9).
package enum NetrLogonGetDomainInfo: RemoteProcedure {
    package static let opnum: UInt16 = 29
    /// The one Level that is asked for here: domain information. Level 2 asks for a policy that
    /// never was defined.
    package static let domainInformationLevel: UInt32 = 1

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String
        package var computerName: String?
        package var authenticator: NetlogonAuthenticator
        package var returnAuthenticator: NetlogonAuthenticator
        package var workstation: WorkstationInfo?

        package init(
            serverName: String, computerName: String?, authenticator: NetlogonAuthenticator,
            returnAuthenticator: NetlogonAuthenticator = NetlogonAuthenticator(),
            workstation: WorkstationInfo?
        ) {
            self.serverName = serverName
            self.computerName = computerName
            self.authenticator = authenticator
            self.returnAuthenticator = returnAuthenticator
            self.workstation = workstation
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.wideText("ServerName")
            computerName = try stub.optionalWideText("ComputerName")
            authenticator = try NetlogonAuthenticator(parsing: &stub)
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            let level = try stub.uint32("Level")
            let tag = try stub.uint32("WkstaBuffer tag")
            if level != domainInformationLevel || tag != level {
                throw stub.wire.invalid("Level", Int(clamping: level), width: 8)
            }
            workstation =
                try stub.pointer("WkstaBuffer") ? try WorkstationInfo(parsing: &stub) : nil
            try stub.expectEndOfRequest("NetrLogonGetDomainInfo")
        }

        package func write(into stub: inout NDRWriter) {
            stub.wideString(serverName)
            stub.optionalWideString(computerName)
            authenticator.write(into: &stub)
            returnAuthenticator.write(into: &stub)
            stub.uint32(domainInformationLevel)
            stub.uint32(domainInformationLevel)
            stub.pointer(workstation != nil)
            workstation?.write(into: &stub)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator
        package var domainInformation: DomainInformation?
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator, domainInformation: DomainInformation?,
            status: NTStatus = .success
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.domainInformation = domainInformation
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            let tag = try stub.uint32("DomBuffer tag")
            if tag != domainInformationLevel {
                throw stub.wire.invalid("DomBuffer tag", Int(clamping: tag), width: 4)
            }
            domainInformation =
                try stub.pointer("DomBuffer") ? try DomainInformation(parsing: &stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("NetrLogonGetDomainInfo")
        }

        package func write(into stub: inout NDRWriter) {
            returnAuthenticator.write(into: &stub)
            stub.uint32(domainInformationLevel)
            stub.pointer(domainInformation != nil)
            domainInformation?.write(into: &stub)
            stub.status(status)
        }
    }
}
