/// The status that a call, an SMB command or a logon ends with (MS-ERREF 2.3).
///
/// The constants are those that logons, trusts, pipes and remote procedure calls meet here;
/// any other code survives as its number.
package struct NTStatus: RawRepresentable, Equatable, Hashable, Sendable,
    CustomStringConvertible
{
    package var rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    package init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The two severity bits say error. A warning such as `bufferOverflow` comes with content.
    @inlinable package var isError: Bool { rawValue >> 30 == 3 }

    /// `NT_STATUS_WRONG_PASSWORD`; for a code without a constant `NT code 0xc0001234`.
    package var name: String {
        guard let known = Self.known(self) else { return unnamed }
        return "NT_STATUS_\(known.name.description)"
    }

    /// The sentence that the field's tools print for people.
    package var text: String { Self.known(self)?.text.description ?? unnamed }

    /// Text and number as `ntlm_auth` prints a failure: callers look for the number in it.
    package var line: String { "\(text) (0x\(hex))" }

    package var description: String { name }

    private var unnamed: String { "NT code 0x\(Hex.string(rawValue))" }

    /// Hexadecimal without leading zeros.
    private var hex: String { String(rawValue, radix: 16) }

    private static func known(_ status: NTStatus) -> Known? {
        for table in Known.tables {
            for entry in table where entry.code == status.rawValue { return entry }
        }
        return nil
    }
}

// MARK: General

extension NTStatus {
    @inlinable package static var success: NTStatus { NTStatus(0x0000_0000) }
    @inlinable package static var pending: NTStatus { NTStatus(0x0000_0103) }
    @inlinable package static var moreEntries: NTStatus { NTStatus(0x0000_0105) }
    @inlinable package static var someNotMapped: NTStatus { NTStatus(0x0000_0107) }
    @inlinable package static var bufferOverflow: NTStatus { NTStatus(0x8000_0005) }
    @inlinable package static var noMoreEntries: NTStatus { NTStatus(0x8000_001a) }
    @inlinable package static var unsuccessful: NTStatus { NTStatus(0xc000_0001) }
    @inlinable package static var notImplemented: NTStatus { NTStatus(0xc000_0002) }
    @inlinable package static var invalidInfoClass: NTStatus { NTStatus(0xc000_0003) }
    @inlinable package static var invalidHandle: NTStatus { NTStatus(0xc000_0008) }
    @inlinable package static var invalidParameter: NTStatus { NTStatus(0xc000_000d) }
    @inlinable package static var noSuchFile: NTStatus { NTStatus(0xc000_000f) }
    @inlinable package static var invalidDeviceRequest: NTStatus { NTStatus(0xc000_0010) }
    @inlinable package static var moreProcessingRequired: NTStatus { NTStatus(0xc000_0016) }
    @inlinable package static var noMemory: NTStatus { NTStatus(0xc000_0017) }
    @inlinable package static var accessDenied: NTStatus { NTStatus(0xc000_0022) }
    @inlinable package static var bufferTooSmall: NTStatus { NTStatus(0xc000_0023) }
    @inlinable package static var objectTypeMismatch: NTStatus { NTStatus(0xc000_0024) }
    @inlinable package static var objectNameInvalid: NTStatus { NTStatus(0xc000_0033) }
    @inlinable package static var objectNameNotFound: NTStatus { NTStatus(0xc000_0034) }
    @inlinable package static var objectNameCollision: NTStatus { NTStatus(0xc000_0035) }
    @inlinable package static var objectPathNotFound: NTStatus { NTStatus(0xc000_003a) }
    @inlinable package static var insufficientResources: NTStatus { NTStatus(0xc000_009a) }
    @inlinable package static var ioTimeout: NTStatus { NTStatus(0xc000_00b5) }
    @inlinable package static var notSupported: NTStatus { NTStatus(0xc000_00bb) }
    @inlinable package static var internalError: NTStatus { NTStatus(0xc000_00e5) }
    @inlinable package static var cancelled: NTStatus { NTStatus(0xc000_0120) }
    @inlinable package static var invalidLevel: NTStatus { NTStatus(0xc000_0148) }
    @inlinable package static var insuffServerResources: NTStatus { NTStatus(0xc000_0205) }
    @inlinable package static var notFound: NTStatus { NTStatus(0xc000_0225) }
}

