import NTLM
import RPC
import Testing
import Wire

@testable import Front

/// Authentication levels below the packet's (MS-RPCE 2.2.1.1.8).
@Suite struct RPCLevelTests {
    /// A call's and a packet's level are raised to integrity; what protects no call is refused.
    @Test func secureChannelSignsAtLeast() throws {
        for level in [AuthLevel.none, .connect, AuthLevel(rawValue: 0), AuthLevel(rawValue: 7)] {
            let peer = try RPCPeer()
            var token = WireWriter()
            NLAuthMessageSample.write("PC1", into: &token)
            peer.send(RPCPeer.bindPDU(
                security: SecurityContext(.netlogon, level, id: 1), token: token.finish()))
            #expect(try peer.next().0.header.type == .bindNak, "\(level)")
            #expect(peer.isClosed && peer.echo.isAsked == 0)
        }
        for level in [AuthLevel.call, .packet] {
            let peer = try RPCPeer()
            try peer.bindSecureChannel(level)
            #expect(try peer.call(0, [1, 2, 3]) == [1, 2, 3])
            #expect(peer.echo.callers[0].authLevel == .integrity)
            peer.send(peer.request(0, [1, 2, 3], spoil: true))
            #expect(try peer.nextFault() == .secPkgError)
        }
    }

    /// MS-RPCE 3.3.1.5.2.2: on connections each PDU is protected at the call level too.
    @Test func callLevelIsRaisedToIntegrity() throws {
        let peer = try RPCPeer()
        _ = try peer.bindNTLM(.winNT, .call)
        try peer.validate()
        #expect(try peer.call(0, [1, 2, 3]) == [1, 2, 3])
        #expect(peer.echo.callers[0].authLevel == .integrity && !peer.echo.callers[0].isSealed)
        var writer = WireWriter()
        var fragmenter = Fragmenter(
            .request(contextID: 0, opnum: 0), callID: 9, maximumFragment: 5_840)
        _ = fragmenter.next([UInt8]([1]).span, into: &writer)
        peer.send(writer.finish())
        #expect(try peer.nextFault() == .accessDenied)
        peer.send(peer.request(0, [1, 2, 3], spoil: true))
        #expect(try peer.nextFault() == .secPkgError)
        #expect(peer.echo.isAsked == 1)
    }
}
