import Wire

/// LDAP's resultCode (RFC 4511 4.1.9).
package struct LDAPResultCode: RawRepresentable, Equatable, Sendable {
    package var rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let success = LDAPResultCode(rawValue: 0)
    package static let operationsError = LDAPResultCode(rawValue: 1)
    package static let busy = LDAPResultCode(rawValue: 51)
}

/// The answer to the LDAP ping (MS-ADTS 6.3.3.3; RFC 4511 4.5.2): two messages in one datagram.
///
///     LDAPMessage ::= SEQUENCE { messageID INTEGER,
///         searchResEntry [APPLICATION 4] SEQUENCE {
///             objectName OCTET STRING (empty),
///             attributes SEQUENCE OF SEQUENCE { "netlogon", SET OF OCTET STRING } } }
///     LDAPMessage ::= SEQUENCE { messageID INTEGER (the same),
///         searchResDone  [APPLICATION 5] SEQUENCE {
///             resultCode ENUMERATED, matchedDN OCTET STRING, diagnosticMessage OCTET STRING } }
///
/// The netlogon attribute's one value is a SAM LOGON response (MS-ADTS 6.3.1). A controller that
/// does not serve the domain leaves out the entry, or the attribute.
package struct CLDAPSearchResponse: Equatable, CustomStringConvertible {
    static let layer: StaticString = "CLDAP SearchResponse"
    package static let maximumAttributes = 8
    package static let maximumName = 64

    package var messageID: Int32
    /// Where the datagram holds the netlogon attribute's value.
    package private(set) var netlogon: Range<Int>?
    package var resultCode: LDAPResultCode

    package init(messageID: Int32, resultCode: LDAPResultCode = .success) {
        self.messageID = messageID
        self.resultCode = resultCode
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        var first = try Self.message(&reader)
        messageID = try first.berNumber(.integer, "messageID")
        if try first.berPeek("protocolOp") == .application(4) {
            netlogon = try Self.entry(&first)
            var second = try Self.message(&reader)
            let repeated = try second.berNumber(.integer, "messageID")
            if repeated != messageID {
                throw second.invalid("messageID", Int(repeated))
            }
            resultCode = try Self.done(&second)
        } else {
            resultCode = try Self.done(&first)
        }
        try reader.expectEnd("searchResDone")
    }

    @_lifetime(copy reader)
    private static func message(_ reader: inout WireReader) throws(WireError) -> WireReader {
        reader.part(try reader.berElement(.sequence, "LDAPMessage"), layer: layer)
    }

    @_lifetime(message: copy message)
    private static func entry(_ message: inout WireReader) throws(WireError) -> Range<Int>? {
        var entry = message.part(try message.berElement(.application(4), "searchResEntry"))
        try message.expectEnd("controls")
        _ = try entry.berElement(.octetString, "objectName")
        var list = entry.part(try entry.berElement(.sequence, "attributes"))
        try entry.expectEnd("attributes")
        var found: Range<Int>?
        var count = 0
        while !list.isAtEnd {
            count += 1
            if count > maximumAttributes {
                throw WireError(
                    .limit, layer: layer, field: "attributes", offset: list.offset,
                    needed: count, available: maximumAttributes)
            }
            var attribute = list.part(try list.berElement(.sequence, "attribute"))
            let type = try attribute.berText("type", limit: maximumName)
            var values = attribute.part(try attribute.berElement(.set, "vals"))
            try attribute.expectEnd("vals")
            if !ASCIICase.equal(type, "netlogon") || values.isAtEnd { continue }
            if found != nil { throw list.invalid("netlogon", 2) }
            found = try values.berElement(.octetString, "netlogon")
            try values.expectEnd("netlogon")
        }
        return found
    }

    @_lifetime(message: copy message)
    private static func done(_ message: inout WireReader) throws(WireError) -> LDAPResultCode {
        var done = message.part(try message.berElement(.application(5), "searchResDone"))
        try message.expectEnd("controls")
        let code = try done.berNumber(.enumerated, "resultCode")
        _ = try done.berElement(.octetString, "matchedDN")
        _ = try done.berElement(.octetString, "diagnosticMessage")
        try done.expectEnd("searchResDone")
        return LDAPResultCode(rawValue: code)
    }

    /// Writes the answer with `netlogon` as the attribute's value, or without an entry.
    package func write(into writer: inout WireWriter, netlogon: [UInt8]?) {
        if let netlogon {
            writer.ber(.sequence) { message in
                message.berNumber(.integer, messageID)
                message.ber(.application(4)) { entry in
                    entry.berText("")
                    entry.ber(.sequence) { list in
                        list.ber(.sequence) { attribute in
                            attribute.berText("netlogon")
                            attribute.ber(.set) { values in
                                values.ber(.octetString, netlogon)
                            }
                        }
                    }
                }
            }
        }
        writer.ber(.sequence) { message in
            message.berNumber(.integer, messageID)
            message.ber(.application(5)) { done in
                done.berNumber(.enumerated, resultCode.rawValue)
                done.berText("")
                done.berText("")
            }
        }
    }

    package var description: String {
        let size = netlogon.map { "netlogon of \($0.count) bytes" } ?? "no netlogon"
        return "CLDAP answer \(messageID): \(size), result \(resultCode.rawValue)"
    }
}
