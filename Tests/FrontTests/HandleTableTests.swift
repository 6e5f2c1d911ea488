import RPC
import Testing
import Wire

@testable import Front

@Suite struct HandleTableTests {
    private let count = HandleCount()

    private func handle(_ number: Int) -> ContextHandle {
        ContextHandle(uuid: GUID(data1: UInt32(number), data2: 0, data3: 0, data4: 1))
    }

    private let opener = HandleTable.Opener(kind: .anonymous, domainSID: nil, userRID: 0)

    private func keep(_ number: Int, _ object: AnyObject?, in table: HandleTable) {
        table.keep(handle(number), object, of: opener, at: 0)
    }

    private func has(_ number: Int, _ table: HandleTable) -> Bool {
        table.object(handle(number), for: opener, at: 0) != nil
    }

    private func filled(_ peer: UInt8) -> HandleTable {
        let table = HandleTable(peer: IPv4Address(10, 0, 0, peer), count: count)
        for number in 0..<HandleTable.Limit.group where !table.isFull {
            keep(number, self.count, in: table)
        }
        return table
    }

    @Test func aGroupHasItsThousand() {
        let table = filled(1)
        #expect(table.isFull)
        keep(3, nil, in: table)
        keep(3, nil, in: table)
        #expect(!table.isFull && !has(3, table) && has(4, table))
    }

    @Test func groupsOfOneAddressShareABound() {
        let groups = (0..<HandleTable.Limit.peer / HandleTable.Limit.group).map { _ in filled(1) }
        let late = HandleTable(peer: IPv4Address(10, 0, 0, 1), count: count)
        #expect(late.isFull)
        #expect(!HandleTable(peer: IPv4Address(10, 0, 0, 2), count: count).isFull)
        groups[0].end()
        #expect(!late.isFull && groups[0].isEmpty)
    }

    @Test func allAddressesShareABound() {
        let perPeer = HandleTable.Limit.peer / HandleTable.Limit.group
        let peers = HandleTable.Limit.all / HandleTable.Limit.peer
        let groups = (0..<peers).flatMap { peer in
            (0..<perPeer).map { _ in filled(UInt8(peer)) }
        }
        let late = HandleTable(peer: IPv4Address(10, 0, 0, 99), count: count)
        #expect(late.isFull)
        keep(1, nil, in: groups[5])
        #expect(!late.isFull)
    }
}
