import Wire

/// One message of LDAP over TCP (RFC 4511 4.1.1), of those with which an account is looked for,
/// made and changed:
///
///     LDAPMessage ::= SEQUENCE { messageID INTEGER (0 .. 2147483647), protocolOp CHOICE { … } }
///
/// Controls are refused: none is asked for. Nothing recurses: a filter is one condition.
package struct LDAPMessage: Equatable, CustomStringConvertible {
    static let layer: StaticString = "LDAP"
    /// Octets of one message.
    package static let maximumLength = 1_048_576

    package var messageID: Int32
    package var operation: LDAPOperation

    package init(messageID: Int32, _ operation: LDAPOperation) {
        self.messageID = messageID
        self.operation = operation
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        var message = reader.part(
            try reader.berElement(.sequence, "LDAPMessage"), layer: Self.layer)
        try reader.expectEnd("LDAPMessage")
        messageID = try message.berNumber(.integer, "messageID")
        operation = try LDAPOperation(parsing: &message)
        try message.expectEnd("protocolOp")
    }

    package func write(into writer: inout WireWriter) {
        writer.ber(.sequence) { message in
            message.berNumber(.integer, messageID)
            operation.write(into: &message)
        }
    }

    /// Octets of the message that begins a stream; nil where that is not told yet.
    package static func length(_ bytes: Span<UInt8>) throws(WireError) -> Int? {
        if bytes.count < 2 { return nil }
        var reader = WireReader(bytes, layer: layer)
        if bytes[0] != BERTag.sequence.rawValue {
            throw reader.invalid("LDAPMessage", Int(bytes[0]))
        }
        if bytes[1] >= 0x80, bytes.count < 2 + Int(bytes[1] & 0x7f) { return nil }
        _ = try reader.uint8("LDAPMessage")
        let length = try reader.berLength("LDAPMessage")
        if length > maximumLength {
            throw WireError(
                .limit, layer: layer, field: "LDAPMessage", offset: 0, needed: length,
                available: maximumLength)
        }
        return reader.offset + length
    }

    package var description: String { "LDAP \(messageID): \(operation.description)" }
}

