import Interfaces
import RPC
import Wire

/// The endpoint mapper: tells on which port or pipe an interface is served (MS-RPCE 3.1.1.5).
///
/// What it knows is fixed. Nobody else may register anything, as whoever could would have
/// clients call him.
package final class EndpointMapperService: RemoteService {
    /// Where one interface is served.
    package struct Registration {
        package var interface: SyntaxID
        package var annotation: String
        /// Below `\PIPE\`; nil where no pipe leads there.
        package var pipe: String?
        package var port: UInt16?

        package init(_ interface: SyntaxID, _ annotation: String, pipe: String?, port: UInt16?) {
            self.interface = interface
            self.annotation = annotation
            self.pipe = pipe
            self.port = port
        }
    }

    package let interface = EndpointMapper.interface
    package let takesUnprotected = true
    private let entries: [EndpointEntry]
    private let random: (Int) -> [UInt8]

    /// ept_s_cant_perform_op.
    private static let cannotPerform: UInt32 = 0x16c9_a0cd
    private static let opInsert: UInt16 = 0
    private static let opDelete: UInt16 = 1
    private static let opManagementDelete: UInt16 = 6
    /// The most entries in a page.
    private static let page = 100

    /// Where a listing goes on.
    private final class Listing {
        var next: Int
        init(_ next: Int) { self.next = next }
    }

    /// `host` is our computer name, `address` where clients reach us.
    package init(
        _ registrations: [Registration], host: String, address: IPv4Address,
        random: @escaping (Int) -> [UInt8]
    ) {
        var entries: [EndpointEntry] = []
        for item in registrations {
            if let port = item.port {
                entries.append(
                    EndpointEntry(
                        tower: .tcp(item.interface, port: port, address: address),
                        annotation: item.annotation))
            }
            if let pipe = item.pipe {
                entries.append(
                    EndpointEntry(
                        tower: .namedPipe(
                            item.interface, pipe: "\\PIPE\\" + pipe, host: "\\\\" + host),
                        annotation: item.annotation))
            }
        }
        self.entries = entries
        self.random = random
    }

    package func call(
        _ opnum: UInt16, _ stub: WireReader, from caller: RemoteCaller, now: FrontTime
    ) -> ServiceReply {
        var reader = stub
        do {
            switch opnum {
            case EptMap.opnum: return map(try EptMap.Request(parsing: &reader))
            case EptLookup.opnum: return lookup(try EptLookup.Request(parsing: &reader), caller)
            case EptLookupHandleFree.opnum:
                return free(try EptLookupHandleFree.Request(parsing: &reader), caller)
            case Self.opInsert, Self.opDelete, Self.opManagementDelete:
                return .response(UInt32Stub(Self.cannotPerform).bytes)
            case _: return .fault(.opRangeError)
            }
        } catch {
            return .fault(.badStubData)
        }
    }

    package func ended(_ caller: RemoteCaller) {}

    private func map(_ request: EptMap.Request) -> ServiceReply {
        var towers: [ProtocolTower] = []
        let room = min(Int(clamping: request.maximumTowers), EndpointMapper.maximumTowers)
        if let asked = request.mapTower, let interface = asked.interface {
            for entry in entries where towers.count < room {
                guard let tower = entry.tower, let known = tower.interface,
                    known.uuid == interface.uuid, known.majorVersion == interface.majorVersion,
                    Self.sameProtocol(tower, asked)
                else { continue }
                towers.append(tower)
            }
        }
        return Self.reply(
            EptMap.Response(
                towers: towers, maximumTowers: UInt32(room),
                status: towers.isEmpty ? EndpointMapper.notRegistered : 0))
    }

    private static func sameProtocol(_ known: ProtocolTower, _ asked: ProtocolTower) -> Bool {
        asked.tcpPort != nil && known.tcpPort != nil || asked.pipe != nil && known.pipe != nil
    }

    private func lookup(_ request: EptLookup.Request, _ caller: RemoteCaller) -> ServiceReply {
        var start = 0
        let isFirst = request.entryHandle == .null
        if !isFirst {
            guard let listing = caller[request.entryHandle] as? Listing else {
                return .fault(.contextMismatch)
            }
            start = listing.next
        }
        let asked = min(Int(clamping: request.maximumEntries), EndpointMapper.maximumTowers)
        var found: [EndpointEntry] = []
        var next = start
        while next < entries.count, found.count < min(asked, Self.page) {
            if Self.matches(entries[next], request) { found.append(entries[next]) }
            next += 1
        }
        // The last page of several says that it is: clients stop at one that is not full. Where
        // the first is all there is, that is no error, and there is nothing to go on with.
        if isFirst, !found.isEmpty, next == entries.count {
            return Self.reply(
                EptLookup.Response(
                    entryHandle: .null, entries: found, maximumEntries: UInt32(asked), status: 0))
        }
        let isOver = found.isEmpty || !isFirst && found.count < asked
        var handle = request.entryHandle
        if isOver {
            caller[handle] = nil
            handle = .null
        } else if isFirst {
            guard !caller.handles.isFull else {
                return .fault(.remoteNoMemory)
            }
            handle = ContextHandle(uuid: freshUUID())
            caller[handle] = Listing(next)
        } else if let listing = caller[handle] as? Listing {
            listing.next = next
        }
        return Self.reply(
            EptLookup.Response(
                entryHandle: handle, entries: found, maximumEntries: UInt32(asked),
                status: isOver ? EndpointMapper.notRegistered : 0))
    }

    /// By interface or not at all: objects are not registered.
    private static func matches(_ entry: EndpointEntry, _ request: EptLookup.Request) -> Bool {
        let byInterface: UInt32 = 1
        let byBoth: UInt32 = 3
        guard request.inquiryType == byInterface || request.inquiryType == byBoth,
            let wanted = request.interface
        else { return true }
        return entry.tower?.interface?.uuid == wanted.uuid
    }

    private func free(
        _ request: EptLookupHandleFree.Request, _ caller: RemoteCaller
    ) -> ServiceReply {
        guard caller[request.entryHandle] is Listing else {
            return .fault(.contextMismatch)
        }
        caller[request.entryHandle] = nil
        return Self.reply(EptLookupHandleFree.Response())
    }

    private func freshUUID() -> GUID {
        let bytes = random(16)
        var reader = WireReader(bytes.span, layer: "handle")
        return (try? GUID(parsing: &reader)) ?? .zero
    }

    private static func reply(_ response: some NDRMessage) -> ServiceReply {
        var writer = WireWriter()
        response.write(into: &writer)
        return .response(writer.finish())
    }
}

/// A response of one number.
private struct UInt32Stub {
    let bytes: [UInt8]

    init(_ value: UInt32) {
        var writer = WireWriter(capacity: 4)
        writer.uint32LE(value)
        bytes = writer.finish()
    }
}
