import RPC
import Wire

/// Tells that a user logged off, for the controller's statistics (MS-NRPC 3.5.4.5.4).
package enum NetrLogonSamLogoff: RemoteProcedure {
    package static let opnum: UInt16 = 3

    package struct Request: NDRMessage, Equatable, Sendable {
        package var logonServer: String?
        package var computerName: String?
        package var authenticator: NetlogonAuthenticator?
        package var returnAuthenticator: NetlogonAuthenticator?
        package var logonInformation: LogonInformation

        package init(
            logonServer: String? = nil, computerName: String?,
            authenticator: NetlogonAuthenticator?,
            returnAuthenticator: NetlogonAuthenticator? = NetlogonAuthenticator(),
            logonInformation: LogonInformation
        ) {
            self.logonServer = logonServer
            self.computerName = computerName
            self.authenticator = authenticator
            self.returnAuthenticator = returnAuthenticator
            self.logonInformation = logonInformation
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            logonServer = try stub.optionalWideText("LogonServer")
            computerName = try stub.optionalWideText("ComputerName")
            authenticator = try stub.optionalAuthenticator("Authenticator")
            returnAuthenticator = try stub.optionalAuthenticator("ReturnAuthenticator")
            logonInformation = try LogonInformation(parsing: &stub)
            try stub.expectEndOfRequest("NetrLogonSamLogoff")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(logonServer)
            stub.optionalWideString(computerName)
            stub.optionalAuthenticator(authenticator)
            stub.optionalAuthenticator(returnAuthenticator)
            logonInformation.write(into: &stub)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator?
        package var status: NTStatus

        package init(returnAuthenticator: NetlogonAuthenticator?, status: NTStatus = .success) {
            self.returnAuthenticator = returnAuthenticator
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try stub.optionalAuthenticator("ReturnAuthenticator")
            status = try stub.status("status")
            try stub.expectEnd("NetrLogonSamLogoff")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalAuthenticator(returnAuthenticator)
            stub.status(status)
        }
    }
}
