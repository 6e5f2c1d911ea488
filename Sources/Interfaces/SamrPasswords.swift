import RPC
import Wire

// Changes of a password by who knows the old one. The encrypted values travel as they are; what
// is in them, and under which key, is in MS-SAMR 2.2.7.3 and 3.2.2.

extension NDRReader {
    /// A unique pointer to bytes of a fixed length.
    @_lifetime(self: copy self)
    fileprivate mutating func optionalFixed<let count: Int>(
        _ field: StaticString
    ) throws(WireError) -> FixedBytes<count>? {
        try pointer(field) ? try fixed(field) : nil
    }
}

extension NDRWriter {
    fileprivate mutating func optionalFixed<let count: Int>(_ value: FixedBytes<count>?) {
        pointer(value != nil)
        if let value { fixed(value) }
    }
}

/// Old and new hash, each encrypted under the other (MS-SAMR 3.1.5.10.1). A present flag without
/// its hashes is the caller's to refuse.
package enum SamrChangePasswordUser: RemoteProcedure {
    package static let opnum: UInt16 = 38
    package typealias Response = SamrStatusResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var userHandle: ContextHandle
        package var lmPresent = false
        package var oldLMEncryptedWithNewLM: Bytes16?
        package var newLMEncryptedWithOldLM: Bytes16?
        package var ntPresent = false
        package var oldNTEncryptedWithNewNT: Bytes16?
        package var newNTEncryptedWithOldNT: Bytes16?
        package var ntCrossEncryptionPresent = false
        package var newNTEncryptedWithNewLM: Bytes16?
        package var lmCrossEncryptionPresent = false
        package var newLMEncryptedWithNewNT: Bytes16?

        package init(userHandle: ContextHandle) { self.userHandle = userHandle }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            userHandle = try stub.contextHandle("UserHandle")
            lmPresent = try stub.uint8("LmPresent") != 0
            oldLMEncryptedWithNewLM = try stub.optionalFixed("OldLmEncryptedWithNewLm")
            newLMEncryptedWithOldLM = try stub.optionalFixed("NewLmEncryptedWithOldLm")
            ntPresent = try stub.uint8("NtPresent") != 0
            oldNTEncryptedWithNewNT = try stub.optionalFixed("OldNtEncryptedWithNewNt")
            newNTEncryptedWithOldNT = try stub.optionalFixed("NewNtEncryptedWithOldNt")
            ntCrossEncryptionPresent = try stub.uint8("NtCrossEncryptionPresent") != 0
            newNTEncryptedWithNewLM = try stub.optionalFixed("NewNtEncryptedWithNewLm")
            lmCrossEncryptionPresent = try stub.uint8("LmCrossEncryptionPresent") != 0
            newLMEncryptedWithNewNT = try stub.optionalFixed("NewLmEncryptedWithNewNt")
            try stub.expectEndOfRequest("SamrChangePasswordUser")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(userHandle)
            stub.uint8(lmPresent ? 1 : 0)
            stub.optionalFixed(oldLMEncryptedWithNewLM)
            stub.optionalFixed(newLMEncryptedWithOldLM)
            stub.uint8(ntPresent ? 1 : 0)
            stub.optionalFixed(oldNTEncryptedWithNewNT)
            stub.optionalFixed(newNTEncryptedWithOldNT)
            stub.uint8(ntCrossEncryptionPresent ? 1 : 0)
            stub.optionalFixed(newNTEncryptedWithNewLM)
            stub.uint8(lmCrossEncryptionPresent ? 1 : 0)
            stub.optionalFixed(newLMEncryptedWithNewNT)
        }
    }
}

/// The new password under the old LM hash, as Windows 9x changes it, in the OEM code page
/// (MS-SAMR 3.1.5.10.2). Names come as STRING, in bytes.
package enum SamrOemChangePasswordUser2: RemoteProcedure {
    package static let opnum: UInt16 = 54
    package typealias Response = SamrStatusResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: [UInt8]?
        package var userName: [UInt8]
        package var newPasswordEncryptedWithOldLM: SamrEncryptedPassword?
        package var oldLMOwfPasswordEncryptedWithNewLM: Bytes16?

        package init(
            serverName: [UInt8]? = nil, userName: [UInt8],
            newPasswordEncryptedWithOldLM: SamrEncryptedPassword?,
            oldLMOwfPasswordEncryptedWithNewLM: Bytes16?
        ) {
            self.serverName = serverName
            self.userName = userName
            self.newPasswordEncryptedWithOldLM = newPasswordEncryptedWithOldLM
            self.oldLMOwfPasswordEncryptedWithNewLM = oldLMOwfPasswordEncryptedWithNewLM
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.pointer("ServerName") ? try Self.name(&stub, "ServerName") : nil
            userName = try Self.name(&stub, "UserName")
            newPasswordEncryptedWithOldLM = try stub.optionalFixed("NewPasswordEncryptedWithOldLm")
            oldLMOwfPasswordEncryptedWithNewLM =
                try stub.optionalFixed("OldLmOwfPasswordEncryptedWithNewLm")
            try stub.expectEndOfRequest("SamrOemChangePasswordUser2")
        }

        private static func name(
            _ stub: inout NDRReader, _ field: StaticString
        ) throws(WireError) -> [UInt8] {
            let head = try stub.countedString(field)
            return try stub.bytes(of: head, field) ?? []
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(serverName != nil)
            if let serverName {
                stub.countedBytes(serverName)
                stub.buffer(of: serverName)
            }
            stub.countedBytes(userName)
            stub.buffer(of: userName)
            stub.optionalFixed(newPasswordEncryptedWithOldLM)
            stub.optionalFixed(oldLMOwfPasswordEncryptedWithNewLM)
        }
    }
}

