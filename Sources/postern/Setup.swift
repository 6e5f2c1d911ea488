import Configuration
import Consumers
import Crypto
import Loop
import Store
import Wire

/// Why the program cannot begin, in words for its operator.
struct SetupFailure: Error {
    let text: String
    var code = ExitCode.failed

    /// Says it, and gives what to end with.
    func tell() -> ExitCode {
        Terminal.showError("postern: \(text)\n")
        return code
    }
}

/// What several sub-commands begin with: the configuration, the state, the running agent.
enum Setup {
    /// Reads and checks the configuration; what is wrong is said on standard error.
    static func configuration(_ path: String) -> Configuration? {
        let text: [UInt8]
        do throws(SystemError) {
            text = try SystemFile.read(path)
        } catch {
            Terminal.writeError("postern: \(error.description)\n")
            return nil
        }
        do throws(ConfigurationError) {
            return try Configuration(parsing: text, file: path, hostName: Host.name)
        } catch {
            Terminal.writeError("\(error.description)\n")
            return nil
        }
    }

    /// Whom the daemon becomes: the configured user where root starts it, nobody else otherwise.
    static func account(_ configuration: Configuration) throws(SetupFailure) -> UserAccount? {
        guard Privileges.isRoot, configuration.agent.user != "root" else { return nil }
        do throws(SystemError) {
            if let account = try UserDatabase.user(configuration.agent.user) { return account }
        } catch {
            throw SetupFailure(text: error.description)
        }
        throw SetupFailure(
            text: "there is no user '\(configuration.agent.user)' to run as: run systemd-sysusers, "
                + "or set `user =` in [agent]")
    }

    private static let mostNetworks = 16

    /// Ours, for broadcasts and for what datagrams say of where they come from.
    static func networks(_ configuration: Configuration) -> [IPv4Network] {
        if let listen = configuration.listen { return listen.interfaces }
        let all = (try? Host.addresses()) ?? []
        return Array(
            all.filter { $0.isUp && !$0.isLoopback }.map { $0.network }.prefix(mostNetworks))
    }

    /// A password: one line of the file that `--file` names, of standard input without it or with
    /// `-`, or what a person types.
    static func password(
        _ options: Options, prompt: @autoclosure () -> String
    ) throws(SetupFailure) -> Secret {
        let line: [UInt8]?
        do throws(SystemError) {
            if let path = options.values["file"], path != "-" {
                let bytes = try SystemFile.read(path, limit: Terminal.lineLimit)
                line = Array(bytes.prefix { $0 != 10 && $0 != 13 })
            } else {
                line = try Terminal.readSecret(prompt: prompt())
            }
        } catch {
            throw SetupFailure(text: error.description)
        }
        guard let line else {
            throw SetupFailure(text: "no password was given; nothing was changed")
        }
        if line.isEmpty { throw SetupFailure(text: "the password is empty; nothing was changed") }
        return Secret(line)
    }

    static func store(
        _ configuration: Configuration, owner: UserAccount?
    ) throws(SetupFailure) -> StateStore {
        let directory = configuration.agent.stateDirectory
        let fileOwner = owner.map { FileOwner(user: $0.user, group: $0.group) } ?? .current
        do throws(SystemError) {
            try SystemFile.makeDirectory(directory, mode: 0o700)
        } catch {
            throw SetupFailure(text: error.description)
        }
        do throws(StoreError) {
            return try StateStore(directory: directory, owner: fileOwner)
        } catch {
            throw SetupFailure(text: error.description)
        }
    }
}
