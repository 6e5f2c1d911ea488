import CPosix
import Foundation
import Loop
import Testing
import Wire

@Suite struct ProcessTests {
    @Test(arguments: [(16_384, 10_240), (524_288, 518_144), (1_024, 512), (0, 0)])
    func leavesFilesToTheAgentItself(files: Int, connections: Int) {
        #expect(Privileges.networkConnections(of: files) == connections)
        #expect(Privileges.fileLimit > 2)
    }

    @Test func notifiesTheServiceManager() async {
        await #expect(processExitsWith: .success) {
            try ProcessTests.notifiesTheServiceManagerInChild()
        }
    }

    fileprivate static func notifiesTheServiceManagerInChild() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/notify"
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) {
            unsafe $0.copyBytes(from: Array(path.utf8))
        }
        let status = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(status == 0)
        ServiceManager().alive()  // nobody named: nothing is sent
        _ = unsafe setenv("NOTIFY_SOCKET", path, 1)
        _ = unsafe setenv("WATCHDOG_USEC", "3000000", 1)
        _ = unsafe setenv("WATCHDOG_PID", "1", 1)
        #expect(ServiceManager().watchdogInterval == nil)
        _ = unsafe unsetenv("WATCHDOG_PID")
        let manager = ServiceManager()
        #expect(manager.watchdogInterval == 3_000)
        manager.ready(status: "2 domains\nREADY=0")
        manager.alive()
        manager.status("busy")
        manager.stopping()
        var heard: [String] = []
        var buffer = [UInt8](repeating: 0, count: 1_000)
        for _ in 0..<4 {
            let count = unsafe recv(socket, &buffer, 1_000, Int32(MSG_DONTWAIT))
            heard.append(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self))
        }
        let ready = "READY=1\nSTATUS=2 domains READY=0"
        try FileManager.default.removeItem(atPath: folder.path)
        exit(heard == [ready, "WATCHDOG=1", "STATUS=busy", "STOPPING=1"] ? 0 : 1)
    }

    @Test(.enabled(if: geteuid() == 0)) func becomesAUserThatCanOnlyBindLowPorts() async {
        await #expect(processExitsWith: .success) {
            try ProcessTests.becomesAUserThatCanOnlyBindLowPortsInChild()
        }
    }

    fileprivate static func becomesAUserThatCanOnlyBindLowPortsInChild() throws {
        let nobody = try #require(try UserDatabase.user("nobody"))
        try Privileges.become(nobody)
        try Privileges.protectMemory()
        #expect(!Privileges.isRoot && Privileges.user == nobody.user)
        let status = try SystemFile.read("/proc/thread-self/status")
        let text = String(decoding: status, as: UTF8.self)
        #expect(text.contains("Groups:\t \n"))
        #expect(text.contains("CapPrm:\t0000000000000400\n"))
        #expect(text.contains("CapEff:\t0000000000000400\n"))
        #expect(text.contains("NoNewPrivs:\t1\n"))
        let loop = EventLoop()
        let low = try TCPListener(loop, bind: Endpoint(.loopback, 999)) { _ in }
        low.close()
        let readable = unsafe access("/etc/shadow", R_OK) == 0
        exit(setuid(0) == 0 || readable ? 1 : 0)
    }

    @Test func findsUsersAndGroupsInTheirFiles() throws {
        let folder = TemporaryFolder()
        let text = "# comment\n\nroot:x:0:0:root:/root:/bin/sh\nbroken:x:a:b\npostern:x:990:991::/:"
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path + "/passwd"))
        let file = folder.path + "/passwd"
        let expected = UserAccount(name: "postern", user: 990, group: 991)
        #expect(try UserDatabase.user("postern", file: file) == expected)
        #expect(try UserDatabase.user("990", file: file) == expected)
        #expect(try UserDatabase.user("broken", file: file) == nil)
        #expect(try UserDatabase.user("nobody", file: file) == nil)
        #expect(try UserDatabase.group("postern", file: file) == 990)
        #expect(throws: SystemError("open", ENOENT, "/nowhere")) {
            _ = try UserDatabase.group("x", file: "/nowhere")
        }
    }

    @Test func readsASecretWithoutEcho() async {
        await #expect(processExitsWith: .success) {
            try ProcessTests.readsASecretWithoutEchoInChild()
        }
    }

    fileprivate static func readsASecretWithoutEchoInChild() throws {
        let (main, terminal) = Self.terminal()
        dup2(terminal, STDIN_FILENO)
        #expect(Terminal.isInteractive)
        // Typed before the prompt is thrown away, so type when it is there.
        let keys = Array("wrong\u{15}pä\u{7f}ass\r".utf8)
        Thread.detachNewThread {
            usleep(100_000)
            _ = unsafe keys.withUnsafeBytes { unsafe write(main, $0.baseAddress, $0.count) }
        }
        let secret = try Terminal.readSecret(prompt: "")
        var state = termios()
        _ = unsafe tcgetattr(STDIN_FILENO, &state)
        let restored = state.c_lflag & tcflag_t(ECHO) != 0
        exit(secret == Array("pass".utf8) && restored ? 0 : 1)
    }

    @Test func interruptionGivesTheTerminalBack() async {
        await #expect(processExitsWith: .success) {
            try ProcessTests.interruptionGivesTheTerminalBackInChild()
        }
    }

    fileprivate static func interruptionGivesTheTerminalBackInChild() throws {
        let (main, terminal) = Self.terminal()
        dup2(terminal, STDIN_FILENO)
        Thread.detachNewThread {
            usleep(100_000)
            _ = unsafe write(main, [UInt8](arrayLiteral: 97, 3), 2)
        }
        exit(try Terminal.readSecret(prompt: "") == nil ? 0 : 1)
    }

    @Test func readsOneLineAndLeavesTheRest() async {
        await #expect(processExitsWith: .success) {
            try ProcessTests.readsOneLineAndLeavesTheRestInChild()
        }
    }

    fileprivate static func readsOneLineAndLeavesTheRestInChild() throws {
        Self.feed("secret\r\nnext\nlast")
        #expect(try Terminal.readSecret(prompt: "") == Array("secret".utf8))
        #expect(try Terminal.readLine() == Array("next".utf8))
        #expect(try Terminal.readLine() == Array("last".utf8))
        #expect(try Terminal.readLine() == nil)
        exit(0)
    }

    @Test func refusesALineWithoutEnd() async {
        await #expect(processExitsWith: .success) {
            try ProcessTests.refusesALineWithoutEndInChild()
        }
    }

    fileprivate static func refusesALineWithoutEndInChild() throws {
        Self.feed(String(repeating: "x", count: 20_000))
        #expect(throws: SystemError("read", E2BIG)) { _ = try Terminal.readLine() }
        exit(0)
    }

    @Test func aLineIsOneLineWhoeverWroteIt() {
        #expect(Terminal.line("GATE1 an 10.77.0.1: grüßt €") == "GATE1 an 10.77.0.1: grüßt €")
        #expect(Terminal.line("A\npostern: B\r\t\u{1b}[2J\u{0}\u{7f}") == "A?postern: B???[2J??")
        // NEL and CSI of C1, and what only looks like them.
        #expect(Terminal.line("a\u{85}b\u{9b}2Jc\u{80}") == "a?b?2Jc?")
        let others = "\u{a0}\u{4082}\u{1f082}\u{c5}"
        #expect(Terminal.line(others) == others)
        #expect(Terminal.lines("A\npostern: B\r\n\u{1b}[2J\u{85}") == "A\npostern: B?\n?[2J?")
    }

    @Test func knowsTheHostsAddresses() throws {
        let addresses = try Host.addresses()
        let loopback = try #require(addresses.first { $0.isLoopback })
        #expect(loopback.network == IPv4Network(.loopback, prefixLength: 8) && loopback.isUp)
        #expect(!Host.name.isEmpty && !Host.name.contains("."))
    }

    @Test func describesErrorsInWords() {
        let error = SystemError("connect", ECONNREFUSED, "10.0.0.1:445")
        #expect(error.description == "connect 10.0.0.1:445: connection refused")
        #expect(SystemError("read", -EPIPE).description == "read: broken pipe")
    }

    /// The two ends of a terminal.
    fileprivate static func terminal() -> (Int32, Int32) {
        var main: Int32 = -1
        var terminal: Int32 = -1
        _ = unsafe openpty(&main, &terminal, nil, nil, nil)
        return (main, terminal)
    }

    fileprivate static func feed(_ text: String) {
        var ends: [Int32] = [0, 0]
        _ = unsafe pipe(&ends)
        dup2(ends[0], STDIN_FILENO)
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(ends[1], $0.baseAddress, $0.count) }
        close(ends[1])
    }
}
