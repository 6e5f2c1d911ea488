import Foundation
import Testing

/// The rules of the house that a compiler does not check (ARCHITECTURE.md, "The house").
@Suite struct TidyTests {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct Source {
        let path: String
        let target: String
        let lines: [String]
    }

    static func sources(_ folder: String) -> [Source] {
        let base = root.appendingPathComponent(folder)
        let files = FileManager.default.enumerator(atPath: base.path)?.allObjects as? [String] ?? []
        return files.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let text = (try? String(contentsOf: base.appendingPathComponent(name), encoding: .utf8))
            return Source(
                path: "\(folder)/\(name)",
                target: String(name.split(separator: "/").first ?? ""),
                lines: (text ?? "").components(separatedBy: "\n"))
        }
    }

    /// What each target may import. Downward only; the protocol targets do not know each other.
    static let allowed: [String: Set<String>] = {
        let protocols: Set<String> = [
            "Wire", "Crypto", "NetBIOS", "Mailslot", "SMB", "NTLM", "RPC", "Interfaces",
        ]
        let cores: Set<String> = [
            "SecureChannel", "Locator", "Responder", "Consumers", "Domain",
        ]
        var table: [String: Set<String>] = [
            "Wire": [], "Crypto": ["Wire", "CNettle"], "NetBIOS": ["Wire"], "Mailslot": ["Wire"],
            "SMB": ["Wire"], "NTLM": ["Wire", "Crypto"], "RPC": ["Wire"],
            "Interfaces": ["Wire", "RPC"],
            "Decoder": protocols.union(["SecureChannel", "Locator"]),
            "Front": protocols.union(["SecureChannel", "Domain"]),
            "Agent": protocols.union(cores).union(["Front"]),
            "Flows": protocols.union(["SecureChannel", "Locator", "Domain"]),
            "Loop": ["Wire", "CLibuv", "CAres", "CPosix"],
            "Store": ["Wire", "Crypto", "CLMDB", "CPosix"], "Configuration": ["Wire", "CINIH"],
        ]
        for core in cores { table[core] = protocols }
        return table
    }()

    @Test func importsRunDownwardOnly() {
        for source in Self.sources("Sources") {
            guard source.target != "postern" else { continue }
            guard let allowed = Self.allowed[source.target] else {
                Issue.record("\(source.path): no rule says what \(source.target) may import")
                continue
            }
            for line in source.lines where line.hasPrefix("import ") {
                let name = String(line.dropFirst("import ".count))
                #expect(allowed.contains(name), "\(source.path) imports \(name)")
            }
        }
    }

    @Test func linesAndFilesKeepToTheirLimits() {
        for folder in ["Sources", "Tests"] {
            for source in Self.sources(folder) {
                #expect(source.lines.count <= 601, "\(source.path): \(source.lines.count) lines")
                for (number, line) in source.lines.enumerated() where line.count > 100 {
                    Issue.record("\(source.path):\(number + 1): \(line.count) columns")
                }
            }
        }
    }

    @Test func functionsKeepToSeventyLines() {
        for source in Self.sources("Sources") {
            for (name, start, length) in Self.functions(source.lines) where length > 70 {
                Issue.record("\(source.path):\(start): \(name) has \(length) lines")
            }
        }
    }

    @Test func unsafeStaysInItsTargets() {
        let free: Set<String> = ["Loop", "Store", "Crypto", "Configuration", "postern"]
        for source in Self.sources("Sources") where !free.contains(source.target) {
            for (number, line) in source.lines.enumerated() {
                let code = line.components(separatedBy: "//")[0]
                let words = code.split { !$0.isLetter }
                #expect(!words.contains("unsafe"), "\(source.path):\(number + 1) is unsafe")
            }
        }
    }

    @Test func modeIsNeverAskedFor() {
        for source in Self.sources("Sources") {
            for (number, line) in source.lines.enumerated() where line.contains("hasFeature(Emb") {
                Issue.record("\(source.path):\(number + 1) asks for the mode")
            }
        }
    }

    /// Name, first line and length of each function: from its line to the brace at its indent.
    static func functions(_ lines: [String]) -> [(String, Int, Int)] {
        var found: [(String, Int, Int)] = []
        for (start, line) in lines.enumerated() {
            let bare = line.drop { $0 == " " }
            let words = bare.split(separator: " ").prefix(6)
            guard words.contains("func") || bare.contains("init(") && bare.hasSuffix("{") else {
                continue
            }
            let closing = String(repeating: " ", count: line.count - bare.count) + "}"
            for end in start..<lines.count where lines[end] == closing {
                found.append((String(bare.prefix(60)), start + 1, end - start + 1))
                break
            }
        }
        return found
    }
}
