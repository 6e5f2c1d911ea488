import NTLM
import TestSupport
import Testing
import Wire

/// Messages and traffic that others published.
@Suite struct PublishedTests {
    @Test(.enabled(if: Material.vectors != nil)) func rewritesThePublishedMessages() throws {
        let file = try VectorFile("ms-nlmp_4.2.json")
        for version in ["v1", "v1_ess", "v2"] {
            for name in ["CHALLENGE", "AUTHENTICATE"] {
                let bytes = file.bytes("\(version).\(name)")
                #expect(try Hex.string(rewriteMessage(bytes)) == Hex.string(bytes))
            }
            let bytes = file.bytes("\(version).AUTHENTICATE")
            let message = try authenticate(bytes)
            #expect(message.userName == "User")
            #expect(message.domainName == "Domain")
            #expect(message.workstation == "COMPUTER")
            #expect(message.mic == nil)
        }
        let bytes = file.bytes("v2.CHALLENGE")
        let message = try challenge(bytes)
        #expect(message.targetName == "Server")
        #expect(message.serverChallenge.bytes == file.bytes("common.ServerChallenge"))
        let list = try pairs(Array(bytes[message.targetInfo]))
        #expect(list.text(.nbDomainName) == "Domain")
        #expect(list.text(.nbComputerName) == "Server")
    }

    @Test(.enabled(if: Material.vectors != nil)) func readsTheMessagesOfATestSuite() throws {
        let file = try VectorFile("samba_ndr_ntlmssp.json")
        let first = file.array("ntlmssp_NEGOTIATE_MESSAGE_data")
        let offer = try negotiate(first)
        #expect(offer.negotiateFlags.rawValue == 0xe208_8297)
        #expect(offer.version == ProductVersion(major: 6, minor: 1, build: 0x1db0))
        #expect(try rewriteMessage(first) == first)

        let second = file.array("ntlmssp_CHALLENGE_MESSAGE_data")
        let choice = try challenge(second)
        #expect(choice.targetName == "SAMBA")
        #expect(choice.negotiateFlags.rawValue == 0xe289_8295)
        #expect(
            choice.serverChallenge.bytes
                == file.array("chal", function: "ntlmssp_CHALLENGE_MESSAGE_check"))
        let list = try pairs(Array(second[choice.targetInfo]))
        #expect(list.pairs.count == 4)
        #expect(list.text(.nbDomainName) == "SAMBA")
        #expect(list.text(.nbComputerName) == "MTHELENA")
        #expect(try rewriteMessage(second) == second)

