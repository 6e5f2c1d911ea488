import Wire

/// What a name's last byte says that it stands for.
package struct NetBIOSSuffix: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt8

    @inlinable
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The workstation service of a computer; with a domain's name, the group of its members.
    package static let workstation = NetBIOSSuffix(rawValue: 0x00)
    package static let messenger = NetBIOSSuffix(rawValue: 0x03)
    package static let server = NetBIOSSuffix(rawValue: 0x20)
    /// The domain master browser, which is the primary controller.
    package static let domainMasterBrowser = NetBIOSSuffix(rawValue: 0x1b)
    /// The group of a domain's controllers.
    package static let domainControllers = NetBIOSSuffix(rawValue: 0x1c)
    package static let masterBrowser = NetBIOSSuffix(rawValue: 0x1d)
    package static let browserElections = NetBIOSSuffix(rawValue: 0x1e)

    /// Two hexadecimal digits.
    package var description: String { Hex.string([rawValue]) }
}

/// A NetBIOS name, RFC 1001 14: 15 bytes padded with spaces, and the suffix.
///
/// Two numbers hold it, so that it compares and hashes without a loop and never allocates.
package struct NetBIOSName: Hashable, Sendable, CustomStringConvertible {
    /// The most bytes of text before the suffix.
    package static let longestText = 15

    /// Bytes 0 to 7, the first one highest.
    package var high: UInt64
    /// Bytes 8 to 15, of which the last is the suffix.
    package var low: UInt64

    @inlinable
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The name that `text` spells in upper case; nil where it is empty, longer than 15 bytes, or
    /// has a character that is not printable ASCII.
    package init?(_ text: String, _ suffix: NetBIOSSuffix) {
        var name = NetBIOSName(high: 0x2020_2020_2020_2020, low: 0x2020_2020_2020_2020)
        var count = 0
        for character in text.utf8 {
            if count == Self.longestText || character < 0x20 || character > 0x7e { return nil }
            name[count] = Self.upcase(character)
            count += 1
        }
        if count == 0 { return nil }
        name[15] = suffix.rawValue
        self = name
    }

    /// The name `*`, to which a node-status request is addressed: an asterisk and 15 zeros.
    package static let wildcard = NetBIOSName(high: 0x2a << 56, low: 0)

    /// The group name that domain announcements are sent to.
    package static let masterBrowsers = NetBIOSName(
        high: 0x0102_5f5f_4d53_4252, low: 0x4f57_5345_5f5f_0201)

    @inlinable
    package subscript(index: Int) -> UInt8 {
        get {
            let half = index < 8 ? high : low
            return UInt8(truncatingIfNeeded: half >> UInt64(56 - index % 8 * 8))
        }
        set {
            let shift = UInt64(56 - index % 8 * 8)
            let cleared = ~(UInt64(0xff) << shift)
            if index < 8 {
                high = high & cleared | UInt64(newValue) << shift
            } else {
                low = low & cleared | UInt64(newValue) << shift
            }
        }
    }

    @inlinable package var suffix: NetBIOSSuffix {
        NetBIOSSuffix(rawValue: UInt8(truncatingIfNeeded: low))
    }

    /// The same text with another suffix.
    @inlinable
    package func with(_ suffix: NetBIOSSuffix) -> NetBIOSName {
        NetBIOSName(high: high, low: low & ~0xff | UInt64(suffix.rawValue))
    }

    /// The same name with its text's ASCII letters in upper case: senders do not agree on case,
    /// comparisons must.
    @inlinable package var upcased: NetBIOSName {
        var name = NetBIOSName(high: Self.upcase(high), low: Self.upcase(low))
        name.low = name.low & ~0xff | low & 0xff
        return name
    }

    /// Whether the text, without the suffix, is the same; both are in upper case.
    @inlinable
    package func hasText(of other: NetBIOSName) -> Bool {
        high == other.high && (low ^ other.low) >> 8 == 0
    }

    /// The text without its padding, byte for byte.
    package var textBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.longestText)
        for index in 0..<Self.longestText { bytes.append(self[index]) }
        while let last = bytes.last, last == 0x20 || last == 0 { bytes.removeLast() }
        return bytes
    }

    /// The text without its padding; a byte that is not printable ASCII becomes `.`.
    package var text: String {
        let printable = textBytes.map { $0 < 0x20 || $0 > 0x7e ? UInt8(ascii: ".") : $0 }
        return String(decoding: printable, as: UTF8.self)
    }

    package var description: String { text + "<" + suffix.description + ">" }

    @inlinable
    static func upcase(_ character: UInt8) -> UInt8 {
        character >= 0x61 && character <= 0x7a ? character - 0x20 : character
    }

    /// Eight bytes at once: a byte's top bit is free to carry the comparisons' results.
    @inlinable
    static func upcase(_ eight: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let seven = eight & (ones &* 0x7f)
        let fromA = seven &+ ones &* (0x80 - 0x61)
        let pastZ = seven &+ ones &* (0x80 - 0x7b)
        let letters = (fromA & ~pastZ & ~eight) & (ones &* 0x80)
        return eight &- letters >> 2
    }
}
