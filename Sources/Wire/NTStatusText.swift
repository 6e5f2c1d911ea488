extension NTStatus {
    /// What people are told about one code. The texts are MS-ERREF's, cut to what applies.
    struct Known {
        let code: UInt32
        let name: StaticString
        let text: StaticString

        init(_ code: UInt32, _ name: StaticString, _ text: StaticString) {
            self.code = code
            self.name = name
            self.text = text
        }

        static var tables: [[Known]] {
            [general, pipes, connections, accounts, logons, domains, calls]
        }
    }
}

// MARK: General

extension NTStatus.Known {
    static let general: [NTStatus.Known] = [
        .init(0x0000_0000, "OK", "The operation completed successfully."),
        .init(0x0000_0103, "PENDING", "The operation that was requested is pending completion."),
        .init(
            0x0000_0105, "MORE_ENTRIES",
            """
            Returned by enumeration APIs to indicate more information is available to \
            successive calls.
            """),
        .init(
            0x8000_0005, "BUFFER_OVERFLOW",
            "{Buffer Overflow} The data was too large to fit into the specified buffer."),
        .init(
            0x8000_001a, "NO_MORE_ENTRIES",
            "{No More Entries} No more entries are available from an enumeration operation."),
        .init(
            0xc000_0001, "UNSUCCESSFUL",
            "{Operation Failed} The requested operation was unsuccessful."),
        .init(
            0xc000_0002, "NOT_IMPLEMENTED",
            "{Not Implemented} The requested operation is not implemented."),
        .init(
            0xc000_0003, "INVALID_INFO_CLASS",
            """
            {Invalid Parameter} The specified information class is not a valid information \
            class for the specified object.
            """),
        .init(
            0xc000_0004, "INFO_LENGTH_MISMATCH",
            """
            The specified information record length does not match the length that is \
            required for the specified information class.
            """),
        .init(0xc000_0008, "INVALID_HANDLE", "An invalid HANDLE was specified."),
        .init(
            0xc000_000d, "INVALID_PARAMETER",
            "An invalid parameter was passed to a service or function."),
        .init(0xc000_000f, "NO_SUCH_FILE", "{File Not Found} The file %hs does not exist."),
        .init(
            0xc000_0010, "INVALID_DEVICE_REQUEST",
            "The specified request is not a valid operation for the target device."),
        .init(
            0xc000_0016, "MORE_PROCESSING_REQUIRED",
            """
            {Still Busy} The specified I/O request packet (IRP) cannot be disposed of \
            because the I/O operation is not complete.
            """),
        .init(
            0xc000_0017, "NO_MEMORY",
            """
            {Not Enough Quota} Not enough virtual memory or paging file quota is available \
            to complete the specified operation.
            """),
        .init(
            0xc000_0022, "ACCESS_DENIED",
            """
            {Access Denied} A process has requested access to an object but has not been \
            granted those access rights.
            """),
        .init(
            0xc000_0023, "BUFFER_TOO_SMALL",
            """
            {Buffer Too Small} The buffer is too small to contain the entry. No information \
            has been written to the buffer.
            """),
        .init(0xc000_0033, "OBJECT_NAME_INVALID", "The object name is invalid."),
        .init(0xc000_0034, "OBJECT_NAME_NOT_FOUND", "The object name is not found."),
        .init(0xc000_0035, "OBJECT_NAME_COLLISION", "The object name already exists."),
        .init(
            0xc000_003a, "OBJECT_PATH_NOT_FOUND",
            "{Path Not Found} The path %hs does not exist."),
        .init(
            0xc000_009a, "INSUFFICIENT_RESOURCES",
            "Insufficient system resources exist to complete the API."),
        .init(
            0xc000_00b5, "IO_TIMEOUT",
            """
            {Device Timeout} The specified I/O operation on %hs was not completed before the \
            time-out period expired.
            """),
        .init(0xc000_00bb, "NOT_SUPPORTED", "The request is not supported."),
        .init(0xc000_00e5, "INTERNAL_ERROR", "An internal error occurred."),
        .init(0xc000_0120, "CANCELLED", "The I/O request was canceled."),
        .init(
            0xc000_0148, "INVALID_LEVEL",
            """
            {Incorrect System Call Level} An invalid level was passed into the specified \
            system call.
            """),
        .init(
            0xc000_0184, "INVALID_DEVICE_STATE",
            "The device is not in a valid state to perform this request."),
        .init(
            0xc000_0205, "INSUFF_SERVER_RESOURCES",
            "Insufficient server resources exist to complete the request."),
        .init(0xc000_0225, "NOT_FOUND", "The object was not found."),
        .init(0xc000_0272, "NO_MATCH", "There was no match for the specified key in the index."),
    ]
}

