import RPC
import Wire

/// Opens the account that privileges are given to (MS-LSAD 3.1.4.5.3).
package enum LsarOpenAccount: RemoteProcedure {
    package static let opnum: UInt16 = 17
    package typealias Response = OpenedHandle

    package struct Request: NDRMessage, Equatable, Sendable {
        package var policyHandle: ContextHandle
        package var accountSID: SID
        package var desiredAccess: UInt32

        package init(
            policyHandle: ContextHandle, accountSID: SID,
            desiredAccess: UInt32 = LSAAccess.maximumAllowed
        ) {
            self.policyHandle = policyHandle
            self.accountSID = accountSID
            self.desiredAccess = desiredAccess
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            policyHandle = try stub.contextHandle("PolicyHandle")
            accountSID = try stub.sid("AccountSid")
            desiredAccess = try stub.uint32("DesiredAccess")
            try stub.expectEndOfRequest("LsarOpenAccount")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(policyHandle)
            stub.sid(accountSID)
            stub.uint32(desiredAccess)
        }
    }
}

/// A request that names an account by its handle and says no more.
package struct LSAAccountRequest: NDRMessage, Equatable, Sendable {
    package var accountHandle: ContextHandle

    package init(accountHandle: ContextHandle) { self.accountHandle = accountHandle }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        accountHandle = try stub.contextHandle("AccountHandle")
        try stub.expectEndOfRequest("AccountHandle")
    }

    package func write(into stub: inout NDRWriter) { stub.contextHandle(accountHandle) }
}

/// A privilege that an account has (MS-LSAD 2.2.5.4, LSAPR_LUID_AND_ATTRIBUTES): Luid(8)
/// Attributes(4).
package struct HeldPrivilege: NDRElement, Equatable, Sendable {
    package static var byteCount: Int { 12 }

    package var value: UInt64
    package var attributes: UInt32

    package init(value: UInt64, attributes: UInt32 = 0) {
        self.value = value
        self.attributes = attributes
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (HeldPrivilege, Void) {
        let value = try stub.longPair("Luid")
        return (HeldPrivilege(value: value, attributes: try stub.uint32("Attributes")), ())
    }

    package mutating func parsePointees(
        _ pointees: Void, from stub: inout NDRReader
    ) throws(WireError) {}

    package func writeMembers(into stub: inout NDRWriter) {
        stub.longPair(value)
        stub.uint32(attributes)
    }

    package func writePointees(into stub: inout NDRWriter) {}
}

/// Lists the privileges of an account that was opened (MS-LSAD 3.1.4.5.5), as
/// LSAPR_PRIVILEGE_SET (2.2.5.5), whose array's count comes first as NDR has it:
/// ```
/// pointer(4)  maximum(4)  PrivilegeCount(4)  Control(4)  Privilege(12 each)
/// ```
package enum LsarEnumeratePrivilegesAccount: RemoteProcedure {
    package static let opnum: UInt16 = 18
    package typealias Request = LSAAccountRequest
    /// More than there are.
    package static let maximumPrivileges = 1_000

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Nil where the call was refused.
        package var privileges: [HeldPrivilege]?
        package var status: NTStatus

        package init(privileges: [HeldPrivilege]?, status: NTStatus = .success) {
            self.privileges = privileges
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            if try stub.pointer("Privileges") {
                let count = try stub.conformance(
                    elementSize: HeldPrivilege.byteCount,
                    limit: LsarEnumeratePrivilegesAccount.maximumPrivileges, "Privileges")
                let told = try stub.uint32("PrivilegeCount")
                if told != UInt32(count) {
                    throw stub.wire.invalid("PrivilegeCount", Int(told), width: 4)
                }
                _ = try stub.uint32("Control")
                var held: [HeldPrivilege] = []
                for _ in 0..<count { held.append(try HeldPrivilege.parse(&stub).0) }
                privileges = held
            }
            status = try stub.status("status")
            try stub.expectEnd("LsarEnumeratePrivilegesAccount")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(privileges != nil)
            if let privileges {
                stub.uint32(UInt32(privileges.count))
                stub.uint32(UInt32(privileges.count))
                stub.uint32(0)
                for each in privileges { each.writeMembers(into: &stub) }
            }
            stub.status(status)
        }
    }
}

