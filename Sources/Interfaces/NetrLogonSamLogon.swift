import RPC
import Wire

/// Where a logon may go from the controller that is asked, and where it came from
/// (MS-NRPC 3.5.4.5.1, ExtraFlags).
package struct LogonExtraFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Only to a controller of the forest's root domain, in the forest root.
    package static let passToForestRoot = LogonExtraFlags(rawValue: 0x1)
    /// The one hop across forests has been made.
    package static let crossForestHop = LogonExtraFlags(rawValue: 0x2)
    /// From a read-only controller.
    package static let fromReadOnlyController = LogonExtraFlags(rawValue: 0x4)
    /// From a read-only controller that has the user's secrets.
    package static let ntlmPassThrough = LogonExtraFlags(rawValue: 0x8)
}

/// Validates a logon, under sealed RPC and without the chain of credentials, so that calls need
/// no order (MS-NRPC 3.5.4.5.1).
package enum NetrLogonSamLogonEx: RemoteProcedure {
    package static let opnum: UInt16 = 39

    package struct Request: NDRMessage, Equatable, Sendable {
        package var logonServer: String?
        /// Who asks, as it authenticated: Samba's controllers refuse the call without it.
        package var computerName: String?
        package var logonInformation: LogonInformation
        package var validationLevel: ValidationLevel
        package var extraFlags: LogonExtraFlags

        package init(
            logonServer: String? = nil, computerName: String? = nil,
            logonInformation: LogonInformation, validationLevel: ValidationLevel,
            extraFlags: LogonExtraFlags = []
        ) {
            self.logonServer = logonServer
            self.computerName = computerName
            self.logonInformation = logonInformation
            self.validationLevel = validationLevel
            self.extraFlags = extraFlags
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            logonServer = try stub.optionalWideText("LogonServer")
            computerName = try stub.optionalWideText("ComputerName")
            logonInformation = try LogonInformation(parsing: &stub)
            validationLevel = ValidationLevel(rawValue: try stub.uint16("ValidationLevel"))
            extraFlags = LogonExtraFlags(rawValue: try stub.uint32("ExtraFlags"))
            try stub.expectEndOfRequest("NetrLogonSamLogonEx")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(logonServer)
            stub.optionalWideString(computerName)
            logonInformation.write(into: &stub)
            stub.uint16(validationLevel.rawValue)
            stub.uint32(extraFlags.rawValue)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var validation: NetlogonValidation
        /// Whether another domain's controller need not be asked.
        package var isAuthoritative: Bool
        package var extraFlags: LogonExtraFlags
        package var status: NTStatus

        package init(
            validation: NetlogonValidation, isAuthoritative: Bool = true,
            extraFlags: LogonExtraFlags = [], status: NTStatus = .success
        ) {
            self.validation = validation
            self.isAuthoritative = isAuthoritative
            self.extraFlags = extraFlags
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            validation = try NetlogonValidation(parsing: &stub)
            isAuthoritative = try stub.uint8("Authoritative") != 0
            extraFlags = LogonExtraFlags(rawValue: try stub.uint32("ExtraFlags"))
            status = try stub.status("status")
            try stub.expectEnd("NetrLogonSamLogonEx")
        }

        package func write(into stub: inout NDRWriter) {
            validation.write(into: &stub)
            stub.uint8(isAuthoritative ? 1 : 0)
            stub.uint32(extraFlags.rawValue)
            stub.status(status)
        }

        /// With texts and lists in memory of its own.
        package func owned(in reader: borrowing WireReader) throws(WireError) -> Response {
            var copy = self
            copy.validation = try validation.owned(in: reader)
            return copy
        }
    }
}

/// Validates a logon, in the order of the chain of credentials (MS-NRPC 3.5.4.5.3).
package enum NetrLogonSamLogon: RemoteProcedure {
    package static let opnum: UInt16 = 2

    package struct Request: NDRMessage, Equatable, Sendable {
        package var logonServer: String?
        package var computerName: String?
        package var authenticator: NetlogonAuthenticator?
        /// Goes in without meaning; some servers need it to be there.
        package var returnAuthenticator: NetlogonAuthenticator?
        package var logonInformation: LogonInformation
        package var validationLevel: ValidationLevel

        package init(
            logonServer: String? = nil, computerName: String?,
            authenticator: NetlogonAuthenticator?,
            returnAuthenticator: NetlogonAuthenticator? = NetlogonAuthenticator(),
            logonInformation: LogonInformation, validationLevel: ValidationLevel
        ) {
            self.logonServer = logonServer
            self.computerName = computerName
            self.authenticator = authenticator
            self.returnAuthenticator = returnAuthenticator
            self.logonInformation = logonInformation
            self.validationLevel = validationLevel
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            try self.init(parsingOpen: &stub)
            try stub.expectEndOfRequest("NetrLogonSamLogon")
        }

        /// The parameters that NetrLogonSamLogonWithFlags has too.
        init(parsingOpen stub: inout NDRReader) throws(WireError) {
            logonServer = try stub.optionalWideText("LogonServer")
            computerName = try stub.optionalWideText("ComputerName")
            authenticator = try stub.optionalAuthenticator("Authenticator")
            returnAuthenticator = try stub.optionalAuthenticator("ReturnAuthenticator")
            logonInformation = try LogonInformation(parsing: &stub)
            validationLevel = ValidationLevel(rawValue: try stub.uint16("ValidationLevel"))
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(logonServer)
            stub.optionalWideString(computerName)
            stub.optionalAuthenticator(authenticator)
            stub.optionalAuthenticator(returnAuthenticator)
            logonInformation.write(into: &stub)
            stub.uint16(validationLevel.rawValue)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator?
        package var validation: NetlogonValidation
        package var isAuthoritative: Bool
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator?, validation: NetlogonValidation,
            isAuthoritative: Bool = true, status: NTStatus = .success
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.validation = validation
            self.isAuthoritative = isAuthoritative
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try stub.optionalAuthenticator("ReturnAuthenticator")
            validation = try NetlogonValidation(parsing: &stub)
            isAuthoritative = try stub.uint8("Authoritative") != 0
            status = try stub.status("status")
            try stub.expectEnd("NetrLogonSamLogon")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalAuthenticator(returnAuthenticator)
            validation.write(into: &stub)
            stub.uint8(isAuthoritative ? 1 : 0)
            stub.status(status)
        }

        /// With texts and lists in memory of its own.
        package func owned(in reader: borrowing WireReader) throws(WireError) -> Response {
            var copy = self
            copy.validation = try validation.owned(in: reader)
            return copy
        }
    }
}

/// The same with ExtraFlags (MS-NRPC 3.5.4.5.2).
package enum NetrLogonSamLogonWithFlags: RemoteProcedure {
    package static let opnum: UInt16 = 45

    package struct Request: NDRMessage, Equatable, Sendable {
        /// All but the flags, as NetrLogonSamLogon has them.
        package var logon: NetrLogonSamLogon.Request
        package var extraFlags: LogonExtraFlags

        package init(logon: NetrLogonSamLogon.Request, extraFlags: LogonExtraFlags = []) {
            self.logon = logon
            self.extraFlags = extraFlags
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            logon = try NetrLogonSamLogon.Request(parsingOpen: &stub)
            extraFlags = LogonExtraFlags(rawValue: try stub.uint32("ExtraFlags"))
            try stub.expectEndOfRequest("NetrLogonSamLogonWithFlags")
        }

        package func write(into stub: inout NDRWriter) {
            logon.write(into: &stub)
            stub.uint32(extraFlags.rawValue)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator?
        package var validation: NetlogonValidation
        package var isAuthoritative: Bool
        package var extraFlags: LogonExtraFlags
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator?, validation: NetlogonValidation,
            isAuthoritative: Bool = true, extraFlags: LogonExtraFlags = [],
            status: NTStatus = .success
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.validation = validation
            self.isAuthoritative = isAuthoritative
            self.extraFlags = extraFlags
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try stub.optionalAuthenticator("ReturnAuthenticator")
            validation = try NetlogonValidation(parsing: &stub)
            isAuthoritative = try stub.uint8("Authoritative") != 0
            extraFlags = LogonExtraFlags(rawValue: try stub.uint32("ExtraFlags"))
            status = try stub.status("status")
            try stub.expectEnd("NetrLogonSamLogonWithFlags")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalAuthenticator(returnAuthenticator)
            validation.write(into: &stub)
            stub.uint8(isAuthoritative ? 1 : 0)
            stub.uint32(extraFlags.rawValue)
            stub.status(status)
        }

        /// With texts and lists in memory of its own.
        package func owned(in reader: borrowing WireReader) throws(WireError) -> Response {
            var copy = self
            copy.validation = try validation.owned(in: reader)
            return copy
        }
    }
}
