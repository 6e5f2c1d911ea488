import Crypto
import Interfaces
import RPC
import SecureChannel
import Wire

// What the endpoint mapper and the Netlogon service do (C706 appendix O, MS-NRPC 3.5).

extension ControllerConnection {
    func carryOut(_ call: Call) throws(WireError) {
        var reader = WireReader(call.stub.span, layer: "call")
        if port == EndpointMapper.port {
            guard call.opnum == EptMap.opnum else { return refuse(call, .opRangeError) }
            _ = try EptMap.Request(parsing: &reader)
            controller.countMapping()
            let tower = ProtocolTower.tcp(
                Netlogon.interface, port: controller.netlogonPort, address: controller.address)
            answer(call, EptMap.Response(towers: [tower], maximumTowers: 1))
            return
        }
        switch call.opnum {
        case NetrServerReqChallenge.opnum:
            let request = try NetrServerReqChallenge.Request(parsing: &reader)
            let challenge = Bytes8(controller.random(8))
            controller.countChallenge()
            noteChallenges(client: request.clientChallenge, server: challenge)
            answer(call, NetrServerReqChallenge.Response(serverChallenge: challenge))
        case NetrServerAuthenticate2.opnum, NetrServerAuthenticate3.opnum:
            authenticate(call, try NegotiatingChannelClaim(parsing: &reader))
        case NetrLogonSamLogonEx.opnum:
            let request = try NetrLogonSamLogonEx.Request(parsing: &reader)
            // Without a seal nobody is believed to be who he says (MS-NRPC 3.5.4.5.1).
            guard call.isSealed else { return refuse(call, .accessDenied) }
            logon(call, request)
        case NetrLogonSamLogon.opnum:
            logon(call, try NetrLogonSamLogon.Request(parsing: &reader))
        case NetrServerPasswordSet2.opnum:
            setPassword(call, try NetrServerPasswordSet2.Request(parsing: &reader))
        case NetrDatabaseDeltas.opnum where controller.answersPulls:
            let pull = try NetrDatabaseDeltas.Request(parsing: &reader).call
            let moved = controller.moveChain(pull.computerName, pull.authenticator)
            answer(call, AuthenticatedStatus(
                returnAuthenticator: NetlogonAuthenticator(credential: moved ?? Bytes8()),
                status: moved == nil ? .accessDenied : .success))
        case LsarLookupNames4.opnum where call.isSealed:
            translate(call, try LsarLookupNames4.Request(parsing: &reader))
        case _: refuse(call, .opRangeError)
        }
    }

    /// The Local Security Authority is where Netlogon is, as on Windows.
    private func translate(_ call: Call, _ request: LsarLookupNames4.Request) {
        controller.countTranslation()
        if controller.losesTranslations > 0 {
            controller.losesTranslations -= 1
            return end()
        }
        let sid = SID(identifierAuthority: 5, subAuthorities: [21, 1, 2, 3])
        let translations = request.names.map { name in
            if name == "ADLAB" { return TranslatedSIDEx2(use: .domain, sid: sid, domainIndex: 0) }
            let user = String(name.split(separator: "\\").last ?? "")
            guard SimulatedUser.exists(user) else {
                return TranslatedSIDEx2(use: .unknown, sid: nil)
            }
            return TranslatedSIDEx2(
                use: .user, sid: sid.appending(SimulatedUser.relativeID(user)), domainIndex: 0)
        }
        let mapped = translations.filter { $0.sid != nil }.count
        answer(call, LsarLookupNames4.Response(
            referencedDomains: ReferencedDomains([LSADomain(name: "ADLAB", sid: sid)]),
            translations: translations, mappedCount: UInt32(mapped),
            status: mapped == translations.count ? .success : .someNotMapped))
    }

    /// Takes the password for the account, unless the controller is told to refuse it, to forget
    /// the answer, or to lose the call.
    private func setPassword(_ call: Call, _ request: NetrServerPasswordSet2.Request) {
        let account = request.account
        let moved = controller.moveChain(account.computerName, account.authenticator)
        guard let moved, let session = controller.sessions[account.computerName] else {
            return answer(call, AuthenticatedStatus(
                returnAuthenticator: NetlogonAuthenticator(), status: .accessDenied))
        }
        let returned = NetlogonAuthenticator(credential: moved)
        if let refusal = controller.passwordRefusal {
            return answer(
                call, AuthenticatedStatus(returnAuthenticator: returned, status: refusal))
        }
        if controller.losesPasswordCall { return end() }
        var buffer = request.clearNewPassword.bytes
        session.key.reveal(&buffer)
        let length = Int(buffer[512]) | Int(buffer[513]) << 8
        controller.accounts[account.accountName] = MD4.hash(Array(buffer[(512 - length)..<512]))
        if controller.losesPasswordAnswer { return end() }
        answer(call, AuthenticatedStatus(returnAuthenticator: returned))
    }

    private func refuse(_ call: Call, _ status: FaultStatus) {
        fault(status, call.header, contextID: call.contextID)
    }

    // MARK: The key

