import Wire

/// One message as bytes, with a closure that parses them and writes what was parsed.
package struct MessageSample: Sendable {
    package var name: String
    package var bytes: [UInt8]
    package var rewrite: @Sendable ([UInt8]) throws -> [UInt8]

    package init(
        name: String, bytes: [UInt8],
        rewrite: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) {
        self.name = name
        self.bytes = bytes
        self.rewrite = rewrite
    }
}

/// Drives every sample through what each message must withstand, and tells what did not hold:
/// the round trip is exact, and neither a truncation nor a changed byte may trap. A parse that
/// still succeeds must give something that can be written.
package func checkMessages(_ samples: [MessageSample]) -> [String] {
    var faults: [String] = []
    for sample in samples {
        do {
            let again = try sample.rewrite(sample.bytes)
            if again != sample.bytes {
                faults.append("\(sample.name): \(Hex.string(sample.bytes)) became "
                    + Hex.string(again))
            }
        } catch {
            faults.append("\(sample.name): \(error)")
        }
        for length in 0..<sample.bytes.count {
            _ = try? sample.rewrite(Array(sample.bytes[..<length]))
        }
        let values: [UInt8] = [0, 1, 0x7f, 0x80, 0xff]
        for index in 0..<sample.bytes.count {
            for value in values + [sample.bytes[index] ^ 1, sample.bytes[index] &+ 1] {
                var changed = sample.bytes
                changed[index] = value
                _ = try? sample.rewrite(changed)
            }
        }
    }
    return faults
}
