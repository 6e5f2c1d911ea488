import Wire

extension SMB1 {
    /// The header's status field (MS-CIFS 2.2.3.1, 2.2.2.4): an NT status, or for a peer that
    /// does not know those a DOS error as class, zero byte, code.
    package struct Status: Equatable, Sendable, CustomStringConvertible {
        /// As on the wire, little-endian.
        package let rawValue: UInt32
        package let isNT: Bool

        package static let success = Status(rawValue: 0, isNT: true)

        package init(rawValue: UInt32, isNT: Bool) {
            self.rawValue = rawValue
            self.isNT = isNT
        }

        package init(class: UInt8, code: UInt16) {
            self.init(rawValue: UInt32(`class`) | UInt32(code) << 16, isNT: false)
        }

        /// `status` in the form that the peer understands. One without a DOS error of its own
        /// becomes ERRHRD/ERRgeneral, as the specification's table does it.
        package init(_ status: NTStatus, isNT: Bool) {
            if isNT || status == .success {
                self.init(rawValue: status.rawValue, isNT: isNT)
                return
            }
            for entry in Self.dosErrors where entry.status == status {
                self.init(class: entry.class, code: entry.code)
                return
            }
            self.init(class: Self.hardware, code: 31)
        }

        package var dosClass: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
        package var dosCode: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }

        /// The NT status that the field holds or stands for. A DOS error that the table lacks
        /// is `unsuccessful`.
        package var ntStatus: NTStatus {
            if isNT { return NTStatus(rawValue: rawValue) }
            if dosClass == 0 { return .success }
            for entry in Self.dosErrors where entry.class == dosClass && entry.code == dosCode {
                return entry.status
            }
            return .unsuccessful
        }

        /// Whether the command failed. Some failures of SMB1 itself come as a DOS class and code
        /// where the NT status belongs, and those lack its severity bits.
        package var isError: Bool {
            if !isNT { return dosClass != 0 && ntStatus != .bufferOverflow }
            let isDOS = rawValue & 0xff00 == 0 && (1...3).contains(dosClass) && dosCode != 0
            return isDOS || ntStatus.isError
        }

        package var description: String {
            if isNT || dosClass == 0 { return ntStatus.description }
            return "DOS error \(dosClass)/\(dosCode)"
        }

        private static let dos: UInt8 = 1
        private static let server: UInt8 = 2
        private static let hardware: UInt8 = 3

        /// MS-CIFS 2.2.2.4, as far as sessions, pipes and the read-only share meet it. The first
        /// entry of an NT status is the one that is sent, the first of a DOS error the one that
        /// is understood.
        private static let dosErrors: [(class: UInt8, code: UInt16, status: NTStatus)] = [
            (dos, 1, .notImplemented), (dos, 1, .invalidDeviceRequest),
            (dos, 2, .objectNameNotFound), (dos, 2, .noSuchFile),
            (dos, 3, .objectPathNotFound), (dos, 3, .notADirectory), (dos, 3, .objectPathInvalid),
            (dos, 3, .objectPathSyntaxBad),
            (dos, 4, .tooManyOpenedFiles), (dos, 5, .accessDenied), (dos, 5, .fileIsADirectory),
            (dos, 5, .mediaWriteProtected), (dos, 6, .invalidHandle), (dos, 6, .fileClosed),
            (dos, 8, .insufficientResources), (dos, 8, .noMemory), (dos, 18, .noMoreFiles),
            (dos, 32, .sharingViolation), (dos, 38, .endOfFile),
            (dos, 50, .notSupported), (dos, 53, .badNetworkPath), (dos, 55, .networkNameDeleted),
            (dos, 65, .networkAccessDenied), (server, 6, .badNetworkName),
            (dos, 67, .badNetworkName), (dos, 71, .requestNotAccepted),
            (dos, 80, .objectNameCollision),
            (server, 2, .wrongPassword), (dos, 86, .wrongPassword), (dos, 87, .invalidParameter),
            (dos, 109, .pipeBroken), (dos, 121, .ioTimeout), (dos, 122, .bufferTooSmall),
            (dos, 123, .objectNameInvalid), (dos, 124, .invalidLevel),
            (dos, 124, .invalidInfoClass), (dos, 230, .invalidPipeState),
            (dos, 230, .invalidReadMode), (dos, 231, .pipeBusy), (dos, 231, .pipeNotAvailable),
            (dos, 231, .instanceNotAvailable), (dos, 232, .pipeClosing),
            (dos, 233, .pipeDisconnected), (dos, 234, .bufferOverflow),
            (dos, 234, .moreEntries), (server, 2, .logonFailure), (server, 2, .noSuchUser),
            (server, 2, .ntlmBlocked),
            (dos, 1326, .logonFailure), (dos, 1317, .noSuchUser),
            (server, 2239, .accountDisabled), (server, 2239, .accountExpired),
            (server, 2240, .invalidWorkstation), (server, 2241, .invalidLogonHours),
            (server, 2242, .passwordExpired), (server, 2242, .passwordMustChange),
            (dos, 1327, .accountRestriction), (dos, 1328, .invalidLogonHours),
            (dos, 1329, .invalidWorkstation), (dos, 1330, .passwordExpired),
            (dos, 1331, .accountDisabled), (dos, 1355, .noSuchDomain),
            (dos, 1311, .noLogonServers), (dos, 1385, .logonTypeNotGranted),
            (dos, 1787, .noTrustSAMAccount), (dos, 1789, .trustedRelationshipFailure),
            (dos, 1793, .accountExpired), (dos, 1807, .nologonInterdomainTrustAccount),
            (dos, 1808, .nologonWorkstationTrustAccount), (dos, 1809, .nologonServerTrustAccount),
            (dos, 1907, .passwordMustChange), (dos, 1909, .accountLockedOut),
            (server, 1, .unsuccessful), (server, 1, .invalidSMB),
            (server, 4, .networkAccessDenied), (server, 5, .smbBadTID),
            (dos, 6, .smbBadFID), (server, 7, .badDeviceType), (server, 22, .smbBadCommand),
            (server, 64, .smbBadCommand), (server, 89, .insuffServerResources),
            (server, 91, .smbBadUID), (server, 91, .userSessionDeleted),
            (hardware, 31, .unsuccessful),
        ]
    }
}

/// The statuses that only SMB1 has: DOS errors of the class ERRSRV in the place of NT codes.
extension NTStatus {
    package static var invalidSMB: NTStatus { NTStatus(0x0001_0002) }
    package static var smbBadTID: NTStatus { NTStatus(0x0005_0002) }
    package static var smbBadCommand: NTStatus { NTStatus(0x0016_0002) }
    package static var smbBadUID: NTStatus { NTStatus(0x005b_0002) }
    package static var smbBadFID: NTStatus { NTStatus(0x0006_0001) }
    package static var tooManyOpenedFiles: NTStatus { NTStatus(0xc000_011f) }
    package static var badDeviceType: NTStatus { NTStatus(0xc000_00cb) }
    package static var noMoreFiles: NTStatus { NTStatus(0x8000_0006) }
    package static var endOfFile: NTStatus { NTStatus(0xc000_0011) }
    package static var objectPathInvalid: NTStatus { NTStatus(0xc000_0039) }
    package static var objectPathSyntaxBad: NTStatus { NTStatus(0xc000_003b) }
    package static var mediaWriteProtected: NTStatus { NTStatus(0xc000_00a2) }
    package static var fileIsADirectory: NTStatus { NTStatus(0xc000_00ba) }
    package static var notADirectory: NTStatus { NTStatus(0xc000_0103) }
}
