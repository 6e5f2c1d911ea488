import RPC
import Wire

/// Who asks for a secure channel: the parameters that every NetrServerAuthenticate begins with.
package struct ChannelClaim: NDRMessage, Equatable, Sendable {
    package var primaryName: String?
    package var accountName: String
    package var secureChannelType: SecureChannelType
    package var computerName: String
    package var clientCredential: Bytes8

    package init(
        primaryName: String? = nil, accountName: String, secureChannelType: SecureChannelType,
        computerName: String, clientCredential: Bytes8
    ) {
        self.primaryName = primaryName
        self.accountName = accountName
        self.secureChannelType = secureChannelType
        self.computerName = computerName
        self.clientCredential = clientCredential
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        primaryName = try stub.optionalWideText("PrimaryName")
        accountName = try stub.wideText("AccountName")
        secureChannelType = SecureChannelType(
            rawValue: try stub.uint16("SecureChannelType"))
        computerName = try stub.wideText("ComputerName")
        clientCredential = try stub.fixed("ClientCredential")
    }

    package func write(into stub: inout NDRWriter) {
        stub.optionalWideString(primaryName)
        stub.wideString(accountName)
        stub.uint16(secureChannelType.rawValue)
        stub.wideString(computerName)
        stub.fixed(clientCredential)
    }
}

/// Proves both ends to each other, without negotiating anything (MS-NRPC 3.5.4.4.4).
package enum NetrServerAuthenticate: RemoteProcedure {
    package static let opnum: UInt16 = 5

    package struct Request: NDRMessage, Equatable, Sendable {
        package var claim: ChannelClaim

        package init(claim: ChannelClaim) { self.claim = claim }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            claim = try ChannelClaim(parsing: &stub)
            try stub.expectEndOfRequest("NetrServerAuthenticate")
        }

        package func write(into stub: inout NDRWriter) { claim.write(into: &stub) }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var serverCredential: Bytes8
        package var status: NTStatus

        package init(serverCredential: Bytes8, status: NTStatus = .success) {
            self.serverCredential = serverCredential
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverCredential = try stub.fixed("ServerCredential")
            status = try stub.status("status")
            try stub.expectEnd("NetrServerAuthenticate")
        }

        package func write(into stub: inout NDRWriter) {
            stub.fixed(serverCredential)
            stub.status(status)
        }
    }
}

/// The request of NetrServerAuthenticate2 and NetrServerAuthenticate3.
package struct NegotiatingChannelClaim: NDRMessage, Equatable, Sendable {
    package var claim: ChannelClaim
    /// MS-NRPC 3.1.4.2.
    package var negotiateFlags: UInt32

    package init(claim: ChannelClaim, negotiateFlags: UInt32) {
        self.claim = claim
        self.negotiateFlags = negotiateFlags
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        claim = try ChannelClaim(parsing: &stub)
        negotiateFlags = try stub.uint32("NegotiateFlags")
        try stub.expectEndOfRequest("NetrServerAuthenticate")
    }

    package func write(into stub: inout NDRWriter) {
        claim.write(into: &stub)
        stub.uint32(negotiateFlags)
    }
}

/// The same, negotiating what both ends are capable of (MS-NRPC 3.5.4.4.3).
package enum NetrServerAuthenticate2: RemoteProcedure {
    package static let opnum: UInt16 = 15
    package typealias Request = NegotiatingChannelClaim

    package struct Response: NDRMessage, Equatable, Sendable {
        package var serverCredential: Bytes8
        package var negotiateFlags: UInt32
        package var status: NTStatus

        package init(
            serverCredential: Bytes8, negotiateFlags: UInt32, status: NTStatus = .success
        ) {
            self.serverCredential = serverCredential
            self.negotiateFlags = negotiateFlags
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverCredential = try stub.fixed("ServerCredential")
            negotiateFlags = try stub.uint32("NegotiateFlags")
            status = try stub.status("status")
            try stub.expectEnd("NetrServerAuthenticate2")
        }

        package func write(into stub: inout NDRWriter) {
            stub.fixed(serverCredential)
            stub.uint32(negotiateFlags)
            stub.status(status)
        }
    }
}

/// The same, telling the account's relative identifier (MS-NRPC 3.5.4.4.2).
package enum NetrServerAuthenticate3: RemoteProcedure {
    package static let opnum: UInt16 = 26
    package typealias Request = NegotiatingChannelClaim

    package struct Response: NDRMessage, Equatable, Sendable {
        package var serverCredential: Bytes8
        package var negotiateFlags: UInt32
        package var accountRID: UInt32
        package var status: NTStatus

        package init(
            serverCredential: Bytes8, negotiateFlags: UInt32, accountRID: UInt32,
            status: NTStatus = .success
        ) {
            self.serverCredential = serverCredential
            self.negotiateFlags = negotiateFlags
            self.accountRID = accountRID
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverCredential = try stub.fixed("ServerCredential")
            negotiateFlags = try stub.uint32("NegotiateFlags")
            accountRID = try stub.uint32("AccountRid")
            status = try stub.status("status")
            try stub.expectEnd("NetrServerAuthenticate3")
        }

        package func write(into stub: inout NDRWriter) {
            stub.fixed(serverCredential)
            stub.uint32(negotiateFlags)
            stub.uint32(accountRID)
            stub.status(status)
        }
    }
}
