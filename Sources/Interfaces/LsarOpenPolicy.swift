import RPC
import Wire

/// Opens the policy (MS-LSAD 3.1.4.4.1).
package enum LsarOpenPolicy2: RemoteProcedure {
    package static let opnum: UInt16 = 44
    package typealias Response = OpenedHandle

    package struct Request: NDRMessage, Equatable, Sendable {
        package var systemName: String?
        package var objectAttributes: LSAObjectAttributes
        package var desiredAccess: UInt32

        package init(
            systemName: String?, objectAttributes: LSAObjectAttributes = LSAObjectAttributes(),
            desiredAccess: UInt32 = LSAAccess.maximumAllowed
        ) {
            self.systemName = systemName
            self.objectAttributes = objectAttributes
            self.desiredAccess = desiredAccess
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            systemName = try stub.optionalWideText("SystemName")
            objectAttributes = try LSAObjectAttributes(parsing: &stub)
            desiredAccess = try stub.uint32("DesiredAccess")
            try stub.expectEndOfRequest("LsarOpenPolicy2")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(systemName)
            objectAttributes.write(into: &stub)
            stub.uint32(desiredAccess)
        }
    }
}

/// The same of old (MS-LSAD 3.1.4.4.2): of the server's name, its first character only, as the
/// interface's text once had it.
package enum LsarOpenPolicy: RemoteProcedure {
    package static let opnum: UInt16 = 6
    package typealias Response = OpenedHandle

    package struct Request: NDRMessage, Equatable, Sendable {
        package var systemName: UInt16?
        package var objectAttributes: LSAObjectAttributes
        package var desiredAccess: UInt32

        package init(
            systemName: UInt16? = UInt16(UInt8(ascii: "\\")),
            objectAttributes: LSAObjectAttributes = LSAObjectAttributes(),
            desiredAccess: UInt32 = LSAAccess.maximumAllowed
        ) {
            self.systemName = systemName
            self.objectAttributes = objectAttributes
            self.desiredAccess = desiredAccess
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            systemName = try stub.pointer("SystemName") ? try stub.uint16("SystemName") : nil
            objectAttributes = try LSAObjectAttributes(parsing: &stub)
            desiredAccess = try stub.uint32("DesiredAccess")
            try stub.expectEndOfRequest("LsarOpenPolicy")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(systemName != nil)
            if let systemName { stub.uint16(systemName) }
            objectAttributes.write(into: &stub)
            stub.uint32(desiredAccess)
        }
    }
}

/// Closes a handle (MS-LSAD 3.1.4.9.4), which comes back all zero.
package enum LsarClose: RemoteProcedure {
    package static let opnum: UInt16 = 0
    package typealias Response = OpenedHandle

    package struct Request: NDRMessage, Equatable, Sendable {
        package var objectHandle: ContextHandle

        package init(objectHandle: ContextHandle) { self.objectHandle = objectHandle }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            objectHandle = try stub.contextHandle("ObjectHandle")
            try stub.expectEndOfRequest("LsarClose")
        }

        package func write(into stub: inout NDRWriter) { stub.contextHandle(objectHandle) }
    }
}