// MARK: Sessions, shares and pipes

extension NTStatus.Known {
    static let pipes: [NTStatus.Known] = [
        .init(
            0xc000_0043, "SHARING_VIOLATION",
            "A file cannot be opened because the share access flags are incompatible."),
        .init(
            0xc000_00ab, "INSTANCE_NOT_AVAILABLE",
            "The maximum named pipe instance count has been reached."),
        .init(
            0xc000_00ac, "PIPE_NOT_AVAILABLE",
            "An instance of a named pipe cannot be found in the listening state."),
        .init(
            0xc000_00ad, "INVALID_PIPE_STATE",
            "The named pipe is not in the connected or closing state."),
        .init(
            0xc000_00ae, "PIPE_BUSY",
            """
            The specified pipe is set to complete operations and there are current I/O \
            operations queued so that it cannot be changed to queue operations.
            """),
        .init(
            0xc000_00b0, "PIPE_DISCONNECTED",
            "The specified named pipe is in the disconnected state."),
        .init(0xc000_00b1, "PIPE_CLOSING", "The specified named pipe is in the closing state."),
        .init(0xc000_00be, "BAD_NETWORK_PATH", "The network path cannot be located."),
        .init(0xc000_00bf, "NETWORK_BUSY", "The network is busy."),
        .init(0xc000_00c3, "INVALID_NETWORK_RESPONSE", "The network responded incorrectly."),
        .init(0xc000_00c4, "UNEXPECTED_NETWORK_ERROR", "An unexpected network error occurred."),
        .init(0xc000_00c9, "NETWORK_NAME_DELETED", "The network name was deleted."),
        .init(0xc000_00ca, "NETWORK_ACCESS_DENIED", "Network access is denied."),
        .init(
            0xc000_00cc, "BAD_NETWORK_NAME",
            """
            {Network Name Not Found} The specified share name cannot be found on the remote \
            server.
            """),
        .init(
            0xc000_00d0, "REQUEST_NOT_ACCEPTED",
            """
            No more connections can be made to this remote computer at this time because the \
            computer has already accepted the maximum number of connections.
            """),
        .init(
            0xc000_0128, "FILE_CLOSED",
            """
            An I/O request other than close and several other special case operations was \
            attempted using a file object that had already been closed.
            """),
        .init(
            0xc000_014b, "PIPE_BROKEN",
            "The pipe operation has failed because the other end of the pipe has been closed."),
        .init(0xc000_0203, "USER_SESSION_DELETED", "The remote user session has been deleted."),
        .init(
            0xc000_035c, "NETWORK_SESSION_EXPIRED",
            """
            The client session has expired; so the client must re-authenticate to continue \
            accessing the remote resources.
            """),
    ]
}

// MARK: Connections

extension NTStatus.Known {
    static let connections: [NTStatus.Known] = [
        .init(
            0xc000_020c, "CONNECTION_DISCONNECTED",
            "The transport connection is now disconnected."),
        .init(0xc000_020d, "CONNECTION_RESET", "The transport connection has been reset."),
        .init(
            0xc000_0236, "CONNECTION_REFUSED",
            "The transport-connection attempt was refused by the remote system."),
        .init(
            0xc000_0237, "GRACEFUL_DISCONNECT",
            "The transport connection was gracefully closed."),
        .init(
            0xc000_023a, "CONNECTION_INVALID",
            "An operation was attempted on a nonexistent transport connection."),
        .init(
            0xc000_023c, "NETWORK_UNREACHABLE",
            "The remote network is not reachable by the transport."),
        .init(
            0xc000_023d, "HOST_UNREACHABLE",
            "The remote system is not reachable by the transport."),
        .init(
            0xc000_023f, "PORT_UNREACHABLE",
            """
            No service is operating at the destination port of the transport on the remote \
            system.
            """),
        .init(
            0xc000_0241, "CONNECTION_ABORTED",
            "The transport connection was aborted by the local system."),
    ]
}

