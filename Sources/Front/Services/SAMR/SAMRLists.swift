import Domain
import Interfaces
import RPC
import Wire

/// A page of an enumeration while it is filled: as long as the client prefers, but with one entry
/// at least, and never longer than is good for one answer.
struct SAMRPage {
    static let mostBytes = 65_535
    /// A relative identifier, a name's lengths and pointer, and its counts.
    private static let entryBytes = 24

    private(set) var entries: [SamrRIDName] = []
    private var left: Int

    init(preferred: UInt32) { left = min(Int(clamping: preferred), Self.mostBytes) }

    /// Takes another entry, or says that there is no more room.
    mutating func take(_ entry: SamrRIDName) -> Bool {
        let size = Self.entryBytes + 2 * entry.name.utf16.count
        if size > left, !entries.isEmpty { return false }
        left -= size
        entries.append(entry)
        return true
    }
}

/// A list for people, sorted by name, as it was when its first page was shown.
struct SAMRShownList {
    var serial: UInt64
    var relativeIDs: [UInt32]
    /// Bytes of all its entries.
    var size: Int
}

// MARK: Enumerations, in the order of relative identifiers

extension SAMRService {
    private func page<Element: Numbered>(
        _ elements: ArraySlice<Element>, preferred: UInt32,
        where isWanted: (Element) -> Bool = { _ in true }, name: (Element) -> String
    ) -> SamrEnumerateResponse {
        var page = SAMRPage(preferred: preferred)
        var last: UInt32 = 0
        for element in elements where isWanted(element) {
            guard page.take(SamrRIDName(relativeID: element.rid, name: name(element))) else {
                return SamrEnumerateResponse(
                    enumerationContext: last, entries: page.entries, status: .moreEntries)
            }
            last = element.rid
        }
        return SamrEnumerateResponse(enumerationContext: last, entries: page.entries)
    }

