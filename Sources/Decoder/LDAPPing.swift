import Locator
import Wire

/// The LDAP ping over UDP port 389.
enum LDAPPingDecoder {
    static let layer: StaticString = "CLDAP"

    static func decode(_ reader: inout WireReader, into outline: inout Outline) throws(WireError) {
        var ahead = reader
        // A request is one message that holds [APPLICATION 3]; the answers hold 4 and 5.
        do throws(WireError) {
            let request = try CLDAPSearchRequest(parsing: &ahead)
            reader.offset = ahead.offset
            show(request, into: &outline)
        } catch {
            if error.field.description == "searchRequest", error.reason == .invalid {
                try response(&reader, into: &outline)
            } else {
                throw error
            }
        }
    }

    private static func show(_ request: CLDAPSearchRequest, into outline: inout Outline) {
        outline.open("CLDAP search request, message \(request.messageID)")
        defer { outline.close() }
        for term in request.terms {
            let isText = term.value.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
            outline.field(
                "(" + term.attribute + ")",
                isText ? String(decoding: term.value, as: UTF8.self)
                    : "0x" + Hex.string(term.value))
        }
        for attribute in request.attributes { outline.field("attribute", attribute) }
    }

    private static func response(
        _ reader: inout WireReader, into outline: inout Outline
    ) throws(WireError) {
        let response = try CLDAPSearchResponse(parsing: &reader)
        outline.open("CLDAP search response, message \(response.messageID)")
        defer { outline.close() }
        outline.field("resultCode", Int(response.resultCode.rawValue))
        guard let range = response.netlogon else { return }
        var value = reader.part(range)
        try MailslotDecoder.netlogon(&value, into: &outline)
    }
}