// MARK: Accounts and passwords

extension NTStatus.Known {
    static let accounts: [NTStatus.Known] = [
        .init(0xc000_0060, "NO_SUCH_PRIVILEGE", "A specified privilege does not exist."),
        .init(0xc000_0061, "PRIVILEGE_NOT_HELD", "A required privilege is not held by the client."),
        .init(
            0xc000_0062, "INVALID_ACCOUNT_NAME",
            "The name provided is not a properly formed account name."),
        .init(0xc000_0063, "USER_EXISTS", "The specified account already exists."),
        .init(0xc000_0064, "NO_SUCH_USER", "The specified account does not exist."),
        .init(0xc000_0065, "GROUP_EXISTS", "The specified group already exists."),
        .init(0xc000_0066, "NO_SUCH_GROUP", "The specified group does not exist."),
        .init(
            0xc000_0067, "MEMBER_IN_GROUP",
            """
            The specified user account is already in the specified group account. Also used \
            to indicate a group cannot be deleted because it contains a member.
            """),
        .init(
            0xc000_0068, "MEMBER_NOT_IN_GROUP",
            "The specified user account is not a member of the specified group account."),
        .init(
            0xc000_006a, "WRONG_PASSWORD",
            """
            When trying to update a password, this return status indicates that the value \
            provided as the current password is not correct.
            """),
        .init(
            0xc000_006b, "ILL_FORMED_PASSWORD",
            """
            When trying to update a password, this return status indicates that the value \
            provided for the new password contains values that are not allowed in passwords.
            """),
        .init(
            0xc000_006c, "PASSWORD_RESTRICTION",
            """
            When trying to update a password, this status indicates that some password \
            update rule has been violated. For example, the password might not meet length \
            criteria.
            """),
        .init(
            0xc000_0124, "SPECIAL_ACCOUNT",
            "The operation requested cannot be performed on a built-in account."),
        .init(
            0xc000_0125, "SPECIAL_GROUP",
            "The operation requested cannot be performed on a built-in group."),
        .init(
            0xc000_0127, "MEMBERS_PRIMARY_GROUP",
            "The group cannot be left: it is the member's primary group."),
        .init(0xc000_0151, "NO_SUCH_ALIAS", "The specified local group does not exist."),
        .init(
            0xc000_0152, "MEMBER_NOT_IN_ALIAS",
            "The specified account name is not a member of the group."),
        .init(
            0xc000_0153, "MEMBER_IN_ALIAS",
            "The specified account name is already a member of the group."),
        .init(0xc000_0154, "ALIAS_EXISTS", "The specified local group already exists."),
        .init(0xc000_017a, "NO_SUCH_MEMBER", "The member does not exist."),
        .init(
            0xc000_0073, "NONE_MAPPED",
            "None of the information to be translated has been translated."),
        .init(
            0xc000_015d, "NT_CROSS_ENCRYPTION_REQUIRED",
            """
            An attempt was made to change a user password in the security account manager \
            without providing the necessary Windows cross-encrypted password.
            """),
        .init(
            0xc000_017f, "LM_CROSS_ENCRYPTION_REQUIRED",
            """
            An attempt was made to change a user password in the security account manager \
            without providing the necessary LM cross-encrypted password.
            """),
        .init(
            0xc000_025a, "PWD_TOO_SHORT",
            """
            The password provided is too short to meet the policy of your user account. \
            Choose a longer password.
            """),
        .init(
            0x4000_000d, "NULL_LM_PASSWORD",
            """
            {Password Too Complex} The Windows password is too complex to be converted to a \
            LAN Manager password. The LAN Manager password that returned is a NULL string.
            """),
        .init(
            0xc000_0371, "NO_SECRETS",
            "The local account store does not contain secret material for the specified account."),
        .init(
            0x0000_0106, "NOT_ALL_ASSIGNED",
            """
            Indicates not all privileges or groups that are referenced are assigned to the \
            caller. This allows, for example, all privileges to be disabled without having \
            to know exactly which privileges are assigned.
            """),
    ]
}

