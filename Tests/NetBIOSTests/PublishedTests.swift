import NetBIOS
import TestSupport
import Testing
import Wire

@Suite struct PublishedNetBIOSTests {
    @Test(.enabled(if: Material.vectors != nil)) func publishedPacketsReadAsExpected() throws {
        let files = try VectorFile("scapy_tests.json").root["files"] as? [[String: Any]] ?? []
        let cases = files[0]["cases"] as? [[String: Any]] ?? []
        func constant(_ test: String, _ index: Int) -> [UInt8] {
            let found = cases.first { $0["test"] as? String == test }
            let all = found?["constants"] as? [[String: Any]] ?? []
            return bytes(all[index]["hex"] as? String ?? "")
        }
        let query = try nameService(constant("NBNSQueryRequest - build & dissect", 0))
        #expect(query.question?.name.name.text == "TEST1")
        #expect(query.flags.isBroadcast && query.flags.isRecursionDesired)

        let answer = try nameService(constant("NBNSQueryResponse - build & dissect", 0))
        #expect(answer.name?.name.text == "FRED")
        #expect(answer.addresses.map(\.address) == [IPv4Address(192, 168, 0, 13)])
        #expect(answer.answer?.timeToLive == 300_000)

        let potato = try nameService(constant("NBNSQueryResponse - build & dissect", 2))
        #expect(potato.name?.name.text == "POTATO")
        #expect(potato.addresses.first?.flags.isGroup == false)
        #expect(potato.addresses.first?.address == IPv4Address(192, 168, 1, 65))

        // This one's RDLENGTH is 12 bytes more than it has, which is refused.
        var lying = constant("NBNSNodeStatusResponse - build & dissect", 0)
        #expect(throws: WireError.self) { _ = try nameService(lying) }
        lying[55] -= 12
        let status = try nameService(lying)
        guard case .nodeStatus(let node)? = status.answer?.data else {
            Issue.record("no node status")
            return
        }
        #expect(node.names.first?.name.text == "WINDOWS")
        #expect(node.statistics.unitID.hex == "aaaaaaaaaaaa")

        let request = try nameService(constant("NBNSNodeStatusRequest - build and answers", 0))
        #expect(request.question?.name.name == .wildcard)
        #expect(request.question?.type == NameServicePacket.nodeStatusRequest(0).question?.type)
        let udp = constant("NBNSNodeStatusRequest - build and answers", 1)
        let five = try nameService(Array(udp[8...]))
        guard case .nodeStatus(let names)? = five.answer?.data else {
            Issue.record("no node status")
            return
        }
        #expect(names.names.map(\.name.text) == ["DOMAIN", "SRV1", "DOMAIN", "SRV1", "DOMAIN"])
        #expect(written(five) == Array(udp[8...]))

        let wait = try nameService(constant("NBNSWackResponse - build & dissect", 0))
        #expect(wait.name?.name.text == "SARAH")
        #expect(wait.answer?.data == .acknowledged(NameServiceFlags(rawValue: 0x2910)))
        #expect(written(wait) == constant("NBNSWackResponse - build & dissect", 0))
    }

    /// Every packet parses, except those that the capture's name says are broken; most survive
    /// being written again, namely all whose sender points to names as everyone does.
    @Test(.enabled(if: Material.captures != nil)) func capturedPacketsParse() throws {
        var names = 0
        var datagrams = 0
        for file in CaptureFile.all {
            let broken = ["valgrind", "oobr", "segv", "fuzz"].contains { file.contains($0) }
            for packet in try CaptureFile.packets(file) where packet.isUDP {
                let ports = [packet.sourcePort, packet.destinationPort]
                if ports.contains(137) {
                    do {
                        let parsed = try nameService(packet.payload)
                        #expect(written(parsed) == packet.payload, "\(file) \(parsed)")
                        names += 1
                    } catch where broken {
                    } catch {
                        Issue.record("\(file): \(error) \(Hex.string(packet.payload))")
                    }
                }
                if ports.contains(138) {
                    do {
                        let parsed = try dataDatagram(packet.payload)
                        #expect(parsed.userData.upperBound == packet.payload.count)
                        datagrams += 1
                    } catch where broken {
                    } catch {
                        Issue.record("\(file): \(error) \(Hex.string(packet.payload))")
                    }
                }
            }
        }
        #expect(names > 300)
        #expect(datagrams > 40)
    }
}