// MARK: Sessions, shares and pipes

extension NTStatus {
    @inlinable package static var sharingViolation: NTStatus { NTStatus(0xc000_0043) }
    @inlinable package static var instanceNotAvailable: NTStatus { NTStatus(0xc000_00ab) }
    @inlinable package static var pipeNotAvailable: NTStatus { NTStatus(0xc000_00ac) }
    @inlinable package static var invalidPipeState: NTStatus { NTStatus(0xc000_00ad) }
    @inlinable package static var pipeBusy: NTStatus { NTStatus(0xc000_00ae) }
    @inlinable package static var pipeDisconnected: NTStatus { NTStatus(0xc000_00b0) }
    @inlinable package static var pipeClosing: NTStatus { NTStatus(0xc000_00b1) }
    @inlinable package static var badNetworkPath: NTStatus { NTStatus(0xc000_00be) }
    @inlinable package static var networkNameDeleted: NTStatus { NTStatus(0xc000_00c9) }
    @inlinable package static var networkAccessDenied: NTStatus { NTStatus(0xc000_00ca) }
    @inlinable package static var badNetworkName: NTStatus { NTStatus(0xc000_00cc) }
    @inlinable package static var requestNotAccepted: NTStatus { NTStatus(0xc000_00d0) }
    @inlinable package static var fileClosed: NTStatus { NTStatus(0xc000_0128) }
    @inlinable package static var pipeBroken: NTStatus { NTStatus(0xc000_014b) }
    @inlinable package static var userSessionDeleted: NTStatus { NTStatus(0xc000_0203) }
    @inlinable package static var networkSessionExpired: NTStatus { NTStatus(0xc000_035c) }
}

// MARK: Accounts and passwords

extension NTStatus {
    @inlinable package static var noSuchPrivilege: NTStatus { NTStatus(0xc000_0060) }
    @inlinable package static var invalidAccountName: NTStatus { NTStatus(0xc000_0062) }
    @inlinable package static var userExists: NTStatus { NTStatus(0xc000_0063) }
    @inlinable package static var noSuchUser: NTStatus { NTStatus(0xc000_0064) }
    @inlinable package static var groupExists: NTStatus { NTStatus(0xc000_0065) }
    @inlinable package static var noSuchGroup: NTStatus { NTStatus(0xc000_0066) }
    @inlinable package static var memberInGroup: NTStatus { NTStatus(0xc000_0067) }
    @inlinable package static var memberNotInGroup: NTStatus { NTStatus(0xc000_0068) }
    @inlinable package static var wrongPassword: NTStatus { NTStatus(0xc000_006a) }
    @inlinable package static var passwordRestriction: NTStatus { NTStatus(0xc000_006c) }
    @inlinable package static var specialAccount: NTStatus { NTStatus(0xc000_0124) }
    @inlinable package static var specialGroup: NTStatus { NTStatus(0xc000_0125) }
    @inlinable package static var membersPrimaryGroup: NTStatus { NTStatus(0xc000_0127) }
    @inlinable package static var noSuchAlias: NTStatus { NTStatus(0xc000_0151) }
    @inlinable package static var memberNotInAlias: NTStatus { NTStatus(0xc000_0152) }
    @inlinable package static var memberInAlias: NTStatus { NTStatus(0xc000_0153) }
    @inlinable package static var aliasExists: NTStatus { NTStatus(0xc000_0154) }
    @inlinable package static var noSuchMember: NTStatus { NTStatus(0xc000_017a) }
    @inlinable package static var noneMapped: NTStatus { NTStatus(0xc000_0073) }
    @inlinable package static var synchronizationRequired: NTStatus { NTStatus(0xc000_0134) }
    @inlinable package static var ntCrossEncryptionRequired: NTStatus { NTStatus(0xc000_015d) }
}