// MARK: Logons

extension NTStatus.Known {
    static let logons: [NTStatus.Known] = [
        .init(
            0xc000_005e, "NO_LOGON_SERVERS",
            "No logon servers are currently available to service the logon request."),
        .init(
            0xc000_006d, "LOGON_FAILURE",
            """
            The attempted logon is invalid. This is either due to a bad username or \
            authentication information.
            """),
        .init(
            0xc000_006e, "ACCOUNT_RESTRICTION",
            """
            Indicates a referenced user name and authentication information are valid, but \
            some user account restriction has prevented successful authentication (such as \
            time-of-day restrictions).
            """),
        .init(
            0xc000_006f, "INVALID_LOGON_HOURS",
            "The user account has time restrictions and cannot be logged onto at this time."),
        .init(
            0xc000_0070, "INVALID_WORKSTATION",
            """
            The user account is restricted so that it cannot be used to log on from the \
            source workstation.
            """),
        .init(0xc000_0071, "PASSWORD_EXPIRED", "The user account password has expired."),
        .init(
            0xc000_0072, "ACCOUNT_DISABLED",
            "The referenced account is currently disabled and cannot be logged on to."),
        .init(
            0xc000_010b, "INVALID_LOGON_TYPE",
            "Indicates an invalid value has been provided for the LogonType requested."),
        .init(
            0xc000_015b, "LOGON_TYPE_NOT_GRANTED",
            """
            A user has requested a type of logon (for example, interactive or network) that \
            has not been granted. An administrator has control over who can logon \
            interactively and through the network.
            """),
        .init(0xc000_0193, "ACCOUNT_EXPIRED", "The user account has expired."),
        .init(
            0xc000_0198, "NOLOGON_INTERDOMAIN_TRUST_ACCOUNT",
            """
            The account used is an interdomain trust account. Use your global user account \
            or local user account to access this server.
            """),
        .init(
            0xc000_0199, "NOLOGON_WORKSTATION_TRUST_ACCOUNT",
            """
            The account used is a computer account. Use your global user account or local \
            user account to access this server.
            """),
        .init(
            0xc000_019a, "NOLOGON_SERVER_TRUST_ACCOUNT",
            """
            The account used is a server trust account. Use your global user account or \
            local user account to access this server.
            """),
        .init(
            0xc000_0202, "NO_USER_SESSION_KEY",
            "There is no user session key for the specified logon session."),
        .init(
            0xc000_0224, "PASSWORD_MUST_CHANGE",
            "The user password must be changed before logging on the first time."),
        .init(
            0xc000_0234, "ACCOUNT_LOCKED_OUT",
            """
            The user account has been automatically locked because too many invalid logon \
            attempts or password change attempts have been requested.
            """),
        .init(
            0xc000_0388, "DOWNGRADE_DETECTED",
            """
            The system detected a possible attempt to compromise security. Ensure that you \
            can contact the server that authenticated you.
            """),
        .init(
            0xc000_0413, "AUTHENTICATION_FIREWALL_FAILED",
            """
            Logon Failure: The machine you are logging onto is protected by an \
            authentication firewall. The specified account is not allowed to authenticate to \
            the machine.
            """),
        .init(0xc000_0418, "NTLM_BLOCKED", "The authentication failed because NTLM was blocked."),
    ]
}

// MARK: Domains, trusts and secure channels

