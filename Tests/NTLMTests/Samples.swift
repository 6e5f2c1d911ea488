import NTLM
import TestSupport
import Wire

func negotiate(_ bytes: [UInt8]) throws -> NegotiateMessage {
    var reader = WireReader(bytes.span, layer: "NTLM")
    return try NegotiateMessage(parsing: &reader)
}

func challenge(_ bytes: [UInt8]) throws -> ChallengeMessage {
    var reader = WireReader(bytes.span, layer: "NTLM")
    return try ChallengeMessage(parsing: &reader)
}

func authenticate(_ bytes: [UInt8]) throws -> AuthenticateMessage {
    var reader = WireReader(bytes.span, layer: "NTLM")
    return try AuthenticateMessage(parsing: &reader)
}

func pairs(_ bytes: [UInt8]) throws -> AVPairList {
    var reader = WireReader(bytes.span, layer: "NTLM")
    let list = try AVPairList(parsing: &reader)
    try reader.expectEnd("AvPairs")
    return list
}

func token(_ bytes: [UInt8]) throws -> NegotiationToken {
    var reader = WireReader(bytes.span, layer: "SPNEGO")
    return try NegotiationToken(parsing: &reader)
}

/// Parses whichever message it is, and writes it.
func rewriteMessage(_ bytes: [UInt8]) throws -> [UInt8] {
    var reader = WireReader(bytes.span, layer: "NTLM")
    var writer = WireWriter()
    switch try NTLMMessageType(parsing: &reader) {
    case .negotiate:
        let message = try negotiate(bytes)
        _ = message.description
        message.write(into: &writer)
    case .challenge:
        let message = try challenge(bytes)
        _ = message.description
        message.write(from: bytes.span, into: &writer)
    case .authenticate:
        let message = try authenticate(bytes)
        _ = message.description
        message.write(from: bytes.span, into: &writer)
    case let other:
        throw WireError(
            .invalid, layer: "NTLM", field: "MessageType", offset: 8, needed: Int(other.rawValue))
    }
    return writer.finish()
}

func rewriteToken(_ bytes: [UInt8]) throws -> [UInt8] {
    let parsed = try token(bytes)
    _ = parsed.description
    var writer = WireWriter()
    parsed.write(from: bytes.span, into: &writer)
    return writer.finish()
}

func rewriteBlob(_ bytes: [UInt8]) throws -> [UInt8] {
    var reader = WireReader(bytes.span, layer: "NTLM")
    let blob = try NTLMv2ClientChallenge(parsing: &reader)
    var inner = reader.part(blob.avPairs)
    let list = try AVPairList(parsing: &inner)
    var writer = WireWriter()
    blob.write(targetInfo: list.bytes.span, into: &writer)
    return writer.finish()
}

enum Sample {
    static let version = ProductVersion(major: 6, minor: 1, build: 7601)

    static let list = AVPairList([
        AVPair(.nbDomainName, text: "LAB"), AVPair(.nbComputerName, text: "DC1"),
        AVPair(.dnsDomainName, text: "lab.example"), AVPair([.messageIntegrity]),
        AVPair(timestamp: 0x01d0_0000_0000_0001), AVPair(AVPairID(rawValue: 99), []),
    ])

    /// Responses of 24 bytes, and a key.
    static let payload = [UInt8](repeating: 1, count: 24) + [UInt8](repeating: 2, count: 24)
        + [UInt8](repeating: 3, count: 16)

    static func bytes(_ write: (inout WireWriter) -> Void) -> [UInt8] {
        var writer = WireWriter()
        write(&writer)
        return writer.finish()
    }

    static func bytes(_ message: AuthenticateMessage, _ payload: [UInt8]) -> [UInt8] {
        bytes { message.write(from: payload.span, into: &$0) }
    }

    static var negotiates: [(String, [UInt8])] {
        let messages: [(String, NegotiateMessage)] = [
            ("bare", NegotiateMessage(negotiateFlags: [.unicode, .ntlm])),
            ("with version", NegotiateMessage(negotiateFlags: [.unicode], version: version)),
            ("with names", NegotiateMessage(
                negotiateFlags: [.oem, .ntlm], domainName: "LAB", workstation: "BÜRO",
                version: version)),
        ]
        return messages.map { name, message in
            ("NEGOTIATE \(name)", bytes { message.write(into: &$0) })
        }
    }

