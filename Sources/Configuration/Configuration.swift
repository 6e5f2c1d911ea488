import Wire

/// One thing that is wrong with a configuration file. Line 0 is the file as a whole.
package struct ConfigurationProblem: Equatable, Sendable {
    package let line: Int
    package let text: String
}

/// All that is wrong with a configuration file, in the order of its lines.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    package let file: String
    package let problems: [ConfigurationProblem]

    /// One problem a line, as compilers print them.
    package var description: String {
        var text = ""
        for problem in problems {
            let place = problem.line == 0 ? file : "\(file):\(problem.line)"
            text += (text.isEmpty ? "" : "\n") + place + ": " + problem.text
        }
        return text
    }
}

/// What `postern.conf` says.
package struct Configuration: Equatable, Sendable {
    /// Sections `[domain …]` and `[local domain …]` together.
    package static let domainLimit = 64

    package var agent: AgentSettings
    /// Nil where the legacy face is off.
    package var listen: ListenSettings?
    package var domains: [DomainSettings] = []
    package var localDomains: [LocalDomainSettings] = []

    /// Reads the file's text. `file` is its name for messages, `hostName` this host's, from which
    /// our name comes where none is given.
    package init(
        parsing text: [UInt8], file: String, hostName: String
    ) throws(ConfigurationError) {
        let parser = ConfigurationParser(hostName: hostName)
        self = parser.parse(INIFile(text))
        if !parser.problems.isEmpty {
            throw ConfigurationError(
                file: file, problems: parser.problems.sorted { $0.line < $1.line })
        }
    }

    init(agent: AgentSettings) { self.agent = agent }

    /// The embedded domain, where it has accounts: without any it is only a name that others
    /// trust, and nobody's controller.
    package var embedded: LocalDomainSettings? { localDomains.first { $0.accounts } }

    /// Where a local domain is a backup: the channel to its primary, as a domain among the others.
    /// It is located by NetBIOS names whatever its profile, as primaries are.
    package func channel(ofBackup local: LocalDomainSettings) -> DomainSettings {
        var domain = DomainSettings(name: local.name)
        domain.isOfBackup = true
        domain.controllers = local.primary.map { [$0] } ?? []
        domain.profile = local.profile
        domain.transport = local.transport
        domain.channel = .bdc
        domain.account = agent.name + "$"
        domain.ntlmv1 = local.ntlmv1
        domain.lm = local.lm
        domain.unsealed = local.unsealed
        domain.rc4 = local.rc4
        domain.winsServers = listen?.winsServers ?? []
        return domain
    }
}

/// Puts entries into settings and collects what is wrong.
final class ConfigurationParser {
    private(set) var problems: [ConfigurationProblem] = []
    private let hostName: String
    private var domainLines: [String: Int] = [:]

    init(hostName: String) { self.hostName = hostName }

    private struct Section {
        let name: String
        let line: Int
        var entries: [INIEntry]
    }

    func parse(_ file: INIFile) -> Configuration {
        let host = hostName.utf8.prefix { $0 != UInt8(ascii: ".") }.prefix(15)
        let name = Value.netbiosName(String(decoding: Array(host), as: UTF8.self))
        var configuration = Configuration(agent: AgentSettings(name: name ?? "POSTERN"))
        problems = file.problems
        // A line that is no line makes what follows a guess.
        if !problems.isEmpty { return configuration }
        for section in sections(file.entries) { read(section, into: &configuration) }
        if problems.isEmpty { complete(&configuration) }
        return configuration
    }

    private func sections(_ entries: [INIEntry]) -> [Section] {
        var sections: [Section] = []
        for entry in entries {
            if entry.key == nil {
                for other in sections where other.name == entry.section {
                    let first = "first in line \(other.line)"
                    report(entry.line, "section [\(entry.section)] is given twice, \(first)")
                }
                sections.append(Section(name: entry.section, line: entry.line, entries: []))
            } else if sections.isEmpty {
                report(entry.line, "a key before the first [section]")
            } else {
                sections[sections.count - 1].entries.append(entry)
            }
        }
        return sections
    }

