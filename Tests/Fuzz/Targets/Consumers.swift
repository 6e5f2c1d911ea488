import Configuration
import Consumers
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
