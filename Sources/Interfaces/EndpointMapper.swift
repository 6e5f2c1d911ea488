import RPC
import Wire

/// The endpoint mapper (C706 appendix O, MS-RPCE 2.2.1.2).
package enum EndpointMapper {
    package static let interface = SyntaxID(
        GUID(
            data1: 0xe1af_8308, data2: 0x5d1f, data3: 0x11c9, data4: 0x91a4_0800_2b14_a0fa), 3)

    package static let port: UInt16 = 135
    /// Below `\PIPE\`.
    package static let pipe = "epmapper"
    /// What a client asks for and this server gives at most, in one call.
    package static let maximumTowers = 500

    /// ept_s_not_registered.
    package static let notRegistered: UInt32 = 0x16c9_a0d6
}

/// Asks where an interface is served (C706 appendix O, ept_map).
package enum EptMap: RemoteProcedure {
    package static let opnum: UInt16 = 3

    package struct Request: NDRMessage, Equatable, Sendable {
        package var object: GUID?
        /// With zeros for what is asked.
        package var mapTower: ProtocolTower?
        /// Null at the start; then what the last response gave.
        package var entryHandle: ContextHandle
        package var maximumTowers: UInt32

        package init(
            object: GUID? = nil, mapTower: ProtocolTower?, entryHandle: ContextHandle = .null,
            maximumTowers: UInt32 = 1
        ) {
            self.object = object
            self.mapTower = mapTower
            self.entryHandle = entryHandle
            self.maximumTowers = maximumTowers
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            object = nil
            if try stub.pointer("object") {
                try stub.align(4, "object")
                object = try GUID(parsing: &stub.wire)
            }
            mapTower = nil
            if try stub.pointer("map_tower") { mapTower = try ProtocolTower(parsing: &stub) }
            entryHandle = try stub.contextHandle("entry_handle")
            maximumTowers = try stub.uint32("max_towers")
            try stub.expectEndOfRequest("ept_map")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(object != nil)
            object?.write(into: &stub.wire)
            stub.pointer(mapTower != nil)
            mapTower?.write(into: &stub)
            stub.contextHandle(entryHandle)
            stub.uint32(maximumTowers)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var entryHandle: ContextHandle
        package var towers: [ProtocolTower]
        /// How many the caller had asked for: the array's room.
        package var maximumTowers: UInt32
        /// Zero, or an error of the endpoint mapper's own kind.
        package var status: UInt32

        package init(
            entryHandle: ContextHandle = .null, towers: [ProtocolTower], maximumTowers: UInt32,
            status: UInt32 = 0
        ) {
            self.entryHandle = entryHandle
            self.towers = towers
            self.maximumTowers = maximumTowers
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            entryHandle = try stub.contextHandle("entry_handle")
            let announced = Int(clamping: try stub.uint32("num_towers"))
            let (maximum, actual) = try stub.varyingConformance(elementSize: 4, "towers")
            if actual != announced { throw stub.wire.invalid("towers", actual, width: 4) }
            if actual > EndpointMapper.maximumTowers {
                throw WireError(
                    .limit, layer: stub.wire.layer, field: "towers", offset: stub.wire.offset - 4,
                    needed: actual, available: EndpointMapper.maximumTowers)
            }
            maximumTowers = UInt32(truncatingIfNeeded: maximum)
            var present = 0
            for _ in 0..<actual where try stub.pointer("tower") { present += 1 }
            towers = []
            towers.reserveCapacity(present)
            for _ in 0..<present { towers.append(try ProtocolTower(parsing: &stub)) }
            status = try stub.uint32("status")
            try stub.expectEnd("ept_map")
        }

        package func write(into stub: inout NDRWriter) {
            let count = UInt32(towers.count)
            stub.contextHandle(entryHandle)
            stub.uint32(count)
            stub.uint32(max(maximumTowers, count))
            stub.uint32(0)
            stub.uint32(count)
            for _ in towers { stub.pointer(true) }
            for tower in towers { tower.write(into: &stub) }
            stub.uint32(status)
        }
    }
}
