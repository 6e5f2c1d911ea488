import Crypto
import NetBIOS
import SMB
import SecureChannel
import Simulation
import Wire

// The secure channel and what carries it, against controllers that lie.

extension FuzzTarget {
    static let channels: [FuzzTarget] = [
        FuzzTarget("channel-tampered", seeds: [[UInt8](repeating: 0, count: 64)]) {
            tampered($0, .tcp)
        },
        FuzzTarget("channel-tampered-pipes", seeds: [[UInt8](repeating: 0, count: 64)]) {
            tampered($0, .smb2)
        },
        FuzzTarget("channel-modern") { hostile($0, .modern) },
        FuzzTarget("channel-nt4") { hostile($0, .nt4) },
        FuzzTarget("smb1-client") { client($0, SMB1.ClientSession()) },
        FuzzTarget("smb2-client", seeds: [answers(.smb202), answers(.smb311)]) {
            client($0, newSession())
        },
    ]

    /// A right controller whose bytes are spoilt on their way. Nobody may be let in, or refused
    /// as wrong, by that; and everybody is answered in time.
    private static func tampered(_ bytes: [UInt8], _ transport: ChannelSettings.Transport) {
        let world = ChannelWorld(connections: 2, transport: transport)
        defer { world.dissolve() }
        let controller = world.addController()
        var at = 0
        func take() -> UInt8 {
            defer { at += 1 }
            return at < bytes.count ? bytes[at] : 0
        }
        world.network.tampers = { message in
            let operation = take()
            if operation & 0x0f == 0 { return message }
            var message = message
            let place = Int(take()) * message.count / 256
            switch operation & 7 {
            case 0, 1, 2: message[place] ^= operation | 1
            case 3: message[place] = take()
            case 4: message = Array(message[..<place])
            case 5: message += message
            case 6: message = []
            case _: message.insert(take(), at: place)
            }
            return message
        }
        world.use([controller], port: take() & 1 == 0 ? controller.netlogonPort : nil)
        world.ask { $0.translate(1, .names(["ADLAB"]), deadline: $1 + 5_000, now: $1) }
        for number in 0..<3 { world.logon("user\(number)", rightPassword: number != 1) }
        world.run(6_000)
        world.logon("late")
        precondition(world.runUntilAnswered(), "a logon is not answered")
        precondition(world.translations[1] != nil, "a question is not answered")
        precondition(world.problems.isEmpty, world.problems.joined(separator: "; "))
    }

    /// A stranger in the controller's place, who says what the input says.
    private static func hostile(_ bytes: [UInt8], _ profile: ChannelSettings.Profile) {
        var numbers = FuzzNumbers()
        let channel = Channel(
            settings: ChannelSettings(
                domain: "ADLAB", profile: profile, kind: .workstation, account: "GATE1$",
                computer: "GATE1", connections: 2, allowsRC4: true, allowsUnsealed: true),
            epoch: 1_700_000_000, random: { numbers.bytes($0) })
        channel.useSecrets([ChannelWorld.secret], now: 0)
        var now: UInt64 = 0
        channel.useControllers(
            [ControllerAddress(
                address: IPv4Address(10, 77, 0, 10), name: "AD", netlogonPort: 49_152)],
            now: now)
        let request = SimulatedUser.request("anna", rightPassword: true)
        for id in 0..<3 {
            channel.logon(UInt32(id), request, deadline: 5_000, now: now)
        }
        channel.translate(1, .names(["ADLAB\\anna"]), deadline: 5_000, now: now)
        var open: [Int] = []
        func settle() {
            for output in channel.takeOutputs() {
                if case .open(let link, _) = output {
                    open.append(link)
                    channel.linkOpened(link, now: now)
                } else if case .close(let link, _) = output {
                    open.removeAll { $0 == link }
                } else if case .answer(_, .accepted) = output {
                    preconditionFailure("a stranger lets somebody in")
                }
            }
        }
        for step in Steps(bytes) {
            settle()
            if step.operation & 3 == 3 {
                now += UInt64(step.operation) * 8
                channel.tick(now: now)
            } else if let link = open.last {
                var message = step.bytes
                if profile == .nt4, step.operation & 4 == 0 { message = framed(message) }
                channel.linkReceived(link, message.span, now: now)
            }
        }
        settle()
    }

    /// In a session message, as a peer on port 445 would send it.
    private static func framed(_ message: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(message.count >> 8 & 255), UInt8(message.count & 255)] + message
    }

    private static func newSession() -> SMB2.ClientSession {
        SMB2.ClientSession(
            SMB2.ClientSession.Configuration(
                server: "10.77.0.10", clientGUID: Bytes16(), salt: Bytes16(),
                dialects: SMB2.ClientSession.Configuration.unsigned
            ) { SMB2.ClientSession.SecurityStep(token: $0) })
    }

    /// What a right server says to `client`.
    private static func answers(_ dialect: SMB2.Dialect) -> [UInt8] {
        var server = SMB2Server()
        server.dialect = dialect
        server.pends = dialect == .smb311 ? [.ioctl] : []
        var session = newSession()
        _ = session.open("netlogon", exchanging: [[1, 2, 3, 4]])
        var steps: [(operation: UInt8, bytes: [UInt8])] = []
        var writer = WireWriter()
        while steps.count < 16, session.writeMessage(into: &writer) {
            if let written = try? server.receive(writer.finish()) { server.bring(written) }
            for answer in server.takeOutgoing() {
                steps.append((0, answer))
                try? session.receive(answer)
            }
        }
        return Steps.joined(steps)
    }

    private static func client(_ bytes: [UInt8], _ session: some PipeSession) {
        var session = session
        let pipe = session.open("netlogon", exchanging: [[1, 2, 3, 4]])
        for step in Steps(bytes) {
            var writer = WireWriter()
            while session.writeMessage(into: &writer) { writer = WireWriter() }
            if step.operation & 1 != 0 { session.transact(pipe, [5, 6, 7, 8]) }
            do throws(WireError) {
                try session.receive(step.bytes)
            } catch {
                return
            }
            while let event = session.nextEvent() { _ = event }
        }
    }
}
