import Domain
import Front
import Interfaces
import NTLM
import RPC
import SecureChannel
import Wire

/// A computer that has made its secure channel with the world's NETLOGON service: its calls come
/// sealed by it, and have the authenticators that are due.
final class SealedComputer {
    /// Stands in a stub for the next authenticator, which no fuzzer would find out.
    static let mark = Array("AUTHENTICATE".utf8)
    static let password = "Us3r-Pass!"
    private static let timestamp: UInt32 = 5

    let name: String
    let account: String
    let type: SecureChannelType
    let key: SessionKey
    let caller: RemoteCaller
    private var chain: CredentialChain

    init(_ world: FrontWorld, _ name: String, _ type: SecureChannelType) {
        let netlogon = world.services[0]
        let client = Bytes8([1, 2, 3, 4, 5, 6, 7, 8])
        caller = RemoteCaller(carriage: .tcp, peer: FrontWorld.peer, identity: .anonymous)
        let challenge = Self.ask(
            netlogon, NetrServerReqChallenge.self,
            .init(computerName: name, clientChallenge: client), caller, world.now)!
        let flags = SecureChannel.NegotiateFlags.modern
        key = SessionKey(
            cipher: ChannelCipher(negotiated: flags),
            sharedSecret: NTOWF.v1(password: Self.password), clientChallenge: client,
            serverChallenge: challenge.serverChallenge)
        let credential = key.credential(client)
        let answer = Self.ask(
            netlogon, NetrServerAuthenticate3.self,
            .init(
                claim: ChannelClaim(
                    accountName: name + "$", secureChannelType: type, computerName: name,
                    clientCredential: credential), negotiateFlags: flags.rawValue),
            caller, world.now)!
        precondition(answer.status == .success)
        (self.name, account, self.type) = (name, name + "$", type)
        chain = CredentialChain(sessionKey: key, clientCredential: credential)
        caller.channel = world.channels.channel(of: name)!
        caller.authType = .netlogon
        caller.authLevel = .privacy
    }

    private static func ask<P: RemoteProcedure>(
        _ service: RemoteService, _: P.Type, _ request: P.Request, _ caller: RemoteCaller,
        _ now: FrontTime
    ) -> P.Response? {
        var stub = NDRWriter()
        request.write(into: &stub)
        let bytes = stub.wire.finish()
        guard case .response(let answer) = service.call(
            P.opnum, WireReader(bytes.span, layer: "stub"), from: caller, now: now)
        else { return nil }
        var reader = WireReader(answer.span, layer: "answer")
        return try? P.Response(parsing: &reader)
    }

    /// Makes the call with the authenticator in the place of the mark, if it has one.
    func call(
        _ service: RemoteService, _ opnum: UInt16, _ stub: [UInt8], _ now: FrontTime
    ) -> ServiceReply {
        var bytes = stub
        var moved = chain
        let credential = moved.next(timestamp: Self.timestamp)
        if let place = Self.place(of: Self.mark, in: stub) {
            var writer = NDRWriter()
            NetlogonAuthenticator(credential: credential, timestamp: Self.timestamp)
                .write(into: &writer)
            bytes.replaceSubrange(place..<(place + Self.mark.count), with: writer.wire.finish())
        }
        let reply = service.call(
            opnum, WireReader(bytes.span, layer: "stub"), from: caller, now: now)
        // As the service has moved its own end of the chain, if it has.
        moved = chain
        guard let due = moved.answer(credential, timestamp: Self.timestamp) else { return reply }
        switch reply {
        case .response(let answer):
            // Behind a pointer in the answers to logons.
            let head = Array(answer.prefix(due.bytes.count + 4))
            if Self.place(of: due.bytes, in: head) != nil { chain = moved }
        case .later: chain = moved
        case .fault: break
        }
        return reply
    }

    private static func place(of part: [UInt8], in whole: [UInt8]) -> Int? {
        guard whole.count >= part.count else { return nil }
        return (0...(whole.count - part.count)).first {
            whole[$0] == part[0] && Array(whole[$0..<($0 + part.count)]) == part
        }
    }
}
