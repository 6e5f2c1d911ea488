import RPC
import Wire

/// What every RPC server answers about itself (C706 appendix Q, the remote management interface).
package enum Management {
    package static let interface = SyntaxID(
        GUID(
            data1: 0xafa8_bd80, data2: 0x7d8a, data3: 0x11c9, data4: 0xbef4_0800_2b10_2989), 1)

    /// Most interfaces of a list.
    package static let maximumInterfaces = 256
    package static let accessDenied: UInt32 = 5
    /// rpc_s_unknown_authn_service.
    package static let unknownAuthenticationService: UInt32 = 0x6d3
    /// ERROR_INSUFFICIENT_BUFFER: the name does not fit.
    package static let insufficientBuffer: UInt32 = 122
}

/// Which interfaces are served (C706 appendix Q, rpc__mgmt_inq_if_ids).
package enum MgmtInqIfIds: RemoteProcedure {
    package static let opnum: UInt16 = 0

    package struct Request: NDRMessage, Equatable, Sendable {
        package init() {}

        package init(parsing stub: inout NDRReader) throws(WireError) {
            try stub.expectEndOfRequest("rpc__mgmt_inq_if_ids")
        }

        package func write(into stub: inout NDRWriter) {}
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        /// Nil: a null pointer.
        package var interfaces: [SyntaxID]?
        package var status: UInt32

        package init(interfaces: [SyntaxID]?, status: UInt32 = 0) {
            self.interfaces = interfaces
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            interfaces = nil
            if try stub.pointer("if_id_vector") {
                let count = try stub.conformance(
                    elementSize: 4, limit: Management.maximumInterfaces, "if_id_vector")
                let announced = Int(clamping: try stub.uint32("count"))
                if announced != count { throw stub.wire.invalid("count", announced, width: 4) }
                for _ in 0..<count where try !stub.pointer("if_id") {
                    throw stub.wire.invalid("if_id", 0, width: 4)
                }
                var list: [SyntaxID] = []
                for _ in 0..<count {
                    try stub.align(4, "if_id")
                    list.append(try SyntaxID(parsing: &stub.wire))
                }
                interfaces = list
            }
            status = try stub.uint32("status")
            try stub.expectEnd("rpc__mgmt_inq_if_ids")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(interfaces != nil)
            if let interfaces {
                stub.uint32(UInt32(interfaces.count))
                stub.uint32(UInt32(interfaces.count))
                for _ in interfaces { stub.pointer(true) }
                for interface in interfaces { interface.write(into: &stub.wire) }
            }
            stub.uint32(status)
        }
    }
}

/// How many calls and packets came and went (C706 appendix Q, rpc__mgmt_inq_stats).
package enum MgmtInqStats: RemoteProcedure {
    package static let opnum: UInt16 = 1
    /// rpc_c_stats_calls_in, …_calls_out, …_pkts_in, …_pkts_out.
    package static let statistics = 4

    package struct Request: NDRMessage, Equatable, Sendable {
        package var count: UInt32

        package init(count: UInt32) { self.count = count }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            count = try stub.uint32("count")
            // Peers append a number here that the interface has not.
            _ = stub.wire.takeRest()
        }

        package func write(into stub: inout NDRWriter) { stub.uint32(count) }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var statistics: [UInt32]
        package var status: UInt32

        package init(statistics: [UInt32], status: UInt32 = 0) {
            self.statistics = statistics
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            let announced = Int(clamping: try stub.uint32("count"))
            let count = try stub.conformance(
                elementSize: 4, limit: MgmtInqStats.statistics, "statistics")
            if announced != count { throw stub.wire.invalid("statistics", count, width: 4) }
            statistics = []
            for _ in 0..<count { statistics.append(try stub.uint32("statistics")) }
            status = try stub.uint32("status")
            try stub.expectEnd("rpc__mgmt_inq_stats")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(UInt32(statistics.count))
            stub.uint32(UInt32(statistics.count))
            for value in statistics { stub.uint32(value) }
            stub.uint32(status)
        }
    }
}

/// Whether the server takes calls (C706 appendix Q, rpc__mgmt_is_server_listening); the same
/// response without a value ends rpc__mgmt_stop_server_listening.
package enum MgmtIsServerListening: RemoteProcedure {
    package static let opnum: UInt16 = 2
    package typealias Request = MgmtInqIfIds.Request

    package struct Response: NDRMessage, Equatable, Sendable {
        package var status: UInt32
        package var isListening: Bool

        package init(isListening: Bool, status: UInt32 = 0) {
            self.isListening = isListening
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            status = try stub.uint32("status")
            isListening = try stub.uint32("result") != 0
            try stub.expectEnd("rpc__mgmt_is_server_listening")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(status)
            stub.uint32(isListening ? 1 : 0)
        }
    }
}

/// Ends the server, if it lets anybody (C706 appendix Q, rpc__mgmt_stop_server_listening).
package enum MgmtStopServerListening: RemoteProcedure {
    package static let opnum: UInt16 = 3
    package typealias Request = MgmtInqIfIds.Request

    package struct Response: NDRMessage, Equatable, Sendable {
        package var status: UInt32

        package init(status: UInt32) { self.status = status }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            status = try stub.uint32("status")
            try stub.expectEnd("rpc__mgmt_stop_server_listening")
        }

        package func write(into stub: inout NDRWriter) { stub.uint32(status) }
    }
}

/// Under which name the server authenticates (C706 appendix Q, rpc__mgmt_inq_princ_name).
package enum MgmtInqPrincName: RemoteProcedure {
    package static let opnum: UInt16 = 4
    /// Longest name that is read, with its null.
    package static let maximumName = 1_024

    package struct Request: NDRMessage, Equatable, Sendable {
        package var authenticationService: UInt32
        package var nameSize: UInt32

        package init(authenticationService: UInt32, nameSize: UInt32) {
            self.authenticationService = authenticationService
            self.nameSize = nameSize
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            authenticationService = try stub.uint32("authn_proto")
            nameSize = try stub.uint32("princ_name_size")
            try stub.expectEndOfRequest("rpc__mgmt_inq_princ_name")
        }

        package func write(into stub: inout NDRWriter) {
            stub.uint32(authenticationService)
            stub.uint32(nameSize)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        /// The array's room, as it was asked for.
        package var nameSize: UInt32
        package var name: String
        package var status: UInt32

        package init(nameSize: UInt32, name: String, status: UInt32 = 0) {
            self.nameSize = nameSize
            self.name = name
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            let (maximum, actual) = try stub.varyingConformance(elementSize: 1, "princ_name")
            if actual > MgmtInqPrincName.maximumName {
                throw WireError(
                    .limit, layer: stub.wire.layer, field: "princ_name",
                    offset: stub.wire.offset - 4, needed: actual,
                    available: MgmtInqPrincName.maximumName)
            }
            nameSize = UInt32(truncatingIfNeeded: maximum)
            var bytes = stub.wire.copy(try stub.wire.take(actual, "princ_name"))
            if bytes.last == 0 { bytes.removeLast() }
            name = String(decoding: bytes, as: UTF8.self)
            status = try stub.uint32("status")
            try stub.expectEnd("rpc__mgmt_inq_princ_name")
        }

        package func write(into stub: inout NDRWriter) {
            let bytes = Array(name.utf8.prefix(MgmtInqPrincName.maximumName - 1))
            stub.uint32(max(nameSize, UInt32(bytes.count + 1)))
            stub.uint32(0)
            stub.uint32(UInt32(bytes.count + 1))
            stub.wire.append(bytes)
            stub.wire.uint8(0)
            stub.uint32(status)
        }
    }
}
