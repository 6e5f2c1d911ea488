/// The outcome of a call, as Windows counts them (MS-ERREF 2.3): severity in the top two bits.
package struct NTStatus: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32

    @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// An error: the call did nothing. A warning is none: its response carries data.
    @inlinable package var isError: Bool { rawValue >> 30 == 3 }

    package static let success = NTStatus(rawValue: 0x0000_0000)
    package static let pending = NTStatus(rawValue: 0x0000_0103)
    package static let moreEntries = NTStatus(rawValue: 0x0000_0105)
    package static let bufferOverflow = NTStatus(rawValue: 0x8000_0005)
    package static let noMoreFiles = NTStatus(rawValue: 0x8000_0006)
    package static let noMoreEntries = NTStatus(rawValue: 0x8000_001a)
    package static let unsuccessful = NTStatus(rawValue: 0xc000_0001)
    package static let notImplemented = NTStatus(rawValue: 0xc000_0002)
    package static let invalidInfoClass = NTStatus(rawValue: 0xc000_0003)
    package static let infoLengthMismatch = NTStatus(rawValue: 0xc000_0004)
    package static let invalidHandle = NTStatus(rawValue: 0xc000_0008)
    package static let invalidParameter = NTStatus(rawValue: 0xc000_000d)
    package static let noSuchDevice = NTStatus(rawValue: 0xc000_000e)
    package static let noSuchFile = NTStatus(rawValue: 0xc000_000f)
    package static let invalidDeviceRequest = NTStatus(rawValue: 0xc000_0010)
    package static let endOfFile = NTStatus(rawValue: 0xc000_0011)
    package static let moreProcessingRequired = NTStatus(rawValue: 0xc000_0016)
    package static let noMemory = NTStatus(rawValue: 0xc000_0017)
    package static let accessDenied = NTStatus(rawValue: 0xc000_0022)
    package static let bufferTooSmall = NTStatus(rawValue: 0xc000_0023)
    package static let objectTypeMismatch = NTStatus(rawValue: 0xc000_0024)
    package static let objectNameInvalid = NTStatus(rawValue: 0xc000_0033)
    package static let objectNameNotFound = NTStatus(rawValue: 0xc000_0034)
    package static let objectNameCollision = NTStatus(rawValue: 0xc000_0035)
    package static let objectPathNotFound = NTStatus(rawValue: 0xc000_003a)
    package static let objectPathSyntaxBad = NTStatus(rawValue: 0xc000_003b)
    package static let sharingViolation = NTStatus(rawValue: 0xc000_0043)
    package static let invalidAccountName = NTStatus(rawValue: 0xc000_0062)
    package static let userExists = NTStatus(rawValue: 0xc000_0063)
    package static let noSuchUser = NTStatus(rawValue: 0xc000_0064)
    package static let groupExists = NTStatus(rawValue: 0xc000_0065)
    package static let noSuchGroup = NTStatus(rawValue: 0xc000_0066)
    package static let memberInGroup = NTStatus(rawValue: 0xc000_0067)
    package static let memberNotInGroup = NTStatus(rawValue: 0xc000_0068)
    package static let lastAdmin = NTStatus(rawValue: 0xc000_0069)
    package static let wrongPassword = NTStatus(rawValue: 0xc000_006a)
    package static let illFormedPassword = NTStatus(rawValue: 0xc000_006b)
    package static let passwordRestriction = NTStatus(rawValue: 0xc000_006c)
    package static let logonFailure = NTStatus(rawValue: 0xc000_006d)
    package static let accountRestriction = NTStatus(rawValue: 0xc000_006e)
    package static let invalidLogonHours = NTStatus(rawValue: 0xc000_006f)
    package static let invalidWorkstation = NTStatus(rawValue: 0xc000_0070)
    package static let passwordExpired = NTStatus(rawValue: 0xc000_0071)
    package static let accountDisabled = NTStatus(rawValue: 0xc000_0072)
    package static let noneMapped = NTStatus(rawValue: 0xc000_0073)
    package static let invalidSID = NTStatus(rawValue: 0xc000_0078)
    package static let insufficientResources = NTStatus(rawValue: 0xc000_009a)
    package static let pipeNotAvailable = NTStatus(rawValue: 0xc000_00ac)
    package static let pipeBusy = NTStatus(rawValue: 0xc000_00ae)
    package static let pipeDisconnected = NTStatus(rawValue: 0xc000_00b0)
    package static let pipeClosing = NTStatus(rawValue: 0xc000_00b1)
    package static let pipeListening = NTStatus(rawValue: 0xc000_00b3)
    package static let ioTimeout = NTStatus(rawValue: 0xc000_00b5)
    package static let fileIsADirectory = NTStatus(rawValue: 0xc000_00ba)
    package static let notSupported = NTStatus(rawValue: 0xc000_00bb)
    package static let badNetworkPath = NTStatus(rawValue: 0xc000_00be)
    package static let networkBusy = NTStatus(rawValue: 0xc000_00bf)
    package static let invalidNetworkResponse = NTStatus(rawValue: 0xc000_00c3)
    package static let unexpectedNetworkError = NTStatus(rawValue: 0xc000_00c4)
    package static let networkNameDeleted = NTStatus(rawValue: 0xc000_00c9)
    package static let networkAccessDenied = NTStatus(rawValue: 0xc000_00ca)
    package static let badDeviceType = NTStatus(rawValue: 0xc000_00cb)
    package static let badNetworkName = NTStatus(rawValue: 0xc000_00cc)
    package static let tooManySessions = NTStatus(rawValue: 0xc000_00ce)
    package static let requestNotAccepted = NTStatus(rawValue: 0xc000_00d0)
    package static let invalidServerState = NTStatus(rawValue: 0xc000_00dc)
    package static let invalidDomainState = NTStatus(rawValue: 0xc000_00dd)
    package static let invalidDomainRole = NTStatus(rawValue: 0xc000_00de)
    package static let noSuchDomain = NTStatus(rawValue: 0xc000_00df)
    package static let domainExists = NTStatus(rawValue: 0xc000_00e0)
    package static let internalError = NTStatus(rawValue: 0xc000_00e5)
    package static let tokenAlreadyInUse = NTStatus(rawValue: 0xc000_012b)
    package static let pipeBroken = NTStatus(rawValue: 0xc000_014b)
    package static let noLogonServers = NTStatus(rawValue: 0xc000_005e)
    package static let noSuchLogonSession = NTStatus(rawValue: 0xc000_005f)
    package static let noSuchPrivilege = NTStatus(rawValue: 0xc000_0060)
    package static let cannotImpersonate = NTStatus(rawValue: 0xc000_010d)
    package static let cancelled = NTStatus(rawValue: 0xc000_0120)
    package static let fileClosed = NTStatus(rawValue: 0xc000_0128)
    package static let logonNotGranted = NTStatus(rawValue: 0xc000_0155)
    package static let logonTypeNotGranted = NTStatus(rawValue: 0xc000_015b)
    package static let noSuchAlias = NTStatus(rawValue: 0xc000_0151)
    package static let trustFailure = NTStatus(rawValue: 0xc000_0190)
    package static let noTrustLSASecret = NTStatus(rawValue: 0xc000_018a)
    package static let noTrustSAMAccount = NTStatus(rawValue: 0xc000_018b)
    package static let trustedDomainFailure = NTStatus(rawValue: 0xc000_018c)
    package static let trustedRelationshipFailure = NTStatus(rawValue: 0xc000_018d)
    package static let netlogonNotStarted = NTStatus(rawValue: 0xc000_0192)
    package static let accountExpired = NTStatus(rawValue: 0xc000_0193)
    package static let networkCredentialConflict = NTStatus(rawValue: 0xc000_0195)
    package static let noLogonInterdomainTrustAccount = NTStatus(rawValue: 0xc000_0198)
    package static let noLogonWorkstationTrustAccount = NTStatus(rawValue: 0xc000_0199)
    package static let noLogonServerTrustAccount = NTStatus(rawValue: 0xc000_019a)
    package static let domainTrustInconsistent = NTStatus(rawValue: 0xc000_019b)
    package static let userSessionDeleted = NTStatus(rawValue: 0xc000_0203)
    package static let connectionDisconnected = NTStatus(rawValue: 0xc000_020c)
    package static let connectionReset = NTStatus(rawValue: 0xc000_020d)
    package static let passwordMustChange = NTStatus(rawValue: 0xc000_0224)
    package static let notFound = NTStatus(rawValue: 0xc000_0225)
    package static let domainControllerNotFound = NTStatus(rawValue: 0xc000_0233)
    package static let accountLockedOut = NTStatus(rawValue: 0xc000_0234)
    package static let connectionRefused = NTStatus(rawValue: 0xc000_0236)
    package static let hostUnreachable = NTStatus(rawValue: 0xc000_023d)
    package static let smartcardLogonRequired = NTStatus(rawValue: 0xc000_02fa)
    package static let downgradeDetected = NTStatus(rawValue: 0xc000_0388)
    package static let authenticationFirewallFailed = NTStatus(rawValue: 0xc000_0413)
    package static let ntlmBlocked = NTStatus(rawValue: 0xc000_0418)
    package static let smbBadFID = NTStatus(rawValue: 0x0006_0001)
    package static let invalidSMB = NTStatus(rawValue: 0x0001_0002)
    package static let smbBadTID = NTStatus(rawValue: 0x0005_0002)
    package static let smbBadCommand = NTStatus(rawValue: 0x0016_0002)
    package static let smbBadUID = NTStatus(rawValue: 0x005b_0002)

    /// The name that the specification gives it, or the eight digits of one that is not listed.
    package var description: String {
        for (status, name) in Self.names where status == self { return name.description }
        return "0x\(Hex.string(rawValue))"
    }

    private static let names: [(NTStatus, StaticString)] = [
        (.success, "STATUS_SUCCESS"),
        (.pending, "STATUS_PENDING"),
        (.moreEntries, "STATUS_MORE_ENTRIES"),
        (.bufferOverflow, "STATUS_BUFFER_OVERFLOW"),
        (.noMoreFiles, "STATUS_NO_MORE_FILES"),
        (.noMoreEntries, "STATUS_NO_MORE_ENTRIES"),
        (.unsuccessful, "STATUS_UNSUCCESSFUL"),
        (.notImplemented, "STATUS_NOT_IMPLEMENTED"),
        (.invalidInfoClass, "STATUS_INVALID_INFO_CLASS"),
        (.infoLengthMismatch, "STATUS_INFO_LENGTH_MISMATCH"),
        (.invalidHandle, "STATUS_INVALID_HANDLE"),
        (.invalidParameter, "STATUS_INVALID_PARAMETER"),
        (.noSuchDevice, "STATUS_NO_SUCH_DEVICE"),
        (.noSuchFile, "STATUS_NO_SUCH_FILE"),
        (.invalidDeviceRequest, "STATUS_INVALID_DEVICE_REQUEST"),
        (.endOfFile, "STATUS_END_OF_FILE"),
        (.moreProcessingRequired, "STATUS_MORE_PROCESSING_REQUIRED"),
        (.noMemory, "STATUS_NO_MEMORY"),
        (.accessDenied, "STATUS_ACCESS_DENIED"),
        (.bufferTooSmall, "STATUS_BUFFER_TOO_SMALL"),
        (.objectTypeMismatch, "STATUS_OBJECT_TYPE_MISMATCH"),
        (.objectNameInvalid, "STATUS_OBJECT_NAME_INVALID"),
        (.objectNameNotFound, "STATUS_OBJECT_NAME_NOT_FOUND"),
        (.objectNameCollision, "STATUS_OBJECT_NAME_COLLISION"),
        (.objectPathNotFound, "STATUS_OBJECT_PATH_NOT_FOUND"),
        (.objectPathSyntaxBad, "STATUS_OBJECT_PATH_SYNTAX_BAD"),
        (.sharingViolation, "STATUS_SHARING_VIOLATION"),
        (.invalidAccountName, "STATUS_INVALID_ACCOUNT_NAME"),
        (.userExists, "STATUS_USER_EXISTS"),
        (.noSuchUser, "STATUS_NO_SUCH_USER"),
        (.groupExists, "STATUS_GROUP_EXISTS"),
        (.noSuchGroup, "STATUS_NO_SUCH_GROUP"),
        (.memberInGroup, "STATUS_MEMBER_IN_GROUP"),
        (.memberNotInGroup, "STATUS_MEMBER_NOT_IN_GROUP"),
        (.lastAdmin, "STATUS_LAST_ADMIN"),
        (.wrongPassword, "STATUS_WRONG_PASSWORD"),
        (.illFormedPassword, "STATUS_ILL_FORMED_PASSWORD"),
        (.passwordRestriction, "STATUS_PASSWORD_RESTRICTION"),
        (.logonFailure, "STATUS_LOGON_FAILURE"),
        (.accountRestriction, "STATUS_ACCOUNT_RESTRICTION"),
        (.invalidLogonHours, "STATUS_INVALID_LOGON_HOURS"),
        (.invalidWorkstation, "STATUS_INVALID_WORKSTATION"),
        (.passwordExpired, "STATUS_PASSWORD_EXPIRED"),
        (.accountDisabled, "STATUS_ACCOUNT_DISABLED"),
        (.noneMapped, "STATUS_NONE_MAPPED"),
        (.invalidSID, "STATUS_INVALID_SID"),
        (.insufficientResources, "STATUS_INSUFFICIENT_RESOURCES"),
        (.pipeNotAvailable, "STATUS_PIPE_NOT_AVAILABLE"),
        (.pipeBusy, "STATUS_PIPE_BUSY"),
        (.pipeDisconnected, "STATUS_PIPE_DISCONNECTED"),
        (.pipeClosing, "STATUS_PIPE_CLOSING"),
        (.pipeListening, "STATUS_PIPE_LISTENING"),
        (.ioTimeout, "STATUS_IO_TIMEOUT"),
        (.fileIsADirectory, "STATUS_FILE_IS_A_DIRECTORY"),
        (.notSupported, "STATUS_NOT_SUPPORTED"),
        (.badNetworkPath, "STATUS_BAD_NETWORK_PATH"),
        (.networkBusy, "STATUS_NETWORK_BUSY"),
        (.invalidNetworkResponse, "STATUS_INVALID_NETWORK_RESPONSE"),
        (.unexpectedNetworkError, "STATUS_UNEXPECTED_NETWORK_ERROR"),
        (.networkNameDeleted, "STATUS_NETWORK_NAME_DELETED"),
        (.networkAccessDenied, "STATUS_NETWORK_ACCESS_DENIED"),
        (.badDeviceType, "STATUS_BAD_DEVICE_TYPE"),
        (.badNetworkName, "STATUS_BAD_NETWORK_NAME"),
        (.tooManySessions, "STATUS_TOO_MANY_SESSIONS"),
        (.requestNotAccepted, "STATUS_REQUEST_NOT_ACCEPTED"),
        (.invalidServerState, "STATUS_INVALID_SERVER_STATE"),
        (.invalidDomainState, "STATUS_INVALID_DOMAIN_STATE"),
        (.invalidDomainRole, "STATUS_INVALID_DOMAIN_ROLE"),
        (.noSuchDomain, "STATUS_NO_SUCH_DOMAIN"),
        (.domainExists, "STATUS_DOMAIN_EXISTS"),
        (.internalError, "STATUS_INTERNAL_ERROR"),
        (.tokenAlreadyInUse, "STATUS_TOKEN_ALREADY_IN_USE"),
        (.pipeBroken, "STATUS_PIPE_BROKEN"),
        (.noLogonServers, "STATUS_NO_LOGON_SERVERS"),
        (.noSuchLogonSession, "STATUS_NO_SUCH_LOGON_SESSION"),
        (.noSuchPrivilege, "STATUS_NO_SUCH_PRIVILEGE"),
        (.cannotImpersonate, "STATUS_CANNOT_IMPERSONATE"),
        (.cancelled, "STATUS_CANCELLED"),
        (.fileClosed, "STATUS_FILE_CLOSED"),
        (.logonNotGranted, "STATUS_LOGON_NOT_GRANTED"),
        (.logonTypeNotGranted, "STATUS_LOGON_TYPE_NOT_GRANTED"),
        (.noSuchAlias, "STATUS_NO_SUCH_ALIAS"),
        (.trustFailure, "STATUS_TRUST_FAILURE"),
        (.noTrustLSASecret, "STATUS_NO_TRUST_LSA_SECRET"),
        (.noTrustSAMAccount, "STATUS_NO_TRUST_SAM_ACCOUNT"),
        (.trustedDomainFailure, "STATUS_TRUSTED_DOMAIN_FAILURE"),
        (.trustedRelationshipFailure, "STATUS_TRUSTED_RELATIONSHIP_FAILURE"),
        (.netlogonNotStarted, "STATUS_NETLOGON_NOT_STARTED"),
        (.accountExpired, "STATUS_ACCOUNT_EXPIRED"),
        (.networkCredentialConflict, "STATUS_NETWORK_CREDENTIAL_CONFLICT"),
        (.noLogonInterdomainTrustAccount, "STATUS_NOLOGON_INTERDOMAIN_TRUST_ACCOUNT"),
        (.noLogonWorkstationTrustAccount, "STATUS_NOLOGON_WORKSTATION_TRUST_ACCOUNT"),
        (.noLogonServerTrustAccount, "STATUS_NOLOGON_SERVER_TRUST_ACCOUNT"),
        (.domainTrustInconsistent, "STATUS_DOMAIN_TRUST_INCONSISTENT"),
        (.userSessionDeleted, "STATUS_USER_SESSION_DELETED"),
        (.connectionDisconnected, "STATUS_CONNECTION_DISCONNECTED"),
        (.connectionReset, "STATUS_CONNECTION_RESET"),
        (.passwordMustChange, "STATUS_PASSWORD_MUST_CHANGE"),
        (.notFound, "STATUS_NOT_FOUND"),
        (.domainControllerNotFound, "STATUS_DOMAIN_CONTROLLER_NOT_FOUND"),
        (.accountLockedOut, "STATUS_ACCOUNT_LOCKED_OUT"),
        (.connectionRefused, "STATUS_CONNECTION_REFUSED"),
        (.hostUnreachable, "STATUS_HOST_UNREACHABLE"),
        (.smartcardLogonRequired, "STATUS_SMARTCARD_LOGON_REQUIRED"),
        (.downgradeDetected, "STATUS_DOWNGRADE_DETECTED"),
        (.authenticationFirewallFailed, "STATUS_AUTHENTICATION_FIREWALL_FAILED"),
        (.ntlmBlocked, "STATUS_NTLM_BLOCKED"),
        (.smbBadFID, "STATUS_SMB_BAD_FID"),
        (.invalidSMB, "STATUS_INVALID_SMB"),
        (.smbBadTID, "STATUS_SMB_BAD_TID"),
        (.smbBadCommand, "STATUS_SMB_BAD_COMMAND"),
        (.smbBadUID, "STATUS_SMB_BAD_UID"),
    ]
}
