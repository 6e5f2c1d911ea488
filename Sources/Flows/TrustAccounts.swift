import Interfaces
import NetBIOS
import RPC
import Wire

/// Retrieving the accounts of a trusted domain (flow F4): groups, then users, page by page. A page
/// is handed out as it comes and not kept.
package struct TrustAccounts<Link: Exchange> {
    /// Who takes the accounts.
    package struct Taker {
        package var group: (SamrRIDName) -> Void
        package var user: (SamrDisplayEntry) -> Void

        package init(
            group: @escaping (SamrRIDName) -> Void, user: @escaping (SamrDisplayEntry) -> Void
        ) {
            self.group = group
            self.user = user
        }
    }

    package struct Counts: Equatable {
        package var groups = 0
        package var users = 0
    }

    /// Accounts beyond this many are not believed: the list never ends.
    package static var accountLimit: Int { 1_000_000 }
    private static var domainLimit: Int { 64 }
    /// Bytes of one page that are asked for, and entries. Controllers give less as they like.
    private static var pageBytes: UInt32 { 0x8000 }
    private static var pageEntries: UInt32 { 512 }

    private let dialogue: Dialogue<Link>
    private let pipe: PipeCalls<Link>

    private init(_ dialogue: Dialogue<Link>, _ session: SMBSession<Link>) {
        self.dialogue = dialogue
        pipe = PipeCalls(session, pipe: SAMR.pipe, SAMR.interface)
    }

    /// Verifies the trust first, as nobody and as `user`, in whose session the accounts are asked
    /// for; without a user as nobody.
    package static func run(
        _ dialogue: Dialogue<Link>, _ ends: TrustEnds, as user: SessionAccount?, taker: Taker
    ) throws(FlowError) -> Counts {
        let (findings, userSession) = try TrustVerify.verify(
            dialogue, ends, as: user, isPrelude: true)
        guard let identity = findings.identity else {
            throw dialogue.contradicted("the domain has no name and no SID")
        }
        let session: SMBSession<Link>
        if let userSession {
            session = userSession
        } else {
            session = try TrustVerify.nullSession(dialogue, findings.primary)
        }
        defer { session.end() }
        let flow = TrustAccounts(dialogue, session)
        let (server, domain) = try flow.open(identity)
        var counts = Counts()
        counts.groups = try dialogue.step("list of global groups") {
            () throws(FlowError) -> (String, Int) in
            let count = try flow.groups(domain, taker.group)
            return ("\(count) groups", count)
        }
        counts.users = try dialogue.step("list of users", documented: "by display information") {
            () throws(FlowError) -> (String, Int) in
            let count = try flow.users(domain, taker.user)
            return ("\(count) users", count)
        }
        try dialogue.step("handles are closed") { () throws(FlowError) -> (String, Void) in
            for handle in [domain, server] {
                _ = try flow.pipe.call(
                    SamrCloseHandle.self, SamrHandleRequest(handle: handle))
            }
            return ("", ())
        }
        return counts
    }

    // MARK: Opening

    private func open(
        _ identity: DomainIdentity
    ) throws(FlowError) -> (server: ContextHandle, domain: ContextHandle) {
        let server = try dialogue.step("connect to SAM", documented: "1 SAMR call") {
            () throws(FlowError) -> (String, ContextHandle) in
            let answer = try pipe.call(
                SamrConnect2.self,
                SamrConnect2.Request(desiredAccess: SAMR.maximumAllowed))
            if answer.status.isError { throw dialogue.refused(answer.status) }
            return ("", answer.handle)
        }
        let domain = try dialogue.step("find and open the domain") {
            () throws(FlowError) -> (String, ContextHandle) in
            try look(for: identity, server)
            let opened = try pipe.call(
                SamrOpenDomain.self,
                SamrOpenDomain.Request(
                    serverHandle: server, desiredAccess: SAMR.maximumAllowed,
                    domainID: identity.sid))
            if opened.status.isError { throw dialogue.refused(opened.status) }
            return (identity.name, opened.handle)
        }
        return (server, domain)
    }

    /// The server must have the domain among its own, under the SID that LSA told.
    private func look(
        for identity: DomainIdentity, _ server: ContextHandle
    ) throws(FlowError) {
        let list = try pipe.call(
            SamrEnumerateDomainsInSamServer.self, SamrEnumerateRequest(handle: server))
        if list.status.isError { throw dialogue.refused(list.status) }
        let names = (list.entries ?? []).prefix(Self.domainLimit).map { $0.name.uppercased() }
        if !names.contains(identity.name.uppercased()) {
            throw dialogue.contradicted(
                "SAM has the domains \(names.joined(separator: ", ")), not \(identity.name)")
        }
        let found = try pipe.call(
            SamrLookupDomainInSamServer.self,
            SamrLookupDomainInSamServer.Request(serverHandle: server, name: identity.name))
        if found.status.isError { throw dialogue.refused(found.status) }
        if found.sid != identity.sid {
            throw dialogue.contradicted(
                "SAM gives \(identity.name) the SID \(found.sid?.description ?? "of nobody"), "
                    + "LSA \(identity.sid.description)")
        }
    }

    // MARK: Lists

    private func groups(
        _ domain: ContextHandle, _ take: (SamrRIDName) -> Void
    ) throws(FlowError) -> Int {
        var count = 0
        var context: UInt32 = 0
        while true {
            let page = try pipe.call(
                SamrEnumerateGroupsInDomain.self,
                SamrEnumerateRequest(
                    handle: domain, enumerationContext: context,
                    preferredMaximumLength: Self.pageBytes))
            if page.status.isError { throw dialogue.refused(page.status) }
            let entries = page.entries ?? []
            for entry in entries { take(entry) }
            count += entries.count
            if page.status != .moreEntries { return count }
            let isForward = page.enumerationContext > context && !entries.isEmpty
            try checkProgress(isForward, count, "groups")
            context = page.enumerationContext
        }
    }

    private func users(
        _ domain: ContextHandle, _ take: (SamrDisplayEntry) -> Void
    ) throws(FlowError) -> Int {
        var count = 0
        var index: UInt32 = 0
        while true {
            let page = try pipe.call(
                SamrQueryDisplayInformation.self,
                SamrQueryDisplayInformation.Request(
                    domainHandle: domain, displayClass: .user, index: index,
                    entryCount: Self.pageEntries, preferredMaximumLength: Self.pageBytes))
            // What some servers say where a list ends just before the asked entry.
            if page.status == .noMoreEntries { return count }
            if page.status.isError { throw dialogue.refused(page.status) }
            guard case .users(let entries) = page.page else {
                throw dialogue.contradicted("the list of users brings something else")
            }
            for entry in entries { take(entry) }
            count += entries.count
            if page.status != .moreEntries { return count }
            let next = entries.last?.index ?? 0
            try checkProgress(next > index, count, "users")
            index = next
        }
    }

    private func checkProgress(
        _ isForward: Bool, _ count: Int, _ what: String
    ) throws(FlowError) {
        if !isForward {
            throw dialogue.contradicted("the list of \(what) does not go forward")
        }
        if count > Self.accountLimit {
            throw dialogue.contradicted(
                "the list of \(what) has more than \(Self.accountLimit) entries")
        }
    }
}
