import Locator
import Wire

/// The LDAP ping over UDP port 389.
enum LDAPPingDecoder {
    static let layer: StaticString = "CLDAP"

    static func decode(_ reader: inout WireReader, into outline: inout Outline) throws(WireError) {
        let response: WireError
        do throws(WireError) {
            var ahead = reader
            try self.response(&ahead, into: &outline)
            return
        } catch {
            response = error
        }
        do throws(WireError) {
            show(try CLDAPSearchRequest(parsing: &reader), into: &outline)
        } catch {
            // Whichever reading got further was the right one.
            throw response.offset > error.offset ? response : error
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
