import SMB
import TestSupport
import Testing
import Wire

@Suite struct TransactionTests {
    private static let bytes = [UInt8](0..<100)

    private static func assemble(
        _ totals: (UInt16, UInt16), _ parts: [(Range<Int>, UInt16, Range<Int>, UInt16)]
    ) throws -> SMB1.TransactionAssembly {
        let reader = WireReader(bytes.span, layer: "SMB1")
        let sum = SMB1.TransactionTotals(parameterCount: totals.0, dataCount: totals.1)
        var assembly = SMB1.TransactionAssembly(sum)
        for part in parts {
            try assembly.add(
                sum, parameters: part.0, at: part.1, data: part.2, at: part.3, from: reader)
        }
        return assembly
    }

    @Test func putsPartsTogether() throws {
        let whole = try Self.assemble((4, 6), [
            (0..<4, 0, 10..<12, 0), (0..<0, 0, 12..<15, 2), (0..<0, 0, 15..<16, 5),
        ])
        #expect(whole.isComplete)
        #expect(whole.parameters == [0, 1, 2, 3])
        #expect(whole.data == [10, 11, 12, 13, 14, 15])
    }

    @Test func waitsForTheLastPart() throws {
        #expect(try Self.assemble((0, 6), [(0..<0, 0, 0..<5, 0)]).isComplete == false)
    }

    @Test func refusesOverlapGapExcessAndNothing() {
        #expect(throws: WireError.self) {
            try Self.assemble((0, 6), [(0..<0, 0, 0..<4, 0), (0..<0, 0, 4..<6, 3)])
        }
        #expect(throws: WireError.self) {
            try Self.assemble((0, 6), [(0..<0, 0, 0..<2, 0), (0..<0, 0, 4..<6, 4)])
        }
        #expect(throws: WireError.self) { try Self.assemble((0, 6), [(0..<0, 0, 0..<7, 0)]) }
        #expect(throws: WireError.self) { try Self.assemble((0, 6), [(0..<0, 0, 0..<0, 0)]) }
    }

    @Test func tellsTheNamedPipeCalls() throws {
        let calls: [SMB1.NamedPipeCall] = [
            .setState(fid: 5, .messageReads), .rawRead(fid: 5), .queryState(fid: 5),
            .queryInfo(fid: 5, level: 0x6120), .peek(fid: 5), .transact(fid: 5, 2..<9),
            .rawWrite(fid: 5, 2..<4), .read(fid: 5), .write(fid: 5, 2..<3),
            .wait(pipe: "lsarpc", priority: 1), .call(pipe: "samr", priority: 0, 2..<5),
        ]
        let source: [UInt8] = [0x00, 0x01] + Samples.payload
        let level: [UInt8] = [0x20, 0x61] + Samples.payload
        for call in calls {
            let isLevel = call == .queryInfo(fid: 5, level: 0x6120)
            let origin = isLevel ? level : source
            let carried = isLevel || call == .setState(fid: 5, .messageReads) ? 0..<2 : 0..<0
            let sent = call.transaction(maxDataCount: 100, parameters: carried)
            var writer = WireWriter()
            var chain = SMB1.ChainWriter(
                Samples.header(.transaction, false, unicode: true), into: &writer)
            chain.append(sent, into: &writer, from: origin)
            let bytes = writer.finish()
            var reader = WireReader(bytes.span, layer: "SMB1")
            var read = try SMB1.Chain(parsing: &reader)
            let block = try #require(try read.nextBlock(&reader))
            let body = try SMB1.TransactionRequest(parsing: &reader, block)
            let again = try SMB1.NamedPipeCall(body, in: reader)
            #expect(again.transaction(maxDataCount: 100).setup == sent.setup)
            #expect(reader.copy(body.data) == Array(origin[sent.data]))
        }
    }

    @Test func refusesAnUnknownSubcommand() throws {
        let request = SMB1.TransactionRequest(
            name: "\\PIPE\\", setup: [0x99, 1], data: 0..<0, maxDataCount: 0)
        let reader = WireReader(Self.bytes.span, layer: "SMB1")
        var refused = false
        do { _ = try SMB1.NamedPipeCall(request, in: reader) } catch { refused = true }
        #expect(refused)
    }

    @Test func pipeInformationSurvivesARoundTrip() throws {
        let peek = SMB1.PipePeek(readDataAvailable: 5, messageBytesLength: 7, state: 3)
        var writer = WireWriter()
        peek.write(into: &writer)
        let form = SMB1.Form(base: 0, isUnicode: false, isResponse: true)
        let info = SMB1.PipeInfo(bufferSize: 4096, maximumInstances: 255, pipeName: "\\PIPE\\samr")
        info.write(into: &writer, form)
        let bytes = writer.finish()
        var reader = WireReader(bytes.span, layer: "SMB1")
        let peekAgain = try SMB1.PipePeek(parsing: &reader)
        let infoAgain = try SMB1.PipeInfo(parsing: &reader, form)
        #expect(peekAgain == peek && infoAgain == info)
    }
}
