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
                standard: "no",
                "serve libwbclient there; yes: in the runtime directory's winbindd") {
                assign(&$0.winbindSocket, winbindSocket($1))
            },
            Key("winbind interface", accepts: "32 or 33", standard: "32",
                "of libwbclient to be expected: 33 from Samba 4.22 on") {
                assign(&$0.winbindInterface, Value.number($1, 32...33))
            },
            Key("control group", accepts: "the name of a group of this host",
                standard: "root", "its members may use the control socket") {
                assign(&$0.controlGroup, Value.accountName($1))
            },
            Key("user", accepts: "the name of a user of this host",
                standard: "postern", "who the daemon becomes when root starts it") {
                assign(&$0.user, Value.accountName($1))
            },
            Key("logons", accepts: LogonProtocols.accepted,
                standard: "all", "what proves a user to programs of this host") {
                assign(&$0.logons, LogonProtocols($1))
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

    package static var keys: [Key<ListenSettings>] { serving + admitting }

    private static var serving: [Key<ListenSettings>] {
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
            Key("smb", accepts: "yes or no",
                standard: "no", "serve SMB sessions on 139 and 445: be a controller") {
                assign(&$0.smb, Value.yesNo($1))
            },
            Key("rpc", accepts: "yes or no",
                standard: "no", "serve remote calls over TCP, endpoint mapper on 135") {
                assign(&$0.rpc, Value.yesNo($1))
            },
            Key("rpc port", accepts: "a number from 0 to 65535",
                standard: "0", "where remote calls are served over TCP; 0: any that is free") {
                assign(&$0.rpcPort, Value.number($1, 0...65_535).map { UInt16($0) })
            },
        ]
    }

    private static var admitting: [Key<ListenSettings>] {
        [
            Key("logons", accepts: LogonProtocols.accepted,
                standard: "all", "what proves a user, where the domain takes it too") {
                assign(&$0.logons, LogonProtocols($1))
            },
            Key("logons 139", accepts: LogonProtocols.accepted,
                standard: "those of logons", "the same for SMB clients on port 139") {
                assign(&$0.logons139, LogonProtocols($1).map { $0 })
            },
            Key("logons 445", accepts: LogonProtocols.accepted,
                standard: "those of logons", "the same for SMB clients on port 445") {
                assign(&$0.logons445, LogonProtocols($1).map { $0 })
            },
            Key("logons rpc", accepts: LogonProtocols.accepted,
                standard: "those of logons", "the same for users of remote calls") {
                assign(&$0.logonsRPC, LogonProtocols($1).map { $0 })
            },
            Key("logons members", accepts: LogonProtocols.accepted,
                standard: "those of logons", "the same for users whom members let in") {
                assign(&$0.logonsMembers, LogonProtocols($1).map { $0 })
            },
            Key("anonymous", accepts: "none, domain, names or all",
                standard: "domain", "what null sessions learn: all is names and lists") {
                assign(&$0.anonymous, anonymous($1))
            },
            Key("signing", accepts: "no, offer or require",
                standard: "offer", "of SMB messages; require shuts old clients out") {
                assign(&$0.signing, signing($1))
            },
            Key("plain text", accepts: "refuse or allow",
                standard: "refuse", "take passwords in clear from SMB clients") {
                assign(&$0.plainText, plainText($1))
            },
        ]
    }

    private static func anonymous(_ text: String) -> AnonymousPolicy? {
        switch text {
        case "none": .nothing
        case "domain": .domain
        case "names": .names
        case "all": .all
        case _: nil
        }
    }

    private static func signing(_ text: String) -> SigningPolicy? {
        switch text {
        case "no": .off
        case "offer": .offer
        case "require": .require
        case _: nil
        }
    }

    private static func plainText(_ text: String) -> PlainTextPolicy? {
        switch text {
        case "refuse": .refuse
        case "allow": .allow
        case _: nil
        }
    }
}

