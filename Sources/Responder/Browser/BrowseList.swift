import Mailslot
import NetBIOS
import Wire

/// A server, or with `ServerType.domainEnum` a domain, as the network neighbourhood shows it.
package struct BrowseEntry: Equatable, Sendable {
    /// In upper case, at most 15 bytes of the OEM code page.
    package var name: [UInt8]
    package var major: UInt8
    package var minor: UInt8
    package var type: ServerType
    /// Of a domain: its master browser.
    package var comment: [UInt8]
    /// On the loop's clock, in milliseconds.
    package var expires: UInt64

    package init(
        name: [UInt8], major: UInt8, minor: UInt8, type: ServerType, comment: [UInt8],
        expires: UInt64
    ) {
        self.name = name
        self.major = major
        self.minor = minor
        self.type = type
        self.comment = comment
        self.expires = expires
    }
}

/// The servers and domains that announced themselves, MS-BRWS 3.3.1.2, for as long as three of
/// their announcements may be lost.
struct BrowseList {
    static let mostServers = 512
    static let mostDomains = 128
    /// MS-BRWS 2.2.1: a comment has 43 bytes.
    static let longestComment = 43
    /// Periods, in milliseconds, that are believed: nobody announces more often than once a
    /// minute, and who announces less often than once an hour is as good as gone.
    static let shortestPeriod: UInt64 = 60_000
    static let longestPeriod: UInt64 = 3_600_000
    static let lostAnnouncements: UInt64 = 3

    /// In the order of their names.
    private(set) var servers: [BrowseEntry] = []
    private(set) var domains: [BrowseEntry] = []

    /// Takes in an announcement; false where its name cannot be one, or the list is full.
    mutating func hear(
        _ announcement: BrowserAnnouncement, isDomain: Bool, now: UInt64
    ) -> Bool {
        expire(now: now)
        guard let name = Self.name(announcement.serverName.bytes) else { return false }
        let period = max(
            Self.shortestPeriod, min(UInt64(announcement.periodicity), Self.longestPeriod))
        let entry = BrowseEntry(
            name: name, major: announcement.osVersionMajor,
            minor: announcement.osVersionMinor,
            type: isDomain
                ? announcement.serverType.union(.domainEnum)
                : announcement.serverType.subtracting(.domainEnum),
            comment: Self.comment(announcement.comment.bytes),
            expires: now + period * Self.lostAnnouncements)
        // Who offers nothing any more says so as it leaves.
        let isLeaving = announcement.serverType.rawValue == 0
        return isDomain
            ? Self.put(isLeaving ? nil : entry, name, in: &domains, most: Self.mostDomains)
            : Self.put(isLeaving ? nil : entry, name, in: &servers, most: Self.mostServers)
    }

    private static func put(
        _ entry: BrowseEntry?, _ name: [UInt8], in list: inout [BrowseEntry], most: Int
    ) -> Bool {
        let place = list.firstIndex { !$0.name.lexicographicallyPrecedes(name) } ?? list.count
        let isKnown = place < list.count && list[place].name == name
        guard let entry else {
            if isKnown { list.remove(at: place) }
            return true
        }
        if isKnown {
            list[place] = entry
        } else if list.count == most {
            return false
        } else {
            list.insert(entry, at: place)
        }
        return true
    }

    mutating func expire(now: UInt64) {
        servers.removeAll { $0.expires <= now }
        domains.removeAll { $0.expires <= now }
    }

    /// A name in upper case; nil where nobody could have it: empty, or with bytes that MS-RAP and
    /// a shell's path give a meaning.
    static func name(_ bytes: [UInt8]) -> [UInt8]? {
        var name = bytes
        while name.last == 0x20 { name.removeLast() }
        if name.isEmpty || name.count > NetBIOSName.longestText { return nil }
        for index in name.indices {
            let byte = name[index]
            switch byte {
            case 0..<0x21, 0x7f, UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: ":"),
                UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "\""), UInt8(ascii: "<"),
                UInt8(ascii: ">"), UInt8(ascii: "|"):
                return nil
            case 0x61...0x7a:
                name[index] = byte - 0x20
            case _:
                break
            }
        }
        return name
    }

    private static func comment(_ bytes: [UInt8]) -> [UInt8] {
        bytes.prefix(longestComment).map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }
    }
}