/// The new password under the old NT hash (MS-SAMR 3.1.5.10.3).
package enum SamrUnicodeChangePasswordUser2: RemoteProcedure {
    package static let opnum: UInt16 = 55
    package typealias Response = SamrStatusResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String?
        package var userName: String
        package var newPasswordEncryptedWithOldNT: SamrEncryptedPassword?
        package var oldNTOwfPasswordEncryptedWithNewNT: Bytes16?
        package var lmPresent = false
        package var newPasswordEncryptedWithOldLM: SamrEncryptedPassword?
        package var oldLMOwfPasswordEncryptedWithNewNT: Bytes16?

        package init(
            serverName: String? = nil, userName: String,
            newPasswordEncryptedWithOldNT: SamrEncryptedPassword?,
            oldNTOwfPasswordEncryptedWithNewNT: Bytes16?
        ) {
            self.serverName = serverName
            self.userName = userName
            self.newPasswordEncryptedWithOldNT = newPasswordEncryptedWithOldNT
            self.oldNTOwfPasswordEncryptedWithNewNT = oldNTOwfPasswordEncryptedWithNewNT
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            try self.init(parsingOpen: &stub)
            try stub.expectEndOfRequest("SamrUnicodeChangePasswordUser2")
        }

        /// The parameters that SamrUnicodeChangePasswordUser3 has too.
        fileprivate init(parsingOpen stub: inout NDRReader) throws(WireError) {
            serverName = try stub.optionalSAMText("ServerName")
            userName = try stub.samText("UserName")
            newPasswordEncryptedWithOldNT = try stub.optionalFixed("NewPasswordEncryptedWithOldNt")
            oldNTOwfPasswordEncryptedWithNewNT =
                try stub.optionalFixed("OldNtOwfPasswordEncryptedWithNewNt")
            lmPresent = try stub.uint8("LmPresent") != 0
            newPasswordEncryptedWithOldLM = try stub.optionalFixed("NewPasswordEncryptedWithOldLm")
            oldLMOwfPasswordEncryptedWithNewNT =
                try stub.optionalFixed("OldLmOwfPasswordEncryptedWithNewNt")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalSAMText(serverName)
            stub.samText(userName)
            stub.optionalFixed(newPasswordEncryptedWithOldNT)
            stub.optionalFixed(oldNTOwfPasswordEncryptedWithNewNT)
            stub.uint8(lmPresent ? 1 : 0)
            stub.optionalFixed(newPasswordEncryptedWithOldLM)
            stub.optionalFixed(oldLMOwfPasswordEncryptedWithNewNT)
        }
    }
}

/// The same, told why a password is refused. MS-SAMR leaves the number out; Windows since 2000
/// and every Samba speak it.
package enum SamrUnicodeChangePasswordUser3: RemoteProcedure {
    package static let opnum: UInt16 = 63

    package struct Request: NDRMessage, Equatable, Sendable {
        package var change: SamrUnicodeChangePasswordUser2.Request
        package var additionalData: SamrEncryptedPassword?

        package init(
            change: SamrUnicodeChangePasswordUser2.Request,
            additionalData: SamrEncryptedPassword? = nil
        ) {
            self.change = change
            self.additionalData = additionalData
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            change = try SamrUnicodeChangePasswordUser2.Request(parsingOpen: &stub)
            additionalData = try stub.optionalFixed("AdditionalData")
            try stub.expectEndOfRequest("SamrUnicodeChangePasswordUser3")
        }

        package func write(into stub: inout NDRWriter) {
            change.write(into: &stub)
            stub.optionalFixed(additionalData)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Of a refused password: the rules, and which one it broke.
        package var policy: SamrPasswordPolicy?
        package var reason: UInt32?
        package var status: NTStatus

        package init(
            policy: SamrPasswordPolicy? = nil, reason: UInt32? = nil, status: NTStatus = .success
        ) {
            self.policy = policy
            self.reason = reason
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            policy = try stub.pointer("EffectivePasswordPolicy")
                ? try SamrPasswordPolicy(parsing: &stub) : nil
            reason = nil
            if try stub.pointer("PasswordChangeFailureInfo") {
                reason = try stub.uint32("ExtendedFailureReason")
                _ = try stub.samText("FilterModuleName")
            }
            status = try stub.status("status")
            try stub.expectEnd("SamrUnicodeChangePasswordUser3")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(policy != nil)
            policy?.write(into: &stub)
            stub.pointer(reason != nil)
            if let reason {
                stub.uint32(reason)
                stub.samText("")
            }
            stub.status(status)
        }
    }
}
