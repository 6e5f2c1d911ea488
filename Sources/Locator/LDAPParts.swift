import Wire

/// What came of a request (RFC 4511 4.1.9):
///
///     LDAPResult ::= SEQUENCE {
///         resultCode ENUMERATED, matchedDN OCTET STRING, diagnosticMessage OCTET STRING,
///         referral [3] SEQUENCE OF OCTET STRING OPTIONAL }
///
/// A referral names other servers, whom nobody asks.
package struct LDAPResult: Equatable, CustomStringConvertible {
    package var resultCode: LDAPResultCode
    package var matchedDN: String
    package var diagnosticMessage: String

    private static let maximumText = 8_192

    package init(
        _ resultCode: LDAPResultCode, matchedDN: String = "", diagnosticMessage: String = ""
    ) {
        self.resultCode = resultCode
        self.matchedDN = matchedDN
        self.diagnosticMessage = diagnosticMessage
    }

    /// The components; what the bind's answer has beyond them stays unread.
    @_lifetime(reader: copy reader)
    init(parsingOpen reader: inout WireReader) throws(WireError) {
        resultCode = LDAPResultCode(
            rawValue: try reader.berNumber(.enumerated, "resultCode"))
        matchedDN = try reader.berText("matchedDN", limit: LDAPOperation.maximumName)
        diagnosticMessage = try reader.berText("diagnosticMessage", limit: Self.maximumText)
        if !reader.isAtEnd, try reader.berPeek("referral") == .context(3) {
            _ = try reader.berElement(.context(3), "referral")
        }
    }

    func write(into writer: inout WireWriter) {
        writer.berNumber(.enumerated, resultCode.rawValue)
        writer.berText(matchedDN)
        writer.berText(diagnosticMessage)
    }

    package var description: String {
        var text = resultCode.description
        // The text of Windows and of Samba ends with a zero or a line feed.
        let message = String(
            decoding: diagnosticMessage.utf8.filter { $0 >= 0x20 }, as: UTF8.self)
        if !message.isEmpty { text += " (\(message))" }
        return text
    }
}

extension LDAPResultCode: CustomStringConvertible {
    package static let saslBindInProgress = LDAPResultCode(rawValue: 14)
    package static let noSuchObject = LDAPResultCode(rawValue: 32)
    package static let invalidCredentials = LDAPResultCode(rawValue: 49)
    package static let insufficientAccessRights = LDAPResultCode(rawValue: 50)
    package static let entryAlreadyExists = LDAPResultCode(rawValue: 68)

    package var description: String {
        switch self {
        case .success: "success"
        case .saslBindInProgress: "the bind goes on"
        case .noSuchObject: "there is no such object"
        case .invalidCredentials: "the name or the password is wrong"
        case .insufficientAccessRights: "the right to do that is missing"
        case .entryAlreadyExists: "the entry exists already"
        case .busy: "busy"
        case _: "result \(rawValue)"
        }
    }
}

/// An attribute with its values (RFC 4511 4.1.7): `SEQUENCE { type, vals SET OF value }`.
package struct LDAPAttribute: Equatable {
    static let maximumValues = 1_024
    static let maximumValue = 65_535

    package var type: String
    package var vals: [[UInt8]]

    package init(_ type: String, _ vals: [[UInt8]]) {
        self.type = type
        self.vals = vals
    }

    package init(_ type: String, text: String...) {
        self.init(type, text.map { Array($0.utf8) })
    }

    @_lifetime(reader: copy reader)
    init(parsing reader: inout WireReader) throws(WireError) {
        var attribute = reader.part(try reader.berElement(.sequence, "attribute"))
        type = try attribute.berText("type", limit: LDAPOperation.maximumName)
        var set = attribute.part(try attribute.berElement(.set, "vals"))
        try attribute.expectEnd("vals")
        vals = []
        while !set.isAtEnd {
            if vals.count == Self.maximumValues {
                throw WireError(
                    .limit, layer: LDAPMessage.layer, field: "vals", offset: set.offset,
                    needed: vals.count + 1, available: Self.maximumValues)
            }
            vals.append(try set.berOctets("value", limit: Self.maximumValue))
        }
    }

    func write(into writer: inout WireWriter) {
        writer.ber(.sequence) { attribute in
            attribute.berText(type)
            attribute.ber(.set) { set in
                for value in vals { set.ber(.octetString, value) }
            }
        }
    }
}

