import Crypto
import Interfaces
import NTLM
import NetBIOS
import RPC
import SecureChannel
import Wire

/// An account in the SAM of a primary controller, under an administrator's hands (MS-SAMR).
final class SAMDesk<Link: Exchange> {
    let controller: ControllerAddress
    private let dialogue: Dialogue<Link>
    private let terms: JoinTerms
    private let session: SMBSession<Link>
    private let pipe: PipeCalls<Link>
    private var user = ContextHandle.null
    private var isNew = false

    private init(
        _ dialogue: Dialogue<Link>, _ terms: JoinTerms, _ primary: SMBTarget,
        _ session: SMBSession<Link>
    ) {
        self.dialogue = dialogue
        self.terms = terms
        self.session = session
        controller = primary.controller
        pipe = PipeCalls(session, pipe: SAMR.pipe, SAMR.interface)
    }

    /// Finds the primary controller, logs the administrator on, and makes or opens the account.
    static func open(
        _ dialogue: Dialogue<Link>, _ terms: JoinTerms
    ) throws(FlowError) -> SAMDesk {
        let primary = try TrustEstablish.findPrimary(
            dialogue, MailslotDesk(dialogue), terms.domain, terms.directory, terms.controllers)
        let session = try dialogue.step("session as \(terms.administrator.user)") {
            () throws(FlowError) -> (String, SMBSession<Link>) in
            var administrator = terms.administrator
            administrator.prefersExtended = true
            let session = try TrustVerify.logOn(dialogue, primary, administrator)
            return (primary.name, session)
        }
        let desk = SAMDesk(dialogue, terms, primary, session)
        do throws(FlowError) {
            let domain = try desk.openDomain()
            try desk.openAccount(domain)
        } catch {
            session.end()
            throw error
        }
        return desk
    }

    func end() {
        _ = try? pipe.call(SamrCloseHandle.self, SamrHandleRequest(handle: user))
        session.end()
    }

    private func openDomain() throws(FlowError) -> ContextHandle {
        try dialogue.step("domain in SAM") { () throws(FlowError) -> (String, ContextHandle) in
            let server = try pipe.call(
                SamrConnect2.self, SamrConnect2.Request(desiredAccess: SAMR.maximumAllowed))
            if server.status.isError { throw dialogue.refused(server.status) }
            let found = try pipe.call(
                SamrLookupDomainInSamServer.self,
                SamrLookupDomainInSamServer.Request(
                    serverHandle: server.handle, name: terms.domain.text))
            if found.status.isError { throw dialogue.refused(found.status) }
            guard let sid = found.sid else {
                throw dialogue.contradicted("SAM tells no SID of \(terms.domain.text)")
            }
            let opened = try pipe.call(
                SamrOpenDomain.self,
                SamrOpenDomain.Request(
                    serverHandle: server.handle, desiredAccess: SAMR.maximumAllowed,
                    domainID: sid))
            if opened.status.isError { throw dialogue.refused(opened.status) }
            return (sid.description, opened.handle)
        }
    }

    // MARK: The account

    private func openAccount(_ domain: ContextHandle) throws(FlowError) {
        try dialogue.step("account \(terms.account)") { () throws(FlowError) -> (String, Void) in
            let made = try pipe.call(
                SamrCreateUser2InDomain.self,
                SamrCreateUser2InDomain.Request(
                    domainHandle: domain, name: terms.account,
                    accountType: terms.kind.accountControl))
            if made.status == .userExists {
                try takeOver(domain)
                return ("is there, and is taken over", ())
            }
            if made.status == .accessDenied {
                throw dialogue.contradicted(
                    "\(terms.administrator.user) may not make accounts in \(terms.domain.text)")
            }
            if made.status.isError { throw dialogue.refused(made.status) }
            user = made.handle
            isNew = true
            return ("made", ())
        }
    }

    private func takeOver(_ domain: ContextHandle) throws(FlowError) {
        guard terms.resets else { throw dialogue.contradicted(JoinText.taken(terms)) }
        let found = try pipe.call(
            SamrLookupNamesInDomain.self,
            SamrLookupNamesInDomain.Request(domainHandle: domain, names: [terms.account]))
        guard !found.status.isError, let rid = found.relativeIDs.first else {
            throw dialogue.refused(found.status)
        }
        let opened = try pipe.call(
            SamrOpenUser.self, SamrOpenRequest(domainHandle: domain, relativeID: rid))
        if opened.status.isError { throw dialogue.refused(opened.status) }
        user = opened.handle
        let asked = try pipe.call(
            SamrQueryInformationUser2.self,
            SamrQueryRequest(handle: user, informationClass: Self.control))
        guard case .fields(_, let fields) = asked.information else {
            throw dialogue.refused(asked.status)
        }
        if fields.userAccountControl & terms.kind.accountControl == 0 {
            throw dialogue.contradicted(JoinText.otherKind(terms))
        }
    }

    /// The class of userAccountControl alone (MS-SAMR 2.2.6.12).
    private static var control: UInt16 { 16 }

    /// Sets the password, in UTF-16LE, and lets the account be used. Gives the controller's
    /// refusal; what is thrown leaves open whether it has taken it.
    func set(_ password: Secret) throws(FlowError) -> FlowError? {
        guard let key = session.sessionKey else {
            return dialogue.contradicted("the session has no key to send a password under")
        }
        let random = dialogue.link.random(SAMPassword.maximumByteCount)
        let salted = SAMPassword.seal(
            password, sessionKey: key, salt: Bytes16(dialogue.link.random(16)), random: random)
        var status = try setSalted(salted)
        if Self.isUnknownClass(status) {
            // As before Windows 2000.
            status = try set(
                .password(
                    SAMPassword.seal(password, key: key.bytes, random: random),
                    passwordExpired: 0))
        }
        if status.isError { return dialogue.refused(status) }
        var fields = SamrUserFields()
        fields.userAccountControl = terms.kind.accountControl
        status = try set(.fields(informationClass: Self.control, fields))
        if !status.isError { return nil }
        // An account that was there before has the new password already.
        if isNew { return dialogue.refused(status) }
        throw dialogue.refused(status)
    }

    /// A server that faults does not know the class either.
    private func setSalted(_ password: SamrSaltedPassword) throws(FlowError) -> NTStatus {
        do throws(FlowError) {
            return try set(.saltedPassword(password, passwordExpired: 0))
        } catch {
            if case .contradicted = error { return .invalidInfoClass }
            throw error
        }
    }

    private func set(_ information: SamrUserInformation) throws(FlowError) -> NTStatus {
        try pipe.call(
            SamrSetInformationUser2.self,
            SamrSetInformationUser2.Request(userHandle: user, information: information)
        ).status
    }

    /// Whether the server has changed nothing because it does not know the class.
    private static func isUnknownClass(_ status: NTStatus) -> Bool {
        [.invalidInfoClass, .invalidParameter, .notSupported, .notImplemented].contains(status)
    }

    /// Removes the account where this join made it.
    func undo() {
        if !isNew { return }
        _ = try? pipe.call(SamrDeleteUser.self, SamrHandleRequest(handle: user))
    }
}

/// Why a join goes no further, in words.
enum JoinText {
    static func taken(_ terms: JoinTerms) -> String {
        "\(terms.account) is there already, and another host may be using it: choose another "
            + "`name =`, or take it over with --reset"
    }

    static func otherKind(_ terms: JoinTerms) -> String {
        "\(terms.account) is not \(terms.kind.words); it is left as it was"
    }
}