extension DomainSettings {
    static let connectionCounts = 1...16
    /// In milliseconds.
    static let deadlines: ClosedRange<UInt64> = 100...60_000

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
                assign(&$0.profile, Profile($1))
            },
            Key("transport", accepts: "tcp, smb1 or smb2",
                standard: "tcp; smb1 with nt4", "what RPC goes over; smb2 needs port 445 alone") {
                assign(&$0.transport, Transport($1).map { $0 })
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
            Key("change secret", accepts: "never, or a time from 1h to 365d",
                standard: "7d for trusts", "how often the account's secret changes") {
                assign(&$0.changeSecret, secretAge($1).map { $0 })
            },
        ]
    }

    /// In milliseconds.
    static let secretAges: ClosedRange<UInt64> = 3_600_000...365 * 86_400_000

    private static func secretAge(_ text: String) -> MaximumAge? {
        text == "never" ? .never : Value.duration(text, secretAges).map { .limited($0) }
    }

    private static var logons: [Key<DomainSettings>] {
        [
            Key("answer", accepts: "yes or no",
                standard: "no", "answer GETDC and SAM LOGON for this domain") {
                assign(&$0.answer, Value.yesNo($1))
            },
            Key("ntlmv1", accepts: "refuse, mschap or allow",
                standard: "mschap", "pass NTLMv1 on; with mschap for MS-CHAPv2 only") {
                assign(&$0.ntlmv1, NTLMv1Policy($1))
            },
            Key("lm", accepts: "refuse or allow",
                standard: "refuse", "pass LM responses on") {
                assign(&$0.lm, LMPolicy($1))
            },
            Key("refused passwords", accepts: "no, or a time from 1s to 10m",
                standard: "30s", "how long the same one is refused without asking again") {
                assign(&$0.refusedPasswords, refusedPasswords($1))
            },
        ]
    }

    /// In milliseconds.
    static let refusalTimes: ClosedRange<UInt64> = 1_000...600_000

    private static func refusedPasswords(_ text: String) -> UInt64? {
        text == "no" ? 0 : Value.duration(text, refusalTimes)
    }

    private static func channel(_ text: String) -> ChannelKind? {
        switch text {
        case "member": .member
        case "trust": .trust
        case "bdc": .bdc
        case _: nil
        }
    }
}

extension Profile {
    fileprivate init?(_ text: String) {
        switch text {
        case "modern": self = .modern
        case "nt4": self = .nt4
        case _: return nil
        }
    }
}

extension Transport {
    fileprivate init?(_ text: String) {
        switch text {
        case "tcp": self = .tcp
        case "smb1": self = .smb1
        case "smb2": self = .smb2
        case _: return nil
        }
    }
}

extension NTLMv1Policy {
    fileprivate init?(_ text: String) {
        switch text {
        case "refuse": self = .refuse
        case "mschap": self = .mschap
        case "allow": self = .allow
        case _: return nil
        }
    }
}

extension LogonProtocols {
    fileprivate static let accepted = "all, or some of ntlmv2, mschap, ntlmv1 (mschap too) and lm"

    fileprivate init?(_ text: String) {
        if text == "all" {
            self = .all
            return
        }
        guard let words = Value.list(text, { $0 }) else { return nil }
        self.init()
        for word in words {
            switch word {
            case "ntlmv2": ntlmv2 = true
            case "mschap": mschap = true
            case "ntlmv1": ntlmv1 = true
            case "lm": lm = true
            case _: return nil
            }
        }
    }
}

extension LMPolicy {
    fileprivate init?(_ text: String) {
        switch text {
        case "refuse": self = .refuse
        case "allow": self = .allow
        case _: return nil
        }
    }
}

extension LocalDomainSettings {
    static let lockoutThresholds = 0...999
    /// In milliseconds.
    static let lockoutDurations: ClosedRange<UInt64> = 60_000...99_999 * 60_000
    static let passwordLengths = 0...127
    static let passwordAges: ClosedRange<UInt64> = 86_400_000...999 * 86_400_000

    package static var keys: [Key<LocalDomainSettings>] { being + logons + passwords }

