import RPC
import Wire

/// The number that a privilege has on this host (MS-LSAD 3.1.4.8.2).
package enum LsarLookupPrivilegeValue: RemoteProcedure {
    package static let opnum: UInt16 = 31

    package struct Request: NDRMessage, Equatable, Sendable {
        package var policyHandle: ContextHandle
        package var name: String?

        package init(policyHandle: ContextHandle, name: String?) {
            self.policyHandle = policyHandle
            self.name = name
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            policyHandle = try stub.contextHandle("PolicyHandle")
            name = try stub.unicodeString("Name")
            try stub.expectEndOfRequest("LsarLookupPrivilegeValue")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(policyHandle)
            stub.unicodeString(name)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var value: UInt64
        package var status: NTStatus

        package init(value: UInt64, status: NTStatus = .success) {
            self.value = value
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            value = try stub.longPair("Value")
            status = try stub.status("status")
            try stub.expectEnd("LsarLookupPrivilegeValue")
        }

        package func write(into stub: inout NDRWriter) {
            stub.longPair(value)
            stub.status(status)
        }
    }
}

/// The name of the privilege with a number (MS-LSAD 3.1.4.8.3).
package enum LsarLookupPrivilegeName: RemoteProcedure {
    package static let opnum: UInt16 = 32

    package struct Request: NDRMessage, Equatable, Sendable {
        package var policyHandle: ContextHandle
        package var value: UInt64

        package init(policyHandle: ContextHandle, value: UInt64) {
            self.policyHandle = policyHandle
            self.value = value
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            policyHandle = try stub.contextHandle("PolicyHandle")
            value = try stub.longPair("Value")
            try stub.expectEndOfRequest("LsarLookupPrivilegeName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(policyHandle)
            stub.longPair(value)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var name: String?
        package var status: NTStatus

        package init(name: String?, status: NTStatus = .success) {
            self.name = name
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            name = try stub.optionalUnicodeString("Name")
            status = try stub.status("status")
            try stub.expectEnd("LsarLookupPrivilegeName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalUnicodeString(name)
            stub.status(status)
        }
    }
}

/// What a privilege is called in a language (MS-LSAD 3.1.4.8.4).
package enum LsarLookupPrivilegeDisplayName: RemoteProcedure {
    package static let opnum: UInt16 = 33
    /// English, as spoken in the United States.
    package static let english: UInt16 = 0x0409

    package struct Request: NDRMessage, Equatable, Sendable {
        package var policyHandle: ContextHandle
        package var name: String?
        package var clientLanguage: UInt16
        package var clientSystemDefaultLanguage: UInt16

        package init(
            policyHandle: ContextHandle, name: String?,
            clientLanguage: UInt16 = LsarLookupPrivilegeDisplayName.english,
            clientSystemDefaultLanguage: UInt16 = LsarLookupPrivilegeDisplayName.english
        ) {
            self.policyHandle = policyHandle
            self.name = name
            self.clientLanguage = clientLanguage
            self.clientSystemDefaultLanguage = clientSystemDefaultLanguage
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            policyHandle = try stub.contextHandle("PolicyHandle")
            name = try stub.unicodeString("Name")
            clientLanguage = try stub.uint16("ClientLanguage")
            clientSystemDefaultLanguage = try stub.uint16("ClientSystemDefaultLanguage")
            try stub.expectEndOfRequest("LsarLookupPrivilegeDisplayName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.contextHandle(policyHandle)
            stub.unicodeString(name)
            stub.uint16(clientLanguage)
            stub.uint16(clientSystemDefaultLanguage)
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var displayName: String?
        package var languageReturned: UInt16
        package var status: NTStatus

        package init(
            displayName: String?,
            languageReturned: UInt16 = LsarLookupPrivilegeDisplayName.english,
            status: NTStatus = .success
        ) {
            self.displayName = displayName
            self.languageReturned = languageReturned
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            displayName = try stub.optionalUnicodeString("DisplayName")
            languageReturned = try stub.uint16("LanguageReturned")
            status = try stub.status("status")
            try stub.expectEnd("LsarLookupPrivilegeDisplayName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalUnicodeString(displayName)
            stub.uint16(languageReturned)
            stub.status(status)
        }
    }
}

extension NDRReader {
    /// A pointer to an RPC_UNICODE_STRING; nil also where that has no buffer.
    @_lifetime(self: copy self)
    fileprivate mutating func optionalUnicodeString(
        _ field: StaticString
    ) throws(WireError) -> String? {
        try pointer(field) ? try unicodeString(field) : nil
    }
}

extension NDRWriter {
    fileprivate mutating func optionalUnicodeString(_ text: String?) {
        pointer(text != nil)
        if let text { unicodeString(text) }
    }
}