    private func authenticate(_ call: Call, _ request: NegotiatingChannelClaim) {
        let asked = NegotiateFlags(rawValue: request.negotiateFlags)
        let granted = asked.intersection(controller.capabilities)
        var status = NTStatus.accessDenied
        var credential = Bytes8()
        if let hash = controller.accounts[request.claim.accountName] {
            if let challenges {
                let key = SessionKey(
                    cipher: ChannelCipher(negotiated: granted), sharedSecret: hash,
                    clientChallenge: challenges.client, serverChallenge: challenges.server)
                if key.credential(challenges.client) == request.claim.clientCredential {
                    status = .success
                    credential = key.credential(challenges.server)
                    controller.makeKey(
                        request.claim.computerName, key,
                        CredentialChain(
                            sessionKey: key, clientCredential: request.claim.clientCredential))
                }
            }
        } else {
            status = .noTrustSAMAccount
        }
        forgetChallenges()
        if status != .success { controller.countRefusedAuthentication() }
        if call.opnum == NetrServerAuthenticate3.opnum {
            answer(call, NetrServerAuthenticate3.Response(
                serverCredential: credential, negotiateFlags: granted.rawValue,
                accountRID: 1_103, status: status))
        } else {
            answer(call, NetrServerAuthenticate2.Response(
                serverCredential: credential, negotiateFlags: granted.rawValue, status: status))
        }
    }

    // MARK: Logons

    private func logon(_ call: Call, _ request: NetrLogonSamLogonEx.Request) {
        let user = request.logonInformation.identity.userName ?? ""
        guard let fate = befall(call, user) else { return }
        guard isKnown(request.computerName ?? "") else {
            if controller.denial == .fault { return refuse(call, .accessDenied) }
            answer(call, NetrLogonSamLogonEx.Response(
                validation: NetlogonValidation(level: request.validationLevel),
                status: .accessDenied))
            return
        }
        let (status, validation) = validate(request.logonInformation, request.validationLevel)
        finish(call, fate, NetrLogonSamLogonEx.Response(validation: validation, status: status))
    }

    private func logon(_ call: Call, _ request: NetrLogonSamLogon.Request) {
        let user = request.logonInformation.identity.userName ?? ""
        guard let fate = befall(call, user) else { return }
        let moved = controller.moveChain(request.computerName ?? "", request.authenticator)
        guard let moved else {
            answer(call, NetrLogonSamLogon.Response(
                returnAuthenticator: NetlogonAuthenticator(),
                validation: NetlogonValidation(level: request.validationLevel),
                status: .accessDenied))
            return
        }
        let (status, validation) = validate(request.logonInformation, request.validationLevel)
        finish(call, fate, NetrLogonSamLogon.Response(
            returnAuthenticator: NetlogonAuthenticator(credential: moved),
            validation: validation, status: status))
    }

    private enum Fate {
        case plain
        case fault(SimulatedController.Fault)
    }

    /// Lets the next fault do what it does before the call is looked at. Nil: that was all.
    private func befall(_ call: Call, _ user: String) -> Fate? {
        guard let fault = controller.nextFault() else { return .plain }
        if fault == .forgetKey {
            controller.forgetKeys()
            return .plain
        }
        return .fault(fault)
    }

    private func isKnown(_ name: String) -> Bool {
        guard let session = controller.sessions[name] else { return false }
        return !controller.refusesReplacedKeys || session.generation == generation
    }

    private func finish(_ call: Call, _ fate: Fate, _ response: some NDRMessage) {
        guard case .fault(let fault) = fate else { return answer(call, response) }
        switch fault {
        case .silence, .reset, .forgetKey: break
        case .close: end()
        case .undecodable: answer(call, stub: [UInt8](repeating: 0xee, count: 64))
        case .nonsense: deliver(Array("HTTP/1.0 400 Bad Request\r\n\r\n".utf8))
        case .wrongToken:
            var writer = WireWriter()
            response.write(into: &writer)
            answer(call, stub: writer.finish(), wrongToken: true)
        }
    }

    /// Looks at the password, which counts.
    private func validate(
        _ information: LogonInformation, _ level: ValidationLevel
    ) -> (NTStatus, NetlogonValidation) {
        let user = information.identity.userName ?? ""
        controller.countValidation(user, information)
        let none = NetlogonValidation(level: level)
        guard SimulatedUser.exists(user) else { return (.noSuchUser, none) }
        guard case .network(let info, _) = information, SimulatedUser.accepts(info) else {
            return (.wrongPassword, none)
        }
        var sam = ValidationSAMInfo()
        sam.effectiveName = .text(controller.nameOfAll ?? user)
        sam.fullName = .text("The user \(user)")
        sam.logonDomainName = .text(controller.logonDomain)
        sam.logonServer = .text(controller.name)
        sam.logonDomainID = SID(identifierAuthority: 5, subAuthorities: [21, 1, 2, 3])
        sam.extraSIDs = .list(controller.extraSIDs.map { SIDAndAttributes(sid: $0) })
        sam.userID = SimulatedUser.relativeID(user)
        sam.primaryGroupID = 513
        sam.groupIDs = .list((0..<SimulatedUser.groups(user)).map {
            GroupMembership(relativeID: 10_000 + UInt32($0))
        })
        if level != .samInfo, !controller.foreignGroups.isEmpty {
            sam.userFlags = .extraSIDs
            sam.extraSIDs = .list(controller.foreignGroups.map { SIDAndAttributes(sid: $0) })
        }
        var key = SimulatedUser.sessionKey(user).bytes
        if level != .samInfo4 { controller.sessions[computer]?.key.conceal(&key) }
        sam.userSessionKey = Bytes16(key)
        return (.success, NetlogonValidation(level: level, samInfo: sam))
    }
}
