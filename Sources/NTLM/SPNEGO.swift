import Wire

/// NegTokenInit (RFC 4178 4.2.1) and NegTokenInit2 (MS-SPNG 2.2.1), the initiator's list of
/// mechanisms with its first token, or the server's hint:
///
///     [APPLICATION 0] OID SPNEGO, [0] SEQUENCE
///         mechTypes     [0] SEQUENCE OF OID
///         reqFlags      [1] BIT STRING        not looked at
///         mechToken     [2] OCTET STRING
///         negHints      [3] SEQUENCE          of NegTokenInit2; else
///         mechListMIC   [3] OCTET STRING
///         mechListMIC   [4] OCTET STRING      of NegTokenInit2
package struct NegTokenInit: CustomStringConvertible {
    /// Most mechanisms of a list.
    package static let mechTypeLimit = 16

    package var mechTypes: [MechType]
    /// The list's DER element, in the bytes that were parsed: what a mechListMIC covers.
    package var mechTypeList: Range<Int> = 0..<0
    package var mechToken: Range<Int>?
    /// The server's hint, which says nothing.
    package var hasHints = false
    package var mechListMIC: Range<Int>?

    package init(
        mechTypes: [MechType], mechToken: Range<Int>? = nil, hasHints: Bool = false,
        mechListMIC: Range<Int>? = nil
    ) {
        precondition(mechTypes.count <= Self.mechTypeLimit, "more mechanisms than the limit")
        self.mechTypes = mechTypes
        self.mechToken = mechToken
        self.hasHints = hasHints
        self.mechListMIC = mechListMIC
    }

    /// What a mechListMIC covers of a list that we send.
    package static func mechTypeList(_ mechTypes: [MechType]) -> [UInt8] {
        var content: [UInt8] = []
        for type in mechTypes { content += type.element }
        return DER.element(DERTag.sequence, content)
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        var inner = reader.part(try reader.der(DERTag.application0, "InitialContextToken"))
        let mechanism = try MechType(parsing: &inner, "thisMech")
        if mechanism != .spnego { throw inner.invalid("thisMech", mechanism.rawValue.count) }
        let choice = try inner.der(DERTag.context(0), "NegTokenInit")
        try inner.expectEnd("NegTokenInit")
        var body = inner.part(try inner.onlyDER(choice, DERTag.sequence, "NegTokenInit"))
        mechTypes = []
        let outer = try body.der(DERTag.context(0), "mechTypes")
        var list = body.part(try body.onlyDER(outer, DERTag.sequence, "mechTypes"))
        mechTypeList = outer
        while !list.isAtEnd {
            if mechTypes.count == Self.mechTypeLimit {
                throw WireError(
                    .limit, layer: "SPNEGO", field: "mechTypes", offset: list.offset,
                    needed: mechTypes.count + 1, available: Self.mechTypeLimit)
            }
            mechTypes.append(try MechType(parsing: &list, "mechTypes"))
        }
        _ = try body.optionalDER(DERTag.context(1), "reqFlags")
        if let token = try body.optionalDER(DERTag.context(2), "mechToken") {
            mechToken = try body.onlyDER(token, DERTag.octetString, "mechToken")
        }
        if let third = try body.optionalDER(DERTag.context(3), "negHints") {
            if body.part(third).derTag == DERTag.sequence {
                hasHints = true
            } else {
                mechListMIC = try body.onlyDER(third, DERTag.octetString, "mechListMIC")
            }
        }
        if let code = try body.optionalDER(DERTag.context(4), "mechListMIC") {
            mechListMIC = try body.onlyDER(code, DERTag.octetString, "mechListMIC")
        }
        try body.expectEnd("NegTokenInit")
    }

    /// `source` holds the bytes of the token and of the code.
    package func write(from source: Span<UInt8>, into writer: inout WireWriter) {
        var body = DER.element(DERTag.context(0), Self.mechTypeList(mechTypes))
        let reader = WireReader(source, layer: "SPNEGO")
        if let mechToken {
            body += DER.explicit(2, DERTag.octetString, reader.copy(mechToken))
        }
        if hasHints {
            let name = Array("not_defined_in_RFC4178@please_ignore".utf8)
            let hint = DER.explicit(0, DERTag.generalString, name)
            body += DER.explicit(3, DERTag.sequence, hint)
        }
        if let mechListMIC {
            body += DER.explicit(
                hasHints ? 4 : 3, DERTag.octetString, reader.copy(mechListMIC))
        }
        let choice = DER.explicit(0, DERTag.sequence, body)
        writer.append(DER.element(DERTag.application0, MechType.spnego.element + choice))
    }

    package var description: String {
        var text = "NegTokenInit"
        for type in mechTypes { text += " " + type.description }
        if let mechToken { text += " token \(mechToken.count) bytes" }
        if hasHints { text += " with hints" }
        if mechListMIC != nil { text += " with MIC" }
        return text
    }
}

