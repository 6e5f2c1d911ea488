import Foundation
import TestSupport
import Testing
import Wire

@testable import Locator

func parseRequest(_ bytes: [UInt8]) throws -> CLDAPSearchRequest {
    var reader = WireReader(bytes.span, layer: "CLDAP")
    return try CLDAPSearchRequest(parsing: &reader)
}

func parseResponse(_ bytes: [UInt8]) throws -> CLDAPSearchResponse {
    var reader = WireReader(bytes.span, layer: "CLDAP")
    return try CLDAPSearchResponse(parsing: &reader)
}

func requestBytes(_ request: CLDAPSearchRequest) -> [UInt8] {
    var writer = WireWriter()
    request.write(into: &writer)
    return writer.finish()
}

func responseBytes(_ response: CLDAPSearchResponse, _ netlogon: [UInt8]?) -> [UInt8] {
    var writer = WireWriter()
    response.write(into: &writer, netlogon: netlogon)
    return writer.finish()
}

/// Every message of this layer, in several shapes.
let cldapSamples: [MessageSample] = {
    let requests = [
        CLDAPSearchRequest(messageID: 1, dnsDomain: "ad.lab", host: "GATE1"),
        CLDAPSearchRequest(messageID: 0x7fff_ffff, dnsDomain: nil, host: nil),
        CLDAPSearchRequest(
            messageID: 200, dnsDomain: "a.very.long.domain.name.that.goes.past.one.octet.of.length",
            host: "GATE1", ntVersion: 0x0000_0016, domainGUID: Bytes16(), user: "TRUST$",
            accountControl: 0x40),
    ]
    var samples = requests.map { request in
        MessageSample(name: "SearchRequest \(request.messageID)", bytes: requestBytes(request)) {
            requestBytes(try parseRequest($0))
        }
    }
    for payload in [nil, [], [UInt8](repeating: 7, count: 40), [UInt8](repeating: 9, count: 300)] {
        let bytes = responseBytes(CLDAPSearchResponse(messageID: 77), payload)
        samples.append(
            MessageSample(name: "SearchResponse \(payload?.count ?? -1)", bytes: bytes) { bytes in
                let parsed = try parseResponse(bytes)
                return responseBytes(parsed, parsed.netlogon.map { Array(bytes[$0]) })
            })
    }
    return samples
}()

@Suite struct CLDAPTests {
    @Test func everyMessageKeepsItsBytesAndNoDamageTraps() {
        #expect(checkMessages(cldapSamples) == [])
    }

    @Test func everyTruncationIsRefused() {
        for sample in cldapSamples {
            for length in 0..<sample.bytes.count {
                #expect(throws: WireError.self, "\(sample.name) cut to \(length)") {
                    try sample.rewrite(Array(sample.bytes[..<length]))
                }
            }
        }
    }

    @Test(.enabled(if: Material.captures != nil))
    func readsACapturedPingAndItsAnswer() throws {
        let path = Material.captures! + "/suricata-verify--tests-ldap-udp-cldap.pcap"
        let packets = try CaptureFile.packets(path)
        try #require(packets.count == 2)
        let request = try parseRequest(packets[0].payload)
        #expect(request.messageID == 1)
        #expect(request.dnsDomain == "s4.howto.abartlet.net")
        #expect(request.host == "WINDOWS7-3")
        #expect(request.ntVersion == 0x16)
        #expect(request.wantsNetlogon)
        let response = try parseResponse(packets[1].payload)
        #expect(response.messageID == 1)
        #expect(response.resultCode == .success)
        let netlogon = Array(packets[1].payload[try #require(response.netlogon)])
        #expect(netlogon.count == 0x6c)
        #expect(netlogon[0] == 0x17)
    }

    @Test(.enabled(if: Material.vectors != nil))
    func writesTheShortestFormOfThePublishedPing() throws {
        let published = try #require(scapyConstants("Basic CLDAP").last { $0.count > 60 })
        let fromWindows = try #require(scapyConstants("Basic CLDAP").first)
        let request = try parseRequest(Array(fromWindows[42...]))
        #expect(requestBytes(request) == published)
        #expect(try parseRequest(published) == request)
    }

    @Test(.enabled(if: Material.vectors != nil))
    func readsThePublishedAnswer() throws {
        let frame = try #require(scapyConstants("More advanced CLDAP").first)
        let response = try parseResponse(Array(frame[42...]))
        #expect(response.netlogon?.count == 0x6c)
    }

    @Test func refusesAnIndefiniteLength() {
        expectRefused([0x30, 0x80, 0x02, 0x01, 0x01, 0, 0], .invalid)
    }

    @Test func refusesALengthOfManyOctets() {
        expectRefused([0x30, 0x85, 0, 0, 0, 0, 3, 2, 1, 1], .limit)
        expectRefused([0x30, 0xff] + [UInt8](repeating: 0xff, count: 140), .limit)
    }

    @Test func refusesALengthBeyondTheDatagram() {
        expectRefused([0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1], .truncated)
    }

    @Test func refusesANegativeMessageID() {
        expectRefused([0x30, 3, 2, 1, 0x80], .invalid)
        expectRefused([0x30, 6, 2, 4, 0xff, 0xff, 0xff, 0xff], .invalid)
        expectRefused([0x30, 2, 2, 0], .invalid)
        expectRefused([0x30, 7, 2, 5, 0, 0, 0, 0, 1], .limit)
    }

    @Test func refusesNestedFiltersWithoutRecursion() {
        var filter: [UInt8] = []
        for _ in 0..<60 { filter = [0xa0, UInt8(filter.count)] + filter }
        let head: [UInt8] = [4, 0, 10, 1, 0, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0]
        let search = head + filter + [0x30, 0]
        let message = [2, 1, 1, 0x63, 0x81, UInt8(search.count)] + search
        let bytes = [0x30, 0x81, UInt8(message.count)] + message
        #expect(throws: WireError.self) { try parseRequest(bytes) }
    }

    @Test func refusesTooManyTerms() {
        var request = CLDAPSearchRequest(messageID: 1, dnsDomain: "a", host: "b")
        for _ in 0..<20 { request.terms.append(.init("x", [1])) }
        #expect(throws: WireError.self) { try parseRequest(requestBytes(request)) }
    }

    @Test func refusesTwoDifferentMessageIDs() {
        var bytes = responseBytes(CLDAPSearchResponse(messageID: 5), [1, 2, 3])
        bytes[bytes.count - 10] = 6
        #expect(bytes[bytes.count - 12] == 2)
        #expect(throws: WireError.self) { try parseResponse(bytes) }
    }

    @Test func refusesBytesAfterTheAnswer() {
        let bytes = responseBytes(CLDAPSearchResponse(messageID: 5), [1]) + [0]
        #expect(throws: WireError.self) { try parseResponse(bytes) }
    }

    private func expectRefused(_ bytes: [UInt8], _ reason: WireError.Reason) {
        var caught: WireError?
        do { _ = try parseRequest(bytes) } catch { caught = error as? WireError }
        #expect(caught?.reason == reason)
    }
}

/// The byte constants of the published test whose name begins with `test`.
func scapyConstants(_ test: String) -> [[UInt8]] {
    guard let file = try? VectorFile("scapy_tests.json") else { return [] }
    for part in file.root["files"] as? [[String: Any]] ?? [] {
        for item in part["cases"] as? [[String: Any]] ?? [] {
            guard (item["test"] as? String ?? "").hasPrefix(test) else { continue }
            let constants = item["constants"] as? [[String: Any]] ?? []
            return constants.map { Hex.bytes($0["hex"] as? String ?? "") ?? [] }
        }
    }
    return []
}