    /// The context is the last relative identifier that was told.
    func enumerateUsers(
        _ request: SamrEnumerateUsersInDomain.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrEnumerateResponse {
        let home = try domain(
            request.domainHandle, caller, needs: SAMRAccess.Domain.listAccounts)
        let accounts = home == .account ? domain.accounts.after(request.enumerationContext) : []
        let wanted = request.userAccountControl
        return page(
            accounts, preferred: request.preferredMaximumLength,
            where: { wanted == 0 || $0.flags.rawValue & wanted != 0 }, name: { $0.name })
    }

    func enumerateGroups(
        _ request: SamrEnumerateRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrEnumerateResponse {
        let home = try domain(request.handle, caller, needs: SAMRAccess.Domain.listAccounts)
        let groups = home == .account ? domain.groups.after(request.enumerationContext) : []
        return page(groups, preferred: request.preferredMaximumLength) { $0.name }
    }

    func enumerateAliases(
        _ request: SamrEnumerateRequest, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrEnumerateResponse {
        let home = try domain(request.handle, caller, needs: SAMRAccess.Domain.listAccounts)
        let table = home == .account ? domain.aliases : domain.builtinAliases
        return page(
            table.after(request.enumerationContext), preferred: request.preferredMaximumLength
        ) { $0.name }
    }
}

// MARK: Lists for people, in the order of names

extension SAMRService {
    func display(
        _ request: SamrQueryDisplayInformation3.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        do throws(SAMRRefusal) {
            return .stub(try displayed(request, caller))
        } catch {
            switch error {
            case .fault(let fault): return .fault(fault)
            case .status(let status):
                // A page has no form in a class that is not known.
                guard let page = Self.page(request.displayClass, []) else {
                    return .fault(.badStubData)
                }
                return .stub(SamrQueryDisplayInformation3.Response(page: page, status: status))
            }
        }
    }

    private func displayed(
        _ request: SamrQueryDisplayInformation3.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrQueryDisplayInformation3.Response {
        let home = try domain(
            request.domainHandle, caller, needs: SAMRAccess.Domain.listAccounts)
        guard Self.page(request.displayClass, []) != nil else {
            throw .fault(.badStubData)
        }
        let list = home == .account ? list(request.displayClass) : nil
        let relativeIDs = list?.relativeIDs ?? []
        var index = Int(clamping: request.index)
        var left = min(Int(clamping: request.preferredMaximumLength), SAMRPage.mostBytes)
        let room = left
        var entries: [SamrDisplayEntry] = []
        while index < relativeIDs.count, entries.count < Int(clamping: request.entryCount) {
            let entry = entry(request.displayClass, relativeIDs[index], index)
            let size = Self.size(entry, request.displayClass)
            if size > left, !entries.isEmpty { break }
            left -= size
            entries.append(entry)
            index += 1
        }
        guard let page = Self.page(request.displayClass, entries) else {
            throw .fault(.badStubData)
        }
        return SamrQueryDisplayInformation3.Response(
            totalAvailable: UInt32(clamping: list?.size ?? 0),
            totalReturned: UInt32(clamping: room - left), page: page,
            status: index < relativeIDs.count ? .moreEntries : .success)
    }

    private static func page(
        _ displayClass: SamrDisplayClass, _ entries: [SamrDisplayEntry]
    ) -> SamrDisplayPage? {
        switch displayClass {
        case .user: .users(entries)
        case .machine: .machines(entries)
        case .group: .groups(entries)
        case .oemUser: .oemUsers(entries.map(oem))
        case .oemGroup: .oemGroups(entries.map(oem))
        case _: nil
        }
    }

    private static func oem(_ entry: SamrDisplayEntry) -> SamrOEMDisplayEntry {
        SamrOEMDisplayEntry(index: entry.index, name: OEMCodePage.bytes(entry.accountName))
    }

    private static func size(_ entry: SamrDisplayEntry, _ displayClass: SamrDisplayClass) -> Int {
        let characters = entry.accountName.utf16.count
        switch displayClass {
        case .oemUser, .oemGroup: return 24 + characters
        case _:
            // Three numbers, and up to three texts with their lengths, pointers and counts.
            return 72 + 2 * (characters + entry.adminComment.utf16.count
                + entry.fullName.utf16.count)
        }
    }

    /// People among the users, computers among the machines; trusts are in neither.
    private static func isShown(_ account: Account, _ displayClass: SamrDisplayClass) -> Bool {
        displayClass == .machine
            ? !account.flags.isDisjoint(with: [.workstationTrust, .serverTrust])
            : account.flags.contains(.normal)
    }

    private func list(_ displayClass: SamrDisplayClass) -> SAMRShownList {
        let serial = domain.serial(of: .sam)
        if let list = shown[displayClass], list.serial == serial { return list }
        var named: [(key: String, rid: UInt32)] = []
        switch displayClass {
        case .group, .oemGroup:
            for group in domain.groups.elements {
                named.append((LocalDomain.fold(group.name), group.rid))
            }
        case _:
            for account in domain.accounts.elements
            where Self.isShown(account, displayClass) {
                named.append((LocalDomain.fold(account.name), account.rid))
            }
        }
        named.sort { $0.key < $1.key }
        var list = SAMRShownList(
            serial: serial, relativeIDs: named.map { $0.rid }, size: 0)
        for (index, rid) in list.relativeIDs.enumerated() {
            list.size += Self.size(entry(displayClass, rid, index), displayClass)
        }
        shown[displayClass] = list
        return list
    }

    private func entry(
        _ displayClass: SamrDisplayClass, _ rid: UInt32, _ index: Int
    ) -> SamrDisplayEntry {
        let number = UInt32(index + 1)
        if let account = domain.accounts[rid] {
            return SamrDisplayEntry(
                index: number, relativeID: rid, accountControl: account.flags.rawValue,
                accountName: account.name, adminComment: account.adminComment,
                fullName: displayClass == .user ? account.fullName : "")
        }
        let group = domain.groups[rid]
        return SamrDisplayEntry(
            index: number, relativeID: rid,
            accountControl: group?.attributes ?? Group.standardAttributes,
            accountName: group?.name ?? "", adminComment: group?.comment ?? "")
    }

    func displayIndex(
        _ request: SamrGetDisplayEnumerationIndex2.Request, _ caller: RemoteCaller
    ) throws(SAMRRefusal) -> SamrGetDisplayEnumerationIndex2.Response {
        let home = try domain(
            request.domainHandle, caller, needs: SAMRAccess.Domain.listAccounts)
        guard Self.page(request.displayClass, []) != nil else {
            throw .status(.invalidInfoClass)
        }
        let prefix = LocalDomain.fold(request.prefix)
        let relativeIDs = home == .account ? list(request.displayClass).relativeIDs : []
        // The first that is not before the prefix, by a search in halves.
        var low = 0
        var high = relativeIDs.count
        while low < high {
            let middle = (low + high) / 2
            let entry = entry(request.displayClass, relativeIDs[middle], middle)
            if LocalDomain.fold(entry.accountName) < prefix {
                low = middle + 1
            } else {
                high = middle
            }
        }
        if low == relativeIDs.count { throw .status(.noMoreEntries) }
        return .init(index: UInt32(low))
    }
}