    private func read(_ section: Section, into configuration: inout Configuration) {
        if section.name == "agent" {
            apply(section, AgentSettings.keys, &configuration.agent)
        } else if section.name == "listen" {
            var listen = ListenSettings()
            apply(section, ListenSettings.keys, &listen)
            check(listen, section)
            configuration.listen = listen
        } else if let text = suffix(of: section.name, after: "local domain ") {
            guard let name = domainName(text, section, configuration) else { return }
            var domain = LocalDomainSettings(name: name)
            apply(section, LocalDomainSettings.keys, &domain)
            check(domain, section)
            configuration.localDomains.append(domain)
        } else if let text = suffix(of: section.name, after: "domain ") {
            guard let name = domainName(text, section, configuration) else { return }
            var domain = DomainSettings(name: name)
            apply(section, DomainSettings.keys, &domain)
            check(domain, section)
            configuration.domains.append(domain)
        } else {
            let known = "[agent], [listen], [domain NAME] or [local domain NAME]"
            report(section.line, "unknown section [\(section.name)]; expected \(known)")
        }
    }

    private func suffix(of text: String, after prefix: String) -> String? {
        guard text.utf8.starts(with: prefix.utf8) else { return nil }
        return String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }

    /// The name in a section's head, unless it is wrong or taken.
    private func domainName(
        _ text: String, _ section: Section, _ configuration: Configuration
    ) -> String? {
        guard let name = Value.netbiosName(text) else {
            report(
                section.line,
                "[\(section.name)]: expected a NetBIOS domain name of 1 to 15 characters")
            return nil
        }
        if configuration.domains.contains(where: { $0.name == name })
            || configuration.localDomains.contains(where: { $0.name == name })
        {
            report(section.line, "domain \(name) has a section already")
            return nil
        }
        let count = configuration.domains.count + configuration.localDomains.count
        if count == Configuration.domainLimit {
            report(section.line, "more than \(Configuration.domainLimit) domains")
            return nil
        }
        domainLines[name] = section.line
        return name
    }

    private func apply<Settings>(
        _ section: Section, _ keys: [Key<Settings>], _ settings: inout Settings
    ) {
        for (number, value) in chosen(section, among: keys.map { $0.name }) {
            let key = keys[number]
            if !key.set(&settings, value.text) {
                report(value.line, "\(key.name) = \(value.text): expected \(key.accepts)")
            }
        }
    }

    /// The numbers of the keys that a section sets, with what it sets them to.
    private func chosen(
        _ section: Section, among names: [String]
    ) -> [(key: Int, value: (line: Int, text: String))] {
        var seen: [String: Int] = [:]
        var found: [(key: Int, value: (line: Int, text: String))] = []
        for entry in section.entries {
            guard let name = entry.key else { continue }
            guard let key = names.firstIndex(of: name) else {
                let known = names.joined(separator: ", ")
                report(
                    entry.line, "unknown key \"\(name)\" in [\(section.name)]; it takes: \(known)")
                continue
            }
            if let first = seen[name] {
                report(entry.line, "\"\(name)\" is given twice, first in line \(first)")
                continue
            }
            seen[name] = entry.line
            found.append((key, (entry.line, entry.value)))
        }
        return found
    }

    // MARK: What several keys say together

    private func check(_ listen: ListenSettings, _ section: Section) {
        if !section.entries.contains(where: { $0.key == "interfaces" }) {
            report(section.line, "[listen] needs interfaces: IPv4 addresses with prefix")
        }
        let most = ListenSettings.mostInterfaces
        if listen.interfaces.count > most, let line = line(of: "interfaces", section) {
            report(line, "more than \(most) interfaces")
        }
        if listen.wins, let line = line(of: "wins server", section) {
            report(line, "either \"wins server\" or \"wins = yes\", not both")
        }
    }

