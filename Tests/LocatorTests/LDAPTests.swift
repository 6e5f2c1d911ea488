import TestSupport
import Testing
import Wire

@testable import Locator

private func bytes(_ message: LDAPMessage) -> [UInt8] {
    var writer = WireWriter()
    message.write(into: &writer)
    return writer.finish()
}

private func parse(_ bytes: [UInt8]) throws -> LDAPMessage {
    var reader = WireReader(bytes.span, layer: "LDAP")
    return try LDAPMessage(parsing: &reader)
}

private func length(_ bytes: [UInt8]) throws -> Int? { try LDAPMessage.length(bytes.span) }

private let ldapOperations: [LDAPOperation] = [
    .bindRequest(mechanism: "GSS-SPNEGO", credentials: Array("NTLMSSP".utf8)),
    .bindResponse(LDAPResult(.saslBindInProgress), credentials: [1, 2, 3]),
    .bindResponse(
        LDAPResult(.invalidCredentials, diagnosticMessage: "8009030C: data 52e"), credentials: []),
    .unbindRequest,
    .searchRequest(
        LDAPSearch("", .base, .present("objectClass"), attributes: ["defaultNamingContext"])),
    .searchRequest(
        LDAPSearch(
            "DC=ad,DC=lab", .subtree, .equal("sAMAccountName", Array("GATE1$".utf8)),
            attributes: [])),
    .searchResultEntry(
        LDAPEntry(
            name: "CN=GATE1,CN=Computers,DC=ad,DC=lab",
            [
                LDAPAttribute("userAccountControl", text: "4096"),
                LDAPAttribute("memberOf", text: "a", "b"), LDAPAttribute("none", []),
            ])),
    .searchResultDone(LDAPResult(.success)), .searchResultReference,
    .modifyRequest(
        LDAPEntry(
            name: "CN=GATE1", [LDAPAttribute("unicodePwd", [[UInt8](repeating: 7, count: 300)])])),
    .modifyResponse(LDAPResult(.insufficientAccessRights)),
    .addRequest(LDAPEntry(name: "CN=GATE1", [LDAPAttribute("objectClass", text: "computer")])),
    .addResponse(LDAPResult(.entryAlreadyExists)), .deleteRequest(name: "CN=GATE1"),
    .deleteResponse(LDAPResult(.noSuchObject)),
]

@Suite struct LDAPTests {
    @Test func everyMessageKeepsItsBytesAndNoDamageTraps() {
        let samples = ldapOperations.enumerated().map { number, operation in
            MessageSample(
                name: operation.description,
                bytes: bytes(LDAPMessage(messageID: Int32(number + 1), operation))
            ) { bytes(try parse($0)) }
        }
        #expect(checkMessages(samples) == [])
    }

    @Test func everyOperationComesBackAsItWas() throws {
        for operation in ldapOperations {
            #expect(try parse(bytes(LDAPMessage(messageID: 9, operation))).operation == operation)
        }
    }

    @Test func aStreamIsCutBeforeItsMessageIsWhole() throws {
        let message = bytes(LDAPMessage(messageID: 1, ldapOperations[9]))
        for count in 0..<message.count {
            let length = try length(Array(message[..<count]))
            #expect(length == nil || length == message.count)
        }
        #expect(try length(message + [0x30]) == message.count)
        #expect(throws: WireError.self) { try length([0x31, 0x00]) }
        #expect(throws: WireError.self) { try length([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]) }
    }

    @Test func noDescriptionTellsAValue() {
        for operation in ldapOperations {
            #expect(!operation.description.contains("computer"))
        }
    }

    /// RFC 4511 4.2 with a negotiation of NTLM, as it goes over the wire.
    @Test func aBindLooksAsItShould() throws {
        let message = bytes(
            LDAPMessage(
                messageID: 1, .bindRequest(mechanism: "GSS-SPNEGO", credentials: [0xaa])))
        #expect(
            message
                == [0x30, 0x1b, 0x02, 0x01, 0x01, 0x60, 0x16, 0x02, 0x01, 0x03, 0x04, 0x00]
                + [0xa3, 0x0f, 0x04, 0x0a] + Array("GSS-SPNEGO".utf8) + [0x04, 0x01, 0xaa])
    }
}
