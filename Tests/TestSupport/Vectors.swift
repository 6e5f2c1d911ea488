import Foundation
import Wire

/// Where other people's published vectors and captures are. They are read in place and never
/// committed; without them the tests that need them say that they were skipped.
package enum Material {
    package static let vectors = folder("POSTERN_VECTORS", "vectors")
    package static let captures = folder("POSTERN_CAPTURES", "captures")

    private static func folder(_ variable: String, _ name: String) -> String? {
        let package = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let beside = package.deletingLastPathComponent().appendingPathComponent("shared/\(name)")
        let path = ProcessInfo.processInfo.environment[variable] ?? beside.path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }
}

/// One of the vector files, as JSON.
package struct VectorFile {
    package let root: [String: Any]

    package init(_ name: String) throws {
        let path = (Material.vectors ?? "") + "/" + name
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        root = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    /// A string below dotted keys, such as `v1.LMOWFv1`.
    package func text(_ path: String) -> String {
        var node: Any = root
        for key in path.split(separator: ".") {
            node = (node as? [String: Any])?[String(key)] ?? ""
        }
        return node as? String ?? ""
    }

    /// The bytes of the hex string below dotted keys.
    package func bytes(_ path: String) -> [UInt8] { Hex.bytes(text(path)) ?? [] }

    /// The bytes of the array that the files call `name`, of `function` where several share it.
    package func array(_ name: String, function: String? = nil) -> [UInt8] {
        for item in root["arrays"] as? [[String: Any]] ?? [] where item["name"] as? String == name {
            if let function, item["function"] as? String != function { continue }
            return Hex.bytes(item["hex"] as? String ?? "") ?? []
        }
        return []
    }
}