/// negState of NegTokenResp.
package struct NegState: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let acceptCompleted = NegState(rawValue: 0)
    package static let acceptIncomplete = NegState(rawValue: 1)
    package static let reject = NegState(rawValue: 2)
    package static let requestMIC = NegState(rawValue: 3)
}

/// NegTokenResp (RFC 4178 4.2.2), all further tokens of both ends:
///
///     [1] SEQUENCE
///         negState        [0] ENUMERATED
///         supportedMech   [1] OID
///         responseToken   [2] OCTET STRING
///         mechListMIC     [3] OCTET STRING
package struct NegTokenResp: CustomStringConvertible {
    package var negState: NegState?
    package var supportedMech: MechType?
    package var responseToken: Range<Int>?
    package var mechListMIC: Range<Int>?

    package init(
        negState: NegState? = nil, supportedMech: MechType? = nil,
        responseToken: Range<Int>? = nil, mechListMIC: Range<Int>? = nil
    ) {
        self.negState = negState
        self.supportedMech = supportedMech
        self.responseToken = responseToken
        self.mechListMIC = mechListMIC
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let choice = try reader.der(DERTag.context(1), "NegTokenResp")
        var body = reader.part(try reader.onlyDER(choice, DERTag.sequence, "NegTokenResp"))
        if let state = try body.optionalDER(DERTag.context(0), "negState") {
            let value = try body.onlyDER(state, DERTag.enumerated, "negState")
            guard value.count == 1 else { throw body.invalid("negState", value.count) }
            var byte = body.part(value)
            negState = NegState(rawValue: try byte.uint8("negState"))
        }
        if let mechanism = try body.optionalDER(DERTag.context(1), "supportedMech") {
            var inner = body.part(mechanism)
            supportedMech = try MechType(parsing: &inner, "supportedMech")
            try inner.expectEnd("supportedMech")
        }
        if let token = try body.optionalDER(DERTag.context(2), "responseToken") {
            responseToken = try body.onlyDER(token, DERTag.octetString, "responseToken")
        }
        if let code = try body.optionalDER(DERTag.context(3), "mechListMIC") {
            mechListMIC = try body.onlyDER(code, DERTag.octetString, "mechListMIC")
        }
        try body.expectEnd("NegTokenResp")
    }

    /// `source` holds the bytes of the token and of the code.
    package func write(from source: Span<UInt8>, into writer: inout WireWriter) {
        var body: [UInt8] = []
        let reader = WireReader(source, layer: "SPNEGO")
        if let negState { body += DER.explicit(0, DERTag.enumerated, [negState.rawValue]) }
        if let supportedMech {
            body += DER.element(DERTag.context(1), supportedMech.element)
        }
        if let responseToken {
            body += DER.explicit(2, DERTag.octetString, reader.copy(responseToken))
        }
        if let mechListMIC {
            body += DER.explicit(3, DERTag.octetString, reader.copy(mechListMIC))
        }
        writer.append(DER.explicit(1, DERTag.sequence, body))
    }

    package var description: String {
        var text = "NegTokenResp"
        if let negState { text += " state \(negState.rawValue)" }
        if let supportedMech { text += " " + supportedMech.description }
        if let responseToken { text += " token \(responseToken.count) bytes" }
        if mechListMIC != nil { text += " with MIC" }
        return text
    }
}

/// A security blob as SMB, RPC and LDAP carry it: either token of SPNEGO, or a bare token of
/// NTLMSSP, which peers take as well.
package enum NegotiationToken: CustomStringConvertible {
    case initial(NegTokenInit)
    case response(NegTokenResp)
    case bare(Range<Int>)

    /// Reads all that is left of the blob.
    package init(parsing reader: inout WireReader) throws(WireError) {
        switch reader.derTag {
        case NTLMMessageType.signature[0]:
            self = .bare(reader.takeRest())
            return
        case DERTag.application0: self = .initial(try NegTokenInit(parsing: &reader))
        case DERTag.context(1): self = .response(try NegTokenResp(parsing: &reader))
        case let other:
            throw reader.invalid("NegotiationToken", Int(other ?? 0))
        }
        try reader.expectEnd("NegotiationToken")
    }

    package func write(from source: Span<UInt8>, into writer: inout WireWriter) {
        switch self {
        case .initial(let token): token.write(from: source, into: &writer)
        case .response(let token): token.write(from: source, into: &writer)
        case .bare(let range): writer.append(source.extracting(range))
        }
    }

    /// The mechanism's own token that the blob carries.
    package var mechToken: Range<Int>? {
        switch self {
        case .initial(let token): token.mechToken
        case .response(let token): token.responseToken
        case .bare(let range): range
        }
    }

    package var description: String {
        switch self {
        case .initial(let token): token.description
        case .response(let token): token.description
        case .bare(let range): "bare NTLMSSP token \(range.count) bytes"
        }
    }
}
