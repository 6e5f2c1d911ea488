import Front
import Loop
import Mailslot
import NetBIOS
import Responder
import SMB
import Wire

/// The browser's list as remote administration tells it.
final class BrowsedNeighbourhood: Neighbourhood {
    private let responder: Responder
    private let loop: EventLoop

    init(_ responder: Responder, _ loop: EventLoop) {
        self.responder = responder
        self.loop = loop
    }

    var own: RAP.ServerInfo {
        let list = responder.browseList(now: loop.now).servers
        if let first = list.first { return Self.info(first) }
        return RAP.ServerInfo(serverName: responder.configuration.computerName.text)
    }

    var servers: [RAP.ServerInfo] {
        responder.browseList(now: loop.now).servers.map { Self.info($0) }
    }

    var domains: [RAP.ServerInfo] {
        responder.browseList(now: loop.now).domains.map { Self.info($0) }
    }

    private static func info(_ entry: BrowseEntry) -> RAP.ServerInfo {
        RAP.ServerInfo(
            serverName: OEMCodePage.string(entry.name), versionMajor: entry.major,
            versionMinor: entry.minor, serverType: entry.type.rawValue,
            serverComment: OEMCodePage.string(entry.comment))
    }
}
