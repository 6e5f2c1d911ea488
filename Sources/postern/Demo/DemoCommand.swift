import Loop
import Wire

enum DemoCommand {
    static let usage = """
        usage: postern demo [--json]

        Makes a domain of its own on loopback, in a temporary folder, and an agent that passes
        logons to it over a secure channel on real sockets. Shows what a client that looks for a
        controller, a first logon, cached logons and a wrong password cost, beside what was
        documented of Windows NT 4.0. Needs no root, no configuration, and leaves nothing behind.

        """

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(words, [Options.json], usage: usage)
        guard let parsed else { return code }
        guard parsed.operands.isEmpty else {
            Terminal.writeError("postern: demo takes no operand\n" + usage)
            return .usage
        }
        let world: DemoWorld
        let run: DemoRun
        do throws(SetupFailure) {
            world = try DemoWorld()
            run = try DemoRun(world)
        } catch {
            Terminal.writeError("postern: \(error.text)\n")
            return .failed
        }
        run.start()
        world.loop.run()
        world.remove()
        if let failure = run.failure {
            Terminal.writeError("postern: \(failure)\n")
            return .failed
        }
        if parsed.has("json") {
            Terminal.write(run.report.json + "\n")
        } else {
            Terminal.write(introduction(world) + run.report.text + conclusion)
        }
        return .success
    }

    private static func introduction(_ world: DemoWorld) -> String {
        """
        A domain of its own, \(DemoWorld.domain), with controller \(DemoWorld.controller) and \
        user \(DemoWorld.user); agent \(DemoWorld.gate) passes logons to it
        (NetrLogonSamLogon over SMB1, AES, sealed). Loopback, ports \(world.portOffset) above \
        the usual ones.


        """
    }

    private static let conclusion = """

        Messages are counted at the sockets; bytes are those of Ethernet frames without TCP
        options. The seal, which Windows NT 4.0 did not have, adds 64 bytes to a message.

        Next: name your own domain in /etc/postern/postern.conf, then
          postern serve --check            what the configuration says, and what is missing
          postern join DOMAIN              makes this host's account there; one that is there
                                           already: postern secret import DOMAIN
          systemctl enable --now postern   starts the agent
          postern status                   what it serves

        """
}