    private func check(_ domain: DomainSettings, _ section: Section) {
        let named = ["dns name", "controllers"].contains { line(of: $0, section) != nil }
        if domain.profile == .modern, !named {
            report(section.line, "[\(section.name)] needs \"dns name\" or \"controllers\"")
        }
        if domain.profile == .nt4, let line = line(of: "dns name", section) {
            report(line, "\"dns name\" does not go with profile = nt4, which asks NetBIOS")
        }
        check(domain.transport, domain.profile, section)
    }

    /// SMB 2 carries both profiles; TCP and SMB 1 carry one each.
    private func check(_ transport: Transport?, _ profile: Profile, _ section: Section) {
        guard let transport, let line = line(of: "transport", section),
            transport != .smb2, transport != profile.usualTransport
        else { return }
        let name = profile == .modern ? "modern" : "nt4"
        let taken = profile.usualTransport.name
        report(
            line, "\"transport = \(transport.name)\" does not go with profile = \(name), which "
                + "takes \(taken) or smb2")
    }

    private func check(_ domain: LocalDomainSettings, _ section: Section) {
        if domain.role == .primary, let line = line(of: "primary", section) {
            report(line, "\"primary\" goes with role = backup")
        }
        check(domain.transport, domain.profile, section)
    }

    private func line(of key: String, _ section: Section) -> Int? {
        section.entries.first { $0.key == key }?.line
    }

    /// What sections say together, and values that default to others, now that all are known.
    private func complete(_ configuration: inout Configuration) {
        // A NetBIOS name is a computer's or a domain's: with both, each denies the other its own.
        let ours = configuration.localDomains.map { $0.name }
            + configuration.domains.filter { $0.channel == .member }.map { $0.name }
        for name in ours where name == configuration.agent.name {
            report(
                domainLines[name] ?? 0,
                "domain \(name) has this computer's name; set another \"name\" in [agent]")
        }
        // The front is the controller of one domain.
        for domain in configuration.localDomains.dropFirst() {
            report(
                domainLines[domain.name] ?? 0,
                "[local domain \(domain.name)]: there is one already, "
                    + configuration.localDomains[0].name)
        }
        for index in configuration.domains.indices {
            let domain = configuration.domains[index]
            if domain.account.isEmpty {
                switch domain.channel {
                case .member, .bdc:
                    configuration.domains[index].account = configuration.agent.name + "$"
                case .trust:
                    if configuration.localDomains.count == 1 {
                        configuration.domains[index].account =
                            configuration.localDomains[0].name + "$"
                    } else {
                        report(
                            domainLines[domain.name] ?? 0,
                            "[domain \(domain.name)] has channel = trust and needs \"account\"")
                    }
                }
            }
            if domain.winsServers.isEmpty, let listen = configuration.listen {
                configuration.domains[index].winsServers = listen.winsServers
            }
        }
    }

    private func report(_ line: Int, _ text: String) {
        problems.append(ConfigurationProblem(line: line, text: text))
    }
}

extension Configuration {
    /// Every section and key with what it takes, its default and its meaning, as a page.
    package static var keyTable: String {
        "[agent]\n" + table(AgentSettings.keys)
            + "\n[listen]                 without this section the legacy face is off\n"
            + table(ListenSettings.keys)
            + "\n[domain NAME]            a domain to which logons are passed\n"
            + table(DomainSettings.keys)
            + "\n[local domain NAME]      the embedded domain\n"
            + table(LocalDomainSettings.keys)
    }

    private static func table<Settings>(_ keys: [Key<Settings>]) -> String {
        var text = ""
        for key in keys {
            text += "  " + padded(key.name, 22) + padded(key.standard, 28) + key.meaning + "\n"
            text += "  " + padded("", 22) + "(" + key.accepts + ")\n"
        }
        return text
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        var text = text
        let count = text.utf8.count
        for _ in count..<max(width, count + 1) { text += " " }
        return text
    }
}
