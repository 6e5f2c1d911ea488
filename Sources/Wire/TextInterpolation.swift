// The standard library's way to put a text together is inlined wherever a literal has a hole: some
// 200 bytes for each of its parts, a tenth of the whole program. These do the same out of line.
// Swift prefers them to the standard library's wherever this module is imported.

extension DefaultStringInterpolation {
    @inline(never)
    package mutating func appendLiteral(_ literal: String) { write(literal) }

    @inline(never)
    package mutating func appendInterpolation(_ text: String) { write(text) }

    @inline(never)
    package mutating func appendInterpolation(_ number: Int) { write(number.description) }

    package mutating func appendInterpolation(_ value: some CustomStringConvertible) {
        appendInterpolation(value.description)
    }
}

extension String {
    @inline(never)
    package static func += (text: inout String, more: String) { text.append(more) }

    @inline(never)
    package static func == (left: String, right: String) -> Bool { areEqual(left, right) }
}

/// The standard library's `==`, which is the one that String conforms to Equatable by.
private func areEqual<Value: Equatable>(_ left: Value, _ right: Value) -> Bool { left == right }
