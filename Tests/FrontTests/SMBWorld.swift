import Crypto
import NTLM
import NetBIOS
import SMB
import Simulation
import Wire

@testable import Front

/// Pipes that answer each message with itself: at once, or when they are told to.
final class EchoPipes: PipeServer {
    private struct Open {
        var name: String
        var identity: FrontIdentity
        var messages: [[UInt8]] = []
        var held: [[UInt8]] = []
        var isBroken = false
    }

    private var pipes: [PipeID: Open] = [:]
    private var ready: [PipeID] = []
    private var last: UInt32 = 0
    /// Whether answers wait for `answerAll`.
    var holds = false
    var written: [[UInt8]] = []
    var openCount: Int { pipes.count }
    var identities: [FrontIdentity] { pipes.values.map(\.identity) }

    func open(
        _ name: String, as identity: FrontIdentity, from peer: IPv4Address, now: FrontTime
    ) -> PipeOpening {
        switch name {
        case "netlogon", "lsarpc", "broken": break
        case "secret": return .refused(.accessDenied)
        case _: return .refused(.objectNameNotFound)
        }
        last += 1
        pipes[PipeID(last)] = Open(name: name, identity: identity)
        return .opened(PipeID(last))
    }

    func write(_ pipe: PipeID, _ message: Span<UInt8>, now: FrontTime) {
        let bytes = WireReader(message, layer: "test").copy(0..<message.count)
        written.append(bytes)
        if pipes[pipe]?.name == "broken" {
            pipes[pipe]?.isBroken = true
        } else if holds {
            pipes[pipe]?.held.append(bytes)
        } else {
            pipes[pipe]?.messages.append(bytes)
        }
    }

    func read(_ pipe: PipeID) -> PipeRead {
        guard let open = pipes[pipe] else { return .broken }
        if open.isBroken { return .broken }
        if open.messages.isEmpty { return .nothing }
        pipes[pipe]?.messages.removeFirst()
        return .message(open.messages[0])
    }

    func close(_ pipe: PipeID) { pipes[pipe] = nil }

    func nextReady() -> PipeID? {
        ready.removeAll { pipes[$0] == nil }
        return ready.popLast()
    }

    func answerAll() {
        for pipe in pipes.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            guard let held = pipes[pipe]?.held, !held.isEmpty else { continue }
            pipes[pipe]?.messages += held
            pipes[pipe]?.held = []
            ready.append(pipe)
        }
    }
}

/// Answers with the parameters turned round, and as many bytes of data as they ask for.
final class EchoAdministration: RemoteAdministration {
    var calls: [RemoteAdministrationCall] = []
    var isMalformed = false

    func call(_ request: RemoteAdministrationCall, now: FrontTime) -> RemoteAdministrationReply {
        calls.append(request)
        let count = request.parameters.count >= 2
            ? Int(request.parameters[0]) | Int(request.parameters[1]) << 8 : 0
        var reply = RemoteAdministrationReply(
            parameters: request.parameters.reversed(),
            data: (0..<count).map { UInt8(truncatingIfNeeded: $0) })
        reply.isMalformed = isMalformed
        return reply
    }
}

/// A share in memory: paths with slashes, directories ending in one.
final class MemoryFiles: SharedFiles {
    let files: [String: [UInt8]]
    var asked: [[String]] = []

    init(_ files: [String: [UInt8]]) { self.files = files }

    func entries(of directory: [String]) -> [SharedEntry]? {
        asked.append(directory)
        let prefix = directory.map { $0 + "/" }.joined()
        if !prefix.isEmpty && files[prefix] == nil { return nil }
        return files.compactMap { path, content in
            guard path != prefix, path.hasPrefix(prefix) else { return nil }
            let rest = path.dropFirst(prefix.count)
            let isDirectory = rest.last == "/"
            let name = isDirectory ? rest.dropLast() : rest
            if name.contains("/") { return nil }
            return SharedEntry(
                name: String(name), isDirectory: isDirectory, size: UInt64(content.count),
                modified: 1_000_000_000)
        }
    }

    func read(_ file: [String], from offset: UInt64, count: Int) -> [UInt8]? {
        asked.append(file)
        guard let content = files[file.joined(separator: "/")] else { return nil }
        return Array(content.dropFirst(Int(min(offset, 1 << 30))).prefix(count))
    }
}