    private static var being: [Key<LocalDomainSettings>] {
        [
            Key("accounts", accepts: "yes or no",
                standard: "yes", "has accounts of its own") {
                assign(&$0.accounts, Value.yesNo($1))
            },
            Key("sid", accepts: "a domain's SID, such as S-1-5-21-1-2-3",
                standard: "a random one", "the SID that a new domain gets") {
                assign(&$0.sid, Value.domainSID($1).map { $0 })
            },
            Key("role", accepts: "primary or backup (or pdc, bdc)",
                standard: "primary", "whether accounts are changed here, or copied from there") {
                assign(&$0.role, role($1))
            },
            Key("primary", accepts: "an IPv4 address",
                standard: "looked for", "the primary that a backup copies from") {
                assign(&$0.primary, Value.host($1).map { $0 })
            },
            Key("profile", accepts: "modern or nt4",
                standard: "modern", "how a backup speaks to its primary, as in [domain]") {
                assign(&$0.profile, Profile($1))
            },
            Key("transport", accepts: "tcp, smb1 or smb2",
                standard: "tcp; smb1 with nt4", "what that goes over, as in [domain]") {
                assign(&$0.transport, Transport($1).map { $0 })
            },
            Key("unsealed", accepts: "yes or no",
                standard: "no", "copy from a primary that offers no sealing") {
                assign(&$0.unsealed, Value.yesNo($1))
            },
            Key("rc4", accepts: "yes or no",
                standard: "no", "copy from a primary that offers no AES") {
                assign(&$0.rc4, Value.yesNo($1))
            },
            Key("netlogon directory", accepts: "an absolute path of at most 80 bytes",
                standard: "none", "what the share NETLOGON shows, to be read only") {
                assign(&$0.netlogonDirectory, Value.path($1).map { $0 })
            },
        ]
    }

    private static var logons: [Key<LocalDomainSettings>] {
        [
            Key("ntlmv1", accepts: "refuse, mschap or allow",
                standard: "mschap", "take NTLMv1 responses; with mschap MS-CHAPv2 only") {
                assign(&$0.ntlmv1, NTLMv1Policy($1))
            },
            Key("lm", accepts: "refuse or allow",
                standard: "refuse", "take LM responses, and keep LM hashes for them") {
                assign(&$0.lm, LMPolicy($1))
            },
            Key("nt4 accounts", accepts: "names of accounts, such as OLDPC$",
                standard: "none", "whose secure channels need no seal and no AES") {
                assign(&$0.nt4Accounts, Value.list($1, Value.accountName))
            },
        ]
    }

    private static var passwords: [Key<LocalDomainSettings>] {
        [
            Key("lockout threshold", accepts: "a number from 0 to 999",
                standard: "kept; at first 10", "wrong passwords that lock out; 0: none do") {
                assign(
                    &$0.lockoutThreshold,
                    Value.number($1, lockoutThresholds).map { UInt16($0) })
            },
            Key("lockout duration", accepts: "a time from 1m to 99999m",
                standard: "kept; at first 10m", "how long, and within what they add up") {
                assign(&$0.lockoutDuration, Value.duration($1, lockoutDurations).map { $0 })
            },
            Key("min password length", accepts: "a number from 0 to 127",
                standard: "kept; at first 0", "characters that a password has at least") {
                assign(
                    &$0.minimumPasswordLength,
                    Value.number($1, passwordLengths).map { UInt16($0) })
            },
            Key("max password age", accepts: "never, or a time from 1d to 999d",
                standard: "kept; at first never", "after which a password must be changed") {
                assign(&$0.maximumPasswordAge, age($1).map { $0 })
            },
        ]
    }

    private static func role(_ text: String) -> LocalDomainRole? {
        switch text {
        case "primary", "pdc": .primary
        case "backup", "bdc": .backup
        case _: nil
        }
    }

    private static func age(_ text: String) -> MaximumAge? {
        text == "never" ? .never : Value.duration(text, passwordAges).map { .limited($0) }
    }
}
