import Front
import RPC
import SMB
import Wire

// What clients of the front may send.

extension FuzzTarget {
    static let servers: [FuzzTarget] = [
        FuzzTarget("rpc-server", seeds: ServerSeeds.rpc) { rpcServer($0) },
        FuzzTarget("smb1-server", seeds: ServerSeeds.smb) { smbServer($0) },
        FuzzTarget("services", seeds: ServerSeeds.services + SealedSeeds.all) {
            _ = answers(toCalls: $0)
        },
        FuzzTarget("rap-server", seeds: ServerSeeds.administration) { administration($0) },
    ]

    /// Operations of both servers, in an operation's low bits; any other is bytes as they came.
    enum Operation {
        static let framed: UInt8 = 0
        static let answerLogon: UInt8 = 6
        static let passTime: UInt8 = 7
        /// The logon that the bytes lead to waits for its `answerLogon`.
        static let holdsLogon: UInt8 = 0x40
        /// The bytes are the second connection's.
        static let isOther: UInt8 = 0x20
        static let isRight: UInt8 = 0x10
    }

    private static func rpcServer(_ bytes: [UInt8]) {
        serve(bytes, on: .rpc(135)) { _, bytes in bytes }
    }

    private static func smbServer(_ bytes: [UInt8]) {
        serve(bytes, on: .direct) { operation, bytes in
            operation & 7 == Operation.framed ? FrontWorld.framed(bytes) : bytes
        }
    }

    private static func serve(
        _ bytes: [UInt8], on port: FrontPort, _ frame: (UInt8, [UInt8]) -> [UInt8]
    ) {
        let world = FrontWorld()
        var connections: [FrontConnection] = []
        for _ in 0..<2 {
            guard let one = world.front.opened(
                from: FrontWorld.peer, on: port, now: world.now)
            else { return }
            connections.append(one)
        }
        for step in Steps(bytes) {
            switch step.operation & 7 {
            case Operation.passTime: world.pass(UInt64(step.operation) * 64)
            case Operation.answerLogon:
                world.answerLogon(step.operation & Operation.isRight != 0)
            case _:
                let index = step.operation & Operation.isOther == 0 ? 0 : 1
                if world.closed.contains(connections[index]) {
                    guard let next = world.front.opened(
                        from: FrontWorld.peer, on: port, now: world.now)
                    else { return }
                    connections[index] = next
                }
                world.receive(
                    connections[index], frame(step.operation, step.bytes),
                    holdingLogons: step.operation & Operation.holdsLogon != 0)
            }
            // An answer is a message's; it is never without end.
            precondition(world.sent.reduce(0) { $0 + $1.count } < 16 << 20)
            world.sent.removeAll(keepingCapacity: true)
        }
    }

    /// Calls of every service. The operation is its index, and what is said for the caller; the
    /// first byte is the call's number.
    enum ServiceCall {
        static let index: UInt8 = 7
        /// The last handle that was given takes the place of the stub's first 20 bytes.
        static let usesHandle: UInt8 = 0x80
        static let isNobody: UInt8 = 0x40
        static let overTCP: UInt8 = 0x20
        /// The caller is a computer, under the seal of its secure channel; what stands for an
        /// authenticator is replaced by it (`SealedComputer`).
        static let isBackup: UInt8 = 0x10
        static let isMember: UInt8 = 0x08
    }

    /// Each call's response; nil for a fault, and for an answer that comes later.
    package static func answers(toCalls bytes: [UInt8]) -> [[UInt8]?] {
        let world = FrontWorld()
        let (member, backup) = world.computers()
        var answers: [[UInt8]?] = []
        var callers: [RemoteCaller] = []
        for carriage in [RemoteCaller.Carriage.pipe("samr"), .tcp] {
            for identity in [FrontIdentity.anonymous, FrontWorld.administrator] {
                let caller = RemoteCaller(
                    carriage: carriage, peer: FrontWorld.peer, identity: identity)
                caller.authLevel = .privacy
                callers.append(caller)
            }
        }
        let handleSize = 20
        var handle = [UInt8](repeating: 0, count: handleSize)
        for step in Steps(bytes) {
            guard let opnum = step.bytes.first else { continue }
            var stub = Array(step.bytes.dropFirst())
            if step.operation & ServiceCall.usesHandle != 0 {
                stub.replaceSubrange(0..<min(handle.count, stub.count), with: handle)
            }
            let caller = callers[
                (step.operation & ServiceCall.overTCP == 0 ? 0 : 2)
                    + (step.operation & ServiceCall.isNobody == 0 ? 1 : 0)]
            let service = world.services[Int(step.operation & ServiceCall.index)]
            let reply: ServiceReply
            if step.operation & (ServiceCall.isMember | ServiceCall.isBackup) != 0 {
                let isBackup = step.operation & ServiceCall.isBackup != 0
                reply = (isBackup ? backup : member).call(
                    service, UInt16(opnum), stub, world.now)
            } else {
                reply = service.call(
                    UInt16(opnum), WireReader(stub.span, layer: "stub"), from: caller,
                    now: world.now)
            }
            guard case .response(let answer) = reply else {
                answers.append(nil)
                continue
            }
            answers.append(answer)
            if answer.count == handleSize + 4 { handle = Array(answer[..<handleSize]) }
        }
        for service in world.services {
            for caller in callers + [member.caller, backup.caller] { service.ended(caller) }
        }
        return answers
    }

    /// Seeds of `services` whose calls all need a secure channel.
    package static var sealedCalls: [[UInt8]] { SealedSeeds.all }

    /// The same calls by an administrator who has none.
    package static func unsealed(_ input: [UInt8]) -> [UInt8] {
        Steps.joined(Steps(input).map {
            ($0.operation & ~(ServiceCall.isMember | ServiceCall.isBackup), $0.bytes)
        })
    }

    private static func administration(_ bytes: [UInt8]) {
        let world = FrontWorld()
        for step in Steps(bytes) {
            let cut = Int(step.operation) % (step.bytes.count + 1)
            let most = step.bytes.count * 64
            let reply = world.administration.call(
                RemoteAdministrationCall(
                    parameters: Array(step.bytes[..<cut]), data: Array(step.bytes[cut...]),
                    maxParameterCount: most, maxDataCount: most, identity: .anonymous,
                    peer: FrontWorld.peer),
                now: world.now)
            precondition(reply.parameters.count <= most && reply.data.count <= most)
        }
    }
}
