import Crypto
import SMB
import Wire

extension SMBConnection {
    /// SMB_COM_TREE_CONNECT_ANDX.
    func connectTree(
        _ request: SMB1.TreeConnectRequest, _ dialect: SMBDialect, _ identity: FrontIdentity,
        _ exchange: SMBExchange
    ) -> SMBStep {
        // Flags, bit 0: the header's tree is given back first.
        if request.flags & 1 != 0 { disconnectTree(exchange.tid) }
        let share: SMBTree.Share
        switch find(share: request.path, request.service, identity) {
        case .found(let found): share = found
        case .refused(let status): return .failed(status)
        }
        guard let tid = newTree(share, exchange.uid) else {
            return .failed(.insuffServerResources)
        }
        exchange.tid = tid
        let service = share == .ipc ? SMB1.TreeConnectRequest.ipc : SMB1.TreeConnectRequest.disk
        var answer = SMB1.TreeConnectResponse(
            optionalSupport: dialect == .ntLM ? 1 : nil, service: service,
            nativeFileSystem: dialect < .lanMan21 ? nil : share == .ipc ? "" : "FAT")
        if dialect == .ntLM && request.flags & SMB1.TreeConnectRequest.extendedResponse != 0 {
            let rights = share == .ipc ? Self.pipeRights : Self.fileRights
            answer.maximalRights = .init(user: rights, guest: 0)
        }
        exchange.append(answer)
        return .done
    }

    /// Access masks (MS-SMB 2.2.1.4): everything of a pipe; to read and execute of a file.
    static var pipeRights: UInt32 { 0x001f_01ff }
    static var fileRights: UInt32 { 0x0012_00a9 }

    /// SMB_COM_TREE_CONNECT of clients that know no sessions. The share's password is taken for
    /// that of the user with the client's name, as NT does it; without one it is a null session.
    func connectTree(
        _ request: SMB1.CoreTreeRequest, _ exchange: SMBExchange, _ now: FrontTime
    ) -> SMBStep {
        let known = sessions.first { $0.uid == exchange.uid }?.identity
        if let known {
            switch find(share: request.path, request.service, known) {
            case .found(let share): return takeTree(share, exchange)
            case .refused(let status): return .failed(status)
            }
        }
        guard sessions.isEmpty, sessions.count < SMBLimits.sessions else {
            return .failed(.smbBadUID)
        }
        // Without a session setup nobody has said how much the client takes: as much as we do.
        clientBuffer = SMBLimits.buffer
        var someone = FrontIdentity.anonymous
        if !request.password.isEmpty { someone.kind = .remote }
        let share: SMBTree.Share
        switch find(share: request.path, request.service, someone) {
        case .found(let found): share = found
        case .refused(let status): return .failed(status)
        }
        let uid = exchange.uid
        if request.password.isEmpty {
            guard context.settings.allowsNullSessions else { return .failed(.accessDenied) }
            sessions.append(SMBSession(uid: uid, state: .valid(.anonymous)))
            authenticated(.anonymous, now)
            return takeTree(share, exchange)
        }
        let password = Secret(Array(OEMCodePage.string(request.password).utf8))
        let front = FrontLogon(
            domain: "", user: clientName, workstation: clientName, proof: .password(password),
            at: listener, from: peer)
        if blocksPlain(front) || clientName.isEmpty { return .failed(.logonFailure) }
        sessions.append(SMBSession(uid: uid, state: .validating))
        let logon = SMBLogon(uid: uid, user: clientName, way: .core(share))
        return validate(front, logon, exchange, now)
    }

    /// The end of a core client's tree connect.
    func takeTree(_ share: SMBTree.Share, _ exchange: SMBExchange) -> SMBStep {
        guard let tid = newTree(share, exchange.uid) else {
            return .failed(.insuffServerResources)
        }
        exchange.append(
            SMB1.CoreTreeResponse(maxBufferSize: UInt16(SMBLimits.buffer), tid: tid))
        return .done
    }

    private func newTree(_ share: SMBTree.Share, _ uid: UInt16) -> UInt16? {
        if trees.count >= SMBLimits.trees { return nil }
        let tid = number { used in trees.contains { $0.tid == used } }
        trees.append(SMBTree(tid: tid, share: share, uid: uid))
        return tid
    }

    func disconnectTree(_ tid: UInt16) {
        closeOpens { $0.tid == tid }
        searches.removeAll { $0.tid == tid }
        assemblies.removeAll { $0.tid == tid }
        trees.removeAll { $0.tid == tid }
    }

    private enum Found {
        case found(SMBTree.Share)
        case refused(NTStatus)
    }

    /// `\\SERVER\SHARE`, whose server nobody looks at, or the share alone.
    private func find(
        share path: String, _ service: String, _ identity: FrontIdentity
    ) -> Found {
        let name = path.split(separator: "\\").last.map { String($0) } ?? ""
        let share: SMBTree.Share
        let kind: String
        switch name.uppercased() {
        case "IPC$":
            share = .ipc
            kind = SMB1.TreeConnectRequest.ipc
        case "NETLOGON" where context.files != nil:
            share = .netlogon
            kind = SMB1.TreeConnectRequest.disk
        case _: return .refused(.badNetworkName)
        }
        if service != kind && service != SMB1.TreeConnectRequest.anyService {
            return .refused(.badDeviceType)
        }
        if share == .netlogon && identity.kind == .anonymous { return .refused(.accessDenied) }
        return .found(share)
    }
}
