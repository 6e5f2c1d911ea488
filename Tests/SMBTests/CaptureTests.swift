import SMB
import TestSupport
import Testing
import Wire

/// Real traffic: every SMB1 message in the captures is parsed, and what must parse does.
@Suite(.enabled(if: Material.captures != nil))
struct CaptureTests {
    static let marker: [UInt8] = [0xff, 0x53, 0x4d, 0x42]

    /// The SMB1 messages of one file: in datagrams from the marker on, in streams by their
    /// session headers. Segments are taken as they come; a stream that loses its place starts
    /// anew with the next segment.
    static func messages(_ path: String) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        var streams: [[UInt8]: [UInt8]] = [:]
        for packet in try CaptureFile.packets(path) {
            let bytes = packet.payload
            if packet.isUDP {
                guard bytes.count > 36 else { continue }
                for start in 0..<(bytes.count - 32)
                where Array(bytes[start..<(start + 4)]) == marker {
                    found.append(Array(bytes[start...]))
                }
                continue
            }
            let flow = packet.source + packet.destination
                + [packet.sourcePort, packet.destinationPort].flatMap {
                    [UInt8($0 >> 8), UInt8($0 & 0xff)]
                }
            var rest = (streams[flow] ?? []) + bytes
            while rest.count >= 36 {
                let length = Int(rest[1] & 1) << 16 | Int(rest[2]) << 8 | Int(rest[3])
                guard rest[0] == 0, length >= 32, Array(rest[4..<8]) == marker else {
                    rest = []
                    break
                }
                guard 4 + length <= rest.count else { break }
                found.append(Array(rest[4..<(4 + length)]))
                rest.removeFirst(4 + length)
            }
            streams[flow] = rest
        }
        return found
    }

    /// Messages that are broken on purpose, by file: fuzzed, cut, with a word count that leaves
    /// the setup words out, or with a chain that stands still.
    static let broken: [String: Int] = [
        "arkime--tests-pcap-arkime_synthetic.pcap": 1,
        "tcpdump--tests-smb_data_print-segv.pcap": 1,
        "zeek--Traces-smb-smb1-OSS-fuzz-54883.pcap": 13,
        "zeek--Traces-smb-smb1-logoff-andx-no-advance.pcap": 1,
        "zeek--Traces-smb-smb1_transaction2_request.pcap": 1,
        "zeek--Traces-smb-smb1_transaction2_secondary_request.pcap": 1,
        "zeek--Traces-smb-smb1_transaction_request.pcap": 1,
        "zeek--Traces-smb-smb1_transaction_response.pcap": 2,
        "zeek--Traces-smb-smb1_transaction_secondary_request.pcap": 1,
    ]

    @Test func readsEveryMessageThatIsNotBrokenOnPurpose() throws {
        var read = 0
        for path in CaptureFile.all {
            let name = String(path.split(separator: "/").last ?? "")
            var refused = 0
            for message in try Self.messages(path) {
                do {
                    _ = try Samples.parse(message).description
                    _ = try? Samples.rewrite(message)
                    read += 1
                } catch {
                    refused += 1
                }
            }
            #expect(refused == Self.broken[name] ?? 0, "\(name)")
        }
        #expect(read > 450, "\(read)")
    }
}
