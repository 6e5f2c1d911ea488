import Domain
import Interfaces
import RPC
import Wire

// MARK: Opening, creating, deleting

extension SAMRService {
    func openUser(
        _ request: SamrOpenRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> ContextHandle {
        let home = try domain(request.domainHandle, caller, needs: SAMRAccess.Domain.lookup)
        guard home == .account, domain.accounts[request.relativeID] != nil else {
            throw .status(.noSuchUser)
        }
        return try open(.user(request.relativeID), request.desiredAccess, caller).handle
    }

    func createUser(
        _ request: SamrCreateRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrCreateResponse {
        let made = try createAccount(
            request.domainHandle, request.name, .normal, request.desiredAccess, caller)
        return SamrCreateResponse(handle: made.handle, relativeID: made.relativeID)
    }

    func createUser2(
        _ request: SamrCreateUser2InDomain.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrCreateUser2InDomain.Response {
        let kind = AccountFlags(rawValue: request.accountType)
        guard kind.isSubset(of: .kinds) else { throw .status(.invalidParameter) }
        return try createAccount(
            request.domainHandle, request.name, kind, request.desiredAccess, caller)
    }

    /// A new account is disabled until whoever makes it has given it a password.
    private func createAccount(
        _ handle: ContextHandle, _ name: String, _ kind: AccountFlags, _ desired: UInt32,
        _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrCreateUser2InDomain.Response {
        let home = try domain(handle, caller, needs: SAMRAccess.Domain.createUser)
        guard home == .account else { throw .status(.accessDenied) }
        _ = try grant(.user(0), desired, caller)
        let account = try changing { () throws(DomainError) in
            try domain.createAccount(name, flags: kind.union(.disabled))
        }
        let opened = try open(.user(account.rid), desired, caller)
        return SamrCreateUser2InDomain.Response(
            handle: opened.handle, grantedAccess: opened.granted, relativeID: account.rid)
    }

    func deleteUser(_ request: SamrHandleRequest, _ caller: RemoteCaller) throws(SAMRRefusal) {
        let account = try account(request.handle, caller, needs: SAMRAccess.delete)
        try changing { () throws(DomainError) in try domain.deleteAccount(account.rid) }
    }
}

// MARK: Querying

extension SAMRService {
    func information(
        ofUser request: SamrQueryRequest, _ caller: RemoteCaller, _ now: FrontTime
    ) throws(SAMRRefusal) -> SamrUserInformation {
        let known = try object(request.handle, caller)
        let account = try account(
            request.handle, caller, needs: Self.rightsToRead(request.informationClass))
        guard SamrUserInformation.hasFields(request.informationClass) else {
            throw .status(.invalidInfoClass)
        }
        var fields = fields(of: account, now)
        if request.informationClass == 21 { fields.hide(withoutRights: known.granted) }
        return .fields(informationClass: request.informationClass, fields)
    }

    /// MS-SAMR 3.1.5.5.5.
    private static func rightsToRead(_ informationClass: UInt16) -> UInt32 {
        typealias User = SAMRAccess.User
        switch informationClass {
        case 2: return User.readGeneral | User.readPreferences
        case 3, 5:
            return User.readGeneral | User.readPreferences | User.readLogon | User.readAccount
        case 4, 10, 11, 12, 14: return User.readLogon
        case 16, 17, 20: return User.readAccount
        case _: return User.readGeneral
        }
    }

    private func fields(of account: Account, _ now: FrontTime) -> SamrUserFields {
        var fields = SamrUserFields()
        fields.lastLogon = account.lastLogon
        fields.lastLogoff = account.lastLogoff
        fields.passwordLastSet = account.passwordLastSet
        fields.accountExpires = account.accountExpires
        fields.passwordCanChange = domain.passwordCanChange(account)
        fields.passwordMustChange = domain.passwordMustChange(account)
        fields.userName = account.name
        fields.fullName = account.fullName
        fields.homeDirectory = account.homeDirectory
        fields.homeDirectoryDrive = account.homeDirectoryDrive
        fields.scriptPath = account.logonScript
        fields.profilePath = account.profilePath
        fields.adminComment = account.adminComment
        fields.workStations = account.workstations.joined(separator: ",")
        fields.userComment = account.userComment
        fields.parameters = SAMRParameters.text(account.parameters)
        fields.userID = account.rid
        fields.primaryGroupID = account.primaryGroupRID
        fields.userAccountControl = domain.flags(of: account, now: now.fileTime).rawValue
        fields.whichFields = .queried
        fields.logonHours = SamrLogonHours(hours: account.logonHours.bytes)
        fields.badPasswordCount = account.badPasswordCount
        fields.logonCount = account.logonCount
        fields.countryCode = account.countryCode
        fields.codePage = account.codePage
        fields.passwordExpired = account.passwordLastSet == 0 && !account.isMachine ? 1 : 0
        return fields
    }
}

extension SamrUserFields {
    /// Leaves what the rights `granted` allow to be read (MS-SAMR 3.1.5.5.5.1).
    fileprivate mutating func hide(withoutRights granted: UInt32) {
        let whole = self
        var shown = SamrUserFields()
        shown.userName = userName
        shown.fullName = fullName
        shown.userID = userID
        shown.primaryGroupID = primaryGroupID
        shown.adminComment = adminComment
        shown.userComment = userComment
        shown.whichFields = [
            .userName, .fullName, .userID, .primaryGroupID, .adminComment, .userComment,
        ]
        if granted & SAMRAccess.User.readPreferences != 0 {
            shown.countryCode = countryCode
            shown.codePage = codePage
            shown.whichFields.formUnion([.countryCode, .codePage])
        }
        if granted & SAMRAccess.User.readLogon != 0 { shown.takeLogon(whole) }
        if granted & SAMRAccess.User.readAccount != 0 {
            shown.passwordLastSet = passwordLastSet
            shown.accountExpires = accountExpires
            shown.userAccountControl = userAccountControl
            shown.parameters = parameters
            shown.passwordExpired = passwordExpired
            shown.whichFields.formUnion([
                .passwordLastSet, .accountExpires, .userAccountControl, .parameters,
            ])
        }
        self = shown
    }

    private mutating func takeLogon(_ whole: SamrUserFields) {
        homeDirectory = whole.homeDirectory
        homeDirectoryDrive = whole.homeDirectoryDrive
        scriptPath = whole.scriptPath
        profilePath = whole.profilePath
        workStations = whole.workStations
        lastLogon = whole.lastLogon
        lastLogoff = whole.lastLogoff
        logonHours = whole.logonHours
        badPasswordCount = whole.badPasswordCount
        logonCount = whole.logonCount
        passwordCanChange = whole.passwordCanChange
        passwordMustChange = whole.passwordMustChange
        whichFields.formUnion([
            .homeDirectory, .homeDirectoryDrive, .scriptPath, .profilePath, .workStations,
            .lastLogon, .lastLogoff, .logonHours, .badPasswordCount, .logonCount,
            .passwordCanChange, .passwordMustChange,
        ])
    }
}

/// A user's parameters: UTF-16LE that need not be text, in the place of a text.
enum SAMRParameters {
    static func text(_ bytes: [UInt8]) -> String {
        let reader = WireReader(bytes.span, layer: "parameters")
        return reader.utf16LE(0..<(bytes.count & ~1))
    }

    static func bytes(_ text: String) -> [UInt8] {
        var writer = WireWriter(capacity: 2 * text.utf16.count)
        writer.utf16LE(text)
        return writer.finish()
    }
}
