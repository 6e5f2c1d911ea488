import RPC
import Wire

/// A call of the network management interfaces that lists what is in use: sessions, files,
/// connections, users. They have one shape, but for how many texts narrow the list and which
/// levels there are.
///
/// There is nothing here that could be told of, so that the lists are empty, and one with
/// entries is not understood.
package protocol ListCall {
    /// How many texts come between the server's name and the list.
    static var qualifiers: Int { get }
    static var levels: [UInt32] { get }
}

/// The structure that the calls have both ways (MS-SRVS 2.2.4.5 and others): Level(4), the same
/// again as the union's tag(4), the container's pointer(4); EntriesRead(4) and a null pointer(4).
package struct EmptyList<Call: ListCall>: NetList {
    package static var qualifiers: Int { Call.qualifiers }

    package var level: UInt32

    package init(level: UInt32) { self.level = level }

    package var isKnown: Bool { Call.levels.contains(level) }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        level = try stub.uint32("Level")
        let tag = try stub.uint32("tag")
        if tag != level { throw stub.wire.invalid("tag", Int(clamping: tag), width: 4) }
        guard isKnown, try stub.pointer("container") else { return }
        if try stub.countedArray("Buffer").hasElements {
            throw stub.wire.invalid("Buffer", 1, width: 4)
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint32(level)
        stub.uint32(level)
        guard isKnown else { return }
        stub.pointer(true)
        stub.countedArray(0)
    }
}

/// What a list call asks with and is answered by: a level, and the entries that are told at it.
package protocol NetList: NDRMessage, Equatable, Sendable {
    /// How many texts come between the server's name and the list.
    static var qualifiers: Int { get }
}

package struct ListRequest<List: NetList>: NDRMessage, Equatable, Sendable {
    package var serverName: String?
    /// As many as the call has.
    package var qualifiers: [String?]
    /// Empty, at the level that is wanted.
    package var infoStruct: List
    /// Bytes; all ones for everything at once.
    package var preferredMaximumLength: UInt32
    package var resumeHandle: UInt32?

    package init(
        serverName: String?, _ infoStruct: List, preferredMaximumLength: UInt32 = 0xffff_ffff,
        resumeHandle: UInt32? = nil
    ) {
        self.serverName = serverName
        qualifiers = [String?](repeating: nil, count: List.qualifiers)
        self.infoStruct = infoStruct
        self.preferredMaximumLength = preferredMaximumLength
        self.resumeHandle = resumeHandle
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        serverName = try stub.optionalWideText("ServerName")
        qualifiers = []
        for _ in 0..<List.qualifiers {
            qualifiers.append(try stub.optionalWideText("Qualifier"))
        }
        infoStruct = try List(parsing: &stub)
        preferredMaximumLength = try stub.uint32("PreferedMaximumLength")
        resumeHandle = try stub.pointer("ResumeHandle") ? try stub.uint32("ResumeHandle") : nil
        try stub.expectEndOfRequest("ResumeHandle")
    }

    package func write(into stub: inout NDRWriter) {
        stub.optionalWideString(serverName)
        for qualifier in qualifiers { stub.optionalWideString(qualifier) }
        infoStruct.write(into: &stub)
        stub.uint32(preferredMaximumLength)
        stub.pointer(resumeHandle != nil)
        if let resumeHandle { stub.uint32(resumeHandle) }
    }
}

package struct ListResponse<List: NetList>: NDRMessage, Equatable, Sendable {
    package var infoStruct: List
    package var totalEntries: UInt32
    package var resumeHandle: UInt32?
    package var status: NetStatus

    package init(
        _ infoStruct: List, totalEntries: UInt32 = 0, resumeHandle: UInt32? = nil,
        status: NetStatus = .success
    ) {
        self.infoStruct = infoStruct
        self.totalEntries = totalEntries
        self.resumeHandle = resumeHandle
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        infoStruct = try List(parsing: &stub)
        totalEntries = try stub.uint32("TotalEntries")
        resumeHandle = try stub.pointer("ResumeHandle") ? try stub.uint32("ResumeHandle") : nil
        status = try stub.netStatus("status")
        try stub.expectEnd("status")
    }

    package func write(into stub: inout NDRWriter) {
        infoStruct.write(into: &stub)
        stub.uint32(totalEntries)
        stub.pointer(resumeHandle != nil)
        if let resumeHandle { stub.uint32(resumeHandle) }
        stub.netStatus(status)
    }
}

/// Lists the trees that sessions are connected to (MS-SRVS 3.1.4.1).
package enum NetrConnectionEnum: RemoteProcedure, ListCall {
    package static let opnum: UInt16 = 8
    package static var qualifiers: Int { 1 }
    package static var levels: [UInt32] { [0, 1] }
    package typealias Request = ListRequest<EmptyList<NetrConnectionEnum>>
    package typealias Response = ListResponse<EmptyList<NetrConnectionEnum>>
}

/// Lists the files that are open (MS-SRVS 3.1.4.2).
package enum NetrFileEnum: RemoteProcedure, ListCall {
    package static let opnum: UInt16 = 9
    package static var qualifiers: Int { 2 }
    package static var levels: [UInt32] { [2, 3] }
    package typealias Request = ListRequest<EmptyList<NetrFileEnum>>
    package typealias Response = ListResponse<EmptyList<NetrFileEnum>>
}

/// Lists the sessions (MS-SRVS 3.1.4.5).
package enum NetrSessionEnum: RemoteProcedure, ListCall {
    package static let opnum: UInt16 = 12
    package static var qualifiers: Int { 2 }
    package static var levels: [UInt32] { [0, 1, 2, 10, 502] }
    package typealias Request = ListRequest<EmptyList<NetrSessionEnum>>
    package typealias Response = ListResponse<EmptyList<NetrSessionEnum>>
}

/// Lists who is logged on at the computer itself (MS-WKST 3.2.4.3).
package enum NetrWkstaUserEnum: RemoteProcedure, ListCall {
    package static let opnum: UInt16 = 2
    package static var qualifiers: Int { 0 }
    package static var levels: [UInt32] { [0, 1] }
    package typealias Request = ListRequest<EmptyList<NetrWkstaUserEnum>>
    package typealias Response = ListResponse<EmptyList<NetrWkstaUserEnum>>
}

/// Lists the disks (MS-SRVS 3.1.4.19), of which there are none here. The level is asked for and
/// not told.
package enum NetrServerDiskEnum: RemoteProcedure {
    package static let opnum: UInt16 = 23
    package typealias Request = ListRequest<AskedDisks>
    package typealias Response = ListResponse<NoDisks>

    /// DISK_ENUM_CONTAINER (MS-SRVS 2.2.4.92): EntriesRead(4) and a null pointer(4).
    package struct NoDisks: NetList {
        package static var qualifiers: Int { 0 }

        package init() {}

        package init(parsing stub: inout NDRReader) throws(WireError) {
            if try stub.countedArray("Buffer").hasElements {
                throw stub.wire.invalid("Buffer", 1, width: 4)
            }
        }

        package func write(into stub: inout NDRWriter) { stub.countedArray(0) }
    }

    /// Level(4), and the empty container.
    package struct AskedDisks: NetList {
        package static var qualifiers: Int { 0 }

        package var level: UInt32

        package init(level: UInt32) { self.level = level }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            level = try stub.uint32("Level")
            _ = try NoDisks(parsing: &stub)
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(level)
            NoDisks().write(into: &stub)
        }
    }
}
