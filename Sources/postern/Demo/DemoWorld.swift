import Configuration
import Crypto
import Domain
import Loop
import Store
import Wire

/// Two agents on loopback in one process: one is the controller of a throw-away domain, the other
/// passes logons to it as it would to anybody's. All that they keep is in a folder of their own.
final class DemoWorld {
    static let domain = "DEMO"
    static let controller = "DEMOPDC"
    static let gate = "GATE1"
    static let user = "alice"
    static let password = "Wonderland-1865"

    private static let controllerAddress = IPv4Address(127, 0, 0, 1)
    private static let gateAddress = IPv4Address(127, 0, 0, 2)
    static let clientAddress = IPv4Address(127, 0, 0, 3)
    /// Added to the well-known ports. Several are tried: other programs may have some of them.
    private static let offsets: [UInt16] = [21_000, 23_000, 27_000, 31_000, 37_000, 41_000]

    let loop: EventLoop
    let folder: String
    let portOffset: UInt16
    let primary: Daemon
    let agent: Daemon

    init() throws(SetupFailure) {
        let folder: String
        do throws(SystemError) {
            folder = try SystemFile.makeTemporaryDirectory(prefix: "postern-demo-")
        } catch {
            throw SetupFailure(text: error.description)
        }
        self.folder = folder
        var failure = "no ports are free"
        for offset in Self.offsets {
            let loop = EventLoop()
            do throws(SetupFailure) {
                let made = (
                    try Self.primary(folder, offset, loop), try Self.agent(folder, offset, loop)
                )
                (primary, agent) = made
                self.loop = loop
                portOffset = offset
                return
            } catch {
                failure = error.text
                Self.clear(folder)
            }
        }
        Self.clear(folder)
        SystemFile.remove(folder)
        throw SetupFailure(text: failure)
    }

    /// Where the agent hears datagrams.
    var agentDatagrams: Endpoint { Endpoint(Self.gateAddress, 138 &+ portOffset) }

    /// Removes what was kept.
    func remove() {
        Self.clear(folder)
        SystemFile.remove(folder)
    }

    private static func clear(_ folder: String) {
        for name in [controller, gate] {
            for file in ["state.mdb", "state.mdb-lock", "control", ""] {
                SystemFile.remove(file.isEmpty ? "\(folder)/\(name)" : "\(folder)/\(name)/\(file)")
            }
        }
    }

    // MARK: The two agents

    private static func primary(
        _ folder: String, _ offset: UInt16, _ loop: EventLoop
    ) throws(SetupFailure) -> Daemon {
        let text = """
            [agent]
            name = \(controller)
            state directory = \(folder)/\(controller)
            runtime directory = \(folder)/\(controller)
            log level = error
            [listen]
            interfaces = \(controllerAddress.description)/32
            port offset = \(offset)
            smb = yes
            [local domain \(domain)]
            accounts = yes
            """
        let (configuration, store) = try home(text, "\(folder)/\(controller)")
        guard let local = LocalDomains.open(configuration, store, Log(.error)).first else {
            throw SetupFailure(text: "the domain cannot be made")
        }
        do throws(DomainError) {
            let now = DomainTime.at(unix: SystemClock.unixSeconds)
            let alice = try local.createAccount(user)
            try local.setPassword(
                alice.rid, NewPassword(Secret(Array(password.utf8))), now: now)
            let machine = try local.createAccount("\(gate)$", flags: .workstationTrust)
            try local.setPassword(machine.rid, NewPassword(machineSecret), now: now)
        } catch {
            throw SetupFailure(text: "the domain's accounts: \(error.status.name)")
        }
        return try daemon(configuration, store, loop)
    }

    private static func agent(
        _ folder: String, _ offset: UInt16, _ loop: EventLoop
    ) throws(SetupFailure) -> Daemon {
        let text = """
            [agent]
            name = \(gate)
            state directory = \(folder)/\(gate)
            runtime directory = \(folder)/\(gate)
            log level = error
            [listen]
            interfaces = \(gateAddress.description)/32
            port offset = \(offset)
            [domain \(domain)]
            controllers = \(controllerAddress.description)
            port offset = \(offset)
            profile = nt4
            answer = yes
            """
        let (configuration, store) = try home(text, "\(folder)/\(gate)")
        do throws(StoreError) {
            let secret = StoredSecret(
                form: .password, since: SystemClock.unixSeconds, secret: machineSecret)
            try store.write { state throws(StoreError) in
                try state.put(DomainSecrets(sequence: 1, current: secret), domain)
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
        return try daemon(configuration, store, loop)
    }

    private static var machineSecret: Secret { Secret(Array("looking-glass-1871".utf8)) }

    private static func home(
        _ text: String, _ path: String
    ) throws(SetupFailure) -> (Configuration, StateStore) {
        do throws(SystemError) {
            try SystemFile.makeDirectory(path, mode: 0o700)
        } catch {
            throw SetupFailure(text: error.description)
        }
        let configuration: Configuration
        do throws(ConfigurationError) {
            configuration = try Configuration(
                parsing: Array(text.utf8), file: "demo", hostName: "demo")
        } catch {
            throw SetupFailure(text: error.description)
        }
        do throws(StoreError) {
            return (configuration, try StateStore(directory: path))
        } catch {
            throw SetupFailure(text: error.description)
        }
    }

    private static func daemon(
        _ configuration: Configuration, _ store: StateStore, _ loop: EventLoop
    ) throws(SetupFailure) -> Daemon {
        let daemon = Daemon(configuration, store: store, log: Log(.error), loop: loop)
        do throws(SystemError) {
            try daemon.bind()
        } catch {
            throw SetupFailure(text: error.description)
        }
        return daemon
    }
}
