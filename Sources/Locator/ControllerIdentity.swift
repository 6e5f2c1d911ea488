import Mailslot
import NetBIOS
import Wire

/// What a controller said about itself and its domain in answer to a ping.
package struct ControllerIdentity: Equatable, Sendable {
    package var dnsForest = ""
    package var dnsDomain = ""
    package var dnsHost = ""
    package var netbiosDomain = ""
    package var netbiosName = ""
    package var controllerSite = ""
    /// The site that this host belongs to, as the controller sees its address.
    package var clientSite = ""
    package var domainGUID = GUID.zero
    package var flags = ControllerFlags()

    package init() {}
}

extension ControllerIdentity {
    /// What the answer to a ping says. Nil where it holds no netlogon attribute that can be read,
    /// or where Netlogon is paused there.
    package init?(answer: CLDAPSearchResponse, in reader: borrowing WireReader) {
        guard let range = answer.netlogon else { return nil }
        var part = reader.part(range, layer: "netlogon attribute")
        guard let response = try? SAMLogonResponseEx(parsing: &part), part.isAtEnd,
            response.opcode != .samPauseResponseEx
        else { return nil }
        dnsForest = response.dnsForestName
        dnsDomain = response.dnsDomainName
        dnsHost = response.dnsHostName
        netbiosDomain = response.netbiosDomainName
        netbiosName = Self.withoutBackslashes(response.netbiosComputerName)
        controllerSite = response.dcSiteName
        clientSite = response.clientSiteName
        domainGUID = response.domainGuid
        flags = response.flags
    }

    /// Some controllers write their name as a UNC path begins.
    private static func withoutBackslashes(_ name: String) -> String {
        String(name.drop { $0 == "\\" })
    }

    /// What a node's names say: the domain's controllers hold `domain`<1C> as a group, the
    /// primary one `domain`<1B> for itself. Nil where the node is no controller of `domain`.
    package init?(names: [NodeStatus.Entry], domain: String) {
        guard let group = NetBIOSName(domain, .domainControllers) else { return nil }
        let primary = group.with(.domainMasterBrowser)
        var isController = false
        for entry in names {
            let name = entry.name.upcased
            if name == primary && !entry.flags.isGroup {
                isController = true
                flags.insert(.primary)
            } else if name == group && entry.flags.isGroup {
                isController = true
            } else if name.suffix == .server && !entry.flags.isGroup {
                netbiosName = name.text
            } else if name.suffix == .workstation && !entry.flags.isGroup && netbiosName.isEmpty {
                netbiosName = name.text
            }
        }
        if !isController || netbiosName.isEmpty { return nil }
        netbiosDomain = domain
    }
}
