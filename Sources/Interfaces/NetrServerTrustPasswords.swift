import RPC
import Wire

/// The request of the calls by which a controller reads the secrets of an account of its channel:
/// TrustedDcName, AccountName, SecureChannelType, ComputerName, Authenticator.
package struct TrustQuery: NDRMessage, Equatable, Sendable {
    package var account: AccountCall

    package init(account: AccountCall) { self.account = account }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        account = try AccountCall(parsing: &stub)
        try stub.expectEndOfRequest("TrustedDcName")
    }

    package func write(into stub: inout NDRWriter) { account.write(into: &stub) }
}

/// Gives a backup controller the hash of a machine account (MS-NRPC 3.5.4.4.7).
package enum NetrServerPasswordGet: RemoteProcedure {
    package static let opnum: UInt16 = 31
    package typealias Request = TrustQuery

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator
        /// Encrypted with the session key.
        package var encryptedNTOwfPassword: Bytes16
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator, encryptedNTOwfPassword: Bytes16,
            status: NTStatus = .success
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.encryptedNTOwfPassword = encryptedNTOwfPassword
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            encryptedNTOwfPassword = try stub.fixed("EncryptedNtOwfPassword")
            status = try stub.status("status")
            try stub.expectEnd("NetrServerPasswordGet")
        }

        package func write(into stub: inout NDRWriter) {
            returnAuthenticator.write(into: &stub)
            stub.fixed(encryptedNTOwfPassword)
            stub.status(status)
        }
    }
}

/// Gives the hashes of an account's present and former password (MS-NRPC 3.5.4.4.8).
package enum NetrServerTrustPasswordsGet: RemoteProcedure {
    package static let opnum: UInt16 = 42
    package typealias Request = TrustQuery

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator
        /// Both encrypted with the session key.
        package var encryptedNewOwfPassword: Bytes16
        package var encryptedOldOwfPassword: Bytes16
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator, encryptedNewOwfPassword: Bytes16,
            encryptedOldOwfPassword: Bytes16, status: NTStatus = .success
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.encryptedNewOwfPassword = encryptedNewOwfPassword
            self.encryptedOldOwfPassword = encryptedOldOwfPassword
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            encryptedNewOwfPassword = try stub.fixed("EncryptedNewOwfPassword")
            encryptedOldOwfPassword = try stub.fixed("EncryptedOldOwfPassword")
            status = try stub.status("status")
            try stub.expectEnd("NetrServerTrustPasswordsGet")
        }

        package func write(into stub: inout NDRWriter) {
            returnAuthenticator.write(into: &stub)
            stub.fixed(encryptedNewOwfPassword)
            stub.fixed(encryptedOldOwfPassword)
            stub.status(status)
        }
    }
}

/// Numbers and texts whose meaning the call says (MS-NRPC 2.2.1.6.4, NL_GENERIC_RPC_DATA):
/// UlongEntryCount(4) UlongData(4) UnicodeStringEntryCount(4) UnicodeStringData(4).
package struct GenericRPCData: NDRMessage, Equatable, Sendable {
    package static let maximumEntries = 1_024

    package var numbers: [UInt32]
    package var texts: [CountedName]

    package init(numbers: [UInt32], texts: [CountedName] = []) {
        self.numbers = numbers
        self.texts = texts
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        let numberArray = try stub.countedArray("UlongData")
        let textArray = try stub.countedArray("UnicodeStringData")
        numbers = []
        if numberArray.hasElements {
            let count = try stub.conformance(
                elementSize: 4, limit: Self.maximumEntries, "UlongData")
            if count != numberArray.count { throw stub.wire.invalid("UlongEntryCount", count) }
            for _ in 0..<count { numbers.append(try stub.uint32("UlongData")) }
        }
        texts = try stub.elements(
            of: textArray, limit: Self.maximumEntries, "UnicodeStringData")
    }

    package func write(into stub: inout NDRWriter) {
        stub.countedArray(numbers.count)
        stub.countedArray(texts.count)
        if !numbers.isEmpty {
            stub.uint32(UInt32(numbers.count))
            for number in numbers { stub.uint32(number) }
        }
        stub.elements(of: texts)
    }
}

/// The same, and the trust's attributes as its first number (MS-NRPC 3.5.4.7.6).
package enum NetrServerGetTrustInfo: RemoteProcedure {
    package static let opnum: UInt16 = 46
    package typealias Request = TrustQuery

    package struct Response: NDRMessage, Equatable, Sendable {
        package var returnAuthenticator: NetlogonAuthenticator
        package var encryptedNewOwfPassword: Bytes16
        package var encryptedOldOwfPassword: Bytes16
        package var trustInfo: GenericRPCData?
        package var status: NTStatus

        package init(
            returnAuthenticator: NetlogonAuthenticator, encryptedNewOwfPassword: Bytes16,
            encryptedOldOwfPassword: Bytes16, trustInfo: GenericRPCData?,
            status: NTStatus = .success
        ) {
            self.returnAuthenticator = returnAuthenticator
            self.encryptedNewOwfPassword = encryptedNewOwfPassword
            self.encryptedOldOwfPassword = encryptedOldOwfPassword
            self.trustInfo = trustInfo
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            returnAuthenticator = try NetlogonAuthenticator(parsing: &stub)
            encryptedNewOwfPassword = try stub.fixed("EncryptedNewOwfPassword")
            encryptedOldOwfPassword = try stub.fixed("EncryptedOldOwfPassword")
            trustInfo = try stub.pointer("TrustInfo") ? try GenericRPCData(parsing: &stub) : nil
            status = try stub.status("status")
            try stub.expectEnd("NetrServerGetTrustInfo")
        }

        package func write(into stub: inout NDRWriter) {
            returnAuthenticator.write(into: &stub)
            stub.fixed(encryptedNewOwfPassword)
            stub.fixed(encryptedOldOwfPassword)
            stub.pointer(trustInfo != nil)
            trustInfo?.write(into: &stub)
            stub.status(status)
        }
    }
}
