import RPC
import Wire

/// A level and the shares told at it (MS-SRVS 2.2.4.38, SHARE_ENUM_STRUCT): Level(4), the same
/// again as the union's tag(4), the container's pointer(4); the container is EntriesRead(4) and
/// the array's pointer(4). A level without an arm comes without content.
package struct ShareList: NetList {
    package static var qualifiers: Int { 0 }
    package static let maximumShares = 4_096

    package var level: UInt32
    package var shares: [ShareInfo]

    package init(level: UInt32, shares: [ShareInfo] = []) {
        self.level = level
        self.shares = shares
    }

    package var isKnown: Bool { ShareInfo.listLevels.contains(level) }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        level = try stub.uint32("Level")
        shares = []
        let tag = try stub.uint32("ShareInfo tag")
        if tag != level { throw stub.wire.invalid("ShareInfo tag", Int(clamping: tag), width: 4) }
        guard isKnown, try stub.pointer("ShareInfo") else { return }
        let array = try stub.countedArray("Buffer")
        guard array.hasElements else { return }
        let count = try stub.conformance(
            elementSize: ShareInfo.byteCount(level), limit: Self.maximumShares, "Buffer")
        if count != array.count { throw stub.wire.invalid("EntriesRead", array.count) }
        var deferred: [ShareInfo.Deferred] = []
        for _ in 0..<count {
            let (share, pointees) = try ShareInfo.parse(level: level, &stub)
            shares.append(share)
            deferred.append(pointees)
        }
        for index in 0..<count {
            try shares[index].parsePointees(deferred[index], from: &stub)
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint32(level)
        stub.uint32(level)
        guard isKnown else { return }
        stub.pointer(true)
        stub.countedArray(shares.count)
        guard !shares.isEmpty else { return }
        stub.uint32(UInt32(shares.count))
        for share in shares { share.writeMembers(level: level, into: &stub) }
        for share in shares { share.writePointees(level: level, into: &stub) }
    }
}

/// Lists the shares (MS-SRVS 3.1.4.8).
package enum NetrShareEnum: RemoteProcedure {
    package static let opnum: UInt16 = 15
    package typealias Request = ListRequest<ShareList>
    package typealias Response = ListResponse<ShareList>
}

/// Lists the shares that outlive a restart (MS-SRVS 3.1.4.9).
package enum NetrShareEnumSticky: RemoteProcedure {
    package static let opnum: UInt16 = 36
    package typealias Request = ListRequest<ShareList>
    package typealias Response = ListResponse<ShareList>
}

/// Tells of one share (MS-SRVS 3.1.4.10).
package enum NetrShareGetInfo: RemoteProcedure {
    package static let opnum: UInt16 = 16

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String?
        package var netName: String
        package var level: UInt32

        package init(serverName: String?, netName: String, level: UInt32) {
            self.serverName = serverName
            self.netName = netName
            self.level = level
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.optionalWideText("ServerName")
            netName = try stub.wideText("NetName")
            level = try stub.uint32("Level")
            try stub.expectEndOfRequest("NetrShareGetInfo")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(serverName)
            stub.wideString(netName)
            stub.uint32(level)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var level: UInt32
        package var shareInfo: ShareInfo?
        package var status: NetStatus

        package init(level: UInt32, shareInfo: ShareInfo?, status: NetStatus = .success) {
            self.level = level
            self.shareInfo = shareInfo
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            level = try stub.uint32("Level")
            shareInfo = nil
            if ShareInfo.levels.contains(level), try stub.pointer("InfoStruct") {
                var (share, deferred) = try ShareInfo.parse(level: level, &stub)
                try share.parsePointees(deferred, from: &stub)
                shareInfo = share
            }
            status = try stub.netStatus("status")
            try stub.expectEnd("NetrShareGetInfo")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(level)
            if ShareInfo.levels.contains(level) {
                stub.pointer(shareInfo != nil)
                shareInfo?.writeMembers(level: level, into: &stub)
                shareInfo?.writePointees(level: level, into: &stub)
            }
            stub.netStatus(status)
        }
    }
}

/// Tells whether something of the server's is shared (MS-SRVS 3.1.4.13).
package enum NetrShareCheck: RemoteProcedure {
    package static let opnum: UInt16 = 20

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String?
        /// The directory, or whatever else.
        package var device: String

        package init(serverName: String?, device: String) {
            self.serverName = serverName
            self.device = device
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.optionalWideText("ServerName")
            device = try stub.wideText("Device")
            try stub.expectEndOfRequest("NetrShareCheck")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(serverName)
            stub.wideString(device)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var type: UInt32
        package var status: NetStatus

        package init(type: UInt32, status: NetStatus = .success) {
            self.type = type
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            type = try stub.uint32("Type")
            status = try stub.netStatus("status")
            try stub.expectEnd("NetrShareCheck")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(type)
            stub.netStatus(status)
        }
    }
}
