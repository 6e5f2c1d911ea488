/// Writes JSON text (RFC 8259) piece by piece; commas come by themselves.
///
/// Misuse is our own fault and traps: a value without a key in an object, a close without an
/// open. Text that is not ASCII stays as UTF-8; control characters, quotes and backslashes are
/// escaped, and so are U+2028 and U+2029, which end a line in JavaScript.
package struct JSONWriter: ~Copyable {
    private enum Container {
        case object
        case array
    }

    /// Deepest nesting of objects and arrays.
    package static let maximumDepth = 16

    private var out: [UInt8] = []
    private var open: [Container] = []
    private var isFirst = true
    private var keyIsPending = false

    package init() {}

    /// The text, which must be complete.
    package consuming func finish() -> String {
        precondition(open.isEmpty && !out.isEmpty, "unfinished JSON")
        return String(decoding: out, as: UTF8.self)
    }

    // MARK: Containers

    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        enter(.object, "{")
        body(&self)
        leave("}")
    }

    package mutating func array(_ body: (inout JSONWriter) -> Void) {
        enter(.array, "[")
        body(&self)
        leave("]")
    }

    package mutating func object(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        key(name.description)
        object(body)
    }

    package mutating func array(_ name: StaticString, _ body: (inout JSONWriter) -> Void) {
        key(name.description)
        array(body)
    }

    private mutating func enter(_ container: Container, _ bracket: Unicode.Scalar) {
        precondition(open.count < Self.maximumDepth)
        separate()
        open.append(container)
        out.append(UInt8(ascii: bracket))
        isFirst = true
    }

    private mutating func leave(_ bracket: Unicode.Scalar) {
        precondition(!keyIsPending && !open.isEmpty)
        open.removeLast()
        out.append(UInt8(ascii: bracket))
        isFirst = false
    }

    // MARK: Members

    package mutating func member(_ name: StaticString, _ text: String) {
        key(name.description)
        value(text)
    }

    package mutating func member(_ name: StaticString, _ number: Int) {
        key(name.description)
        value(number)
    }

    package mutating func member(_ name: StaticString, _ truth: Bool) {
        key(name.description)
        value(truth)
    }

    package mutating func key(_ name: String) {
        precondition(open.last == .object && !keyIsPending)
        comma()
        string(name)
        out.append(UInt8(ascii: ":"))
        keyIsPending = true
    }

    // MARK: Values

    package mutating func value(_ text: String) {
        separate()
        string(text)
    }

    package mutating func value(_ number: Int) {
        separate()
        out.append(contentsOf: String(number).utf8)
    }

    package mutating func value(_ truth: Bool) {
        separate()
        out.append(contentsOf: (truth ? "true" : "false").utf8)
    }

    package mutating func null() {
        separate()
        out.append(contentsOf: "null".utf8)
    }

    /// `thousandths` of a unit as a decimal number: 13250 is written 13.25.
    package mutating func value(thousandths: Int) {
        separate()
        let magnitude = thousandths.magnitude
        if thousandths < 0 { out.append(UInt8(ascii: "-")) }
        out.append(contentsOf: String(magnitude / 1000).utf8)
        var fraction = magnitude % 1000
        if fraction == 0 { return }
        out.append(UInt8(ascii: "."))
        var scale: UInt = 100
        while fraction > 0 {
            out.append(UInt8(ascii: "0") + UInt8(fraction / scale))
            fraction %= scale
            scale /= 10
        }
    }

    // MARK: Text

    private mutating func separate() {
        if keyIsPending {
            keyIsPending = false
        } else {
            precondition(open.last != .object, "a value in an object needs a key")
            precondition(!open.isEmpty || out.isEmpty, "one value only")
            comma()
        }
    }

    private mutating func comma() {
        if !isFirst { out.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    private mutating func string(_ text: String) {
        out.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5c:
                out.append(UInt8(ascii: "\\"))
                out.append(UInt8(scalar.value))
            case 0x0a: escape("n")
            case 0x0d: escape("r")
            case 0x09: escape("t")
            case 0..<0x20, 0x7f, 0x2028, 0x2029: escape(scalar.value)
            case _: out.append(contentsOf: String(scalar).utf8)
            }
        }
        out.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ letter: Unicode.Scalar) {
        out.append(UInt8(ascii: "\\"))
        out.append(UInt8(ascii: letter))
    }

    private mutating func escape(_ value: UInt32) {
        escape("u")
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(value >> shift & 15)
            out.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