        let third = file.array("ntlmssp_AUTHENTICATE_MESSAGE_data")
        let answer = try authenticate(third)
        #expect(answer.userName == "Administrator")
        #expect(answer.domainName == "W2K8DOM")
        #expect(answer.workstation == "W2K8R2")
        let function = "ntlmssp_AUTHENTICATE_MESSAGE_check"
        let response = Array(third[answer.ntChallengeResponse])
        #expect(Array(response[..<16]) == file.array("Response", function: function))
        var reader = WireReader(response.span.extracting(16..<response.count), layer: "NTLM")
        let blob = try NTLMv2ClientChallenge(parsing: &reader)
        #expect(
            blob.challengeFromClient.bytes
                == file.array("ChallengeFromClient", function: function))
        var inner = reader.part(blob.avPairs)
        let answered = try AVPairList(parsing: &inner)
        #expect(answer.mic?.hex == "50e2b2a7f5833eda71a7e86e951e3a57")
        #expect(answered.pairs.count == 7)
        #expect(
            answered.value(.singleHost).map { Array($0[16...]) }
                == file.array("MachineId", function: function))
        #expect(
            Array(third[answer.encryptedRandomSessionKey])
                == file.array("EncryptedRandomSessionKey", function: function))
        #expect(try rewriteMessage(third) == third)
    }

    /// Every constant of the test suite that is an NTLMSSP message.
    @Test(.enabled(if: Material.vectors != nil)) func readsTheMessagesOfAPacketLibrary() throws {
        var read = 0
        for bytes in try Self.scapyConstants() where bytes.starts(with: NTLMMessageType.signature) {
            guard bytes.count >= 32 else { continue }
            let again = try rewriteMessage(bytes)
            #expect(try rewriteMessage(again) == again)
            read += 1
            if bytes.count > 9, bytes[8] == 3, bytes[12] == 24, bytes.count == 330 {
                let message = try authenticate(bytes)
                #expect(message.userName == "BANANANA")
                #expect(message.domainName == "COUS")
                #expect(message.workstation == "GOURDE")
                #expect(message.version == nil)
                #expect(message.mic == nil)
            }
        }
        #expect(read >= 4)
    }

    @Test(.enabled(if: Material.vectors != nil)) func readsTheTokensOfAPacketLibrary() throws {
        var read = 0
        for bytes in try Self.scapyConstants() where bytes.first == 0x60 {
            guard let parsed = try? token(bytes) else { continue }
            #expect(try rewriteToken(rewriteToken(bytes)) == rewriteToken(bytes))
            #expect(!parsed.description.isEmpty)
            read += 1
        }
        #expect(read >= 1)
    }

    private static func scapyConstants() throws -> [[UInt8]] {
        let files = try VectorFile("scapy_tests.json").root["files"] as? [[String: Any]] ?? []
        var out: [[UInt8]] = []
        for file in files {
            for test in file["cases"] as? [[String: Any]] ?? [] {
                for constant in test["constants"] as? [[String: Any]] ?? [] {
                    if let bytes = Hex.bytes(constant["hex"] as? String ?? "") { out.append(bytes) }
                }
            }
        }
        return out
    }

    // MARK: Captures

    static func blobs(_ path: String) throws -> [[UInt8]] {
        let signature = NTLMMessageType.signature
        var out: [[UInt8]] = []
        for packet in try CaptureFile.packets(path) where packet.payload.count >= 16 {
            let bytes = packet.payload
            for start in 0...(bytes.count - 8) where bytes[start] == signature[0] {
                guard bytes[start..<(start + 8)].elementsEqual(signature) else { continue }
                out.append(Array(bytes[start...]))
            }
        }
        return out
    }

    /// A message in a stream's segment is followed by others' bytes, and may be cut off by it.
    @Test(.enabled(if: Material.captures != nil)) func readsEveryMessageOfTheCaptures() throws {
        var counts = [0, 0, 0]
        var refused: [String] = []
        for path in CaptureFile.all {
            for bytes in try Self.blobs(path) {
                do {
                    let again = try rewriteMessage(bytes)
                    #expect(try rewriteMessage(again) == again)
                    counts[Int(bytes[8]) - 1] += 1
                } catch {
                    refused.append("\(path.split(separator: "/").last ?? ""): \(error)")
                }
            }
        }
        #expect(counts.allSatisfy { $0 >= 20 })
        #expect(refused.count <= 4, "\(refused)")
    }

    @Test(.enabled(if: Material.captures != nil)) func readsTheTokensAroundThem() throws {
        var read = 0
        for path in CaptureFile.all {
            for packet in try CaptureFile.packets(path) {
                let bytes = packet.payload
                guard bytes.count > 20 else { continue }
                for start in 0..<(bytes.count - 12)
                where bytes[start] == 0x60 || bytes[start] == 0xa1 {
                    var reader = WireReader(bytes.span, layer: "SPNEGO")
                    reader.offset = start
                    if bytes[start] == 0x60 {
                        if (try? NegTokenInit(parsing: &reader)) != nil { read += 1 }
                    } else if (try? NegTokenResp(parsing: &reader)) != nil {
                        read += 1
                    }
                }
            }
        }
        #expect(read >= 100)
    }

    /// Two captures hold target info that goes on after its message's end.
    @Test(.enabled(if: Material.captures != nil)) func refusesTargetInfoThatHasNoEnd() throws {
        for name in ["unterminated-av", "empty-av"] {
            let path = try #require(CaptureFile.all.first { $0.contains(name) })
            let bytes = try #require(try Self.blobs(path).first { $0[8] == 2 })
            #expect(throws: WireError.self, "\(name)") { try challenge(bytes) }
        }
    }
}