/// An object's name with attributes.
package struct LDAPEntry: Equatable {
    static let maximumAttributes = 256

    package var name: String
    package var attributes: [LDAPAttribute]

    package init(name: String, _ attributes: [LDAPAttribute] = []) {
        self.name = name
        self.attributes = attributes
    }

    @_lifetime(reader: copy reader)
    init(parsing reader: inout WireReader) throws(WireError) {
        self.init(name: try reader.berText("objectName", limit: LDAPOperation.maximumName))
        var list = reader.part(try reader.berElement(.sequence, "attributes"))
        while !list.isAtEnd { try append(parsing: &list) }
    }

    @_lifetime(reader: copy reader)
    mutating func append(parsing reader: inout WireReader) throws(WireError) {
        if attributes.count == Self.maximumAttributes {
            throw WireError(
                .limit, layer: LDAPMessage.layer, field: "attributes", offset: reader.offset,
                needed: attributes.count + 1, available: Self.maximumAttributes)
        }
        attributes.append(try LDAPAttribute(parsing: &reader))
    }

    func write(into writer: inout WireWriter) {
        writer.berText(name)
        writer.ber(.sequence) { list in
            for attribute in attributes { attribute.write(into: &list) }
        }
    }

    /// The first value of an attribute.
    package func value(_ type: String) -> [UInt8]? {
        for attribute in attributes where ASCIICase.equal(attribute.type, type) {
            return attribute.vals.first
        }
        return nil
    }
}

/// A search (RFC 4511 4.5.1) for the objects of which one condition holds:
///
///     SEQUENCE { baseObject, scope ENUMERATED, derefAliases ENUMERATED, sizeLimit INTEGER,
///         timeLimit INTEGER, typesOnly BOOLEAN, filter, attributes SEQUENCE OF OCTET STRING }
package struct LDAPSearch: Equatable {
    package enum Scope: Int32, Sendable {
        case base = 0
        case subtree = 2
    }

    package enum Filter: Equatable {
        /// `[3] SEQUENCE { attributeDesc, assertionValue }`
        case equal(String, [UInt8])
        /// `[7] OCTET STRING`
        case present(String)
    }

    private static let presence = BERTag(rawValue: 0x87)
    private static let maximumAttributes = 64

    package var baseObject: String
    package var scope: Scope
    package var sizeLimit: Int32
    package var filter: Filter
    package var attributes: [String]

    package init(
        _ baseObject: String, _ scope: Scope, _ filter: Filter, attributes: [String],
        sizeLimit: Int32 = 16
    ) {
        self.baseObject = baseObject
        self.scope = scope
        self.sizeLimit = sizeLimit
        self.filter = filter
        self.attributes = attributes
    }

    @_lifetime(reader: copy reader)
    init(parsing reader: inout WireReader) throws(WireError) {
        baseObject = try reader.berText("baseObject", limit: LDAPOperation.maximumName)
        let code = try reader.berNumber(.enumerated, "scope")
        guard let scope = Scope(rawValue: code) else { throw reader.invalid("scope", Int(code)) }
        self.scope = scope
        try Self.expectZero(&reader, .enumerated, "derefAliases")
        sizeLimit = try reader.berNumber(.integer, "sizeLimit")
        try Self.expectZero(&reader, .integer, "timeLimit")
        if try reader.berBoolean("typesOnly") { throw reader.invalid("typesOnly", 1) }
        if try reader.berPeek("filter") == Self.presence {
            let name = try reader.berElement(Self.presence, "present")
            filter = .present(String(decoding: reader.copy(name), as: UTF8.self))
        } else {
            var pair = reader.part(try reader.berElement(.context(3), "equalityMatch"))
            let name = try pair.berText("attributeDesc", limit: LDAPOperation.maximumName)
            filter = .equal(
                name, try pair.berOctets("assertionValue", limit: LDAPAttribute.maximumValue))
            try pair.expectEnd("equalityMatch")
        }
        var list = reader.part(try reader.berElement(.sequence, "attributes"))
        attributes = []
        while !list.isAtEnd {
            if attributes.count == Self.maximumAttributes {
                throw list.invalid("attributes", attributes.count + 1)
            }
            attributes.append(try list.berText("attribute", limit: LDAPOperation.maximumName))
        }
    }

    @_lifetime(reader: copy reader)
    private static func expectZero(
        _ reader: inout WireReader, _ tag: BERTag, _ field: StaticString
    ) throws(WireError) {
        let value = try reader.berNumber(tag, field)
        if value != 0 { throw reader.invalid(field, Int(value)) }
    }

    func write(into writer: inout WireWriter) {
        writer.berText(baseObject)
        writer.berNumber(.enumerated, scope.rawValue)
        writer.berNumber(.enumerated, 0)
        writer.berNumber(.integer, sizeLimit)
        writer.berNumber(.integer, 0)
        writer.ber(.boolean, [0])
        switch filter {
        case .equal(let attribute, let value):
            writer.ber(.context(3)) { pair in
                pair.berText(attribute)
                pair.ber(.octetString, value)
            }
        case .present(let attribute): writer.ber(Self.presence, Array(attribute.utf8))
        }
        writer.ber(.sequence) { list in
            for attribute in attributes { list.berText(attribute) }
        }
    }
}
