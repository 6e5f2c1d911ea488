import Crypto
import Domain
import Interfaces
import NTLM
import RPC
import Wire

/// A password that a call sets, out of its encryption.
private struct SAMRNewPassword {
    var password: NewPassword
    var mustChange: Bool
}

extension SAMRService {
    func setUser(
        _ request: SamrSetInformationUser2.Request, _ caller: RemoteCaller, _ now: FrontTime
    ) throws(SAMRRefusal) {
        let account = try account(
            request.userHandle, caller, needs: Self.rightsToWrite(request.information))
        var password: SAMRNewPassword?
        if Self.setsPassword(request.information) {
            password = try newPassword(request.information, caller)
        }
        try changing { () throws(DomainError) in
            if let (fields, which) = Self.fields(request.information) {
                try set(fields, which, of: account, now)
            }
            if let password {
                try domain.setPassword(
                    account.rid, password.password, mustChange: password.mustChange,
                    now: now.fileTime)
            }
        }
    }

    // MARK: What a class sets

    private static let hashFields: SamrWhichFields = [.ntPasswordPresent, .lmPasswordPresent]

    private static func setsPassword(_ information: SamrUserInformation) -> Bool {
        switch information {
        case .fields(let informationClass, let fields):
            informationClass == 21 && !fields.whichFields.isDisjoint(with: hashFields)
        case .hashes, .fieldsWithPassword, .password, .fieldsWithSaltedPassword,
            .saltedPassword:
            true
        }
    }

    /// The fields of a class, and which of them it sets; nil for one that sets none.
    private static func fields(
        _ information: SamrUserInformation
    ) -> (SamrUserFields, SamrWhichFields)? {
        switch information {
        case .fields(21, let fields), .fieldsWithPassword(let fields, _),
            .fieldsWithSaltedPassword(let fields, _):
            (fields, fields.whichFields)
        case .fields(let informationClass, let fields): (fields, which(informationClass))
        case .hashes, .password, .saltedPassword: nil
        }
    }

    /// The fields of the narrower classes that may be set.
    private static func which(_ informationClass: UInt16) -> SamrWhichFields {
        switch informationClass {
        case 1: [.userName, .fullName, .primaryGroupID, .adminComment, .userComment]
        case 2: [.userComment, .countryCode, .codePage]
        case 4: [.logonHours]
        case 6: [.userName, .fullName]
        case 7: [.userName]
        case 8: [.fullName]
        case 9: [.primaryGroupID]
        case 10: [.homeDirectory, .homeDirectoryDrive]
        case 11: [.scriptPath]
        case 12: [.profilePath]
        case 13: [.adminComment]
        case 14: [.workStations]
        case 16: [.userAccountControl]
        case 17: [.accountExpires]
        case 20: [.parameters]
        case _: []
        }
    }

    private static func rightsToWrite(_ information: SamrUserInformation) -> UInt32 {
        let preferences: SamrWhichFields = [.userComment, .countryCode, .codePage]
        var needed: UInt32 = 0
        if setsPassword(information) { needed |= SAMRAccess.User.forcePasswordChange }
        if let (_, which) = fields(information) {
            if !which.isDisjoint(with: preferences) {
                needed |= SAMRAccess.User.writePreferences
            }
            if !which.subtracting(preferences).subtracting(hashFields).isEmpty {
                needed |= SAMRAccess.User.writeAccount
            }
        }
        return needed
    }

    // MARK: Fields

    /// Nobody sets these: they are what happened (MS-SAMR 3.1.5.6.4.2).
    private static let refused: SamrWhichFields = [
        .userID, .passwordLastSet, .passwordCanChange, .passwordMustChange, .privateData,
        .securityDescriptor, .lastLogon, .lastLogoff, .badPasswordCount, .logonCount,
    ]

    private func set(
        _ fields: SamrUserFields, _ which: SamrWhichFields, of account: Account,
        _ now: FrontTime
    ) throws(DomainError) {
        if which.isEmpty { throw DomainError(.invalidInfoClass) }
        if !which.isDisjoint(with: Self.refused) { throw DomainError(.accessDenied) }
        let hours = LogonHours(fields.logonHours.hours)
        if which.contains(.logonHours), hours == nil, !fields.logonHours.hours.isEmpty {
            throw DomainError(.invalidParameter)
        }
        let isLocked = domain.isLockedOut(account, now: now.fileTime)
        try domain.updateAccount(account.rid) { account in
            Self.setTexts(fields, which, of: &account)
            if which.contains(.logonHours) { account.logonHours = hours ?? .all }
            if which.contains(.primaryGroupID) { account.primaryGroupRID = fields.primaryGroupID }
            if which.contains(.accountExpires) { account.accountExpires = fields.accountExpires }
            if which.contains(.countryCode) { account.countryCode = fields.countryCode }
            if which.contains(.codePage) { account.codePage = fields.codePage }
            if which.contains(.userAccountControl) {
                Self.setFlags(fields.userAccountControl, of: &account, isLocked: isLocked)
            }
            if which.contains(.passwordExpired) {
                if fields.passwordExpired != 0 {
                    account.passwordLastSet = 0
                } else if account.passwordLastSet == 0 {
                    account.passwordLastSet = now.fileTime
                }
            }
        }
    }

