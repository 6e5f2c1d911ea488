import Wire

/// A version of the structures that libwbclient and its daemon exchange. A client works with its
/// own version alone, and never says which that is: the size of its requests has to tell.
///
/// | interface | Samba | request | response |
/// |---|---|---|---|
/// | 27 | 3.6 to 4.4 | 2,096 | 3,496 |
/// | 28 | 4.6 | 2,096 | 3,496 |
/// | 30 | 4.8 | 2,096 | 4,008: with a user's principal name and its domain's DNS name |
/// | 31 | 4.10 to 4.16 | 2,128: with the client's name | 4,008 |
/// | 32 | 4.17 to 4.21 | 2,136: with a trace number | 4,008 |
/// | 33 | 4.22 to 4.25 | 2,136 | 4,008 |
///
/// Sizes are those of 64-bit hosts with little-endian numbers.
package enum WinbindInterface: UInt32, CaseIterable, Sendable {
    case v27 = 27
    case v28 = 28
    case v30 = 30
    case v31 = 31
    case v32 = 32
    case v33 = 33

    package var requestSize: Int {
        switch self {
        case .v27, .v28, .v30: 2_096
        case .v31: 2_128
        case .v32, .v33: 2_136
        }
    }

    package var responseSize: Int {
        switch self {
        case .v27, .v28: 3_496
        case .v30, .v31, .v32, .v33: Self.largestResponse
        }
    }

    static let largestRequest = 2_136
    static let largestResponse = 4_008

    var hasClientName: Bool { requestSize >= 2_128 }
    var hasTraceNumber: Bool { requestSize >= 2_136 }
    var hasDNSNames: Bool { responseSize == Self.largestResponse }

    /// Those whose requests are so long, the likeliest first; none: nobody's are.
    package static func candidates(requestSize: Int) -> [WinbindInterface] {
        switch requestSize {
        case 2_096: [.v30, .v28, .v27]
        case 2_128: [.v31]
        case 2_136: [.v32, .v33]
        case _: []
        }
    }
}

/// What a client asks for, by its number in the interfaces 28 to 32.
package struct WinbindCommand: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let interfaceVersion = WinbindCommand(rawValue: 0)
    package static let getgrgid = WinbindCommand(rawValue: 5)
    package static let getgroups = WinbindCommand(rawValue: 6)
    package static let setpwent = WinbindCommand(rawValue: 7)
    package static let endpwent = WinbindCommand(rawValue: 8)
    package static let setgrent = WinbindCommand(rawValue: 10)
    package static let endgrent = WinbindCommand(rawValue: 11)
    package static let pamAuth = WinbindCommand(rawValue: 13)
    package static let pamAuthCrap = WinbindCommand(rawValue: 14)
    package static let pamChangePassword = WinbindCommand(rawValue: 15)
    package static let pamLogoff = WinbindCommand(rawValue: 16)
    package static let pamChangePasswordCrap = WinbindCommand(rawValue: 17)
    package static let listUsers = WinbindCommand(rawValue: 18)
    package static let listGroups = WinbindCommand(rawValue: 19)
    package static let listTrustedDomains = WinbindCommand(rawValue: 20)
    package static let lookupSID = WinbindCommand(rawValue: 21)
    package static let lookupName = WinbindCommand(rawValue: 22)
    package static let checkMachineAccount = WinbindCommand(rawValue: 29)
    package static let pingDC = WinbindCommand(rawValue: 31)
    package static let ping = WinbindCommand(rawValue: 32)
    package static let info = WinbindCommand(rawValue: 33)
    package static let domainName = WinbindCommand(rawValue: 34)
    package static let domainInfo = WinbindCommand(rawValue: 35)
    package static let netbiosName = WinbindCommand(rawValue: 43)
    package static let privilegedDirectory = WinbindCommand(rawValue: 44)

    /// Marks the number of a command that the interfaces 28 to 32 do not have, or not there.
    private static let foreign: UInt32 = 0x8000_0000

    /// Interface 27 has three more commands, among those from 24 on; 33 has one less, among those
    /// from 36 to 42.
    package init(number: UInt32, in interface: WinbindInterface) {
        switch interface {
        case _ where number >= Self.foreign: rawValue = number
        case .v27 where number >= 32: rawValue = number - 3
        case .v27 where number >= 24: rawValue = number | Self.foreign
        case .v33 where number >= 42: rawValue = number + 1
        case .v33 where number >= 36: rawValue = number | Self.foreign
        case .v27, .v28, .v30, .v31, .v32, .v33: rawValue = number
        }
    }

    package func number(in interface: WinbindInterface) -> UInt32 {
        if rawValue & Self.foreign != 0 { return rawValue & ~Self.foreign }
        switch interface {
        case .v27 where rawValue >= 29: return rawValue &+ 3
        case .v33 where rawValue >= 43: return rawValue - 1
        case .v27, .v28, .v30, .v31, .v32, .v33: return rawValue
        }
    }
}

/// Fields of fixed size that hold text: its end is a zero, and what follows means nothing.
enum WinbindText {
    static let name = 256
    static let clientName = 32
    static let requiredSIDs = 1_024
}

extension WireReader {
    /// The bytes before the zero, of a field of `size` bytes.
    @_lifetime(self: copy self)
    mutating func winbindBytes(_ size: Int, _ field: StaticString) throws(WireError) -> Range<Int> {
        let start = offset
        let whole = try take(size, field)
        for index in whole where span[index] == 0 { return start..<index }
        throw WireError(
            .invalid, layer: layer, field: field, offset: start, needed: size, available: size)
    }

    @_lifetime(self: copy self)
    mutating func winbindText(
        _ field: StaticString, size: Int = WinbindText.name
    ) throws(WireError) -> String {
        let range = try winbindBytes(size, field)
        return String(decoding: copy(range), as: UTF8.self)
    }
}

extension WireWriter {
    /// What is too long for its field is cut, between two characters.
    mutating func winbindText(_ text: String, size: Int = WinbindText.name) {
        var bytes = Array(text.utf8)
        if bytes.count >= size {
            var end = size - 1
            while end > 0, bytes[end] & 0xc0 == 0x80 { end -= 1 }
            bytes.removeLast(bytes.count - end)
        }
        append(bytes)
        zeros(size - bytes.count)
    }
}
