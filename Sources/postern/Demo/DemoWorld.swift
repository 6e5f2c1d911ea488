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
    static let controller = (name: "DEMOPDC", address: IPv4Address(127, 0, 0, 1))
    static let gate = (name: "GATE1", address: IPv4Address(127, 0, 0, 2))
    static let client = (name: "OLDCLIENT", address: IPv4Address(127, 0, 0, 3))
    static let user = "alice"
    static let password = "Wonderland-1865"

    private static let machinePassword = "looking-glass-1871"
    /// Added to the well-known ports. Several are tried: other programs may have some of them.
    private static let offsets: [UInt16] = [21_000, 23_000, 27_000, 31_000, 37_000, 41_000]

    let loop = EventLoop()
    let folder: String
    private(set) var portOffset: UInt16 = 0
    private(set) var primary: Daemon!
    private(set) var agent: Daemon!

    init() throws(SetupFailure) {
        do throws(SystemError) {
            folder = try SystemFile.makeTemporaryDirectory(prefix: "postern-demo-")
        } catch {
            throw SetupFailure(text: error.description)
        }
        var failure: SystemError?
        for offset in Self.offsets {
            do throws(SystemError) {
                portOffset = offset
                try prepare()
                return
            } catch {
                failure = error
                closeAll()
            }
        }
        remove()
        throw SetupFailure(text: failure?.description ?? "no ports are free")
    }

    /// Where a name's datagrams go at an agent.
    func datagrams(_ address: IPv4Address) -> Endpoint { Endpoint(address, 138 &+ portOffset) }

    private func prepare() throws(SystemError) {
        let names = [Self.controller.name, Self.gate.name]
        for name in names {
            try SystemFile.makeDirectory("\(folder)/\(name)", mode: 0o700)
        }
    }

    func closeAll() {
        primary = nil
        agent = nil
    }

    /// Removes what was kept.
    func remove() {
        for name in [Self.controller.name, Self.gate.name] {
            let home = "\(folder)/\(name)"
            for file in ["state.mdb", "state.mdb-lock", "control"] {
                SystemFile.remove("\(home)/\(file)")
            }
            SystemFile.removeDirectory(home)
        }
        SystemFile.removeDirectory(folder)
    }
}
