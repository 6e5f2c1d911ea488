import Crypto
import NTLM
import TestSupport
import Testing
import Wire

@testable import Domain

private func sample(_ name: String, _ record: @escaping @Sendable (inout WireWriter) -> Void,
    _ parse: @escaping @Sendable (inout WireReader, inout WireWriter) throws -> Void
) -> MessageSample {
    var writer = WireWriter()
    record(&writer)
    return MessageSample(name: name, bytes: writer.finish()) { bytes in
        var reader = WireReader(bytes.span, layer: "domain")
        var writer = WireWriter()
        try parse(&reader, &writer)
        try reader.expectEnd(" ")
        return writer.finish()
    }
}

private var fullAccount: Account {
    var account = Account(rid: 1_000, name: "änne", flags: [.normal, .disabled])
    account.fullName = "Änne"
    account.adminComment = "a"
    account.userComment = "b"
    account.homeDirectory = "\\\\GATE\\home"
    account.homeDirectoryDrive = "H:"
    account.logonScript = "x.cmd"
    account.profilePath = "p"
    account.workstations = ["PC1", "PC2"]
    account.parameters = [1, 2, 3]
    account.otherGroupRIDs = [512, 1_001]
    account.ntHash = NTOWF.v1(password: "x")
    account.lmHash = LMOWF.v1(password: "x")
    account.history = [NTOWF.v1(password: "y")]
    account.logonHours = LogonHours([UInt8](repeating: 0x3c, count: 21))!
    account.passwordLastSet = 5
    account.accountExpires = 6
    account.lastLogon = 7
    account.lastLogoff = 8
    account.lastBadPassword = 9
    account.lockoutTime = 10
    account.logonCount = 11
    account.badPasswordCount = 12
    account.countryCode = 49
    account.codePage = 1_252
    return account
}

private func alias(_ home: Alias.Home) -> Alias {
    var alias = Alias(home: home, rid: 544, name: "Administrators")
    alias.comment = "c"
    alias.members = [World.sid, SID.builtinDomain]
    return alias
}

private var header: DomainHeader {
    var header = DomainHeader(name: "GATE", sid: World.sid, role: .backup, now: 4)
    header.comment = "c"
    header.replicaSource = "PDC"
    header.serials[2] = 1 << 40
    return header
}

private let samples: [MessageSample] = [
    sample("account", { fullAccount.write(into: &$0) }) {
        try Account(parsing: &$0).write(into: &$1)
    },
    sample("bare account", { Account(rid: 1, name: "a").write(into: &$0) }) {
        try Account(parsing: &$0).write(into: &$1)
    },
    sample("group", { Group(rid: 512, name: "Domain Admins").write(into: &$0) }) {
        try Group(parsing: &$0).write(into: &$1)
    },
    sample("alias", { alias(.account).write(into: &$0) }) {
        try Alias(parsing: &$0).write(into: &$1)
    },
    sample("builtin alias", { alias(.builtin).write(into: &$0) }) {
        try Alias(parsing: &$0).write(into: &$1)
    },
    sample("trust", { Trust(name: "O", sid: World.sid, direction: .inbound).write(into: &$0) }) {
        try Trust(parsing: &$0).write(into: &$1)
    },
    sample("header", { header.write(into: &$0) }) {
        try DomainHeader(parsing: &$0).write(into: &$1)
    },
    sample("change", {
        ChangeEntry(
            serial: 1 << 33, database: .lsa, type: .deleteTrust, flags: .immediate, name: "O",
            sid: World.sid
        ).write(into: &$0)
    }) { try ChangeEntry(parsing: &$0).write(into: &$1) },
]

@Suite struct RecordTests {
    @Test func everyRecordKeepsItsBytesAndNoDamageTraps() {
        #expect(checkMessages(samples) == [])
    }

    @Test func everyTruncationIsRefused() {
        for sample in samples {
            for length in 0..<sample.bytes.count {
                #expect(throws: WireError.self, "\(sample.name) cut to \(length)") {
                    try sample.rewrite(Array(sample.bytes[..<length]))
                }
            }
        }
    }

    @Test func everyFieldIsKept() throws {
        var writer = WireWriter()
        fullAccount.write(into: &writer)
        let bytes = writer.finish()
        var reader = WireReader(bytes.span, layer: "domain")
        #expect(try Account(parsing: &reader) == fullAccount)
    }

    @Test func loaderTakesAnyDamageWithoutATrap() {
        let world = World()
        for (key, content) in world.records {
            for index in content.indices {
                var changed = content
                changed[index] ^= 0xff
                var loader = DomainLoader()
                loader.take(key: key, changed)
                loader.take(key: key, Array(content[..<index]))
                for (other, whole) in world.records where other != key {
                    loader.take(key: other, whole)
                }
                _ = loader.finish(proofs: .init()) { _ in true }
            }
        }
    }

    @Test func lmHashesGoWhereTheyAreNoLongerTaken() throws {
        let world = World(proofs: ProofPolicy(ntlmv1: .allow, allowsLM: true))
        try world.user("anna")
        let all = ProofPolicy(ntlmv1: .allow, allowsLM: true)
        #expect(world.reloaded(proofs: all)?.account("anna")?.lmHash != nil)
        var loader = DomainLoader()
        for (key, content) in world.records { loader.take(key: key, content) }
        let made = loader.finish(proofs: .init()) { changes in
            for change in changes { world.records[change.key] = change.content }
            return true
        }
        let domain = try #require(made)
        #expect(domain.account("anna")?.lmHash == nil)
        #expect(domain.hasUnsavedStatistics && domain.saveStatistics())
        #expect(world.reloaded(proofs: all)?.account("anna")?.lmHash == nil)
    }
}
