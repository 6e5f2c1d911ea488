import Configuration
import Crypto
import Locator
import Loop
import Mailslot
import Wire

/// One LDAP ping of one address, for `postern find`.
final class ControllerProbe {
    enum Outcome {
        case identity(ControllerIdentity)
        /// It is a controller, of that domain.
        case otherDomain(String)
        case failure(String)
    }

    private let loop: EventLoop
    private let endpoint: Endpoint
    private let request: CLDAPSearchRequest
    private let domain: DomainSettings
    private var done: ((Outcome) -> Void)?
    private var socket: UDPSocket?
    private var timer: Timer?
    private let deadline: UInt64

    init(
        _ loop: EventLoop, _ address: IPv4Address, domain: DomainSettings, computer: String,
        done: @escaping (Outcome) -> Void
    ) {
        self.loop = loop
        self.domain = domain
        self.done = done
        endpoint = Endpoint(address, 389 &+ domain.portOffset)
        deadline = loop.now + DomainSearch.Limit.deadline
        request = CLDAPSearchRequest(
            messageID: Int32(bitPattern: SystemRandom.number() >> 1), dnsDomain: domain.dnsName,
            host: computer)
    }

    func start() {
        do throws(SystemError) {
            socket = try UDPSocket(loop, bind: Endpoint(.any, 0)) { [self] bytes, source in
                if source == endpoint { take(bytes) }
            }
        } catch {
            return end(.failure(error.description))
        }
        timer = Timer(loop) { [self] in
            if loop.now < deadline { return send() }
            end(.failure(SearchReport.noAnswer(DomainSearch.Limit.deadline)))
        }
        send()
    }

    /// Sends the ping, and plans to send it again or to give up.
    private func send() {
        timer?.arm(at: min(loop.now + DomainSearch.Limit.repetition, deadline))
        var writer = WireWriter(capacity: 192)
        request.write(into: &writer)
        if let error = socket?.send(writer.finish(), to: endpoint) {
            end(.failure(error.description))
        }
    }

    private func take(_ bytes: Span<UInt8>) {
        var reader = WireReader(bytes, layer: "CLDAP")
        let response: CLDAPSearchResponse
        do throws(WireError) {
            response = try CLDAPSearchResponse(parsing: &reader)
        } catch {
            return end(.failure(error.description))
        }
        // Of another ping, or nobody's: the real answer may still come.
        if response.messageID != request.messageID { return }
        guard let identity = ControllerIdentity(answer: response, in: reader) else {
            let name = domain.dnsName ?? domain.name
            return end(.failure("says that it does not serve \(name)"))
        }
        end(serves(identity)
            ? .identity(identity)
            : .otherDomain("\(identity.netbiosDomain) (\(identity.dnsDomain))"))
    }

    private func serves(_ identity: ControllerIdentity) -> Bool {
        guard let name = domain.dnsName else {
            return identity.netbiosDomain.uppercased() == domain.name
        }
        return identity.dnsDomain.lowercased() == name
    }

    private func end(_ outcome: Outcome) {
        guard let told = done else { return }
        done = nil
        timer?.close()
        timer = nil
        socket?.close()
        socket = nil
        told(outcome)
    }
}
