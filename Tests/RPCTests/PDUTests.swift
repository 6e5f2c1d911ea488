import TestSupport
import Testing
import Wire

@testable import RPC

@Suite struct PDUTests {
    @Test func everyPDUWithstandsTheDriver() {
        #expect(checkMessages(PDUSamples.all) == [])
    }

    @Test func everyPDUIsCutFromADripFedStream() throws {
        for sample in PDUSamples.all {
            // What follows belongs to the next PDU and must not matter.
            let stream = sample.bytes + [5, 0, 0]
            for received in 0...stream.count {
                let length = try FragmentCutter.length(stream.span.extracting(0..<received))
                #expect(length == (received < sample.bytes.count ? nil : sample.bytes.count))
            }
        }
    }

    @Test(arguments: [
        ([4], "rpc_vers"), ([5, 0, 0, 3, 1], "packed_drep"), ([5, 0, 0, 3, 0x11], "packed_drep"),
        ([5, 0, 0, 3, 0x10, 0, 0, 0, 15, 0], "frag_length"),
        ([5, 0, 0, 3, 0x10, 0, 0, 0, 0xd1, 0x16], "frag_length"),
    ] as [([UInt8], String)])
    func refusesAStreamThatIsNoRPC(_ bytes: [UInt8], _ field: String) {
        let error = #expect(throws: WireError.self) {
            _ = try FragmentCutter.length(bytes.span, limit: 5840)
        }
        #expect(error?.field.description == field)
    }

    @Test func refusesAuthLengthBeyondTheBody() {
        var bytes = PDUSamples.body("", .bind, PDUSamples.bind, token: [1, 2, 3, 4]).bytes
        bytes[10] = 0xff
        #expect(throws: WireError.self) { _ = try PDUSamples.rewrite(bytes) }
    }

    @Test func refusesPaddingBeyondTheBody() {
        var bytes = PDUSamples.body("", .coCancel, EmptyPDU(), token: [1, 2, 3, 4]).bytes
        bytes[18] = 1
        #expect(throws: WireError.self) { _ = try PDUSamples.rewrite(bytes) }
    }

    @Test func refusesMoreContextsThanTheLimit() {
        var bytes = PDUSamples.body("", .bind, PDUSamples.bind).bytes
        bytes[24] = 255
        let error = #expect(throws: WireError.self) { _ = try PDUSamples.rewrite(bytes) }
        #expect(error?.reason == .limit)
    }

    @Test func bindTimeFeaturesTravelInTheUUID() {
        let features: BindTimeFeatures = [.securityContextMultiplexing, .keepConnectionOnOrphan]
        #expect(
            features.syntax.description == "6cb71c2c-9812-4540-0300-000000000000 v1.0")
        #expect(BindTimeFeatures(features.syntax) == features)
        #expect(BindTimeFeatures(.ndr) == nil)
    }

    @Test func faultNamesItsStatus() {
        #expect(FaultStatus.opRangeError.description == "nca_s_op_rng_error")
        #expect(FaultStatus.opRangeError.status == .rpcProcnumOutOfRange)
        #expect(FaultStatus(rawValue: 5).status == .accessDenied)
        #expect(FaultStatus(rawValue: 0x1c01_00ff).description == "fault 0x1c0100ff")
    }
}

@Suite struct FragmenterTests {
    static let stub = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    private func fragments(
        _ carrier: StubCarrier, maximum: Int, security: SecurityContext?
    ) -> ([UInt8], [Fragmenter.Layout]) {
        var writer = WireWriter()
        var fragmenter = Fragmenter(
            carrier, callID: 3, maximumFragment: maximum, security: security,
            tokenLength: security == nil ? 0 : 56)
        var layouts: [Fragmenter.Layout] = []
        while let layout = fragmenter.next(Self.stub.span, into: &writer) {
            layouts.append(layout)
        }
        return (writer.finish(), layouts)
    }

    @Test(arguments: [0, 1432, 4280, 5840, 65_535, 1 << 20], [true, false])
    func splitsAndJoinsAStub(_ maximum: Int, _ isSealed: Bool) throws {
        let granted = min(max(maximum, Fragmenter.minimumFragment), 65_535)
        let (bytes, layouts) = fragments(
            .request(contextID: 0, opnum: 39, object: PDUSamples.netlogon.uuid),
            maximum: maximum, security: isSealed ? PDUSamples.sealed : nil)
        var assembler = StubAssembler()
        var start = 0
        for (index, layout) in layouts.enumerated() {
            let length = try #require(try FragmentCutter.length(bytes.span, from: start))
            #expect(length <= granted)
            #expect(layout.whole == start..<(start + length))
            let whole = WireReader(bytes.span, layer: "RPC")
            var reader = whole.part(layout.whole)
            let fragment = try Fragment(parsing: &reader)
            var body = whole.part(fragment.body)
            let request = try RequestPDU(parsing: &body, flags: fragment.header.flags)
            let stub = body.takeRest()
            #expect(Int(request.allocHint) == Self.stub.count - assembler.stub.count)
            if isSealed {
                #expect(layout.sealed.count % 16 == 0)
                #expect(fragment.auth?.token == layout.token)
                #expect(fragment.signed == layout.signed)
                #expect(stub.lowerBound == layout.sealed.lowerBound)
                #expect(fragment.auth?.trailer.lowerBound == layout.sealed.upperBound)
            }
            let isDone = try assembler.append(
                fragment, stub: stub, of: bytes.span, allocHint: request.allocHint)
            #expect(isDone == (index == layouts.count - 1))
            start += length
        }
        #expect(start == bytes.count)
        #expect(assembler.stub == Self.stub)
    }

    @Test func refusesAStubOverTheLimit() throws {
        let (bytes, layouts) = fragments(
            .response(contextID: 0), maximum: 5840, security: nil)
        var assembler = StubAssembler(limit: 10_000)
        let error = #expect(throws: WireError.self) {
            for layout in layouts {
                var reader = WireReader(bytes.span, layer: "RPC").part(layout.whole)
                let fragment = try Fragment(parsing: &reader)
                _ = try assembler.append(fragment, stub: layout.sealed, of: bytes.span)
            }
        }
        #expect(error?.reason == .limit)
    }

    @Test func refusesFragmentsOutOfTurn() throws {
        let (bytes, layouts) = fragments(
            .response(contextID: 0), maximum: 5840, security: nil)
        for order in [[1], [0, 0]] {
            var assembler = StubAssembler()
            #expect(throws: WireError.self) {
                for index in order {
                    var reader = WireReader(bytes.span, layer: "RPC").part(layouts[index].whole)
                    let fragment = try Fragment(parsing: &reader)
                    _ = try assembler.append(
                        fragment, stub: layouts[index].sealed, of: bytes.span)
                }
            }
        }
    }
}
