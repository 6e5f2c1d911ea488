import RPC
import Wire

/// Asks again, under the seal, what was negotiated in clear: whoever altered the negotiation is
/// found out (MS-NRPC 3.5.4.4.10).
package enum NetrLogonGetCapabilities: RemoteProcedure {
    package static let opnum: UInt16 = 21

    package struct Request: NDRMessage, Equatable, Sendable {
        /// What the server answered.
        package static let negotiated: UInt32 = 1
        /// What the server was asked for, as it saw it.
        package static let requested: UInt32 = 2

        package var serverName: String
        package var computerName: String?
        package var authenticator: NetlogonAuthenticator
        package var returnAuthenticator: NetlogonAuthenticator
        package var queryLevel: UInt32

        package init(
            serverName: String, computerName: String?, authenticator: NetlogonAuthenticator,
            returnAuthenticator: NetlogonAuthenticator = NetlogonAuthenticator(),
            queryLevel: UInt32 = negotiated
        ) {
            self.serverName = serverName
            self.computerName = computerName
            self.authenticator = authenticator
            self.returnAuthenticator = returnAuthenticator
            self.queryLevel = queryLevel
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.wideText("ServerName")
            computerName = try stub.optionalWideText("ComputerName")
            authenticator = try NetlogonAuthenticator(parsing: &stub)
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            queryLevel = try stub.uint32("QueryLevel")
            try stub.expectEndOfRequest("NetrLogonGetCapabilities")
        }

        package func write(into stub: inout NDRWriter) {
            stub.wideString(serverName)
            stub.optionalWideString(computerName)
            authenticator.write(into: &stub)
            returnAuthenticator.write(into: &stub)
            stub.uint32(queryLevel)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator
        /// The union's tag: the level that was asked.
        package var queryLevel: UInt32
        /// Negotiate flags (3.1.4.2) at either level.
        package var capabilities: UInt32
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator, queryLevel: UInt32 = Request.negotiated,
            capabilities: UInt32, status: NTStatus = .success
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.queryLevel = queryLevel
            self.capabilities = capabilities
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            queryLevel = try stub.uint32("QueryLevel")
            guard queryLevel == Request.negotiated || queryLevel == Request.requested else {
                throw stub.wire.invalid("QueryLevel", Int(clamping: queryLevel), width: 4)
            }
            capabilities = try stub.uint32("ServerCapabilities")
            status = try stub.status("status")
            try stub.expectEnd("NetrLogonGetCapabilities")
        }

        package func write(into stub: inout NDRWriter) {
            returnAuthenticator.write(into: &stub)
            stub.uint32(queryLevel)
            stub.uint32(capabilities)
            stub.status(status)
        }
    }
}
