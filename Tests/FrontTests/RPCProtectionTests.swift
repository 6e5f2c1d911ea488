import Interfaces
import RPC
import Testing
import Wire

@testable import Front

/// What is made of calls that are protected in part, or not at all.
@Suite struct RPCProtectionTests {
    /// What lies outside a Netlogon seal without header signing, the client says inside of it.
    @Test func whatTheTrailerSaysMustBeWhatCame() throws {
        typealias Trailer = VerificationTrailer
        let context = Trailer.Context(interface: EchoService.syntax, transferSyntax: .ndr)
        let trailers: [(Trailer, Bool)] = [
            (Trailer(bitmask: 0, context: context), true),
            (Trailer(bitmask: Trailer.signsHeaders), false),
            (Trailer(context: Trailer.Context(
                interface: Management.interface, transferSyntax: .ndr)), false),
            (Trailer(header: Trailer.Header(type: .request, callID: 1, contextID: 0, opnum: 0)),
                true),
            (Trailer(header: Trailer.Header(type: .request, callID: 1, contextID: 0, opnum: 1)),
                false),
        ]
        for (trailer, isRight) in trailers {
            let peer = try RPCPeer()
            try peer.bindSecureChannel(.privacy)
            var stub = WireWriter()
            stub.uint32LE(7)
            trailer.write(into: &stub)
            let request = peer.request(0, stub.finish())
            var reader = WireReader(request.span, layer: "test")
            #expect(try Fragment(parsing: &reader).header.callID == 1)
            peer.send(request)
            if isRight {
                #expect(try peer.next().0.header.type == .response)
            } else {
                #expect(try peer.nextFault() == .accessDenied)
                #expect(peer.echo.isAsked == 0)
            }
        }
    }

    /// Only a service that says so answers who protects nothing.
    @Test(arguments: [false, true])
    func connectLevelAuthenticatesAndProtectsNothing(_ isTaken: Bool) throws {
        let peer = try RPCPeer()
        peer.echo.takesUnprotected = isTaken
        _ = try peer.bindNTLM(.winNT, .connect)
        try peer.validate()
        var writer = WireWriter()
        var fragmenter = Fragmenter(
            .request(contextID: 0, opnum: 0), callID: 9, maximumFragment: 5_840)
        _ = fragmenter.next([UInt8]([1]).span, into: &writer)
        peer.send(writer.finish())
        guard isTaken else {
            #expect(try peer.nextFault() == .accessDenied)
            #expect(peer.echo.isAsked == 0 && !peer.isClosed)
            return
        }
        #expect(try peer.next().0.header.type == .response)
        #expect(peer.echo.callers[0].identity.user == "alice")
    }
}
