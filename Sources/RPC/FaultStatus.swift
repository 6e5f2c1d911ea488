import Wire

/// Why a call failed before or beside its procedure (C706 appendix E, MS-RPCE 2.2.2.8).
package struct FaultStatus: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package var rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    private init(_ rawValue: UInt32) { self.rawValue = rawValue }

    // MARK: nca_s_…, C706 appendix E

    package static let commFailure = FaultStatus(0x1c01_0001)
    /// The interface has no such opnum.
    package static let opRangeError = FaultStatus(0x1c01_0002)
    package static let unknownInterface = FaultStatus(0x1c01_0003)
    package static let wrongBootTime = FaultStatus(0x1c01_0006)
    package static let protocolError = FaultStatus(0x1c01_000b)
    package static let outArgumentsTooBig = FaultStatus(0x1c01_0013)
    package static let serverTooBusy = FaultStatus(0x1c01_0014)
    package static let unsupportedType = FaultStatus(0x1c01_0017)
    package static let invalidPresentationContextID = FaultStatus(0x1c00_001c)
    package static let unsupportedAuthLevel = FaultStatus(0x1c00_001d)
    package static let invalidChecksum = FaultStatus(0x1c00_001f)
    package static let invalidCRC = FaultStatus(0x1c00_0020)
    package static let cancelled = FaultStatus(0x1c00_000d)
    package static let invalidBound = FaultStatus(0x1c00_0007)
    package static let invalidTag = FaultStatus(0x1c00_0006)
    package static let remoteNoMemory = FaultStatus(0x1c00_001b)
    package static let userDefined = FaultStatus(0x1c00_0021)
    package static let contextMismatch = FaultStatus(0x1c00_001a)

    // MARK: Windows errors, MS-RPCE 2.2.2.8 and MS-ERREF 2.2

    package static let accessDenied = FaultStatus(0x0000_0005)
    package static let noMemory = FaultStatus(0x0000_000e)
    /// RPC_S_CALL_FAILED_DNE: it was not executed.
    package static let callFailedDidNotExecute = FaultStatus(0x0000_06bf)
    package static let callFailed = FaultStatus(0x0000_06be)
    package static let cannotSupport = FaultStatus(0x0000_06e4)
    package static let badStubData = FaultStatus(0x0000_06f7)
    /// The security provider failed: what the peer says where a seal does not open.
    package static let secPkgError = FaultStatus(0x0000_0721)

    /// The C706 or Windows name.
    package var description: String {
        switch self {
        case .commFailure: "nca_s_comm_failure"
        case .opRangeError: "nca_s_op_rng_error"
        case .unknownInterface: "nca_s_unk_if"
        case .wrongBootTime: "nca_s_wrong_boot_time"
        case .protocolError: "nca_s_proto_error"
        case .outArgumentsTooBig: "nca_s_out_args_too_big"
        case .serverTooBusy: "nca_s_server_too_busy"
        case .unsupportedType: "nca_s_unsupported_type"
        case .invalidPresentationContextID: "nca_s_invalid_pres_context_id"
        case .unsupportedAuthLevel: "nca_s_unsupported_authn_level"
        case .invalidChecksum: "nca_s_invalid_checksum"
        case .invalidCRC: "nca_s_invalid_crc"
        case .cancelled: "nca_s_fault_cancel"
        case .invalidBound: "nca_s_fault_invalid_bound"
        case .invalidTag: "nca_s_fault_invalid_tag"
        case .remoteNoMemory: "nca_s_fault_remote_no_memory"
        case .userDefined: "nca_s_fault_user_defined"
        case .contextMismatch: "nca_s_fault_context_mismatch"
        case .accessDenied: "ERROR_ACCESS_DENIED"
        case .noMemory: "ERROR_OUTOFMEMORY"
        case .callFailedDidNotExecute: "RPC_S_CALL_FAILED_DNE"
        case .callFailed: "RPC_S_CALL_FAILED"
        case .cannotSupport: "RPC_S_CANNOT_SUPPORT"
        case .badStubData: "RPC_X_BAD_STUB_DATA"
        case .secPkgError: "RPC_S_SEC_PKG_ERROR"
        case _: "fault 0x\(Hex.string(rawValue))"
        }
    }

    /// The status that a caller of the procedure is given.
    package var status: NTStatus {
        switch self {
        case .opRangeError: .rpcProcnumOutOfRange
        case .unknownInterface: .rpcUnknownIf
        case .protocolError: .rpcProtocolError
        case .serverTooBusy: .rpcServerTooBusy
        case .cancelled: .rpcCallCancelled
        case .contextMismatch: .rpcSsContextMismatch
        case .invalidTag: .rpcEnumValueOutOfRange
        case .accessDenied: .accessDenied
        case .noMemory, .remoteNoMemory: .noMemory
        case .cannotSupport, .unsupportedAuthLevel: .rpcCannotSupport
        case .badStubData: .rpcBadStubData
        case .secPkgError, .invalidChecksum: .rpcSecPkgError
        case .commFailure: .rpcCommFailure
        case _: .rpcCallFailed
        }
    }
}
