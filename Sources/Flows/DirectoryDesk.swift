import Crypto
import Interfaces
import Locator
import SecureChannel
import Wire

/// A computer's account in the directory of an AD controller, under an administrator's hands
/// (MS-ADTS 3.1.1.3).
final class DirectoryDesk<Link: Exchange> {
    let controller: ControllerAddress
    private let dialogue: Dialogue<Link>
    private let terms: JoinTerms
    private let session: DirectorySession<Link>
    /// Where new computers are put.
    private var container = ""
    /// The account, where it is there already.
    private var existing: LDAPEntry?

    private init(
        _ dialogue: Dialogue<Link>, _ terms: JoinTerms, _ address: IPv4Address,
        _ session: DirectorySession<Link>
    ) {
        self.dialogue = dialogue
        self.terms = terms
        self.session = session
        controller = ControllerAddress(address: address, name: "")
    }

    /// Connects to the first controller that is there, binds, and looks for the account.
    static func open(
        _ dialogue: Dialogue<Link>, _ terms: JoinTerms
    ) throws(FlowError) -> DirectoryDesk {
        let (address, session) = try dialogue.step("directory of \(terms.dnsName)") {
            () throws(FlowError) -> (String, (IPv4Address, DirectorySession<Link>)) in
            var last = dialogue.unavailable(
                "no controller of \(terms.dnsName) is known; try `postern find`")
            for address in terms.controllers {
                do throws(FlowError) {
                    let session = try DirectorySession(dialogue, at: address)
                    return (address.description, (address, session))
                } catch {
                    last = error
                }
            }
            throw last
        }
        let desk = DirectoryDesk(dialogue, terms, address, session)
        do throws(FlowError) {
            try dialogue.step("bind as \(terms.administrator.user)") {
                () throws(FlowError) -> (String, Void) in
                try session.bind(as: terms.administrator)
                return ("NTLM, sealed", ())
            }
            try desk.look()
        } catch {
            session.end()
            throw error
        }
        return desk
    }

    func end() { session.end() }

    // MARK: The account

    /// The well-known container of computers (MS-ADTS 6.1.1.4.4).
    private static var computers: String { "aa312825768811d1aded00c04fd8d5cd" }
    /// userAccountControl's bit of a member (MS-ADTS 2.2.16), of which the directory has its own.
    private static var workstationTrust: UInt32 { 0x1000 }

    private var root: String {
        terms.dnsName.split(separator: ".").map { "DC=" + Self.escaped(String($0)) }
            .joined(separator: ",")
    }

    private func look() throws(FlowError) {
        try dialogue.step("account \(terms.account)") { () throws(FlowError) -> (String, Void) in
            let found = try session.search(
                LDAPSearch(
                    "<WKGUID=\(Self.computers),\(root)>", .base, .present("objectClass"),
                    attributes: ["cn"]))
            guard let place = found.first else {
                throw dialogue.contradicted("\(root) has no place for computers")
            }
            container = place.name
            existing = try session.search(
                LDAPSearch(
                    root, .subtree, .equal("sAMAccountName", Array(terms.account.utf8)),
                    attributes: ["userAccountControl"])
            ).first
            guard let existing else { return ("goes to \(container)", ()) }
            guard terms.resets else { throw dialogue.contradicted(JoinText.taken(terms)) }
            let text = String(
                decoding: existing.value("userAccountControl") ?? [], as: UTF8.self)
            guard let control = UInt32(text), control & Self.workstationTrust != 0 else {
                throw dialogue.contradicted(JoinText.otherKind(terms))
            }
            return ("\(existing.name), taken over", ())
        }
    }

    /// Sets the password, in UTF-16LE, of the account, which is made with it where it is new. Gives
    /// the controller's refusal; what is thrown leaves open whether it has taken it.
    func set(_ password: Secret) throws(FlowError) -> FlowError? {
        // A password stands in quotation marks (MS-ADTS 3.1.1.3.1.5.1).
        var quoted: [UInt8] = [0x22, 0] + password.bytes + [0x22, 0]
        defer { Wipe.bytes(&quoted) }
        let secret = LDAPAttribute("unicodePwd", [quoted])
        let control = LDAPAttribute("userAccountControl", text: "\(Self.workstationTrust)")
        if let existing {
            return refusal(try session.replace(LDAPEntry(name: existing.name, [secret, control])))
        }
        var name = terms.account
        if name.utf8.last == UInt8(ascii: "$") { name.removeLast() }
        return refusal(
            try session.add(
                LDAPEntry(
                    name: "CN=\(Self.escaped(name)),\(container)",
                    [
                        LDAPAttribute("objectClass", text: "computer"),
                        LDAPAttribute("sAMAccountName", text: terms.account), control, secret,
                    ])))
    }

    private func refusal(_ result: LDAPResult) -> FlowError? {
        result.resultCode == .success ? nil : dialogue.contradicted(result.description)
    }

    /// A value in a distinguished name (RFC 4514 2.4).
    private static func escaped(_ text: String) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            if ",+\"\\<>;=# ".utf8.contains(byte) { out.append(UInt8(ascii: "\\")) }
            out.append(byte)
        }
        return String(decoding: out, as: UTF8.self)
    }
}
