import Configuration
import Consumers
import Crypto
import NTLM
import Wire

// What this host's own programs and administrator hand over.

extension FuzzTarget {
    static let consumers: [FuzzTarget] = [
        FuzzTarget("control") { bytes in
            var cutter = FrameCutter(maximum: ControlFrame.maximumRequest)
            for step in Steps(bytes) {
                cutter.append(step.bytes.span)
                while let frame = try? cutter.next() { controlFrame(frame.bytes.span) }
            }
            controlFrame(bytes.span)
        },
        FuzzTarget("winbind", seeds: winbindSeeds) { winbind($0) },
        FuzzTarget(
            "helper-squid",
            seeds: [Array("alice pa%20ss\n".utf8), Array("ADLAB%5calice secret\n".utf8)]
        ) { helper(.squid25Basic, $0) },
        FuzzTarget(
            "helper-ntlm-server",
            seeds: [Array("Username: alice\nNT-Domain:: QURMQUI=\nPassword: x\n.\n".utf8)]
        ) { helper(.ntlmServer1, $0) },
        FuzzTarget(
            "ntlm-auth",
            seeds: [Array("--username=alice\0--challenge=0102030405060708\0--nt-response=00".utf8)]
        ) { bytes in
            let words = bytes.split(separator: 0, omittingEmptySubsequences: false).prefix(64)
            _ = NTLMAuthOptions.parse(
                words.map { String(decoding: $0, as: UTF8.self) }, version: "0")
        },
        FuzzTarget("configuration", seeds: [Array(configuration.utf8)]) { bytes in
            do throws(ConfigurationError) {
                _ = try Configuration(parsing: bytes, file: "fuzz.conf", hostName: "gate1")
            } catch {
                precondition(!error.problems.isEmpty && !error.description.isEmpty)
            }
        },
        FuzzTarget("base64") { bytes in
            let text = Base64.text(bytes)
            precondition(Base64.bytes(text) == bytes, "not what was encoded")
            if let decoded = Base64.bytes(bytes) { _ = Base64.text(decoded) }
        },
    ]

    private static let configuration = """
        [agent]
        name = GATE1
        [listen]
        interfaces = 10.77.0.40/24
        wins server = 10.77.0.20
        [domain ADLAB]
        dns name = ad.lab
        profile = modern
        account = GATE1$
        deadline = 5s
        """

    private static func controlFrame(_ frame: Span<UInt8>) {
        var reader = WireReader(frame, layer: "control frame")
        if let message = try? ControlLogonRequest(parsing: &reader) { _ = message.description }
        reader = WireReader(frame, layer: "control frame")
        if let message = try? ControlLogonReply(parsing: &reader) { _ = message.description }
        reader = WireReader(frame, layer: "control frame")
        if let message = try? CommandRequest(parsing: &reader) { _ = message.description }
        reader = WireReader(frame, layer: "control frame")
        if let message = try? CommandOutput(parsing: &reader) { _ = message.description }
        reader = WireReader(frame, layer: "control frame")
        if let message = try? CommandEnd(parsing: &reader) { _ = message.description }
        reader = WireReader(frame, layer: "control frame")
        _ = try? ControlPing(parsing: &reader)
    }

    // MARK: The winbind socket

    private static func winbindRequest(
        _ command: WinbindCommand, _ body: WinbindRequest.Body, _ interface: WinbindInterface
    ) -> [UInt8] {
        var request = WinbindRequest(command, interface)
        request.body = body
        request.flags = [.infoText, .userSessionKey]
        var writer = WireWriter()
        request.write(into: &writer)
        return writer.finish()
    }

    /// Two dialogues an interface, as no input is longer than three requests. An operation's
    /// lowest bit answers what waits.
    private static let winbindSeeds: [[UInt8]] = WinbindInterface.allCases.flatMap { interface in
        var response = WinbindChallengeResponse()
        response.user = "alice"
        response.nt = [UInt8](repeating: 1, count: 300)
        let password = WinbindRequest.Body.password(
            user: "D\\u", Secret([112]), requiredSIDs: "S-1-1-0")
        return [
            Steps.joined([
                (0, winbindRequest(.interfaceVersion, .none, interface)),
                (0, winbindRequest(.privilegedDirectory, .none, interface)),
                (0, winbindRequest(.pamAuth, password, interface)),
            ]),
            Steps.joined([
                (0, winbindRequest(.pamAuthCrap, .response(response), interface)),
                (1, winbindRequest(.lookupName, .name(domain: "D", name: "n"), interface)),
                (1, winbindRequest(.lookupSID, .sid("S-1-1-0"), interface)),
            ]),
        ]
    }

    /// All of a client's requests, and each as if it were an answer too.
    private static func winbind(_ bytes: [UInt8]) {
        let conversation = WinbindConversation(
            WinbindHost(
                name: "GATE1", domain: "ADLAB", version: "0", privilegedDirectory: "/run/p"),
            isPrivileged: true, now: 0)
        conversation.presumed = WinbindInterface.allCases.reversed()
        var counters = WinbindCounters()
        for step in Steps(bytes) {
            if step.operation & 1 == 1, conversation.isBusy,
                let interface = conversation.interface
            {
                let answer = conversation.answer(WinbindResponse(interface, isOK: false))
                precondition(answer.count == interface.responseSize, "an answer of another size")
            }
            guard (try? conversation.received(step.bytes.span, now: 1)) != nil else { return }
            while let next = try? conversation.next(&counters, now: 1) {
                if case .ask(let request) = next { _ = request.description }
            }
            for command in [WinbindCommand.pamAuth, .lookupName, .lookupSID, .domainInfo] {
                var reader = WireReader(step.bytes.span, layer: "winbind")
                guard let response = try? WinbindResponse(
                    parsing: &reader, to: command, .v27)
                else { continue }
                var writer = WireWriter()
                response.write(into: &writer)
            }
        }
    }

    private static func helper(_ kind: HelperProtocol, _ bytes: [UInt8]) {
        var cutter = LineCutter()
        let context = HelperContext(
            identity: ServerHandshake.Identity(nbComputerName: "GATE1", nbDomainName: "ADLAB"),
            random: { [UInt8](repeating: 7, count: $0) }, now: { 0 })
        var helper = StdioHelper(kind, NTLMAuthOptions(), context)
        cutter.append(bytes.span)
        while let line = cutter.next() {
            let step = helper.line(line)
            if step.request != nil { _ = helper.answered(nil) }
        }
    }
}
