import CINIH

/// One `key = value` of an INI file, or the head of a section, which has no key.
struct INIEntry {
    let section: String
    let key: String?
    let value: String
    let line: Int
}

/// Reads INI text with inih.
///
/// inih tells neither lines nor sections without keys. So it is fed line by line, which gives the
/// number, and after each section's head one more line whose key is a mark. Leading blanks are
/// taken away first, because inih would take an indented key for more of the value before.
///
/// `@safe`: inih has our pointers during one call, in which this object is alive.
@safe final class INIFile {
    /// What inih was built with; it would cut a longer line.
    static let lineLimit = Int(INI_MAX_LINE) - 2
    /// What inih cuts names at.
    static let nameLimit = 49
    /// No key can begin with it, because a line that does is a problem.
    private static let mark: UInt8 = 1

    private(set) var entries: [INIEntry] = []
    private(set) var problems: [ConfigurationProblem] = []
    private var lines: [ArraySlice<UInt8>]
    private var next = 0
    private var owesMark = false
    /// The number of the text's line for each line that inih was given.
    private var fed: [Int] = []

    /// What some editors put before UTF-8: U+FEFF, which stands for nothing there.
    private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

    init(_ text: [UInt8]) {
        let text = text.starts(with: Self.byteOrderMark) ? text[3...] : text[...]
        lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let this = unsafe Unmanaged.passUnretained(self).toOpaque()
        let malformed = unsafe ini_parse_stream(feedLine, this, takeEntry, this)
        if malformed > 0, malformed <= fed.count {
            problems.append(
                ConfigurationProblem(
                    line: fed[Int(malformed) - 1], text: "neither [section] nor key = value"))
        } else if malformed != 0 {
            problems.append(ConfigurationProblem(line: 0, text: "cannot be read"))
        }
    }

    /// The next line for inih, or nil at the end.
    fileprivate func feed() -> [UInt8]? {
        if owesMark {
            owesMark = false
            fed.append(next)
            return [Self.mark, UInt8(ascii: "=")]
        }
        guard next < lines.count else { return nil }
        var line = lines[next].drop { $0 == 32 || $0 == 9 }
        next += 1
        fed.append(next)
        while let last = line.last, last == 32 || last == 9 || last == 13 { line.removeLast() }
        if line.count > Self.lineLimit {
            problem("longer than \(Self.lineLimit) bytes")
            return []
        }
        if line.contains(where: { $0 < 32 && $0 != 9 }) {
            problem("a control character")
            return []
        }
        owesMark = line.first == UInt8(ascii: "[")
        return Array(line)
    }

    fileprivate func take(section: String, key: String, value: String) {
        if section.utf8.count >= Self.nameLimit { return problem("the section's name is too long") }
        if key.utf8.count >= Self.nameLimit { return problem("the key is too long") }
        let isHead = key.utf8.first == Self.mark
        entries.append(
            INIEntry(section: section, key: isHead ? nil : key, value: value, line: next))
    }

    private func problem(_ text: String) {
        problems.append(ConfigurationProblem(line: next, text: text))
    }
}

private func feedLine(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ file: UnsafeMutableRawPointer?
) -> UnsafeMutablePointer<CChar>? {
    guard let buffer = unsafe buffer, let file = unsafe file,
        let line = unsafe Unmanaged<INIFile>.fromOpaque(file).takeUnretainedValue().feed(),
        line.count < Int(size)
    else { return nil }
    for index in 0..<line.count { unsafe buffer[index] = CChar(bitPattern: line[index]) }
    unsafe buffer[line.count] = 0
    return unsafe buffer
}

private func takeEntry(
    _ file: UnsafeMutableRawPointer?, _ section: UnsafePointer<CChar>?,
    _ key: UnsafePointer<CChar>?, _ value: UnsafePointer<CChar>?
) -> Int32 {
    guard let file = unsafe file, let section = unsafe section, let key = unsafe key,
        let value = unsafe value
    else { return 0 }
    unsafe Unmanaged<INIFile>.fromOpaque(file).takeUnretainedValue().take(
        section: String(cString: section), key: String(cString: key),
        value: String(cString: value))
    return 1
}