extension NTStatus.Known {
    static let domains: [NTStatus.Known] = [
        .init(
            0xc000_00dc, "INVALID_SERVER_STATE",
            "Indicates the Sam Server was in the wrong state to perform the desired operation."),
        .init(
            0xc000_00dd, "INVALID_DOMAIN_STATE",
            "Indicates the domain was in the wrong state to perform the desired operation."),
        .init(
            0xc000_00de, "INVALID_DOMAIN_ROLE",
            "This operation is only allowed for the primary domain controller of the domain."),
        .init(0xc000_00df, "NO_SUCH_DOMAIN", "The specified domain did not exist."),
        .init(0xc000_00e0, "DOMAIN_EXISTS", "The specified domain already exists."),
        .init(
            0xc000_0122, "INVALID_COMPUTER_NAME",
            """
            Indicates a name that was specified as a remote computer name is syntactically \
            invalid.
            """),
        .init(
            0xc000_0133, "TIME_DIFFERENCE_AT_DC",
            """
            The time at the primary domain controller is different from the time at the \
            backup domain controller or member server by too large an amount.
            """),
        .init(
            0xc000_015e, "DOMAIN_CTRLR_CONFIG_ERROR",
            "A Windows Server has an incorrect configuration."),
        .init(
            0xc000_018a, "NO_TRUST_LSA_SECRET",
            """
            The workstation does not have a trust secret for the primary domain in the local \
            LSA database.
            """),
        .init(
            0xc000_018b, "NO_TRUST_SAM_ACCOUNT",
            """
            The SAM database on the Windows Server does not have a computer account for this \
            workstation trust relationship.
            """),
        .init(
            0xc000_018c, "TRUSTED_DOMAIN_FAILURE",
            """
            The logon request failed because the trust relationship between the primary \
            domain and the trusted domain failed.
            """),
        .init(
            0xc000_018d, "TRUSTED_RELATIONSHIP_FAILURE",
            """
            The logon request failed because the trust relationship between this workstation \
            and the primary domain failed.
            """),
        .init(
            0xc000_0190, "TRUST_FAILURE",
            """
            The network logon failed. This might be because the validation authority cannot \
            be reached.
            """),
        .init(
            0xc000_0192, "NETLOGON_NOT_STARTED",
            "An attempt was made to logon, but the NetLogon service was not started."),
        .init(
            0xc000_019b, "DOMAIN_TRUST_INCONSISTENT",
            """
            The name or SID of the specified domain is inconsistent with the trust \
            information for that domain.
            """),
        .init(
            0xc000_0233, "DOMAIN_CONTROLLER_NOT_FOUND",
            "A domain controller for this domain was not found."),
    ]
}

// MARK: Remote procedure calls

extension NTStatus.Known {
    static let calls: [NTStatus.Known] = [
        .init(0xc002_0003, "RPC_INVALID_BINDING", "The binding handle is invalid."),
        .init(0xc002_0012, "RPC_UNKNOWN_IF", "The interface is unknown."),
        .init(0xc002_0017, "RPC_SERVER_UNAVAILABLE", "The RPC server is unavailable."),
        .init(
            0xc002_0018, "RPC_SERVER_TOO_BUSY",
            "The RPC server is too busy to complete this operation."),
        .init(0xc002_001b, "RPC_CALL_FAILED", "The RPC failed."),
        .init(0xc002_001d, "RPC_PROTOCOL_ERROR", "An RPC protocol error occurred."),
        .init(0xc002_002e, "RPC_PROCNUM_OUT_OF_RANGE", "The procedure number is out of range."),
        .init(0xc002_0030, "RPC_UNKNOWN_AUTHN_SERVICE", "The authentication service is unknown."),
        .init(0xc002_0041, "RPC_CANNOT_SUPPORT", "The requested operation is not supported."),
        .init(0xc002_0050, "RPC_CALL_CANCELLED", "The RPC was canceled."),
        .init(0xc002_0052, "RPC_COMM_FAILURE", "A communications failure occurred during an RPC."),
        .init(0xc002_0057, "RPC_SEC_PKG_ERROR", "A security package-specific error occurred."),
        .init(
            0xc003_0005, "RPC_SS_CONTEXT_MISMATCH",
            "The context handle does not match any known context handles."),
        .init(
            0xc003_0009, "RPC_NULL_REF_POINTER",
            "A null reference pointer was passed to the stub."),
        .init(0xc003_000a, "RPC_ENUM_VALUE_OUT_OF_RANGE", "The enumeration value is out of range."),
        .init(0xc003_000b, "RPC_BYTE_COUNT_TOO_SMALL", "The byte count is too small."),
        .init(0xc003_000c, "RPC_BAD_STUB_DATA", "The stub received bad data."),
    ]
}
