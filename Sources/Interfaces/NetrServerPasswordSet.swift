import RPC
import Wire

/// A call on behalf of the channel's own account: the parameters that both NetrServerPasswordSet
/// calls begin with.
package struct AccountCall: NDRMessage, Equatable, Sendable {
    package var primaryName: String?
    package var accountName: String
    package var secureChannelType: SecureChannelType
    package var computerName: String
    package var authenticator: NetlogonAuthenticator

    package init(
        primaryName: String? = nil, accountName: String, secureChannelType: SecureChannelType,
        computerName: String, authenticator: NetlogonAuthenticator
    ) {
        self.primaryName = primaryName
        self.accountName = accountName
        self.secureChannelType = secureChannelType
        self.computerName = computerName
        self.authenticator = authenticator
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        primaryName = try stub.optionalWideText("PrimaryName")
        accountName = try stub.wideText("AccountName")
        secureChannelType = SecureChannelType(
            rawValue: try stub.uint16("SecureChannelType"))
        computerName = try stub.wideText("ComputerName")
        authenticator = try NetlogonAuthenticator(parsing: &stub)
    }

    package func write(into stub: inout NDRWriter) {
        stub.optionalWideString(primaryName)
        stub.wideString(accountName)
        stub.uint16(secureChannelType.rawValue)
        stub.wideString(computerName)
        authenticator.write(into: &stub)
    }
}

/// The response of a call that returns nothing but its authenticator.
package struct AuthenticatedStatus: NDRMessage, Equatable, Sendable {
    package var returnAuthenticator: NetlogonAuthenticator
    package var status: NTStatus

    package init(returnAuthenticator: NetlogonAuthenticator, status: NTStatus = .success) {
        self.returnAuthenticator = returnAuthenticator
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
        status = try stub.status("status")
        try stub.expectEnd("status")
    }

    package func write(into stub: inout NDRWriter) {
        returnAuthenticator.write(into: &stub)
        stub.status(status)
    }
}

/// Sets the account's password by its hash (MS-NRPC 3.5.4.4.6).
package enum NetrServerPasswordSet: RemoteProcedure {
    package static let opnum: UInt16 = 6
    package typealias Response = AuthenticatedStatus

    package struct Request: NDRMessage, Equatable, Sendable {
        package var account: AccountCall
        /// UasNewPassword: NTOWFv1 of the password, encrypted with the session key (2.2.1.1.4).
        package var newPassword: Bytes16

        package init(account: AccountCall, newPassword: Bytes16) {
            self.account = account
            self.newPassword = newPassword
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            account = try AccountCall(parsing: &stub)
            newPassword = try stub.fixed("UasNewPassword")
            try stub.expectEndOfRequest("NetrServerPasswordSet")
        }

        package func write(into stub: inout NDRWriter) {
            account.write(into: &stub)
            stub.fixed(newPassword)
        }
    }
}

/// NL_TRUST_PASSWORD (MS-NRPC 2.2.1.3.7): 512 bytes that end with the password in UTF-16LE and
/// begin with random bytes, then the password's length(4); all of it encrypted.
package typealias EncryptedTrustPassword = FixedBytes<516>

/// Sets the account's password (MS-NRPC 3.5.4.4.5).
package enum NetrServerPasswordSet2: RemoteProcedure {
    package static let opnum: UInt16 = 30
    package typealias Response = AuthenticatedStatus

    package struct Request: NDRMessage, Equatable, Sendable {
        package var account: AccountCall
        package var clearNewPassword: EncryptedTrustPassword

        package init(account: AccountCall, clearNewPassword: EncryptedTrustPassword) {
            self.account = account
            self.clearNewPassword = clearNewPassword
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            account = try AccountCall(parsing: &stub)
            try stub.align(4, "ClearNewPassword")
            clearNewPassword = try stub.fixed("ClearNewPassword")
            try stub.expectEndOfRequest("NetrServerPasswordSet2")
        }

        package func write(into stub: inout NDRWriter) {
            account.write(into: &stub)
            stub.align(4)
            stub.fixed(clearNewPassword)
        }
    }
}
