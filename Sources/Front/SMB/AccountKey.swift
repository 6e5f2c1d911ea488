import NTLM

/// An account's name as the controllers may understand it, for what is counted by account.
///
/// Controllers find an account under more spellings than its own: Active Directory leaves out
/// diacritics and takes letters of full width for plain ones, Samba leaves out blanks. Whoever
/// guesses could have an account's limit once for each of them, and so lock it there. Where two
/// accounts have one key their failures count together, which is the lesser evil.
struct AccountKey: Hashable {
    /// No account's name is longer; of a longer one the rest does not count.
    private static var limit: Int { 256 }

    private let letters: [UInt8]

    /// The domain is left out: a guesser would write it in many ways; and so is what follows a
    /// zero, where some controllers' names end.
    init(_ user: String) {
        var key: [UInt8] = []
        var left = Self.limit
        for scalar in user.unicodeScalars {
            let plain = Self.narrow(scalar)
            if plain == "@" || plain.value == 0 || left == 0 { break }
            if plain == " " || plain.value == 0xa0 || Self.isMark(plain) { continue }
            left -= 1
            Self.append(plain, to: &key)
        }
        letters = key
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        (0x300...0x36f).contains(scalar.value)
    }

    /// Letters of full width, and those in circles, are the plain ones.
    private static func narrow(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let value: UInt32
        switch scalar.value {
        case 0xff01...0xff5e: value = scalar.value - 0xfee0
        case 0x24b6...0x24cf: value = scalar.value - 0x24b6 + 0x41
        case 0x24d0...0x24e9: value = scalar.value - 0x24d0 + 0x41
        case _: return scalar
        }
        return Unicode.Scalar(value) ?? scalar
    }

    private static func append(_ scalar: Unicode.Scalar, to key: inout [UInt8]) {
        switch scalar.value {
        case 0xc6, 0xe6: key += [0x41, 0x45]  // AE
        case 0x152, 0x153: key += [0x4f, 0x45]  // OE
        case 0xdf, 0x1e9e: key += [0x53, 0x53]  // SS
        case 0xde, 0xfe: key += [0x54, 0x48]  // TH
        case 0xc0...0x24f: append(latin, scalar, from: 0xc0, to: &key)
        case 0x1e00...0x1eff: append(latinAdditional, scalar, from: 0x1e00, to: &key)
        case _: appendUpper(scalar, to: &key)
        }
    }

    private static func append(
        _ letters: String, _ scalar: Unicode.Scalar, from first: UInt32, to key: inout [UInt8]
    ) {
        let table = letters.utf8
        let letter = table[table.index(table.startIndex, offsetBy: Int(scalar.value - first))]
        if letter == UInt8(ascii: ".") {
            appendUpper(scalar, to: &key)
        } else {
            key.append(letter)
        }
    }

    private static func appendUpper(_ scalar: Unicode.Scalar, to key: inout [UInt8]) {
        let upper = UpperCase.scalar(scalar)
        if upper.isASCII {
            key.append(UInt8(upper.value))
        } else {
            key += Array(String(upper).utf8)
        }
    }

    /// The letters of U+00C0 to U+024F without what is above, below or through them; a full stop
    /// stands for what is no such letter.
    private static var latin: String {
        """
        AAAAAAACEEEEIIIIDNOOOOO.OUUUUYTSAAAAAAACEEEEIIIIDNOOOOO.OUUUUYTY\
        AAAAAACCCCCCCCDDDDEEEEEEEEEEGGGGGGGGHHHHIIIIIIIIIIIIJJKKKLLLLLLL\
        LLLNNNNNN.NNOOOOOOOORRRRRRSSSSSSSSTTTTTTUUUUUUUUUUUUWWYYYZZZZZZS\
        B.................F.............OO.............UU...............\
        ....DDDLLLNNNAAIIOOUUUUUUUUUU.AAAAAAGGGGKKOOOO..JDDDGG..NNAAAAOO\
        AAAAEEEEIIIIOOOORRRRUUUUSSTT..HH......AAEEOOOOOOOOYY............\
        ................
        """
    }

    /// Likewise U+1E00 to U+1EFF.
    private static var latinAdditional: String {
        """
        AABBBBBBCCDDDDDDDDDDEEEEEEEEEEFFGGHHHHHHHHHHIIIIKKKKKKLLLLLLLLMM\
        MMMMNNNNNNNNOOOOOOOOPPPPRRRRRRRRSSSSSSSSSSTTTTTTTTUUUUUUUUUUVVVV\
        WWWWWWWWWWXXXXYYZZZZZZHTWYAS..S.AAAAAAAAAAAAAAAAAAAAAAAAEEEEEEEE\
        EEEEEEEEIIIIOOOOOOOOOOOOOOOOOOOOOOOOUUUUUUUUUUUUUUYYYYYYYY......
        """
    }
}
