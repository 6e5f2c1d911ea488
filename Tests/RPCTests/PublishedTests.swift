import Foundation
import TestSupport
import Testing
import Wire

@testable import RPC

/// Other people's PDUs.
@Suite(.enabled(if: Material.vectors != nil)) struct PublishedPDUTests {
    /// The byte constants of a test case of scapy's.
    private func scapy(_ test: String) throws -> [[UInt8]] {
        let files = try VectorFile("scapy_tests.json").root["files"] as? [[String: Any]] ?? []
        for file in files {
            for item in file["cases"] as? [[String: Any]] ?? []
            where item["test"] as? String == test {
                let constants = item["constants"] as? [[String: Any]] ?? []
                return constants.map { Hex.bytes($0["hex"] as? String ?? "") ?? [] }
            }
        }
        return []
    }

    private func parse(_ bytes: [UInt8]) throws -> (Fragment, PDU) {
        var reader = WireReader(bytes.span, layer: "RPC")
        let fragment = try Fragment(parsing: &reader)
        return (fragment, try PDU(fragment, in: reader))
    }

    @Test(arguments: ["ncacn_packet_co_cancel_data", "ncacn_packet_orphaned_data"])
    func readsAndWritesCancels(_ name: String) throws {
        let bytes = try VectorFile("samba_ndr_dcerpc.json").array(name)
        #expect(try PDUSamples.rewrite(bytes) == bytes)
    }

    @Test func readsABindWithTheNetlogonProvider() throws {
        var bytes = try #require(
            try scapy("Dissect DCE/RPC v5 Bind request with NETLOGON secure channel").first)
        // Its names were shortened for publication, but not its length.
        bytes[8] = UInt8(bytes.count)
        let (fragment, pdu) = try parse(bytes)
        guard case .bind(let bind) = pdu else { throw CocoaError(.featureUnsupported) }
        #expect(bind.contexts.count == 3)
        #expect(bind.contexts.allSatisfy { $0.abstractSyntax == PDUSamples.netlogon })
        #expect(bind.contexts[0].transferSyntaxes == [.ndr])
        #expect(bind.contexts[1].transferSyntaxes == [.ndr64])
        let features = BindTimeFeatures(bind.contexts[2].transferSyntaxes[0])
        #expect(features == [.securityContextMultiplexing, .keepConnectionOnOrphan])
        #expect(fragment.auth?.context == SecurityContext(.netlogon, .privacy, id: 0))
        #expect(fragment.header.flags.contains(.supportHeaderSign))
        #expect(try PDUSamples.rewrite(bytes) == bytes)
    }

    @Test func readsABindAckWithTheNetlogonProvider() throws {
        let bytes = try #require(
            try scapy("Dissect DCE/RPC v5 Bind Response with NETLOGON secure channel").first)
        let (fragment, pdu) = try parse(bytes)
        guard case .bindAck(let ack) = pdu else { throw CocoaError(.featureUnsupported) }
        #expect(ack.secondaryAddress == Array("49676".utf8))
        #expect(ack.results.map(\.outcome) == [.providerRejection, .acceptance, .negotiateAck])
        #expect(ack.results[1].transferSyntax == .ndr64)
        #expect(ack.results[2].reason.rawValue == 3)
        #expect(fragment.auth?.token.count == 12)
        #expect(try PDUSamples.rewrite(bytes) == bytes)
    }

    @Test func readsASealedResponse() throws {
        let bytes = try #require(
            try scapy("Dissect DCE/RPC v5 Response with NETLOGON secure channel").first)
        let (fragment, pdu) = try parse(bytes)
        guard case .response(let response, let stub) = pdu else {
            throw CocoaError(.featureUnsupported)
        }
        #expect(response.allocHint == 820)
        #expect(stub.count == 820)
        #expect(fragment.auth?.padLength == 12)
        let again = try PDUSamples.rewrite(bytes)
        #expect(again.count == bytes.count)
        #expect(again[..<32] == bytes[..<32])
    }

    @Test func readsAVerificationTrailer() throws {
        let bytes = try #require(try scapy("Build and dissect DCE/RPC with vt_trailer").first)
        let (fragment, pdu) = try parse(bytes)
        guard case .request(let request, let stub) = pdu else {
            throw CocoaError(.featureUnsupported)
        }
        #expect(fragment.auth?.padLength == 4)
        var ndr = NDRReader(WireReader(bytes.span, layer: "NDR").part(stub))
        let trailer = try ndr.expectEndOfRequest("stub")
        #expect(trailer?.bitmask == 1)
        #expect(trailer?.context?.interface.uuid == request.object)
        #expect(trailer?.context?.interface.majorVersion == 1)
        #expect(trailer?.context?.transferSyntax == .ndr)
    }

    @Test func cutsAnAuth3AndARequestApart() throws {
        let name = "Dissect DCE/RPC containing two fragments: Auth3 and a Request"
        let bytes = try #require(try scapy(name).first)
        let first = try #require(try FragmentCutter.length(bytes.span))
        let second = try #require(try FragmentCutter.length(bytes.span, from: first))
        #expect(first + second == bytes.count)
        guard case .auth3 = try parse(Array(bytes[..<first])).1,
            case .request = try parse(Array(bytes[first...])).1
        else { throw CocoaError(.featureUnsupported) }
    }
}

/// Real traffic: whatever is in it, nothing traps, and what is well-formed is read.
@Suite(.enabled(if: Material.captures != nil)) struct CapturedPDUTests {
    /// Where a PDU may begin in `payload`, over TCP or in a pipe's message.
    private func candidates(_ payload: [UInt8]) -> [Int] {
        guard payload.count >= 16 else { return [] }
        return (0...(payload.count - 16)).filter {
            payload[$0] == 5 && payload[$0 + 1] < 2 && payload[$0 + 2] < 20
                && payload[$0 + 4] == 0x10 && payload[$0 + 5] == 0
        }
    }

    @Test func everyCapturedPDUIsReadWithoutTrap() throws {
        var read: [String: Int] = [:]
        var refused: [String] = []
        for path in CaptureFile.all {
            for packet in try CaptureFile.packets(path) where !packet.isUDP {
                for start in candidates(packet.payload) {
                    do {
                        let bytes = packet.payload
                        guard let length = try FragmentCutter.length(bytes.span, from: start)
                        else { continue }
                        let whole = WireReader(bytes.span, layer: "RPC")
                        var reader = whole.part(start..<(start + length))
                        let fragment = try Fragment(parsing: &reader)
                        _ = try PDU(fragment, in: whole)
                        read[fragment.header.type.description, default: 0] += 1
                    } catch {
                        refused.append("\(path.split(separator: "/").last!)+\(start): \(error)")
                    }
                }
            }
        }
        for name in ["bind", "bind_ack", "request", "response", "fault", "alter_context"] {
            #expect(read[name] ?? 0 > 0, "no \(name) in the captures")
        }
        // Made by hand with wrong lengths, or to exhaust a parser; and SMB2's own numbers that
        // look like the beginning of a PDU.
        let malformed = ["synthetic", "exhaustion", "many-input", "smb2.delete-on-close"]
        refused.removeAll { line in malformed.contains { line.contains($0) } }
        // One stub's bytes look like the beginning of a PDU.
        #expect(refused.count <= 1, "\(refused.joined(separator: "\n"))")
    }
}
