import RPC
import Wire

/// Tells the site of a computer (MS-NRPC 3.5.4.3.6).
package enum DsrGetSiteName: RemoteProcedure {
    package static let opnum: UInt16 = 28

    package struct Request: NDRMessage, Equatable, Sendable {
        package var computerName: String?

        package init(computerName: String?) { self.computerName = computerName }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            computerName = try stub.optionalWideText("ComputerName")
            try stub.expectEndOfRequest("DsrGetSiteName")
        }

        package func write(into stub: inout NDRWriter) { stub.optionalWideString(computerName) }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var siteName: String?
        package var status: NetStatus

        package init(siteName: String?, status: NetStatus = .success) {
            self.siteName = siteName
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            siteName = try stub.optionalWideText("SiteName")
            status = try stub.netStatus("status")
            try stub.expectEnd("DsrGetSiteName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(siteName)
            stub.netStatus(status)
        }
    }
}

/// A socket's address (MS-NRPC 2.2.1.2.4, NL_SOCKET_ADDRESS): lpSockaddr(4) iSockaddrLength(4).
package struct SocketAddressBytes: NDRElement, Equatable, Sendable {
    package static var byteCount: Int { 8 }
    package static let maximumLength = 128

    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package struct Pointees {
        var hasBytes: Bool
        var length: Int
    }

    package static func parse(
        _ stub: inout NDRReader
    ) throws(WireError) -> (SocketAddressBytes, Pointees) {
        let hasBytes = try stub.pointer("lpSockaddr")
        let length = Int(clamping: try stub.uint32("iSockaddrLength"))
        return (SocketAddressBytes([]), Pointees(hasBytes: hasBytes, length: length))
    }

    package mutating func parsePointees(
        _ pointees: Pointees, from stub: inout NDRReader
    ) throws(WireError) {
        guard pointees.hasBytes else { return }
        let count = try stub.conformance(
            elementSize: 1, limit: Self.maximumLength, "lpSockaddr")
        if count != pointees.length { throw stub.wire.invalid("iSockaddrLength", count) }
        bytes = stub.wire.copy(try stub.wire.take(count, "lpSockaddr"))
    }

    package func writeMembers(into stub: inout NDRWriter) {
        stub.pointer(!bytes.isEmpty)
        stub.uint32(UInt32(bytes.count))
    }

    package func writePointees(into stub: inout NDRWriter) {
        guard !bytes.isEmpty else { return }
        stub.uint32(UInt32(bytes.count))
        stub.wire.append(bytes)
    }
}

/// Tells the sites of addresses (MS-NRPC 3.5.4.3.8).
package enum DsrAddressToSiteNamesW: RemoteProcedure {
    package static let opnum: UInt16 = 33
    package static let maximumAddresses = 32_000

    package struct Request: NDRMessage, Equatable, Sendable {
        package var computerName: String?
        package var socketAddresses: [SocketAddressBytes]

        package init(computerName: String?, socketAddresses: [SocketAddressBytes]) {
            self.computerName = computerName
            self.socketAddresses = socketAddresses
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            computerName = try stub.optionalWideText("ComputerName")
            let announced = Int(clamping: try stub.uint32("EntryCount"))
            socketAddresses = try stub.elements(limit: maximumAddresses, "SocketAddresses")
            if socketAddresses.count != announced {
                throw stub.wire.invalid("EntryCount", announced)
            }
            try stub.expectEndOfRequest("DsrAddressToSiteNamesW")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(computerName)
            stub.uint32(UInt32(socketAddresses.count))
            stub.elements(socketAddresses)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        /// NL_SITE_NAME_ARRAY: EntryCount(4) and the names' pointer(4); one for each address.
        package var siteNames: [CountedName]?
        package var status: NetStatus

        package init(siteNames: [CountedName]?, status: NetStatus = .success) {
            self.siteNames = siteNames
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            siteNames = nil
            if try stub.pointer("SiteNames") {
                let array = try stub.countedArray("SiteNames")
                siteNames = try stub.elements(of: array, limit: maximumAddresses, "SiteNames")
            }
            status = try stub.netStatus("status")
            try stub.expectEnd("DsrAddressToSiteNamesW")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(siteNames != nil)
            if let siteNames {
                stub.countedArray(siteNames.count)
                stub.elements(of: siteNames)
            }
            stub.netStatus(status)
        }
    }
}
