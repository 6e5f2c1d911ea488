import RPC
import Wire

/// Opens the server object, for clients of NT 3.1 (MS-SAMR 3.1.5.1.4). The server's name is one
/// character here, not a text: the interface's oldest slip, kept for its oldest clients.
package enum SamrConnect: RemoteProcedure {
    package static let opnum: UInt16 = 0
    package typealias Response = SamrHandleResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        /// The name's first character, a backslash.
        package var serverName: UInt16?
        package var desiredAccess: UInt32

        package init(
            serverName: UInt16? = 0x5c, desiredAccess: UInt32 = SAMR.maximumAllowed
        ) {
            self.serverName = serverName
            self.desiredAccess = desiredAccess
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.pointer("ServerName") ? try stub.uint16("ServerName") : nil
            desiredAccess = try stub.uint32("DesiredAccess")
            try stub.expectEndOfRequest("SamrConnect")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(serverName != nil)
            if let serverName { stub.uint16(serverName) }
            stub.uint32(desiredAccess)
        }
    }
}

/// Opens the server object (MS-SAMR 3.1.5.1.3).
package enum SamrConnect2: RemoteProcedure {
    package static let opnum: UInt16 = 57
    package typealias Response = SamrHandleResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String?
        package var desiredAccess: UInt32

        package init(serverName: String? = nil, desiredAccess: UInt32 = SAMR.maximumAllowed) {
            self.serverName = serverName
            self.desiredAccess = desiredAccess
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.optionalWideText("ServerName")
            desiredAccess = try stub.uint32("DesiredAccess")
            try stub.expectEndOfRequest("SamrConnect2")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(serverName)
            stub.uint32(desiredAccess)
        }
    }
}

/// The same with the client's revision (MS-SAMR 3.1.5.1.2).
package enum SamrConnect4: RemoteProcedure {
    package static let opnum: UInt16 = 62
    package typealias Response = SamrHandleResponse

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String?
        /// 1 for NT 4.0, 2 for Windows 2000.
        package var clientRevision: UInt32
        package var desiredAccess: UInt32

        package init(
            serverName: String? = nil, clientRevision: UInt32 = 2,
            desiredAccess: UInt32 = SAMR.maximumAllowed
        ) {
            self.serverName = serverName
            self.clientRevision = clientRevision
            self.desiredAccess = desiredAccess
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.optionalWideText("ServerName")
            clientRevision = try stub.uint32("ClientRevision")
            desiredAccess = try stub.uint32("DesiredAccess")
            try stub.expectEndOfRequest("SamrConnect4")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(serverName)
            stub.uint32(clientRevision)
            stub.uint32(desiredAccess)
        }
    }
}

/// What a peer's protocol can do (MS-SAMR 2.2.7.15, SAMPR_REVISION_INFO_V1).
package struct SamrRevision: Equatable, Sendable {
    package var revision: UInt32
    package var supportedFeatures: UInt32

    package init(revision: UInt32 = 3, supportedFeatures: UInt32 = 0) {
        self.revision = revision
        self.supportedFeatures = supportedFeatures
    }

    /// The version(4), once more as the union's tag(4), and the structure.
    init(parsing stub: inout NDRReader) throws(WireError) {
        let version = try stub.uint32("Version")
        if version != 1 { throw stub.wire.invalid("Version", Int(version), width: 4) }
        let tag = try stub.uint32("RevisionInfo")
        if tag != version { throw stub.wire.invalid("RevisionInfo", Int(tag), width: 4) }
        revision = try stub.uint32("Revision")
        supportedFeatures = try stub.uint32("SupportedFeatures")
    }

    func write(into stub: inout NDRWriter) {
        stub.uint32(1)
        stub.uint32(1)
        stub.uint32(revision)
        stub.uint32(supportedFeatures)
    }
}

/// The same with revisions exchanged (MS-SAMR 3.1.5.1.1).
package enum SamrConnect5: RemoteProcedure {
    package static let opnum: UInt16 = 64

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String?
        package var desiredAccess: UInt32
        package var revision: SamrRevision

        package init(
            serverName: String? = nil, desiredAccess: UInt32 = SAMR.maximumAllowed,
            revision: SamrRevision = SamrRevision()
        ) {
            self.serverName = serverName
            self.desiredAccess = desiredAccess
            self.revision = revision
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.optionalWideText("ServerName")
            desiredAccess = try stub.uint32("DesiredAccess")
            revision = try SamrRevision(parsing: &stub)
            try stub.expectEndOfRequest("SamrConnect5")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(serverName)
            stub.uint32(desiredAccess)
            revision.write(into: &stub)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var revision: SamrRevision
        package var handle: ContextHandle
        package var status: NTStatus

        package init(
            revision: SamrRevision = SamrRevision(), handle: ContextHandle,
            status: NTStatus = .success
        ) {
            self.revision = revision
            self.handle = handle
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            revision = try SamrRevision(parsing: &stub)
            handle = try stub.contextHandle("ServerHandle")
            status = try stub.status("status")
            try stub.expectEnd("SamrConnect5")
        }

        package func write(into stub: inout NDRWriter) {
            revision.write(into: &stub)
            stub.contextHandle(handle)
            stub.status(status)
        }
    }
}
