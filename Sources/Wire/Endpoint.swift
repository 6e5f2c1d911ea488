/// An IPv4 address, as a number in the host's order: 10.77.0.40 is 0x0a4d0028.
package struct IPv4Address: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package var rawValue: UInt32

    @inlinable
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The address `first.second.third.fourth`.
    @inlinable
    package init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
        rawValue =
            UInt32(first) << 24 | UInt32(second) << 16 | UInt32(third) << 8 | UInt32(fourth)
    }

    /// Dotted text, four decimal numbers without leading zeros; nil for anything else.
    package init?(_ text: String) {
        var value: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var parts = 0
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "."):
                if digits == 0 || parts == 3 { return nil }
                value = value << 8 | part
                part = 0
                digits = 0
                parts += 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if digits > 0 && part == 0 { return nil }
                part = part * 10 + UInt32(character - UInt8(ascii: "0"))
                digits += 1
                if part > 255 { return nil }
            case _:
                return nil
            }
        }
        if digits == 0 || parts != 3 { return nil }
        rawValue = value << 8 | part
    }

    package static let any = IPv4Address(rawValue: 0)
    package static let loopback = IPv4Address(127, 0, 0, 1)
    package static let broadcast = IPv4Address(rawValue: 0xffff_ffff)

    /// 224.0.0.0/4.
    @inlinable package var isMulticast: Bool { rawValue >> 28 == 0xe }

    @inlinable package var isLoopback: Bool { rawValue >> 24 == 127 }

    package var description: String {
        "\(rawValue >> 24).\(rawValue >> 16 & 255).\(rawValue >> 8 & 255).\(rawValue & 255)"
    }
}

/// An IPv4 address and a UDP or TCP port.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    package var address: IPv4Address
    package var port: UInt16

    @inlinable
    package init(_ address: IPv4Address, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    package var description: String { "\(address.description):\(port)" }
}

/// An address of ours with its prefix, `10.77.0.40/24`: where broadcasts go and come from.
package struct IPv4Network: Hashable, Sendable, CustomStringConvertible {
    package var address: IPv4Address
    package var prefixLength: UInt8

    /// `prefixLength` is at most 32.
    @inlinable
    package init(_ address: IPv4Address, prefixLength: UInt8) {
        precondition(prefixLength <= 32)
        self.address = address
        self.prefixLength = prefixLength
    }

    /// `10.77.0.40/24`, or an address alone, which is its own network.
    package init?(_ text: String) {
        var dotted: [UInt8] = []
        var prefix: [UInt8]?
        for character in text.utf8 {
            if prefix != nil {
                prefix?.append(character)
            } else if character == UInt8(ascii: "/") {
                prefix = []
            } else {
                dotted.append(character)
            }
        }
        guard let address = IPv4Address(String(decoding: dotted, as: UTF8.self)) else {
            return nil
        }
        var length = 32
        if let prefix {
            if prefix.isEmpty || prefix.count > 2 { return nil }
            length = 0
            for digit in prefix {
                guard case 48...57 = digit else { return nil }
                length = length * 10 + Int(digit - 48)
            }
            if length > 32 { return nil }
        }
        self.init(address, prefixLength: UInt8(length))
    }

    /// Prefixes of 31 and 32 leave no address to broadcast to (RFC 3021).
    @inlinable package var hasBroadcast: Bool { prefixLength < 31 }

    @inlinable package var mask: UInt32 {
        prefixLength == 0 ? 0 : ~0 << (32 - UInt32(prefixLength))
    }

    /// The directed broadcast, all host bits one.
    @inlinable package var broadcast: IPv4Address {
        IPv4Address(rawValue: address.rawValue | ~mask)
    }

    @inlinable
    package func contains(_ other: IPv4Address) -> Bool {
        other.rawValue & mask == address.rawValue & mask
    }

    package var description: String { "\(address.description)/\(prefixLength)" }
}
