import RPC
import Wire

/// Exchanges the challenges from which both ends compute the session key (MS-NRPC 3.5.4.4.1).
package enum NetrServerReqChallenge: RemoteProcedure {
    package static let opnum: UInt16 = 4

    package struct Request: NDRMessage, Equatable, Sendable {
        package var primaryName: String?
        package var computerName: String
        package var clientChallenge: Bytes8

        package init(primaryName: String? = nil, computerName: String, clientChallenge: Bytes8) {
            self.primaryName = primaryName
            self.computerName = computerName
            self.clientChallenge = clientChallenge
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            primaryName = try stub.optionalWideText("PrimaryName")
            computerName = try stub.wideText("ComputerName")
            clientChallenge = try stub.fixed("ClientChallenge")
            try stub.expectEndOfRequest("NetrServerReqChallenge")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(primaryName)
            stub.wideString(computerName)
            stub.fixed(clientChallenge)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var serverChallenge: Bytes8
        package var status: NTStatus

        package init(serverChallenge: Bytes8, status: NTStatus = .success) {
            self.serverChallenge = serverChallenge
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverChallenge = try stub.fixed("ServerChallenge")
            status = try stub.status("status")
            try stub.expectEnd("NetrServerReqChallenge")
        }

        package func write(into stub: inout NDRWriter) {
            stub.fixed(serverChallenge)
            stub.status(status)
        }
    }
}
