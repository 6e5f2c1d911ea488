import Crypto
import Domain
import Interfaces
import RPC
import SecureChannel
import Wire

/// Serves the opnums by which backup controllers copy the database.
package protocol NetlogonReplication: AnyObject {
    /// Nil: it does not know the opnum.
    func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime,
        over netlogon: NetlogonService
    ) -> ServiceReply?
}

/// The NETLOGON service (MS-NRPC 3.5): secure channels, logons over them, and who controls what.
///
/// Users of our own domain are validated here. A logon for another domain that we know comes out
/// of `takeLogons`, and its outcome goes into `answered`.
package final class NetlogonService: RemoteService {
    package struct Settings {
        package var computerName: String
        /// Where clients reach us.
        package var address: IPv4Address
        /// Accounts whose channels need no seal and no AES; `*` stands for all.
        package var nt4Accounts: Set<String>

        package init(computerName: String, address: IPv4Address, nt4Accounts: [String] = []) {
            self.computerName = computerName
            self.address = address
            self.nt4Accounts = Set(nt4Accounts.map { LocalDomain.fold($0) })
        }

        func allowsWeak(_ account: String) -> Bool {
            nt4Accounts.contains(LocalDomain.fold(account)) || nt4Accounts.contains("*")
        }
    }

    /// Logons that wait for another domain's word.
    package static let pendingLimit = 4_096

    package let interface = Netlogon.interface
    package let channels: ChannelTable
    let settings: Settings
    let domain: LocalDomain
    let random: (Int) -> [UInt8]
    /// The domains to which logons are passed on.
    package var otherDomains: () -> [ConfiguredDomain] = { [] }
    package var replication: NetlogonReplication?
    /// Validates a user of ours instead of the domain itself: whoever has a policy for members'
    /// logons, and counts them by the member's address.
    package var validation: ((LocalLogon, IPv4Address, FrontTime) -> LocalOutcome)?
    package internal(set) var counters = Counters()
    var pending: [UInt64: PendingLogon] = [:]
    private var nextTicket: UInt64 = 0
    private var logons: [(ticket: UInt64, FrontLogon)] = []

    package struct Counters {
        package var logons = 0
        package var accepted = 0
        package var refused = 0
        package var passedOn = 0
        package var unsealed = 0
    }

    package init(
        _ settings: Settings, domain: LocalDomain, channels: ChannelTable,
        random: @escaping (Int) -> [UInt8]
    ) {
        self.settings = settings
        self.domain = domain
        self.channels = channels
        self.random = random
    }

    package func ended(_ caller: RemoteCaller) { channels.ended(caller) }

    /// What is to be validated elsewhere, each under a ticket.
    package func takeLogons() -> [(ticket: UInt64, FrontLogon)] {
        var taken: [(ticket: UInt64, FrontLogon)] = []
        swap(&taken, &logons)
        return taken
    }

    func passOn(_ logon: FrontLogon, _ waiting: PendingLogon) -> ServiceReply {
        nextTicket += 1
        counters.passedOn += 1
        pending[nextTicket] = waiting
        logons.append((nextTicket, logon))
        return .later(ticket: nextTicket)
    }

    // MARK: Calls

    package func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime
    ) -> ServiceReply {
        var reader = stub
        do {
            if let reply = try channelCall(opnum, &reader, caller, now) { return reply }
            if let reply = try discoveryCall(opnum, &reader, caller) { return reply }
        } catch {
            return .fault(.badStubData)
        }
        return replication?.call(opnum, stub, from: caller, now: now, over: self)
            ?? .fault(.opRangeError)
    }

    /// The calls that make a secure channel, and those over one.
    private func channelCall(
        _ opnum: UInt16, _ reader: inout WireReader, _ caller: RemoteCaller, _ now: FrontTime
    ) throws(WireError) -> ServiceReply? {
        switch opnum {
        case NetrServerReqChallenge.opnum:
            return challenge(try NetrServerReqChallenge.Request(parsing: &reader), caller, now)
        case NetrServerAuthenticate.opnum:
            let request = try NetrServerAuthenticate.Request(parsing: &reader)
            return authenticate(request.claim, flags: nil, opnum, caller, now)
        case NetrServerAuthenticate2.opnum, NetrServerAuthenticate3.opnum:
            let request = try NegotiatingChannelClaim(parsing: &reader)
            return authenticate(
                request.claim, flags: request.negotiateFlags, opnum, caller, now)
        case NetrLogonSamLogon.opnum:
            return samLogon(try NetrLogonSamLogon.Request(parsing: &reader), opnum, caller, now)
        case NetrLogonSamLogonWithFlags.opnum:
            let request = try NetrLogonSamLogonWithFlags.Request(parsing: &reader)
            return samLogon(request.logon, opnum, caller, now)
        case NetrLogonSamLogonEx.opnum:
            return samLogon(try NetrLogonSamLogonEx.Request(parsing: &reader), caller, now)
        case NetrLogonSamLogoff.opnum:
            return samLogoff(try NetrLogonSamLogoff.Request(parsing: &reader), caller, now)
        case NetrLogonGetCapabilities.opnum:
            return capabilities(
                try NetrLogonGetCapabilities.Request(parsing: &reader), caller, now)
        case NetrServerPasswordSet.opnum:
            return set(try NetrServerPasswordSet.Request(parsing: &reader), caller, now)
        case NetrServerPasswordSet2.opnum:
            return set(try NetrServerPasswordSet2.Request(parsing: &reader), caller, now)
        case NetrServerPasswordGet.opnum, NetrServerTrustPasswordsGet.opnum,
            NetrServerGetTrustInfo.opnum:
            return trustPasswords(try TrustQuery(parsing: &reader), opnum, caller, now)
        case NetrLogonGetDomainInfo.opnum:
            return domainInfo(
                try NetrLogonGetDomainInfo.Request(parsing: &reader), caller, now)
        case _: return nil
        }
    }

    /// The channel of a call with an authenticator, moved on, or the reason why not.
    package func enter(
        _ computer: String?, _ authenticator: NetlogonAuthenticator?, _ caller: RemoteCaller,
        _ now: FrontTime
    ) -> Entered {
        guard let computer, let authenticator, let session = channels.channel(of: computer) else {
            return .refused
        }
        // Under a seal, the computer is the one whose key seals.
        if let bound = caller.channel {
            guard LocalDomain.fold(bound.computer) == LocalDomain.fold(computer) else {
                return .refused
            }
        }
        if !caller.isSealed || caller.channel == nil {
            guard session.isOldFashioned else {
                counters.unsealed += 1
                return .refused
            }
        }
        guard let answer = session.advance(authenticator) else { return .refused }
        channels.touch(session, now: now.now)
        return .through(session, answer)
    }

    package enum Entered {
        case through(ChannelSession, NetlogonAuthenticator)
        case refused
    }

    static func reply(_ response: some NDRMessage) -> ServiceReply {
        var writer = WireWriter()
        response.write(into: &writer)
        return .response(writer.finish())
    }
}
