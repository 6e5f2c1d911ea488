import Foundation
import Loop
import Testing

@Suite struct SystemTreeTests {
    /// A directory with files and with what leads out of it.
    private func tree() throws -> (SystemTree, String) {
        let root = NSTemporaryDirectory() + "postern-tree-\(UInt64.random(in: 0...UInt64.max))"
        let files = FileManager.default
        try files.createDirectory(atPath: root + "/share/Sub", withIntermediateDirectories: true)
        try Data("secret".utf8).write(to: URL(fileURLWithPath: root + "/secret"))
        try Data("0123456789".utf8).write(to: URL(fileURLWithPath: root + "/share/LOGON.BAT"))
        try Data("x".utf8).write(to: URL(fileURLWithPath: root + "/share/Sub/inner"))
        try files.createSymbolicLink(
            atPath: root + "/share/link", withDestinationPath: root + "/secret")
        try files.createSymbolicLink(atPath: root + "/share/up", withDestinationPath: root)
        return (SystemTree(root: root + "/share"), root)
    }

    @Test func listsFilesAndDirectoriesOnly() throws {
        let (tree, root) = try tree()
        defer { try? FileManager.default.removeItem(atPath: root) }
        let entries = try #require(tree.entries(of: [], limit: 100))
        #expect(entries.map(\.name).sorted() == ["LOGON.BAT", "Sub"])
        let file = try #require(entries.first { $0.name == "LOGON.BAT" })
        #expect(file.size == 10 && !file.isDirectory && file.modified > 1_000_000_000)
        #expect(tree.entries(of: ["Sub"], limit: 100)?.map(\.name) == ["inner"])
        #expect(tree.entries(of: [], limit: 1)?.count == 1)
        #expect(tree.entries(of: ["LOGON.BAT"], limit: 1) == nil)
    }

    @Test func readsParts() throws {
        let (tree, root) = try tree()
        defer { try? FileManager.default.removeItem(atPath: root) }
        #expect(tree.read(["LOGON.BAT"], from: 0, count: 4) == Array("0123".utf8))
        #expect(tree.read(["LOGON.BAT"], from: 8, count: 4) == Array("89".utf8))
        #expect(tree.read(["LOGON.BAT"], from: 99, count: 4) == [])
        #expect(tree.read(["LOGON.BAT"], from: .max, count: 4) == [])
        #expect(tree.read(["Sub", "inner"], from: 0, count: 4) == [UInt8(ascii: "x")])
        #expect(tree.read(["Sub"], from: 0, count: 4) == nil)
        #expect(tree.read([], from: 0, count: 4) == nil)
    }

    @Test func saysWhoCannotReadIt() throws {
        let (_, root) = try tree()
        defer { try? FileManager.default.removeItem(atPath: root) }
        let share = root + "/share"
        let stranger = UserAccount(name: "stranger", user: 65_533, group: 65_533)
        func allow(_ mode: Int, _ path: String) throws {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        try allow(0o755, root)
        try allow(0o755, share)
        #expect(SystemTree.problem(root: share, for: stranger) == nil)
        try allow(0o751, share)
        let reading = "user stranger may not read \(share): chmod o+rx \(share)"
        #expect(SystemTree.problem(root: share, for: stranger) == reading)
        try allow(0o700, root)
        let entering = "user stranger may not enter \(root): chmod o+x \(root)"
        #expect(SystemTree.problem(root: share, for: stranger) == entering)
        #expect(SystemTree.problem(root: share, for: Privileges.account) == nil)
        let file = share + "/LOGON.BAT"
        #expect(SystemTree.problem(root: file, for: Privileges.account)
            == "\(file) is not a directory")
        let nothing = SystemTree.problem(root: share + "/none", for: Privileges.account)
        #expect(nothing?.hasPrefix("stat \(share)/none: ") == true)
    }

    @Test func nothingLeadsOut() throws {
        let (tree, root) = try tree()
        defer { try? FileManager.default.removeItem(atPath: root) }
        for path in [
            ["link"], ["up", "secret"], ["..", "secret"], ["../secret"], ["Sub", "..", "LOGON.BAT"],
            ["."], [""], [root + "/secret"],
        ] {
            #expect(tree.read(path, from: 0, count: 9) == nil, "\(path)")
            #expect(tree.entries(of: path, limit: 9) == nil, "\(path)")
        }
    }
}