// MARK: Logons

extension NTStatus {
    @inlinable package static var noLogonServers: NTStatus { NTStatus(0xc000_005e) }
    @inlinable package static var logonFailure: NTStatus { NTStatus(0xc000_006d) }
    @inlinable package static var accountRestriction: NTStatus { NTStatus(0xc000_006e) }
    @inlinable package static var invalidLogonHours: NTStatus { NTStatus(0xc000_006f) }
    @inlinable package static var invalidWorkstation: NTStatus { NTStatus(0xc000_0070) }
    @inlinable package static var passwordExpired: NTStatus { NTStatus(0xc000_0071) }
    @inlinable package static var accountDisabled: NTStatus { NTStatus(0xc000_0072) }
    @inlinable package static var logonTypeNotGranted: NTStatus { NTStatus(0xc000_015b) }
    @inlinable package static var accountExpired: NTStatus { NTStatus(0xc000_0193) }
    @inlinable package static var nologonInterdomainTrustAccount: NTStatus { NTStatus(0xc000_0198) }
    @inlinable package static var nologonWorkstationTrustAccount: NTStatus { NTStatus(0xc000_0199) }
    @inlinable package static var nologonServerTrustAccount: NTStatus { NTStatus(0xc000_019a) }
    @inlinable package static var noUserSessionKey: NTStatus { NTStatus(0xc000_0202) }
    @inlinable package static var passwordMustChange: NTStatus { NTStatus(0xc000_0224) }
    @inlinable package static var accountLockedOut: NTStatus { NTStatus(0xc000_0234) }
    @inlinable package static var downgradeDetected: NTStatus { NTStatus(0xc000_0388) }
    @inlinable package static var ntlmBlocked: NTStatus { NTStatus(0xc000_0418) }
}

// MARK: Domains, trusts and secure channels

extension NTStatus {
    @inlinable package static var invalidDomainState: NTStatus { NTStatus(0xc000_00dd) }
    @inlinable package static var invalidDomainRole: NTStatus { NTStatus(0xc000_00de) }
    @inlinable package static var noSuchDomain: NTStatus { NTStatus(0xc000_00df) }
    @inlinable package static var noTrustLSASecret: NTStatus { NTStatus(0xc000_018a) }
    @inlinable package static var noTrustSAMAccount: NTStatus { NTStatus(0xc000_018b) }
    @inlinable package static var trustedDomainFailure: NTStatus { NTStatus(0xc000_018c) }
    @inlinable package static var trustedRelationshipFailure: NTStatus { NTStatus(0xc000_018d) }
    @inlinable package static var domainControllerNotFound: NTStatus { NTStatus(0xc000_0233) }
}

// MARK: Remote procedure calls

extension NTStatus {
    @inlinable package static var rpcUnknownIf: NTStatus { NTStatus(0xc002_0012) }
    @inlinable package static var rpcServerTooBusy: NTStatus { NTStatus(0xc002_0018) }
    @inlinable package static var rpcCallFailed: NTStatus { NTStatus(0xc002_001b) }
    @inlinable package static var rpcProtocolError: NTStatus { NTStatus(0xc002_001d) }
    @inlinable package static var rpcProcnumOutOfRange: NTStatus { NTStatus(0xc002_002e) }
    @inlinable package static var rpcCannotSupport: NTStatus { NTStatus(0xc002_0041) }
    @inlinable package static var rpcCallCancelled: NTStatus { NTStatus(0xc002_0050) }
    @inlinable package static var rpcCommFailure: NTStatus { NTStatus(0xc002_0052) }
    @inlinable package static var rpcSecPkgError: NTStatus { NTStatus(0xc002_0057) }
    @inlinable package static var rpcSsContextMismatch: NTStatus { NTStatus(0xc003_0005) }
    @inlinable package static var rpcEnumValueOutOfRange: NTStatus { NTStatus(0xc003_000a) }
    @inlinable package static var rpcBadStubData: NTStatus { NTStatus(0xc003_000c) }
}
