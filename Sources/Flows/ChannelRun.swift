import Crypto
import Interfaces
import SecureChannel
import Wire

/// Makes a secure channel as the agent would, by the same core, over a dialogue's exchange: the
/// strongest proof of a secret that there is, sealed, and over TCP where the controller has no
/// SMB1.
///
/// The controller then has a new key for our computer's name: where an agent holds a channel
/// under the same name, that is what should be asked instead.
package final class ChannelRun<Link: Exchange> {
    package enum Outcome {
        case keyed(ControllerAddress, ChannelCipher, isSealed: Bool)
        case refused(NTStatus)
    }

    private let dialogue: Dialogue<Link>
    private let channel: Channel
    private var connections: [Int: Dialogue<Link>.Connection] = [:]
    /// Whom the last connection went to, and why it brought nothing.
    private var failure: FlowError?
    private var outcome: Outcome?

    private init(_ dialogue: Dialogue<Link>, _ settings: ChannelSettings) {
        self.dialogue = dialogue
        let link = dialogue.link
        let unix = link.unixMicroseconds / 1_000_000
        channel = Channel(
            // A host without a battery may be up for longer than its clock is after 1970.
            settings: settings, epoch: unix - min(unix, link.now / 1_000),
            random: { link.random($0) })
    }

    /// Tries the controllers in their order with the secrets' hashes.
    package static func prove(
        _ dialogue: Dialogue<Link>, _ settings: ChannelSettings, secrets: [Bytes16],
        at controllers: [ControllerAddress]
    ) throws(FlowError) -> Outcome {
        let run = ChannelRun(dialogue, settings)
        defer { run.end() }
        run.channel.useSecrets(secrets, now: dialogue.link.now)
        run.channel.useControllers(controllers, now: dialogue.link.now)
        return try run.decide()
    }

    private func decide() throws(FlowError) -> Outcome {
        let deadline = dialogue.link.now + dialogue.patience.answer
        while dialogue.link.now < deadline {
            while perform() {}
            if let outcome { return outcome }
            guard let (id, connection) = connections.max(by: { $0.key < $1.key }) else { break }
            let limit = min(deadline, max(channel.nextDeadline, dialogue.link.now + 1))
            do throws(FlowError) {
                let bytes = try dialogue.receive(on: connection, deadline: limit)
                if bytes.isEmpty {
                    channel.linkClosed(id, .closed, now: dialogue.link.now)
                } else {
                    channel.linkReceived(id, bytes.span, now: dialogue.link.now)
                }
            } catch {
                failure = error
                if dialogue.link.now < limit {
                    channel.linkClosed(id, .reset, now: dialogue.link.now)
                }
            }
            channel.tick(now: dialogue.link.now)
        }
        throw failure ?? dialogue.unavailable("no controller answers")
    }

    /// Does what the channel wants; false where that was nothing.
    private func perform() -> Bool {
        let outputs = channel.takeOutputs()
        for output in outputs {
            switch output {
            case .open(let id, let endpoint): open(id, endpoint)
            case .send(let id, let bytes): send(id, bytes)
            case .close(let id, _): close(id)
            case .notice(.keyed(let controller, let cipher, let isSealed)):
                outcome = outcome ?? .keyed(controller, cipher, isSealed: isSealed)
            case .notice(.accountRefused(_, let status)): outcome = outcome ?? .refused(status)
            case .controllerFailed(let address, _, let reason):
                failure = dialogue.unavailable("\(address.description): \(reason)")
            case .notice, .answer, .translated, .pulled, .controllerSilent, .controllerAnswered,
                .mapped, .passwordSet:
                continue
            }
        }
        return !outputs.isEmpty
    }

    private func open(_ id: Int, _ endpoint: Endpoint) {
        do throws(FlowError) {
            connections[id] = try dialogue.connect(to: endpoint)
            channel.linkOpened(id, now: dialogue.link.now)
        } catch {
            channel.linkClosed(id, .refused, now: dialogue.link.now)
        }
    }

    private func send(_ id: Int, _ bytes: [UInt8]) {
        guard let connection = connections[id] else { return }
        do throws(FlowError) {
            try dialogue.send(bytes, on: connection)
        } catch {
            close(id)
            channel.linkClosed(id, .reset, now: dialogue.link.now)
        }
    }

    private func close(_ id: Int) {
        if let connection = connections.removeValue(forKey: id) { dialogue.close(connection) }
    }

    private func end() {
        channel.stop()
        for id in Array(connections.keys) { close(id) }
    }
}

extension Dialogue {
    /// The step in which a secret is proved: a refusal ends it, in words.
    func proveChannel(
        _ settings: ChannelSettings, secrets: [Bytes16], at controllers: [ControllerAddress]
    ) throws(FlowError) {
        try step("secure channel as \(settings.account)") {
            () throws(FlowError) -> (String, Void) in
            let outcome = try ChannelRun.prove(
                self, settings, secrets: secrets, at: controllers)
            switch outcome {
            case .keyed(let controller, let cipher, let isSealed):
                let words = controller.label + (cipher == .aes ? ", AES" : ", RC4")
                return (words + (isSealed ? ", sealed" : ", without a seal"), ())
            case .refused(let status):
                throw contradicted(RefusalText.channel(status, account: settings.account))
            }
        }
    }
}
