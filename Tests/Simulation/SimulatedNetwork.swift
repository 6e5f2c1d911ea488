import SecureChannel
import Wire

/// A network on virtual time: controllers by their addresses, and how long bytes travel.
package final class SimulatedNetwork {
    package let clock: VirtualClock
    package private(set) var controllers: [IPv4Address: SimulatedController] = [:]
    /// Milliseconds of one way.
    package var latency: UInt64 = 1
    /// Adds up to so many more, another number for each message.
    package var jitter: UInt64 = 0
    /// Bytes for a client come in other pieces than they were sent in, as TCP may do.
    package var movesBoundaries = false
    /// Somebody on the way, who makes other bytes of what is for a client.
    package var tampers: (([UInt8]) -> [UInt8])?
    package var numbers: SeededNumbers

    package init(clock: VirtualClock, seed: UInt64 = 1) {
        self.clock = clock
        numbers = SeededNumbers(seed: seed)
    }

    package func add(_ controller: SimulatedController) {
        controllers[controller.address] = controller
    }

    func dissolve() {
        for controller in controllers.values { controller.dissolve() }
        controllers.removeAll()
        tampers = nil
    }

    func travelTime() -> UInt64 {
        jitter == 0 ? latency : latency + UInt64.random(in: 0...jitter, using: &numbers)
    }
}

/// One TCP connection: the client's end, which the test's driver holds, and the controller's.
package final class SimulatedConnection {
    /// What the client's end is told.
    package struct Handlers {
        package var opened: () -> Void
        package var received: ([UInt8]) -> Void
        package var closed: (ConnectionLoss) -> Void

        package init(
            opened: @escaping () -> Void, received: @escaping ([UInt8]) -> Void,
            closed: @escaping (ConnectionLoss) -> Void
        ) {
            self.opened = opened
            self.received = received
            self.closed = closed
        }
    }

    private let network: SimulatedNetwork
    private var handlers: Handlers
    private var server: ControllerConnection?
    private var clientIsOpen = true
    private var serverIsOpen = true
    private var isCut = false
    /// When the last bytes of each direction arrive; none overtake others.
    private var arrivesAtServer: UInt64 = 0
    private var arrivesAtClient: UInt64 = 0
    /// On its way to the client, where boundaries are moved.
    private var stream: [UInt8] = []
    /// How many bytes of all came before those.
    private var streamStart = 0

    package init(_ network: SimulatedNetwork, to endpoint: Endpoint, _ handlers: Handlers) {
        self.network = network
        self.handlers = handlers
        guard let controller = network.controllers[endpoint.address] else { return }
        towardsServer { [self] in
            switch controller.takesConnection(on: endpoint.port) {
            case .dark:
                isCut = true
            case .refused:
                serverIsOpen = false
                towardsClient { $0.closed(.refused) }
            case .taken:
                server = ControllerConnection(controller, port: endpoint.port, self)
                towardsClient { $0.opened() }
            }
        }
    }

    /// Lets go of both ends, which hold each other.
    func dissolve() {
        server = nil
        handlers = Handlers(opened: {}, received: { _ in }, closed: { _ in })
    }

    // MARK: The client's end

    package func send(_ bytes: [UInt8]) {
        towardsServer { [self] in
            if serverIsOpen { server?.received(bytes) }
        }
    }

    package func close() {
        clientIsOpen = false
        towardsServer { [self] in
            if serverIsOpen { server?.clientClosed() }
        }
    }

    /// From now on nothing passes, in neither direction. The client's end learns of it when its
    /// system's keep-alive has had no answer.
    package func cut(keepAlive: UInt64 = 25_000) {
        isCut = true
        network.clock.after(keepAlive) { [self] in
            if clientIsOpen { handlers.closed(.closed) }
        }
    }

    // MARK: The controller's end

    func deliver(_ bytes: [UInt8]) {
        guard serverIsOpen else { return }
        let bytes = network.tampers?(bytes) ?? bytes
        if bytes.isEmpty { return }
        guard network.movesBoundaries, bytes.count > 1 else {
            towardsClient { $0.received(bytes) }
            return
        }
        let cut = Int.random(in: 1..<bytes.count, using: &network.numbers)
        for part in [bytes[..<cut], bytes[cut...]] {
            stream += part
            let end = streamStart + stream.count
            towardsClient { [self] handlers in
                let catchesUp = Bool.random(using: &network.numbers)
                let count = catchesUp ? stream.count : end - streamStart
                if count <= 0 { return }
                let piece = Array(stream[..<count])
                stream.removeFirst(count)
                streamStart += count
                handlers.received(piece)
            }
        }
    }

    func serverCloses(_ loss: ConnectionLoss) {
        guard serverIsOpen else { return }
        serverIsOpen = false
        towardsClient { $0.closed(loss) }
    }

    // MARK: The way

    private func towardsServer(_ action: @escaping () -> Void) {
        arrivesAtServer = max(arrivesAtServer, network.clock.now + network.travelTime())
        network.clock.at(arrivesAtServer) { [self] in
            if !isCut { action() }
        }
    }

    private func towardsClient(_ action: @escaping (Handlers) -> Void) {
        arrivesAtClient = max(arrivesAtClient, network.clock.now + network.travelTime())
        network.clock.at(arrivesAtClient) { [self] in
            if !isCut, clientIsOpen { action(handlers) }
        }
    }
}
