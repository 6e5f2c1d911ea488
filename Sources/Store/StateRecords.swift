import Crypto
import Wire

// The records of the state file. All numbers are little-endian; a text is its length in 16 bits
// and its UTF-8.

/// One secret of a machine or trust account.
package struct StoredSecret: CustomStringConvertible {
    /// What the bytes are.
    package struct Form: RawRepresentable, Equatable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The password, in UTF-8.
        package static let password = Form(rawValue: 1)
        /// The NT hash of a password that is not known itself.
        package static let ntHash = Form(rawValue: 2)
    }

    package var form: Form
    /// When it was set, in seconds since 1970.
    package var since: UInt64
    package var secret: Secret

    /// Bytes of a secret. Whoever takes one from a person checks it.
    package static let limit = 1_024

    package init(form: Form, since: UInt64, secret: Secret) {
        precondition(secret.bytes.count <= Self.limit, "a secret longer than its limit")
        self.form = form
        self.since = since
        self.secret = secret
    }

    package var description: String { "secret set at \(since)" }

    package func isSame(as other: StoredSecret) -> Bool {
        form == other.form && secret.bytes == other.secret.bytes
    }

    init(parsing reader: inout WireReader) throws(WireError) {
        form = Form(rawValue: try reader.uint8("form"))
        switch form {
        case .password, .ntHash: break
        case _: throw reader.invalid("form", Int(form.rawValue), width: 1)
        }
        since = try reader.uint64LE("since")
        let length = Int(try reader.uint16LE("secretLength"))
        if length > Self.limit {
            throw WireError(
                .limit, layer: "state", field: "secretLength", offset: reader.offset - 2,
                needed: length, available: Self.limit)
        }
        if form == .ntHash, length != 16 {
            throw reader.invalid("secretLength", length, width: 2)
        }
        secret = Secret(reader.copy(try reader.take(length, "secret")))
    }

    func write(into writer: inout WireWriter) {
        writer.uint8(form.rawValue)
        writer.uint64LE(since)
        writer.uint16LE(UInt16(secret.bytes.count))
        writer.append(secret.bytes)
    }
}

/// The secrets of our account in a domain: `secrets/DOMAIN`.
package struct DomainSecrets: StateRecord, CustomStringConvertible {
    package static var kind: StaticString { "secrets" }
    package static var version: UInt8 { 1 }

    /// Counts the changes; a record with a higher number replaces one with a lower.
    package var sequence: UInt32
    package var current: StoredSecret
    /// The one before, for a controller that has not heard of the change.
    package var previous: StoredSecret?
    /// Written before it is sent to a controller, and current once that has taken it: a crash in
    /// between loses neither.
    package var pending: StoredSecret?
    /// The controller that was asked to take the newest of them: others may not have heard of it.
    package var askedController: IPv4Address?

    package init(
        sequence: UInt32, current: StoredSecret, previous: StoredSecret? = nil,
        pending: StoredSecret? = nil, askedController: IPv4Address? = nil
    ) {
        self.sequence = sequence
        self.current = current
        self.previous = previous
        self.pending = pending
        self.askedController = askedController
    }

    package var description: String {
        "secrets \(sequence), current \(current.description)"
            + (previous == nil ? "" : ", with the previous one")
            + (pending == nil ? "" : ", with a pending one")
    }

    // MARK: Changes, whatever the record was replaced by meanwhile

    /// A controller has taken `secret`: it is the current one now, and what is current the former.
    package mutating func succeed(by secret: StoredSecret) {
        drop(secret)
        if !current.isSame(as: secret) {
            previous = current
            sequence &+= 1
        }
        current = secret
    }

    /// A controller may have taken `secret`, so that it must be among those that are kept.
    package mutating func keepUndecided(_ secret: StoredSecret, asked: IPv4Address) {
        let isKept = [pending, current, previous].contains { $0?.isSame(as: secret) == true }
        guard !isKept, pending == nil else { return }
        pending = secret
        askedController = asked
    }

    /// Another change begins, before it is known what became of the one that is pending.
    package mutating func begin(_ secret: StoredSecret) {
        if let pending { previous = pending }
        pending = secret
    }

    /// No controller has taken `secret`.
    package mutating func drop(_ secret: StoredSecret) {
        if pending?.isSame(as: secret) == true { pending = nil }
    }

    private static let hasPrevious: UInt8 = 1
    private static let hasPending: UInt8 = 2
    private static let hasController: UInt8 = 4

    package init(parsing reader: inout WireReader) throws(WireError) {
        sequence = try reader.uint32LE("sequence")
        let present = try reader.uint8("present")
        if present & ~(Self.hasPrevious | Self.hasPending | Self.hasController) != 0 {
            throw reader.invalid("present", Int(present), width: 1)
        }
        current = try StoredSecret(parsing: &reader)
        if present & Self.hasPrevious != 0 { previous = try StoredSecret(parsing: &reader) }
        if present & Self.hasPending != 0 { pending = try StoredSecret(parsing: &reader) }
        if present & Self.hasController != 0 {
            askedController = IPv4Address(rawValue: try reader.uint32LE("askedController"))
        }
    }

    package func write(into writer: inout WireWriter) {
        writer.uint32LE(sequence)
        writer.uint8(
            (previous == nil ? 0 : Self.hasPrevious) | (pending == nil ? 0 : Self.hasPending)
                | (askedController == nil ? 0 : Self.hasController))
        current.write(into: &writer)
        previous?.write(into: &writer)
        pending?.write(into: &writer)
        if let askedController { writer.uint32LE(askedController.rawValue) }
    }
}

