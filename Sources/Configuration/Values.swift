import Wire

/// The forms that values have in the file; each gives nil for anything else.
enum Value {
    static let listLimit = 32
    static let pathLimit = 80

    static func yesNo(_ text: String) -> Bool? {
        switch text {
        case "yes": true
        case "no": false
        case _: nil
        }
    }

    /// A decimal number within `range`.
    static func number(_ text: String, _ range: ClosedRange<Int>) -> Int? {
        if text.isEmpty || text.utf8.count > 9 { return nil }
        var value = 0
        for digit in text.utf8 {
            guard case 48...57 = digit else { return nil }
            value = value * 10 + Int(digit - 48)
        }
        return range.contains(value) ? value : nil
    }

    /// A number with its unit, `200ms`, `5s`, `2m`, `1h`, `7d`, in milliseconds within `range`.
    static func duration(_ text: String, _ range: ClosedRange<UInt64>) -> UInt64? {
        let units: [(String, UInt64)] = [
            ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        let digits = text.utf8.prefix { $0 >= 48 && $0 <= 57 }
        let unit = String(decoding: text.utf8.dropFirst(digits.count), as: UTF8.self)
        guard let value = number(String(decoding: digits, as: UTF8.self), 0...999_999_999) else {
            return nil
        }
        for (name, factor) in units where name == unit {
            let product = UInt64(value) * factor
            return range.contains(product) ? product : nil
        }
        return nil
    }

    /// An absolute path, without `..` and short enough for the sockets below it.
    static func path(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/"), bytes.count <= pathLimit else { return nil }
        for part in bytes.split(separator: UInt8(ascii: "/")) where part.elementsEqual([46, 46]) {
            return nil
        }
        return bytes.count > 1 && bytes.last == UInt8(ascii: "/")
            ? String(decoding: bytes.dropLast(), as: UTF8.self) : text
    }

    /// Items between commas or blanks; none, too many or one that is wrong gives nil.
    static func list<Item>(_ text: String, _ item: (String) -> Item?) -> [Item]? {
        var items: [Item] = []
        for part in text.utf8.split(whereSeparator: { $0 == 32 || $0 == 9 || $0 == 44 }) {
            guard let made = item(String(decoding: Array(part), as: UTF8.self)),
                items.count < listLimit
            else { return nil }
            items.append(made)
        }
        return items.isEmpty ? nil : items
    }

    static func host(_ text: String) -> IPv4Address? {
        guard let address = IPv4Address(text), isHost(address) else { return nil }
        return address
    }

    /// An address that can be a host's.
    private static func isHost(_ address: IPv4Address) -> Bool {
        address != .any && address != .broadcast && !address.isMulticast
    }

    /// An address with its prefix, which must be written.
    static func network(_ text: String) -> IPv4Network? {
        guard text.utf8.contains(UInt8(ascii: "/")), let network = IPv4Network(text),
            isHost(network.address)
        else { return nil }
        return network
    }

    /// An address, with a port after a colon where it is not `port`.
    static func endpoint(_ text: String, port: UInt16) -> Endpoint? {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { String(decoding: Array($0), as: UTF8.self) }
        guard parts.count <= 2, let address = host(parts[0]) else { return nil }
        if parts.count == 1 { return Endpoint(address, port) }
        guard let other = number(parts[1], 1...65_535) else { return nil }
        return Endpoint(address, UInt16(other))
    }

    /// A NetBIOS name in upper case: 1 to 15 of the characters that computers and domains have.
    static func netbiosName(_ text: String) -> String? {
        var name: [UInt8] = []
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): name.append(character - 32)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "!"),
                UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
                UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "@"),
                UInt8(ascii: "^"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "~"):
                name.append(character)
            case _: return nil
            }
        }
        if name.isEmpty || name.count > 15 || name.first == UInt8(ascii: ".") { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    /// A DNS name in lower case, without a dot at its end.
    static func dnsName(_ text: String) -> String? {
        var name: [UInt8] = []
        for label in text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        {
            if label.isEmpty || label.count > 63 { return nil }
            if !name.isEmpty { name.append(UInt8(ascii: ".")) }
            for character in label {
                switch character {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): name.append(character + 32)
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    name.append(character)
                case _: return nil
                }
            }
        }
        return name.count <= 200 ? String(decoding: name, as: UTF8.self) : nil
    }

    /// The name of a user, group or account: one word without separators of paths and names.
    static func accountName(_ text: String) -> String? {
        let refused = Array("\\/:*?\"<>|[]+=;,@ ".utf8)
        for character in text.utf8 where refused.contains(character) || character < 32 {
            return nil
        }
        return text.isEmpty || text.utf8.count > 64 ? nil : text
    }

    /// A SID that can be a domain's: `S-1-5-21` and three numbers (MS-DTYP 2.4.2.4).
    static func domainSID(_ text: String) -> SID? {
        guard let sid = SID(text), sid.identifierAuthority == 5, sid.count == 4,
            sid.subAuthorities[0] == 21
        else { return nil }
        return sid
    }
}
