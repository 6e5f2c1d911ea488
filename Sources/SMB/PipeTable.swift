import Wire

/// What a session asks of its peer, in either version of SMB.
protocol SessionOperation: Equatable {
    /// How the peer names an open pipe.
    associatedtype FileID

    /// Nil for what concerns the whole session.
    var pipe: SMBClientPipe? { get }

    static func open(_ pipe: SMBClientPipe) -> Self
    static func read(_ pipe: SMBClientPipe) -> Self
    static func close(_ pipe: SMBClientPipe) -> Self
}

/// A session's pipes, the operations that wait to be sent, and what has happened but is not told
/// yet: what is alike in both versions of SMB.
struct PipeTable<Operation: SessionOperation> {
    struct Place {
        let name: String
        let generation: UInt32
        /// The place may be given to another pipe.
        var isFree = false
        var fileID: Operation.FileID?
        /// SMB 1: index of the way of opening that is tried.
        var opening = 0
        /// SMB 1: the pipe is read message by message.
        var isMessageModeSet = false
        /// What reads have brought of a message that goes on.
        var partial: [UInt8] = []
    }

    enum State {
        case fresh, working, failed, ended

        /// Nothing is sent or expected any more.
        var isOver: Bool { self == .failed || self == .ended }
    }

    /// The most operations that wait to be sent. Callers have few pipes, and few calls on each.
    private static var operationLimit: Int { 256 }
    /// The most bytes of one message read from a pipe.
    private static var messageLimit: Int { 131_072 }

    var state = State.fresh
    var queue: [Operation]
    private var places: [Place] = []
    private var lastGeneration: UInt32 = 0
    private var events = OutputQueue<SMBSessionEvent>()

    init(_ first: [Operation]) { queue = first }

    subscript(pipe: SMBClientPipe) -> Place {
        get { places[pipe.number] }
        set { places[pipe.number] = newValue }
    }

    // MARK: What the owner asks

    mutating func open(_ name: String) -> SMBClientPipe {
        lastGeneration &+= 1
        let place = Place(name: name, generation: lastGeneration)
        let number = places.firstIndex { $0.isFree } ?? places.count
        if number < places.count { places[number] = place } else { places.append(place) }
        let pipe = SMBClientPipe(number: number, generation: lastGeneration)
        enqueue([.open(pipe)])
        return pipe
    }

    /// A pipe may have failed before its owner was told: what is asked of it then is dropped.
    mutating func enqueue(_ operations: [Operation]) {
        if state.isOver { return }
        if let pipe = operations[0].pipe {
            let known = self[pipe]
            if known.isFree || known.generation != pipe.generation { return }
        }
        precondition(queue.count + operations.count <= Self.operationLimit)
        queue.append(contentsOf: operations)
    }

    // MARK: What happens

    mutating func tell(_ event: SMBSessionEvent) { events.append(event) }

    mutating func nextEvent() -> SMBSessionEvent? { events.next() }

    /// Whether nothing waits to be sent or to be told.
    var isIdle: Bool { queue.isEmpty && events.isEmpty }

    /// Bytes have come from a pipe. After an overflow the message goes on: it is read first.
    mutating func received(
        _ pipe: SMBClientPipe, _ data: Range<Int>, _ reader: borrowing WireReader,
        isOverflow: Bool
    ) throws(WireError) {
        var message: [UInt8] = []
        swap(&message, &self[pipe].partial)
        if message.count + data.count > Self.messageLimit {
            throw WireError(
                .limit, layer: reader.layer, field: "Data", offset: data.lowerBound,
                needed: message.count + data.count, available: Self.messageLimit)
        }
        if message.isEmpty {
            message = reader.copy(data)
        } else {
            message.append(contentsOf: reader.copy(data))
        }
        if isOverflow && !data.isEmpty {
            self[pipe].partial = message
            queue.insert(.read(pipe), at: 0)
        } else {
            tell(.received(pipe, message))
        }
    }

    mutating func end() {
        state = .ended
        tell(.ended)
    }

    mutating func fail(_ stage: SMBSessionStage, _ status: NTStatus) {
        state = .failed
        queue.removeAll()
        tell(.failed(stage, status))
    }

    /// An operation on a pipe has failed. Where it stands open, its owner closes it.
    mutating func fail(_ pipe: SMBClientPipe, _ status: NTStatus) {
        let isOpen = self[pipe].fileID != nil
        queue.removeAll { $0.pipe == pipe && !(isOpen && $0 == .close(pipe)) }
        self[pipe].partial = []
        self[pipe].isFree = !isOpen
        tell(.pipeFailed(pipe, status))
    }

    mutating func closed(_ pipe: SMBClientPipe) {
        queue.removeAll { $0.pipe == pipe }
        self[pipe].fileID = nil
        self[pipe].partial = []
        self[pipe].isFree = true
        tell(.closed(pipe))
    }
}
