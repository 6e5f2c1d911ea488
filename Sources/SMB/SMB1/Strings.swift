import Wire

/// Strings (MS-CIFS 2.2.1.1): null-terminated, UTF-16LE at an even distance from the header, or
/// of the OEM code page anywhere.
extension WireReader {
    /// The next string of the message's form.
    @_lifetime(self: copy self)
    package mutating func smbString(
        _ form: SMB1.Form, _ field: StaticString
    ) throws(WireError) -> String {
        if !form.isUnicode { return try oemString(field) }
        try align(2, from: form.base, field)
        return try utf16LEZ(field)
    }

    @_lifetime(self: copy self)
    package mutating func oemString(_ field: StaticString) throws(WireError) -> String {
        let range = try take(through: 0, field)
        return OEMCodePage.string(copy(range))
    }

    /// One of the strings that end a message, nil where the message ends before it. The last one
    /// often lacks its terminator or half of it.
    @_lifetime(self: copy self)
    package mutating func trailingString(
        _ form: SMB1.Form, _ field: StaticString
    ) throws(WireError) -> String? {
        if form.isUnicode && (offset - form.base) % 2 != 0 && remaining > 0 {
            _ = try take(1, field)
        }
        if isAtEnd { return nil }
        let start = offset
        if !form.isUnicode {
            while !isAtEnd {
                if try uint8(field) == 0 { return text(start..<(offset - 1), form) }
            }
            return text(start..<offset, form)
        }
        while remaining >= 2 {
            if try uint16LE(field) == 0 { return text(start..<(offset - 2), form) }
        }
        let stop = offset
        _ = takeRest()
        return text(start..<stop, form)
    }

    /// The characters in `range`, without a terminator.
    package func text(_ range: Range<Int>, _ form: SMB1.Form) -> String {
        form.isUnicode ? utf16LE(range) : OEMCodePage.string(copy(range))
    }
}

extension WireWriter {
    /// `text` with its terminator. A character that the OEM code page lacks becomes `?`: who may
    /// meet one asks for a Unicode message.
    package mutating func smbString(_ text: String, _ form: SMB1.Form) {
        if !form.isUnicode {
            oemString(text)
            return
        }
        align(2, from: form.base)
        utf16LE(text)
        uint16LE(0)
    }

    package mutating func oemString(_ text: String) {
        append(OEMCodePage.bytes(text))
        uint8(0)
    }

    /// The strings that end a message, as far as there are any.
    package mutating func trailingStrings(_ texts: [String?], _ form: SMB1.Form) {
        for text in texts {
            guard let text else { return }
            smbString(text, form)
        }
    }
}
