import Wire

/// The LDAP ping over UDP (MS-ADTS 6.3.3.2; RFC 4511 4.5.1): the question to a controller whether
/// it serves a domain, as a search of the root DSE for the attribute Netlogon.
///
///     LDAPMessage ::= SEQUENCE {
///         messageID     INTEGER (0 .. 2147483647),
///         searchRequest [APPLICATION 3] SEQUENCE {
///             baseObject   OCTET STRING (empty),  scope     ENUMERATED (0: base object),
///             derefAliases ENUMERATED,            sizeLimit INTEGER,
///             timeLimit    INTEGER,               typesOnly BOOLEAN (FALSE),
///             filter       [0] SET OF [3] SEQUENCE { attribute, value },
///             attributes   SEQUENCE OF OCTET STRING ("Netlogon") } }
///
/// The filter is flat in every client there is: equality matches under one AND. Any other shape
/// is refused, so nothing recurses. Derefencing and the limits have no meaning for one object
/// and are not kept.
package struct CLDAPSearchRequest: Equatable, CustomStringConvertible {
    /// One `(attribute=value)` of the filter.
    package struct Term: Equatable {
        package var attribute: String
        package var value: [UInt8]

        package init(_ attribute: String, _ value: [UInt8]) {
            self.attribute = attribute
            self.value = value
        }
    }

    static let layer: StaticString = "CLDAP SearchRequest"
    package static let maximumTerms = 16
    package static let maximumAttributes = 16
    package static let maximumName = 64
    package static let maximumValue = 512

    package var messageID: Int32
    package var terms: [Term]
    package var attributes: [String]

    /// Asks whether the receiver serves `dnsDomain`; nil asks about its default domain.
    package init(
        messageID: Int32, dnsDomain: String?, host: String?, ntVersion: UInt32 = 6,
        domainGUID: Bytes16? = nil, user: String? = nil, accountControl: UInt32 = 0
    ) {
        self.messageID = messageID
        terms = []
        if let dnsDomain { terms.append(Term("DnsDomain", Array(dnsDomain.utf8))) }
        if let host { terms.append(Term("Host", Array(host.utf8))) }
        if let user { terms.append(Term("User", Array(user.utf8))) }
        if accountControl != 0 { terms.append(Term("AAC", Self.octets(accountControl))) }
        if let domainGUID { terms.append(Term("DomainGuid", domainGUID.bytes)) }
        terms.append(Term("NtVer", Self.octets(ntVersion)))
        attributes = ["Netlogon"]
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        var message = reader.part(
            try reader.berElement(.sequence, "LDAPMessage"), layer: Self.layer)
        try reader.expectEnd("LDAPMessage")
        messageID = try message.berNumber(.integer, "messageID")
        var search = message.part(try message.berElement(.application(3), "searchRequest"))
        try message.expectEnd("controls")
        let base = try search.berElement(.octetString, "baseObject")
        if !base.isEmpty { throw search.invalid("baseObject", base.count, width: base.count) }
        let scope = try search.berNumber(.enumerated, "scope")
        if scope != 0 { throw search.invalid("scope", Int(scope), width: 1) }
        _ = try search.berNumber(.enumerated, "derefAliases")
        _ = try search.berNumber(.integer, "sizeLimit")
        _ = try search.berNumber(.integer, "timeLimit")
        if try search.berBoolean("typesOnly") { throw search.invalid("typesOnly", 1, width: 1) }
        terms = try Self.filter(&search)
        var list = search.part(try search.berElement(.sequence, "attributes"))
        attributes = []
        while !list.isAtEnd {
            if attributes.count == Self.maximumAttributes {
                throw Self.tooMany("attributes", list.offset, Self.maximumAttributes)
            }
            attributes.append(try list.berText("attribute", limit: Self.maximumName))
        }
        try search.expectEnd("attributes")
    }

    @_lifetime(search: copy search)
    private static func filter(_ search: inout WireReader) throws(WireError) -> [Term] {
        let conjunction = BERTag.context(0)
        // A single condition may stand without its AND.
        if try search.berPeek("filter") != conjunction { return [try term(&search)] }
        var list = search.part(try search.berElement(conjunction, "filter"))
        var terms: [Term] = []
        while !list.isAtEnd {
            if terms.count == maximumTerms {
                throw tooMany("filter", list.offset, maximumTerms)
            }
            terms.append(try term(&list))
        }
        return terms
    }

    @_lifetime(reader: copy reader)
    private static func term(_ reader: inout WireReader) throws(WireError) -> Term {
        var pair = reader.part(try reader.berElement(.context(3), "equalityMatch"))
        let attribute = try pair.berText("attributeDesc", limit: maximumName)
        let value = try pair.berOctets("assertionValue", limit: maximumValue)
        try pair.expectEnd("equalityMatch")
        return Term(attribute, value)
    }

    private static func tooMany(
        _ field: StaticString, _ offset: Int, _ limit: Int
    ) -> WireError {
        WireError(
            .limit, layer: layer, field: field, offset: offset,
            needed: limit + 1, available: limit)
    }

    package func write(into writer: inout WireWriter) {
        writer.ber(.sequence) { message in
            message.berNumber(.integer, messageID)
            message.ber(.application(3)) { search in
                search.berText("")
                search.berNumber(.enumerated, 0)
                search.berNumber(.enumerated, 0)
                search.berNumber(.integer, 0)
                search.berNumber(.integer, 0)
                search.ber(.boolean, [0])
                search.ber(.context(0)) { filter in
                    for term in terms {
                        filter.ber(.context(3)) { pair in
                            pair.berText(term.attribute)
                            pair.ber(.octetString, term.value)
                        }
                    }
                }
                search.ber(.sequence) { list in
                    for attribute in attributes { list.berText(attribute) }
                }
            }
        }
    }

    // MARK: What the filter asks

    package var dnsDomain: String? { text("DnsDomain") }
    package var host: String? { text("Host") }
    package var user: String? { text("User") }

    /// The NETLOGON_NT_VERSION bits that say which form of answer is understood.
    package var ntVersion: UInt32? {
        guard let value = value("NtVer"), value.count == 4 else { return nil }
        return UInt32(value[0]) | UInt32(value[1]) << 8 | UInt32(value[2]) << 16
            | UInt32(value[3]) << 24
    }

    package var domainGUID: Bytes16? {
        guard let value = value("DomainGuid"), value.count == 16 else { return nil }
        return Bytes16(value)
    }

    /// True where the asker wants the Netlogon attribute, as every ping does.
    package var wantsNetlogon: Bool {
        for attribute in attributes where ASCIICase.equal(attribute, "netlogon") { return true }
        return false
    }

    private func value(_ attribute: String) -> [UInt8]? {
        for term in terms where ASCIICase.equal(term.attribute, attribute) { return term.value }
        return nil
    }

    private func text(_ attribute: String) -> String? {
        guard let value = value(attribute) else { return nil }
        return String(decoding: value, as: UTF8.self)
    }

    private static func octets(_ value: UInt32) -> [UInt8] {
        [
            UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8),
            UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 24),
        ]
    }

    package var description: String {
        let version = ntVersion.map { " NtVer 0x" + Hex.string($0) } ?? ""
        return "CLDAP ping \(messageID) for \(dnsDomain ?? "(default domain)") from "
            + "\(host ?? "(no host)")\(version)"
    }
}

/// Names of attributes, DNS hosts and domains compare without regard to ASCII case.
enum ASCIICase {
    static func equal(_ left: String, _ right: String) -> Bool {
        if left.utf8.count != right.utf8.count { return false }
        var others = right.utf8.makeIterator()
        for character in left.utf8 {
            guard let other = others.next() else { return false }
            if lower(character) != lower(other) { return false }
        }
        return true
    }

    static func lower(_ character: UInt8) -> UInt8 {
        character >= 0x41 && character <= 0x5a ? character | 0x20 : character
    }
}
