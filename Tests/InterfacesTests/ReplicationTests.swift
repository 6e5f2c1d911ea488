import RPC
import TestSupport
import Testing
import Wire

@testable import Interfaces

@Suite struct ReplicationMessageTests {
    @Test func everyCallWithstandsTheDriver() {
        #expect(checkMessages(ReplicationSamples.all) == [])
    }

    @Test func deltasOfEveryTypeComeBackInOneAnswer() throws {
        let bytes = NetlogonSamples.stub(NetlogonDeltaArray(ReplicationSamples.deltas))
        let array: NetlogonDeltaArray = try NetlogonSamples.parse(bytes)
        #expect(array.deltas == ReplicationSamples.deltas)
        #expect(array.deltas.map(\.type.rawValue) == Array(1...22))
    }

    @Test func refusesAChangeWithoutContent() {
        var bytes = NetlogonSamples.stub(
            NetlogonDeltaArray([.group(rid: 513, ReplicationSamples.group)]))
        // Count, pointer, conformance, type, tag, RID, tag, padding; then the content's pointer.
        for index in 24..<28 { bytes[index] = 0 }
        #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(bytes, NetlogonDeltaArray.self)
        }
    }

    @Test func refusesTagsThatDisagree() {
        var bytes = NetlogonSamples.stub(NetlogonDeltaArray([.deleteUser(rid: 1_001)]))
        bytes[14] = 3
        #expect(throws: WireError.self) {
            _ = try NetlogonSamples.parse(bytes, NetlogonDeltaArray.self)
        }
    }

    @Test func changeLogEntryIsSixteenBytesAndItsObject() {
        var writer = WireWriter()
        ChangeLogEntry(serialNumber: 0x11, objectRID: 0x3e9, database: 0, deltaType: 5)
            .write(into: &writer)
        #expect(
            Hex.string(writer.finish()) == "1100000000000000" + "e9030000" + "0000" + "00" + "05")
        ChangeLogEntry(
            serialNumber: 1, objectRID: 0, database: 2, deltaType: 18, object: .name("A")
        ).write(into: &writer)
        #expect(Hex.string(writer.finish()).hasSuffix("0800" + "02" + "12" + "4100" + "0000"))
    }

    @Test func descriptionsKeepSecrets() {
        #expect(
            ReplicationSamples.user.description
                == "user anna 1001, control 0x00000010, private data of 5 bytes")
        #expect(ReplicationSamples.secret.description == "secret of 9 bytes, old one of 0")
        #expect(
            SamrSamples.user.description == "user anna 1001, control 0x00000010"
                + ", fields 0x00ffffff")
    }
}