/// A server with users, and whatever its connections send and ask.
final class SMBWorld {
    static let peer = IPv4Address(10, 77, 0, 50)
    static let connection = SMBConnectionID(1)
    /// Users with their passwords.
    static let users = ["alice": "Secret-1", "jürgen": "Straße-2", "bob": "lower"]
    static let share: [String: [UInt8]] = [
        "LOGON.BAT": Array("net use h: \\\\gate\\home\r\n".utf8),
        "Scripts/": [], "Scripts/Default Users.bat": Array("rem\r\n".utf8),
        "Scripts/inner.cmd": Array("cd\r\n".utf8), "config.pol": [1, 2, 3],
    ]

    let pipes = EchoPipes()
    let administration = EchoAdministration()
    let files: MemoryFiles
    let server: SMBServer
    var now = FrontTime(now: 5_000, unix: 1_100_000_000)
    /// What went to each connection, without session headers, not yet taken.
    var sent: [SMBConnectionID: [[UInt8]]] = [:]
    var frames: [SMBConnectionID: [[UInt8]]] = [:]
    var closed: Set<SMBConnectionID> = []
    var logons: [(token: UInt64, logon: FrontLogon)] = []
    var blocked: [FrontLogon] = []
    /// Whether logons are answered as they come.
    var answers = true
    /// Instead of what the users' passwords say.
    var verdict: FrontVerdict?

    init(
        files hasFiles: Bool = true, share: [String: [UInt8]] = SMBWorld.share,
        _ change: (inout SMBServerSettings) -> Void = { _ in }
    ) {
        files = MemoryFiles(share)
        var settings = SMBServerSettings(computerName: "GATE1", domainName: "GATE")
        settings.serverGUID = Bytes16([UInt8](repeating: 7, count: 16))
        change(&settings)
        var counter: UInt8 = 0
        server = SMBServer(
            settings, pipes: pipes, administration: administration,
            files: hasFiles ? files : nil
        ) { count in
            counter &+= 1
            return (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) &+ counter }
        }
    }

    @discardableResult
    func open(
        _ id: SMBConnectionID = SMBWorld.connection, _ framing: SessionFraming = .direct,
        from peer: IPv4Address = SMBWorld.peer
    ) -> Bool {
        server.opened(id, from: peer, framing, now: now)
    }

    /// Gives bytes as they came off the wire.
    func raw(_ bytes: [UInt8], _ id: SMBConnectionID = SMBWorld.connection) {
        server.received(id, bytes.span, now: now)
        settle()
    }

    static func framed(_ message: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
    }

    /// Gives one SMB message, and takes what is answered.
    @discardableResult
    func exchange(_ message: [UInt8], _ id: SMBConnectionID = SMBWorld.connection) -> [[UInt8]] {
        raw(Self.framed(message), id)
        return take(id)
    }

    func take(_ id: SMBConnectionID = SMBWorld.connection) -> [[UInt8]] {
        let out = sent[id] ?? []
        sent[id] = nil
        return out
    }

    func settle() {
        while let output = server.nextOutput() {
            switch output {
            case .send(let id, let frame):
                frames[id, default: []].append(frame)
                if frame.count >= 4, frame[0] == 0 {
                    sent[id, default: []].append(Array(frame[4...]))
                }
            case .close(let id): closed.insert(id)
            case .blocked(let logon): blocked.append(logon)
            case .logon(let token, let logon):
                logons.append((token, logon))
                if answers { server.logonAnswered(token, judge(logon), now: now) }
            }
        }
    }

    func answer(_ token: UInt64, _ verdict: FrontVerdict) {
        server.logonAnswered(token, verdict, now: now)
        settle()
    }

    func tick(after milliseconds: UInt64) {
        now.now += milliseconds
        now.unix += milliseconds / 1_000
        server.tick(now: now)
        settle()
    }

    // MARK: Users

    func judge(_ logon: FrontLogon) -> FrontVerdict {
        if let verdict { return verdict }
        guard let password = Self.users[logon.user.lowercased()] else {
            return .refused(.noSuchUser)
        }
        guard let key = Self.key(logon, password) else { return .refused(.wrongPassword) }
        return .accepted(FrontIdentity(
            kind: .local, user: logon.user, domain: "GATE", userRID: 1_001, sessionKey: key))
    }

    /// The session base key of a right proof.
    static func key(_ logon: FrontLogon, _ password: String) -> Bytes16? {
        let hash = NTOWF.v1(password: password)
        switch logon.proof {
        case .password(let given):
            return given.bytes == Array(password.utf8) ? Bytes16() : nil
        case .hashes: return nil
        case .responses(let challenge, let nt, let lm):
            if nt.count == 24 {
                let right = NTLMv1.response(owf: hash, challenge: challenge)
                return right.bytes == nt ? NTLMv1.sessionBaseKey(ntowf: hash) : nil
            }
            if nt.count > 24 {
                let owf = NTOWF.v2(ntowf: hash, user: logon.user, domain: logon.domain)
                let proof = NTLMv2.proof(
                    owf: owf, serverChallenge: challenge, blob: Array(nt[16...]))
                guard proof.bytes == Array(nt[..<16]) else { return nil }
                return NTLMv2.sessionBaseKey(owf: owf, proof: proof)
            }
            guard let owf = LMOWF.v1(password: password.uppercased()) else { return nil }
            let right = NTLMv1.response(owf: owf, challenge: challenge)
            return right.bytes == lm ? Bytes16() : nil
        }
    }
}