/// A controller that has served us, and where its Netlogon service was.
package struct KnownController: Equatable, Sendable, CustomStringConvertible {
    /// Its NetBIOS or DNS name, as it was learnt.
    package var name: String
    package var address: IPv4Address
    /// The port that its endpoint mapper gave; 0 where it is not known.
    package var netlogonPort: UInt16
    /// When it last served us, in seconds since 1970.
    package var lastGood: UInt64

    package init(name: String, address: IPv4Address, netlogonPort: UInt16, lastGood: UInt64) {
        self.name = name
        self.address = address
        self.netlogonPort = netlogonPort
        self.lastGood = lastGood
    }

    package var description: String { "\(name) \(address.description):\(netlogonPort)" }

    init(parsing reader: inout WireReader) throws(WireError) {
        let length = Int(try reader.uint16LE("nameLength"))
        let range = try reader.take(length, "name")
        name = String(decoding: reader.copy(range), as: UTF8.self)
        address = IPv4Address(rawValue: try reader.uint32LE("address"))
        netlogonPort = try reader.uint16LE("netlogonPort")
        lastGood = try reader.uint64LE("lastGood")
    }

    func write(into writer: inout WireWriter) {
        let bytes = Array(name.utf8.prefix(Int(UInt8.max)))
        writer.uint16LE(UInt16(bytes.count))
        writer.append(bytes)
        writer.uint32LE(address.rawValue)
        writer.uint16LE(netlogonPort)
        writer.uint64LE(lastGood)
    }
}

/// The controllers of a domain that served us last, best first: `controllers/DOMAIN`.
package struct KnownControllers: StateRecord, Equatable, Sendable, CustomStringConvertible {
    package static var kind: StaticString { "controllers" }
    package static var version: UInt8 { 1 }

    /// More than this many are not remembered.
    package static let limit = 16

    package var list: [KnownController]

    package init(_ list: [KnownController]) { self.list = list }

    package var description: String {
        var text = ""
        for controller in list { text += (text.isEmpty ? "" : ", ") + controller.description }
        return text
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let count = Int(try reader.uint8("count"))
        if count > Self.limit {
            throw WireError(
                .limit, layer: "state", field: "count", offset: reader.offset - 1,
                needed: count, available: Self.limit)
        }
        list = []
        for _ in 0..<count { list.append(try KnownController(parsing: &reader)) }
    }

    package func write(into writer: inout WireWriter) {
        let kept = list.prefix(Self.limit)
        writer.uint8(UInt8(kept.count))
        for controller in kept { controller.write(into: &writer) }
    }
}

/// What a configured domain's controllers have told of it: `domain/DOMAIN`.
package struct LearnedDomain: StateRecord, Equatable, Sendable, CustomStringConvertible {
    package static var kind: StaticString { "domain" }
    package static var version: UInt8 { 1 }

    package var sid: SID

    package init(sid: SID) { self.sid = sid }

    package var description: String { sid.description }

    package init(parsing reader: inout WireReader) throws(WireError) {
        sid = try SID(parsing: &reader)
    }

    package func write(into writer: inout WireWriter) { sid.write(into: &writer) }
}

/// A number that only goes up, such as a change log's serial number: `counter/NAME`.
package struct Counter: StateRecord, Equatable, Sendable, CustomStringConvertible {
    package static var kind: StaticString { "counter" }
    package static var version: UInt8 { 1 }

    /// The first number that was not given out yet.
    package var next: UInt64

    package init(next: UInt64) { self.next = next }

    package var description: String { "\(next)" }

    package init(parsing reader: inout WireReader) throws(WireError) {
        next = try reader.uint64LE("next")
    }

    package func write(into writer: inout WireWriter) { writer.uint64LE(next) }
}

extension StateTransaction {
    /// Takes `count` numbers of the counter and gives the first. Who needs many takes a batch,
    /// because each transaction waits for the disk; numbers lost in a crash are skipped.
    package func take(_ count: UInt64 = 1, from name: String) throws(StoreError) -> UInt64 {
        let next = try get(Counter.self, name)?.next ?? 1
        let (after, overflow) = next.addingReportingOverflow(count)
        precondition(!overflow, "a counter at its end")
        try put(Counter(next: after), name)
        return next
    }
}