    private static func setTexts(
        _ fields: SamrUserFields, _ which: SamrWhichFields, of account: inout Account
    ) {
        if which.contains(.userName) { account.name = fields.userName }
        if which.contains(.fullName) { account.fullName = fields.fullName }
        if which.contains(.adminComment) { account.adminComment = fields.adminComment }
        if which.contains(.userComment) { account.userComment = fields.userComment }
        if which.contains(.homeDirectory) { account.homeDirectory = fields.homeDirectory }
        if which.contains(.homeDirectoryDrive) {
            account.homeDirectoryDrive = fields.homeDirectoryDrive
        }
        if which.contains(.scriptPath) { account.logonScript = fields.scriptPath }
        if which.contains(.profilePath) { account.profilePath = fields.profilePath }
        if which.contains(.workStations) {
            account.workstations = fields.workStations.split(separator: ",").map { String($0) }
        }
        if which.contains(.parameters) {
            account.parameters = SAMRParameters.bytes(fields.parameters)
        }
    }

    /// A client that means no other kind may leave it out; who clears the lock-out bit ends it.
    private static func setFlags(_ wire: UInt32, of account: inout Account, isLocked: Bool) {
        var flags = AccountFlags(rawValue: wire).intersection(.settable)
        if flags.isDisjoint(with: .kinds) {
            flags.formUnion(account.flags.intersection(.kinds))
        }
        if isLocked, wire & AccountFlags.autoLocked.rawValue == 0 {
            account.lockoutTime = 0
            account.badPasswordCount = 0
        }
        account.flags = flags
    }

    // MARK: Passwords

    /// The key that the client shares with this session; over TCP it is one that everybody knows,
    /// so that the call itself must be sealed.
    private func key(_ caller: RemoteCaller) throws(SAMRRefusal) -> Bytes16 {
        if case .tcp = caller.carriage, !caller.isSealed {
            throw .status(.accessDenied)
        }
        guard caller.transportKey != Bytes16() else { throw .status(.noUserSessionKey) }
        return caller.transportKey
    }

    private func newPassword(
        _ information: SamrUserInformation, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SAMRNewPassword? {
        let key = try key(caller)
        switch information {
        case .fields(_, let fields):
            return SAMRNewPassword(
                password: try Self.hashes(fields, key),
                mustChange: fields.whichFields.contains(.passwordExpired)
                    && fields.passwordExpired != 0)
        case .hashes(let nt, let lm, let ntPresent, let lmPresent, let expired):
            guard ntPresent else {
                throw .status(lmPresent ? .ntCrossEncryptionRequired : .invalidParameter)
            }
            return SAMRNewPassword(
                password: NewPassword(
                    nt: HashEncryption.decrypt(nt, key: key),
                    lm: lmPresent ? HashEncryption.decrypt(lm, key: key) : nil),
                mustChange: expired != 0)
        case .fieldsWithPassword(let fields, let encrypted):
            return try Self.sealed(SAMPassword.open(encrypted, key: key.bytes), fields)
        case .fieldsWithSaltedPassword(let fields, let encrypted):
            return try Self.sealed(SAMPassword.open(encrypted, sessionKey: key), fields)
        case .password(let encrypted, let expired):
            return try Self.sealed(SAMPassword.open(encrypted, key: key.bytes), expired != 0)
        case .saltedPassword(let encrypted, let expired):
            return try Self.sealed(SAMPassword.open(encrypted, sessionKey: key), expired != 0)
        }
    }

    private static func hashes(
        _ fields: SamrUserFields, _ key: Bytes16
    ) throws(SAMRRefusal) -> NewPassword {
        guard fields.whichFields.contains(.ntPasswordPresent) else {
            throw .status(.ntCrossEncryptionRequired)
        }
        guard let nt = fields.ntOwfPassword, nt.count == 16 else {
            throw .status(.invalidParameter)
        }
        var lm: Bytes16?
        if fields.whichFields.contains(.lmPasswordPresent), let bytes = fields.lmOwfPassword,
            bytes.count == 16
        {
            lm = HashEncryption.decrypt(Bytes16(bytes), key: key)
        }
        return NewPassword(nt: HashEncryption.decrypt(Bytes16(nt), key: key), lm: lm)
    }

    /// A length that cannot be says that the key was another.
    private static func sealed(
        _ password: Secret?, _ mustChange: Bool
    ) throws(SAMRRefusal) -> SAMRNewPassword {
        guard let password, password.bytes.count % 2 == 0 else {
            throw .status(.wrongPassword)
        }
        return SAMRNewPassword(
            password: NewPassword(utf16LE: password), mustChange: mustChange)
    }

    /// Classes with fields set a password where their fields say so.
    private static func sealed(
        _ password: Secret?, _ fields: SamrUserFields
    ) throws(SAMRRefusal) -> SAMRNewPassword? {
        if fields.whichFields.isDisjoint(with: hashFields) { return nil }
        return try sealed(
            password,
            fields.whichFields.contains(.passwordExpired) && fields.passwordExpired != 0)
    }
}

extension AccountFlags {
    /// What an administrator may set.
    fileprivate static let settable: AccountFlags = [
        .disabled, .homeDirectoryRequired, .passwordNotRequired, .temporaryDuplicate, .normal,
        .mnsLogon, .interdomainTrust, .workstationTrust, .serverTrust, .passwordNeverExpires,
    ]
}
