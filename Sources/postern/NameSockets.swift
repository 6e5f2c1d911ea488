import Loop
import NetBIOS
import Wire

final class NameSockets {
    private let daemon: Daemon
    init(_ daemon: Daemon) { self.daemon = daemon }
    func bind() throws(SystemError) {}
    func start() {}
    func stop() {}
    func query(_ name: NetBIOSName, domain: Int) {}
    func nodeStatus(_ address: IPv4Address, domain: Int) {}
    func controllersChanged(_ index: Int) {}
    var statusText: String { "" }
}
