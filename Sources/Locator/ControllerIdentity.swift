import NetBIOS
import Wire

extension ControllerIdentity {
    /// What a node's names say: the domain's controllers hold `domain`<1C> as a group, the
    /// primary one `domain`<1B> for itself. Nil where the node is no controller of `domain`.
    init?(names: [NodeStatus.Entry], domain: String) {
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