/// Its protocolOp.
package enum LDAPOperation: Equatable, CustomStringConvertible {
    /// `[APPLICATION 0] { version INTEGER (3), name,
    ///     authentication [3] { mechanism, credentials } }`
    case bindRequest(mechanism: String, credentials: [UInt8])
    /// `[APPLICATION 1] { COMPONENTS OF LDAPResult, serverSaslCreds [7] OPTIONAL }`
    case bindResponse(LDAPResult, credentials: [UInt8])
    /// `[APPLICATION 2] NULL`
    case unbindRequest
    case searchRequest(LDAPSearch)
    /// `[APPLICATION 4] { objectName, attributes SEQUENCE OF { type, vals SET OF value } }`
    case searchResultEntry(LDAPEntry)
    case searchResultDone(LDAPResult)
    /// `[APPLICATION 6] { object, changes SEQUENCE OF { operation ENUMERATED (2), attribute } }`:
    /// the attributes' values are replaced.
    case modifyRequest(LDAPEntry)
    case modifyResponse(LDAPResult)
    /// `[APPLICATION 8] { entry, attributes }`
    case addRequest(LDAPEntry)
    case addResponse(LDAPResult)
    /// `[APPLICATION 10]` name
    case deleteRequest(name: String)
    case deleteResponse(LDAPResult)
    /// `[APPLICATION 19]`: other servers that know more, whom nobody asks.
    case searchResultReference

    static let maximumName = 2_048
    static let maximumCredentials = 65_535
    private static let version: Int32 = 3
    private static let replace: Int32 = 2
    private static let sasl = BERTag.context(3)
    private static let serverCredentials = BERTag(rawValue: 0x87)
    private static let unbind = BERTag(rawValue: 0x42)
    private static let delete = BERTag(rawValue: 0x4a)

    @_lifetime(message: copy message)
    init(parsing message: inout WireReader) throws(WireError) {
        let tag = try message.berPeek("protocolOp")
        var body = message.part(try message.berElement(tag, "protocolOp"))
        switch tag {
        case .application(0): self = try Self.bind(&body)
        case .application(1):
            let result = try LDAPResult(parsingOpen: &body)
            var credentials: [UInt8] = []
            if !body.isAtEnd {
                credentials = body.copy(
                    try body.berElement(Self.serverCredentials, "serverSaslCreds"))
            }
            self = .bindResponse(result, credentials: credentials)
        case Self.unbind: self = .unbindRequest
        case .application(3): self = .searchRequest(try LDAPSearch(parsing: &body))
        case .application(4): self = .searchResultEntry(try LDAPEntry(parsing: &body))
        case .application(5): self = .searchResultDone(try LDAPResult(parsingOpen: &body))
        case .application(6): self = try Self.modification(&body)
        case .application(7): self = .modifyResponse(try LDAPResult(parsingOpen: &body))
        case .application(8): self = .addRequest(try LDAPEntry(parsing: &body))
        case .application(9): self = .addResponse(try LDAPResult(parsingOpen: &body))
        case Self.delete:
            self = .deleteRequest(
                name: String(decoding: body.copy(body.takeRest()), as: UTF8.self))
        case .application(11): self = .deleteResponse(try LDAPResult(parsingOpen: &body))
        case .application(19):
            _ = body.takeRest()
            self = .searchResultReference
        case _: throw message.invalid("protocolOp", Int(tag.rawValue))
        }
        try body.expectEnd("protocolOp")
    }

    @_lifetime(body: copy body)
    private static func bind(_ body: inout WireReader) throws(WireError) -> LDAPOperation {
        let version = try body.berNumber(.integer, "version")
        if version != Self.version { throw body.invalid("version", Int(version)) }
        let name = try body.berElement(.octetString, "name")
        if !name.isEmpty { throw body.invalid("name", name.count) }
        var choice = body.part(try body.berElement(sasl, "authentication"))
        let mechanism = try choice.berText("mechanism", limit: 64)
        let credentials = try choice.berOctets("credentials", limit: maximumCredentials)
        try choice.expectEnd("credentials")
        return .bindRequest(mechanism: mechanism, credentials: credentials)
    }

    @_lifetime(body: copy body)
    private static func modification(_ body: inout WireReader) throws(WireError) -> LDAPOperation {
        var entry = LDAPEntry(name: try body.berText("object", limit: maximumName))
        var list = body.part(try body.berElement(.sequence, "changes"))
        while !list.isAtEnd {
            var change = list.part(try list.berElement(.sequence, "change"))
            let operation = try change.berNumber(.enumerated, "operation")
            if operation != replace { throw change.invalid("operation", Int(operation)) }
            try entry.append(parsing: &change)
            try change.expectEnd("modification")
        }
        return .modifyRequest(entry)
    }

    func write(into message: inout WireWriter) {
        switch self {
        case .bindRequest(let mechanism, let credentials):
            message.ber(.application(0)) { body in
                body.berNumber(.integer, Self.version)
                body.berText("")
                body.ber(Self.sasl) { choice in
                    choice.berText(mechanism)
                    choice.ber(.octetString, credentials)
                }
            }
        case .bindResponse(let result, let credentials):
            message.ber(.application(1)) { body in
                result.write(into: &body)
                if !credentials.isEmpty { body.ber(Self.serverCredentials, credentials) }
            }
        case .unbindRequest: message.ber(Self.unbind, [])
        case .searchRequest(let search):
            message.ber(.application(3)) { search.write(into: &$0) }
        case .searchResultEntry(let entry):
            message.ber(.application(4)) { entry.write(into: &$0) }
        case .modifyRequest(let entry): Self.write(entry, into: &message)
        case .addRequest(let entry): message.ber(.application(8)) { entry.write(into: &$0) }
        case .deleteRequest(let name): message.ber(Self.delete, Array(name.utf8))
        case .searchResultDone(let result):
            message.ber(.application(5)) { result.write(into: &$0) }
        case .modifyResponse(let result):
            message.ber(.application(7)) { result.write(into: &$0) }
        case .addResponse(let result): message.ber(.application(9)) { result.write(into: &$0) }
        case .deleteResponse(let result):
            message.ber(.application(11)) { result.write(into: &$0) }
        case .searchResultReference: message.ber(.application(19), [])
        }
    }

    private static func write(_ entry: LDAPEntry, into message: inout WireWriter) {
        message.ber(.application(6)) { body in
            body.berText(entry.name)
            body.ber(.sequence) { list in
                for attribute in entry.attributes {
                    list.ber(.sequence) { change in
                        change.berNumber(.enumerated, replace)
                        attribute.write(into: &change)
                    }
                }
            }
        }
    }

    /// Values may be passwords.
    package var description: String {
        switch self {
        case .bindRequest(let mechanism, _): "bind by \(mechanism)"
        case .bindResponse(let result, _): "bound: \(result.description)"
        case .unbindRequest: "unbind"
        case .searchRequest(let search): "search below \(search.baseObject)"
        case .searchResultEntry(let entry): "found \(entry.name)"
        case .searchResultDone(let result): "searched: \(result.description)"
        case .searchResultReference: "reference"
        case .modifyRequest(let entry): "modify \(entry.name)"
        case .modifyResponse(let result): "modified: \(result.description)"
        case .addRequest(let entry): "add \(entry.name)"
        case .addResponse(let result): "added: \(result.description)"
        case .deleteRequest(let name): "delete \(name)"
        case .deleteResponse(let result): "deleted: \(result.description)"
        }
    }
}