/// Our own client against the server, in memory.
struct SMBTalk {
    let world: SMBWorld
    let id: SMBConnectionID
    var session: SMB1.ClientSession

    init(
        _ world: SMBWorld, _ id: SMBConnectionID = SMBWorld.connection,
        _ change: (inout SMB1.ClientSession.Configuration) -> Void = { _ in }
    ) {
        self.world = world
        self.id = id
        var configuration = SMB1.ClientSession.Configuration()
        change(&configuration)
        session = SMB1.ClientSession(configuration)
        world.open(id)
    }

    mutating func run() throws -> [SMBSessionEvent] {
        var told: [SMBSessionEvent] = []
        while true {
            var wasBusy = false
            var writer = WireWriter()
            while session.writeMessage(into: &writer) {
                world.raw(SMBWorld.framed(writer.finish()), id)
                wasBusy = true
            }
            for answer in world.take(id) {
                try session.receive(answer)
                wasBusy = true
            }
            while let event = session.nextEvent() { told.append(event) }
            if !wasBusy { return told }
        }
    }

    // MARK: Credentials

    static func user(
        _ name: String, _ password: String, domain: String = "GATE", isNTLMv2: Bool = false
    ) -> SMB1.ClientSession.Credentials {
        let hash = NTOWF.v1(password: password)
        return .user { peer in
            guard case .challenge(let bytes, _, _) = peer.security else {
                return .init(
                    accountName: name, primaryDomain: domain, lmResponse: [], ntResponse: [])
            }
            let challenge = Bytes8(bytes)
            var nt = NTLMv1.response(owf: hash, challenge: challenge).bytes
            var lm = nt
            var key = NTLMv1.sessionBaseKey(ntowf: hash)
            if isNTLMv2 {
                let both = NTLMv2.response(
                    ntowf: hash, user: name, domain: domain, serverChallenge: challenge,
                    clientChallenge: Bytes8([8, 7, 6, 5, 4, 3, 2, 1]), timestamp: 1,
                    targetInfo: [0, 0, 0, 0])
                (nt, lm, key) = (both.nt, both.lm, both.sessionBaseKey)
            }
            let signing = SMB1.Signing(
                sessionKey: key.bytes, challengeResponse: nt, md5: { MD5.hash($0, $1) })
            return .init(
                accountName: name, primaryDomain: domain, lmResponse: lm, ntResponse: nt,
                signing: signing)
        }
    }

    /// NTLMSSP, bare or within SPNEGO.
    static func extended(
        _ name: String?, _ password: String, isSPNEGO: Bool,
        responses: ClientHandshake.Responses = .ntlmv2
    ) -> SMB1.ClientSession.Credentials {
        let account = name.map {
            ClientHandshake.Account(
                userName: $0, domainName: "GATE", ntowf: NTOWF.v1(password: password))
        }
        let client = ClientHandshake(account: account, workstation: "PC1", responses: responses)
        var step = 0
        return .extended { token in
            step += 1
            if step == 1 {
                guard isSPNEGO else { return .init(token: client.negotiate, isLast: false) }
                let offer = NegTokenInit(
                    mechTypes: [.ntlmssp], mechToken: 0..<client.negotiate.count)
                return .init(
                    token: SecurityBlobs.wrap(offer, client.negotiate), isLast: false)
            }
            let nonces = ClientHandshake.Nonces(
                clientChallenge: Bytes8([1, 1, 2, 3, 5, 8, 13, 21]),
                sessionKey: Bytes16([UInt8](repeating: 9, count: 16)),
                now: 133_000_000_000_000_000)
            guard let challenge = try? SecurityBlobs.inner(token),
                let (message, session) = try? client.authenticate(
                    challenge: challenge, nonces)
            else { return nil }
            let signing = account == nil ? nil : SMB1.Signing(
                sessionKey: session.exportedSessionKey.bytes, challengeResponse: [],
                md5: { MD5.hash($0, $1) })
            let token = isSPNEGO
                ? SecurityBlobs.wrap(
                    NegTokenResp(responseToken: 0..<message.count), message)
                : message
            return .init(token: token, isLast: true, signing: signing)
        }
    }
}
