import SMB
import Wire

/// The client's side of a session in the version of SMB that its server is spoken to with.
enum SessionCore {
    case smb1(SMB1.ClientSession)
    case smb2(SMB2.ClientSession)
}

extension SessionCore: PipeSession {
    mutating func open(_ name: String, exchanging messages: [[UInt8]] = []) -> SMBClientPipe {
        switch self {
        case .smb1(var session):
            defer { self = .smb1(session) }
            return session.open(name, exchanging: messages)
        case .smb2(var session):
            defer { self = .smb2(session) }
            return session.open(name, exchanging: messages)
        }
    }

    mutating func transact(_ pipe: SMBClientPipe, _ message: [UInt8]) {
        switch self {
        case .smb1(var session):
            session.transact(pipe, message)
            self = .smb1(session)
        case .smb2(var session):
            session.transact(pipe, message)
            self = .smb2(session)
        }
    }

    mutating func write(_ pipe: SMBClientPipe, _ message: [UInt8]) {
        switch self {
        case .smb1(var session):
            session.write(pipe, message)
            self = .smb1(session)
        case .smb2(var session):
            session.write(pipe, message)
            self = .smb2(session)
        }
    }

    mutating func read(_ pipe: SMBClientPipe) {
        switch self {
        case .smb1(var session):
            session.read(pipe)
            self = .smb1(session)
        case .smb2(var session):
            session.read(pipe)
            self = .smb2(session)
        }
    }

    mutating func close(_ pipe: SMBClientPipe) {
        switch self {
        case .smb1(var session):
            session.close(pipe)
            self = .smb1(session)
        case .smb2(var session):
            session.close(pipe)
            self = .smb2(session)
        }
    }

    mutating func disconnect() {
        switch self {
        case .smb1(var session):
            session.disconnect()
            self = .smb1(session)
        case .smb2(var session):
            session.disconnect()
            self = .smb2(session)
        }
    }

    mutating func writeMessage(into writer: inout WireWriter) -> Bool {
        switch self {
        case .smb1(var session):
            defer { self = .smb1(session) }
            return session.writeMessage(into: &writer)
        case .smb2(var session):
            defer { self = .smb2(session) }
            return session.writeMessage(into: &writer)
        }
    }

    mutating func receive(_ message: [UInt8]) throws(WireError) {
        switch self {
        case .smb1(var session):
            defer { self = .smb1(session) }
            try session.receive(message)
        case .smb2(var session):
            defer { self = .smb2(session) }
            try session.receive(message)
        }
    }

    mutating func nextEvent() -> SMBSessionEvent? {
        switch self {
        case .smb1(var session):
            defer { self = .smb1(session) }
            return session.nextEvent()
        case .smb2(var session):
            defer { self = .smb2(session) }
            return session.nextEvent()
        }
    }

    var isWaiting: Bool {
        switch self {
        case .smb1(let session): session.isWaiting
        case .smb2(let session): session.isWaiting
        }
    }

    var isIdle: Bool {
        switch self {
        case .smb1(let session): session.isIdle
        case .smb2(let session): session.isIdle
        }
    }
}
