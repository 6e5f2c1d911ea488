import Crypto
import Wire

/// What is the same for all clients of the socket.
package struct WinbindHost {
    /// Our NetBIOS computer name.
    package var name: String
    /// The domain that users without one belong to.
    package var domain: String
    package var version: String
    /// Where the socket for logons by response is; nil: there is none.
    package var privilegedDirectory: String?

    package init(name: String, domain: String, version: String, privilegedDirectory: String?) {
        self.name = name
        self.domain = domain
        self.version = version
        self.privilegedDirectory = privilegedDirectory
    }
}

package struct WinbindCounters {
    package var requests = 0
    /// Commands that are answered as not done, because nobody here could do them.
    package var unknown = 0

    package init() {}
}

/// One client of the socket: its requests, one at a time, in the order in which they come.
///
/// The owner passes on what arrives, and takes a step after the other until there is none: an
/// answer to be sent, or a request that it has to see to. Requests behind that one wait until it
/// is answered.
package final class WinbindConversation {
    package enum Step {
        case send([UInt8])
        case ask(WinbindRequest)
    }

    /// Between a user's domain and its name.
    package static let separator = UInt8(ascii: "\\")

    private enum State {
        case idle
        case asked
    }

    private let host: WinbindHost
    private let isPrivileged: Bool
    /// What the client may speak, where its requests' size leaves a choice; the likeliest first.
    /// Of use until its first request is whole.
    package var presumed: [WinbindInterface] = []
    private var held = SecretBuffer()
    private var state = State.idle
    /// Once the first request has come.
    package private(set) var interface: WinbindInterface?
    private var hasAsked = false
    /// Whether all that the client ever asked for is the interface's version.
    package private(set) var onlyAskedForVersion = false
    /// When the first bytes of a request came whose last ones did not come yet.
    package private(set) var partialSince: UInt64?
    package private(set) var lastHeard: UInt64

    package init(_ host: WinbindHost, isPrivileged: Bool, now: UInt64) {
        self.host = host
        self.isPrivileged = isPrivileged
        lastHeard = now
    }

    package var isBusy: Bool {
        if case .asked = state { return true }
        return false
    }

    /// Requests that wait for the one before; a client that sends more than one makes no use of
    /// what libwbclient is.
    private static let maximumHeld =
        2 * (WinbindInterface.largestRequest + WinbindRequest.maximumExtra)

    /// After an error the stream cannot be followed further, and the connection ends.
    package func received(_ bytes: Span<UInt8>, now: UInt64) throws(WireError) {
        lastHeard = now
        if held.count + bytes.count > Self.maximumHeld {
            throw WireError(
                .limit, layer: WinbindRequest.layer, field: "waiting", offset: 0,
                needed: held.count + bytes.count, available: Self.maximumHeld)
        }
        held.append(bytes)
        if partialSince == nil { partialSince = now }
    }

    /// What to do next; nil: nothing, until more is heard or the owner has an answer.
    package func next(
        _ counters: inout WinbindCounters, now: UInt64
    ) throws(WireError) -> Step? {
        if isBusy { return nil }
        guard let frame = try takeFrame(now: now), let interface else { return nil }
        let request = try Self.request(frame.bytes, interface)
        onlyAskedForVersion = !hasAsked && request.command == .interfaceVersion
        hasAsked = true
        counters.requests += 1
        if let response = answer(request, &counters) { return .send(Self.bytes(response)) }
        state = .asked
        return .ask(request)
    }

    /// The answer to the request that the owner saw to.
    package func answer(_ response: WinbindResponse) -> [UInt8] {
        precondition(isBusy, "nothing was asked for")
        state = .idle
        return Self.bytes(response)
    }

    private static func bytes(_ response: WinbindResponse) -> [UInt8] {
        var writer = WireWriter(
            capacity: WinbindInterface.largestResponse + response.extra.count)
        response.write(into: &writer)
        return writer.finish()
    }

    // MARK: Requests

    /// The next whole request, with its extra bytes.
    private func takeFrame(now: UInt64) throws(WireError) -> Secret? {
        if held.count < 4 { return nil }
        let size = number(at: 0)
        let interface = try interface(requestSize: size)
        if held.count < size { return nil }
        let extra = number(at: size - 8)
        if extra > WinbindRequest.maximumExtra {
            throw WireError(
                .limit, layer: WinbindRequest.layer, field: "extraLength", offset: size - 8,
                needed: extra, available: WinbindRequest.maximumExtra)
        }
        if held.count < size + extra { return nil }
        self.interface = interface
        let frame = held.take(from: 0, to: size + extra)
        partialSince = held.count == 0 ? nil : now
        return frame
    }

    private static func request(
        _ bytes: [UInt8], _ interface: WinbindInterface
    ) throws(WireError) -> WinbindRequest {
        var reader = WireReader(bytes.span, layer: WinbindRequest.layer)
        return try WinbindRequest(parsing: &reader, interface)
    }

    private func number(at offset: Int) -> Int {
        var number = 0
        for index in 0..<4 { number |= Int(held[offset + index]) << (8 * index) }
        return number
    }

    private func interface(requestSize size: Int) throws(WireError) -> WinbindInterface {
        let candidates = WinbindInterface.candidates(requestSize: size)
        if let interface, interface.requestSize == size { return interface }
        guard interface == nil, let first = candidates.first else {
            throw WireError(
                .invalid, layer: WinbindRequest.layer, field: "length", offset: 0, needed: size)
        }
        return presumed.first { candidates.contains($0) } ?? first
    }

    /// What can be answered here; nil: the owner has to.
    private func answer(
        _ request: WinbindRequest, _ counters: inout WinbindCounters
    ) -> WinbindResponse? {
        let interface = request.interface
        switch request.command {
        case .interfaceVersion: return WinbindResponse(interface, .number(interface.rawValue))
        case .privilegedDirectory:
            guard let directory = host.privilegedDirectory else { break }
            var response = WinbindResponse(interface)
            response.extra = Array(directory.utf8) + [0]
            return response
        case .ping: return WinbindResponse(interface)
        case .info:
            return WinbindResponse(
                interface, .info(separator: Self.separator, version: host.version))
        case .netbiosName: return WinbindResponse(interface, .name(host.name))
        case .domainName: return WinbindResponse(interface, .name(host.domain))
        case .pamAuthCrap where !isPrivileged: return WinbindResponse(interface, isOK: false)
        case .pamAuth, .pamAuthCrap, .checkMachineAccount, .pingDC, .lookupName, .lookupSID,
            .listTrustedDomains, .listUsers, .listGroups, .domainInfo:
            return nil
        // No user or group of a domain has a number on this host: there are none to be listed.
        case .setpwent, .endpwent, .setgrent, .endgrent: return WinbindResponse(interface)
        case .getgroups, .getgrgid: return WinbindResponse(interface, isOK: false)
        case .pamChangePassword, .pamChangePasswordCrap, .pamLogoff:
            counters.unknown += 1
            return WinbindResponse(
                interface, isOK: false, .logon(WinbindLogon(.notSupported)))
        case _: counters.unknown += 1
        }
        return WinbindResponse(interface, isOK: false)
    }
}
