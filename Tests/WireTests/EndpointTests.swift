import Testing
import Wire

@Suite struct EndpointTests {
    @Test func readsAndPrintsDottedText() {
        #expect(IPv4Address("10.77.0.40") == IPv4Address(10, 77, 0, 40))
        #expect(IPv4Address(10, 77, 0, 40).description == "10.77.0.40")
        #expect(IPv4Address("255.255.255.255") == .broadcast)
        #expect(Endpoint(.loopback, 137).description == "127.0.0.1:137")
    }

    @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "1..2.3", "256.1.1.1", "01.2.3.4", "1.2.3.4 ",
        "a.b.c.d", ".1.2.3", "1.2.3."])
    func refusesOtherText(_ text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test func networkKnowsItsBroadcast() {
        let network = IPv4Network("10.77.0.40/24")
        #expect(network?.broadcast == IPv4Address(10, 77, 0, 255))
        #expect(network?.contains(IPv4Address(10, 77, 0, 1)) == true)
        #expect(network?.contains(IPv4Address(10, 77, 1, 1)) == false)
        #expect(network?.description == "10.77.0.40/24")
        #expect(IPv4Network("10.0.0.1")?.prefixLength == 32)
        #expect(IPv4Network("10.0.0.1/0")?.broadcast == .broadcast)
    }

    @Test(arguments: ["10.0.0.1/33", "10.0.0.1/", "10.0.0.1/x", "/24", "10.0.0.1/024"])
    func refusesOtherNetworks(_ text: String) {
        #expect(IPv4Network(text) == nil)
    }
}
