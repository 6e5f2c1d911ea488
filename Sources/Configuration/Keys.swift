import Wire

/// A key that a section may have: what it takes, what holds without it, what it means, and how a
/// value gets into the section's settings. Reading and the printed table both come from here.
package struct Key<Settings: Sendable>: Sendable {
    package let name: String
    package let accepts: String
    /// As it would be written in the file, or words where it depends.
    package let standard: String
    package let meaning: String
    /// Says whether the value is one that the key takes.
    let set: @Sendable (inout Settings, String) -> Bool

    init(
        _ name: String, accepts: String, standard: String, _ meaning: String,
        set: @escaping @Sendable (inout Settings, String) -> Bool
    ) {
        self.name = name
        self.accepts = accepts
        self.standard = standard
        self.meaning = meaning
        self.set = set
    }
}

/// Puts a value where it belongs, unless there is none.
private func assign<Target>(_ target: inout Target, _ value: Target?) -> Bool {
    guard let value else { return false }
    target = value
    return true
}

extension AgentSettings {
    package static var keys: [Key<AgentSettings>] {
        [
            Key("name", accepts: "a NetBIOS name of 1 to 15 characters",
                standard: "the host's name", "our NetBIOS computer name") {
                assign(&$0.name, Value.netbiosName($1))
            },
            Key("state directory", accepts: "an absolute path of at most 80 bytes",
                standard: "/var/lib/postern", "secrets and last good controllers") {
                assign(&$0.stateDirectory, Value.path($1))
            },
            Key("runtime directory", accepts: "an absolute path of at most 80 bytes",
                standard: "/run/postern", "the control socket and the local sockets") {
                assign(&$0.runtimeDirectory, Value.path($1))
            },
            Key("log level", accepts: "error, warning, info or debug",
                standard: "info", "what is logged") {
                assign(&$0.logLevel, logLevel($1))
            },
            Key("winbind socket", accepts: "no, yes or an absolute path of at most 80 bytes",
                standard: "no", "serve libwbclient in <runtime directory>/winbindd, or there") {
                assign(&$0.winbindSocket, winbindSocket($1))
            },
            Key("control group", accepts: "the name of a group of this host",
                standard: "root", "its members may use the control socket") {
                assign(&$0.controlGroup, Value.accountName($1))
            },
            Key("user", accepts: "the name of a user of this host",
                standard: "postern", "who the daemon becomes when root starts it") {
                assign(&$0.user, Value.accountName($1))
            },
        ]
    }

    private static func logLevel(_ text: String) -> LogLevel? {
        switch text {
        case "error": .error
        case "warning": .warning
        case "info": .info
        case "debug": .debug
        case _: nil
        }
    }

    private static func winbindSocket(_ text: String) -> WinbindSocket? {
        switch text {
        case "no": .off
        case "yes": .standard
        case _: Value.path(text).map { .directory($0) }
        }
    }
}

extension ListenSettings {
    /// Port 445 and the offset must be a port too.
    static let portOffsets = 0...(65_535 - 445)

    package static var keys: [Key<ListenSettings>] {
        [
            Key("interfaces", accepts: "IPv4 addresses with prefix, such as 10.77.0.40/24",
                standard: "required", "what to bind, and where broadcasts go") {
                assign(&$0.interfaces, Value.list($1, Value.network))
            },
            Key("port offset", accepts: "a number from 0 to 65090",
                standard: "0", "added to 135, 137, 138, 139 and 445, for use without root") {
                assign(&$0.portOffset, Value.number($1, portOffsets).map { UInt16($0) })
            },
            Key("wins server", accepts: "IPv4 addresses",
                standard: "none", "where to register and resolve names") {
                assign(&$0.winsServers, Value.list($1, Value.host))
            },
            Key("wins", accepts: "yes or no",
                standard: "no", "be a WINS server") {
                assign(&$0.wins, Value.yesNo($1))
            },
        ]
    }
}

extension DomainSettings {
    static let connectionCounts = 1...16
    /// In milliseconds.
    static let deadlines = 100...60_000

    package static var keys: [Key<DomainSettings>] { locating + channelling + logons }

