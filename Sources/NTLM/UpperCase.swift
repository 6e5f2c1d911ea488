/// Upper case as NTOWFv2 needs it: both ends must agree on each letter.
///
/// Windows maps each UTF-16 unit by a table of its own that has not changed since Unicode 5, and
/// to exactly one unit. Unicode's simple mapping is that table, but for the exceptions here.
package enum UpperCase {
    package static func text(_ text: String) -> String {
        var out = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { out.append(self.scalar(scalar)) }
        return String(out)
    }

    package static func scalar(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0x61...0x7a: return Unicode.Scalar(UInt8(scalar.value - 32))
        case 0..<0x80: return scalar
        // A mapping that would leave the letter's alphabet: micro sign, dotless i, long s.
        case 0xb5, 0x131, 0x17f: return scalar
        // Georgian had no capitals until Unicode 11, and a surrogate pair is two units.
        case 0x10d0...0x10ff, 0x1_0000...: return scalar
        case _: break
        }
        let properties = scalar.properties
        // Where the full mapping is several letters (sharp s, ligatures) there is no simple one,
        // except with an iota subscript, whose simple capital is the title case.
        return single(properties.uppercaseMapping) ?? single(properties.titlecaseMapping) ?? scalar
    }

    private static func single(_ text: String) -> Unicode.Scalar? {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, scalars.count == 1 else { return nil }
        return first
    }
}