    static var challenges: [(String, [UInt8])] {
        let random = Bytes8(Array(1...8))
        let info = list.bytes
        let messages: [(String, ChallengeMessage)] = [
            ("without target", ChallengeMessage(
                targetName: "", negotiateFlags: [.unicode], serverChallenge: random)),
            ("OEM", ChallengeMessage(
                targetName: "LAB", negotiateFlags: [.oem], serverChallenge: random)),
            ("with target info", ChallengeMessage(
                targetName: "LAB", negotiateFlags: [.unicode, .requestTarget],
                serverChallenge: random, targetInfo: 0..<info.count, version: version)),
        ]
        return messages.map { name, message in
            ("CHALLENGE \(name)", bytes { message.write(from: info.span, into: &$0) })
        }
    }

    static var authenticates: [(String, [UInt8])] {
        var message = AuthenticateMessage(
            lmChallengeResponse: 0..<24, ntChallengeResponse: 24..<48, domainName: "LAB",
            userName: "jörg", workstation: "WS1", negotiateFlags: [.unicode, .ntlm])
        var out = [("AUTHENTICATE plain", bytes(message, payload))]
        message.encryptedRandomSessionKey = 48..<64
        message.version = version
        out.append(("AUTHENTICATE with version", bytes(message, payload)))
        message.mic = Bytes16(Array(1...16))
        out.append(("AUTHENTICATE with MIC", bytes(message, payload)))
        message.version = nil
        message.negotiateFlags = [.oem, .ntlm]
        out.append(("AUTHENTICATE OEM with MIC", bytes(message, payload)))
        let anonymous = AuthenticateMessage(
            lmChallengeResponse: 0..<1, ntChallengeResponse: 0..<0, domainName: "", userName: "",
            workstation: "", negotiateFlags: [.unicode, .anonymous])
        out.append(("AUTHENTICATE anonymous", bytes(anonymous, [0])))
        return out
    }

    static var tokens: [(String, [UInt8])] {
        let long = payload + payload + payload
        let tokens: [(String, NegotiationToken)] = [
            ("first", .initial(NegTokenInit(
                mechTypes: [.kerberos, .microsoftKerberos, .ntlmssp], mechToken: 0..<64))),
            ("with MIC", .initial(NegTokenInit(
                mechTypes: [.ntlmssp], mechToken: 0..<192, mechListMIC: 0..<16))),
            ("hint", .initial(NegTokenInit(mechTypes: [.negoEx, .ntlmssp], hasHints: true))),
            ("hint with MIC", .initial(NegTokenInit(
                mechTypes: [.ntlmssp], hasHints: true, mechListMIC: 0..<16))),
            ("incomplete", .response(NegTokenResp(
                negState: .acceptIncomplete, supportedMech: .ntlmssp, responseToken: 0..<140))),
            ("answer", .response(NegTokenResp(responseToken: 0..<64, mechListMIC: 0..<16))),
            ("end", .response(NegTokenResp(negState: .acceptCompleted))),
            ("empty", .response(NegTokenResp())),
        ]
        return tokens.map { name, token in
            ("token \(name)", bytes { token.write(from: long.span, into: &$0) })
        }
    }

    static var messages: [MessageSample] {
        let blob = bytes {
            NTLMv2ClientChallenge(timestamp: 5, challengeFromClient: Bytes8(Array(1...8)))
                .write(targetInfo: list.bytes.span, into: &$0)
        }
        return (negotiates + challenges + authenticates).map {
            MessageSample(name: $0, bytes: $1, rewrite: rewriteMessage)
        } + tokens.map {
            MessageSample(name: $0, bytes: $1, rewrite: rewriteToken)
        } + [
            MessageSample(name: "AV pairs", bytes: list.bytes) { try pairs($0).bytes },
            MessageSample(name: "no AV pairs", bytes: [0, 0, 0, 0]) { try pairs($0).bytes },
            MessageSample(name: "client challenge", bytes: blob, rewrite: rewriteBlob),
        ]
    }
}