    private static var locating: [Key<DomainSettings>] {
        [
            Key("dns name", accepts: "a DNS name",
                standard: "none", "locate controllers by DNS SRV and CLDAP") {
                assign(&$0.dnsName, Value.dnsName($1).map { $0 })
            },
            Key("controllers", accepts: "IPv4 addresses",
                standard: "none", "a fixed list of controllers, in order of preference") {
                assign(&$0.controllers, Value.list($1, Value.host))
            },
            Key("port offset", accepts: "a number from 0 to 65090",
                standard: "0", "added to its controllers' ports, for tests without root") {
                assign(
                    &$0.portOffset,
                    Value.number($1, ListenSettings.portOffsets).map { UInt16($0) })
            },
            Key("name servers", accepts: "IPv4 addresses, perhaps with :port",
                standard: "those of /etc/resolv.conf", "whom to ask for the dns name") {
                assign(&$0.nameServers, Value.list($1) { Value.endpoint($0, port: 53) })
            },
            Key("wins server", accepts: "IPv4 addresses",
                standard: "those of [listen]", "where to resolve this domain's names") {
                assign(&$0.winsServers, Value.list($1, Value.host))
            },
        ]
    }

    private static var channelling: [Key<DomainSettings>] {
        [
            Key("profile", accepts: "modern or nt4",
                standard: "modern", "RPC over TCP with AES, or pipes over SMB1") {
                assign(&$0.profile, profile($1))
            },
            Key("channel", accepts: "member, trust or bdc",
                standard: "member", "as whom the secure channel is established") {
                assign(&$0.channel, channel($1))
            },
            Key("account", accepts: "an account's name, such as GATE1$",
                standard: "our name and $", "the account of the secure channel") {
                assign(&$0.account, Value.accountName($1))
            },
            Key("connections", accepts: "a number from 1 to 16",
                standard: "4", "most connections to one controller") {
                assign(&$0.connections, Value.number($1, connectionCounts))
            },
            Key("deadline", accepts: "a time from 100ms to 60s",
                standard: "5s", "for one logon") {
                assign(&$0.deadline, Value.duration($1, deadlines))
            },
            Key("unsealed", accepts: "yes or no",
                standard: "no", "use a controller that offers no sealing") {
                assign(&$0.unsealed, Value.yesNo($1))
            },
            Key("rc4", accepts: "yes or no",
                standard: "no", "use a controller that offers no AES") {
                assign(&$0.rc4, Value.yesNo($1))
            },
        ]
    }

    private static var logons: [Key<DomainSettings>] {
        [
            Key("answer", accepts: "yes or no",
                standard: "no", "answer GETDC and SAM LOGON for this domain") {
                assign(&$0.answer, Value.yesNo($1))
            },
            Key("ntlmv1", accepts: "refuse, mschap or allow",
                standard: "mschap", "pass NTLMv1 on; with mschap for MS-CHAPv2 only") {
                assign(&$0.ntlmv1, ntlmv1($1))
            },
            Key("lm", accepts: "refuse or allow",
                standard: "refuse", "pass LM responses on") {
                assign(&$0.lm, lm($1))
            },
        ]
    }

    private static func profile(_ text: String) -> Profile? {
        switch text {
        case "modern": .modern
        case "nt4": .nt4
        case _: nil
        }
    }

    private static func channel(_ text: String) -> ChannelKind? {
        switch text {
        case "member": .member
        case "trust": .trust
        case "bdc": .bdc
        case _: nil
        }
    }

    private static func ntlmv1(_ text: String) -> NTLMv1Policy? {
        switch text {
        case "refuse": .refuse
        case "mschap": .mschap
        case "allow": .allow
        case _: nil
        }
    }

    private static func lm(_ text: String) -> LMPolicy? {
        switch text {
        case "refuse": .refuse
        case "allow": .allow
        case _: nil
        }
    }
}

extension LocalDomainSettings {
    package static var keys: [Key<LocalDomainSettings>] {
        [
            Key("accounts", accepts: "yes or no",
                standard: "yes", "has accounts of its own") {
                assign(&$0.accounts, Value.yesNo($1))
            },
        ]
    }
}
