import RPC
import Wire

/// The response of both: the controller's name with its two backslashes.
package struct ControllerName: NDRMessage, Equatable, Sendable {
    package var buffer: String?
    package var status: NetStatus

    package init(buffer: String?, status: NetStatus = .success) {
        self.buffer = buffer
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        buffer = try stub.optionalWideText("Buffer")
        status = try stub.netStatus("status")
        try stub.expectEnd("NetrGetDCName")
    }

    package func write(into stub: inout NDRWriter) {
        stub.optionalWideString(buffer)
        stub.netStatus(status)
    }
}

/// Tells a domain's primary controller (MS-NRPC 3.5.4.3.4).
package enum NetrGetDCName: RemoteProcedure {
    package static let opnum: UInt16 = 11
    package typealias Response = ControllerName

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String
        package var domainName: String?

        package init(serverName: String, domainName: String?) {
            self.serverName = serverName
            self.domainName = domainName
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.wideText("ServerName")
            domainName = try stub.optionalWideText("DomainName")
            try stub.expectEndOfRequest("NetrGetDCName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.wideString(serverName)
            stub.optionalWideString(domainName)
        }
    }
}

/// Tells any controller of a domain (MS-NRPC 3.5.4.3.5).
package enum NetrGetAnyDCName: RemoteProcedure {
    package static let opnum: UInt16 = 13
    package typealias Response = ControllerName

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String?
        package var domainName: String?

        package init(serverName: String?, domainName: String?) {
            self.serverName = serverName
            self.domainName = domainName
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.optionalWideText("ServerName")
            domainName = try stub.optionalWideText("DomainName")
            try stub.expectEndOfRequest("NetrGetAnyDCName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(serverName)
            stub.optionalWideString(domainName)
        }
    }
}