/// In which ways an account may log on to this host (MS-LSAD 3.1.4.5.7).
package enum LsarGetSystemAccessAccount: RemoteProcedure {
    package static let opnum: UInt16 = 23
    package typealias Request = LSAAccountRequest

    package struct Response: NDRMessage, Equatable, Sendable {
        /// MS-LSAD 2.2.1.2: bit 0 interactively, bit 1 over the network.
        package var systemAccess: UInt32
        package var status: NTStatus

        package init(systemAccess: UInt32, status: NTStatus = .success) {
            self.systemAccess = systemAccess
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            systemAccess = try stub.uint32("SystemAccess")
            status = try stub.status("status")
            try stub.expectEnd("LsarGetSystemAccessAccount")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(systemAccess)
            stub.status(status)
        }
    }
}

/// Lists the accounts that have a privilege or a right to log on (MS-LSAD 3.1.4.5.9); any at all,
/// where none is named.
package enum LsarEnumerateAccountsWithUserRight: RemoteProcedure {
    package static let opnum: UInt16 = 35

    package struct Request: NDRMessage, Equatable, Sendable {
        package var policyHandle: ContextHandle
        package var userRight: String?

        package init(policyHandle: ContextHandle, userRight: String?) {
            self.policyHandle = policyHandle
            self.userRight = userRight
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            policyHandle = try stub.contextHandle("PolicyHandle")
            userRight = try stub.pointer("UserRight") ? try stub.unicodeString("UserRight") : nil
            try stub.expectEndOfRequest("LsarEnumerateAccountsWithUserRight")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(policyHandle)
            stub.pointer(userRight != nil)
            if let userRight { stub.unicodeString(userRight) }
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var accounts: [PointedSID]
        package var status: NTStatus

        package init(accounts: [PointedSID], status: NTStatus = .success) {
            self.accounts = accounts
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            let array = try stub.countedArray("EnumerationBuffer")
            accounts = try stub.elements(
                of: array, limit: EnumerationResponse<PointedSID>.maximumEntries,
                "EnumerationBuffer")
            status = try stub.status("status")
            try stub.expectEnd("LsarEnumerateAccountsWithUserRight")
        }

        package func write(into stub: inout NDRWriter) {
            stub.countedArray(accounts.count)
            stub.elements(of: accounts)
            stub.status(status)
        }
    }
}

/// Lists the privileges and rights to log on of an account (MS-LSAD 3.1.4.5.10), by name, as
/// LSAPR_USER_RIGHT_SET (2.2.5.3).
package enum LsarEnumerateAccountRights: RemoteProcedure {
    package static let opnum: UInt16 = 36
    /// MS-LSAD 2.2.5.3.
    package static let maximumRights = 256

    package struct Request: NDRMessage, Equatable, Sendable {
        package var policyHandle: ContextHandle
        package var accountSID: SID

        package init(policyHandle: ContextHandle, accountSID: SID) {
            self.policyHandle = policyHandle
            self.accountSID = accountSID
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            policyHandle = try stub.contextHandle("PolicyHandle")
            accountSID = try stub.sid("AccountSid")
            try stub.expectEndOfRequest("LsarEnumerateAccountRights")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(policyHandle)
            stub.sid(accountSID)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var userRights: [CountedName]
        package var status: NTStatus

        package init(userRights: [CountedName], status: NTStatus = .success) {
            self.userRights = userRights
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            let array = try stub.countedArray("UserRights")
            userRights = try stub.elements(
                of: array, limit: LsarEnumerateAccountRights.maximumRights, "UserRights")
            status = try stub.status("status")
            try stub.expectEnd("LsarEnumerateAccountRights")
        }

        package func write(into stub: inout NDRWriter) {
            stub.countedArray(userRights.count)
            stub.elements(of: userRights)
            stub.status(status)
        }
    }
}
