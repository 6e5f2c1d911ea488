import RPC
import Wire

/// Tells a caller who it is (MS-LSAT 3.1.4.4).
package enum LsarGetUserName: RemoteProcedure {
    package static let opnum: UInt16 = 45

    package struct Request: NDRMessage, Equatable, Sendable {
        package var systemName: String?
        /// Not heeded.
        package var userName: String?
        /// Whether the domain's name is wanted too.
        package var wantsDomainName: Bool

        package init(
            systemName: String?, userName: String? = nil, wantsDomainName: Bool = true
        ) {
            self.systemName = systemName
            self.userName = userName
            self.wantsDomainName = wantsDomainName
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            systemName = try stub.optionalWideText("SystemName")
            userName = try stub.pointer("UserName") ? try stub.unicodeString("UserName") : nil
            wantsDomainName = try stub.pointer("DomainName")
            if wantsDomainName, try stub.pointer("DomainName") {
                _ = try stub.unicodeString("DomainName")
            }
            try stub.expectEndOfRequest("LsarGetUserName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(systemName)
            stub.pointer(userName != nil)
            if userName != nil { stub.unicodeString(userName) }
            stub.pointer(wantsDomainName)
            if wantsDomainName { stub.pointer(false) }
        }
    }

    package struct Response: NDRMessage, Equatable, Sendable {
        package var userName: String?
        package var domainName: String?
        package var status: NTStatus

        package init(userName: String?, domainName: String?, status: NTStatus = .success) {
            self.userName = userName
            self.domainName = domainName
            self.status = status
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            userName = try stub.pointer("UserName") ? try stub.unicodeString("UserName") : nil
            domainName = nil
            if try stub.pointer("DomainName"), try stub.pointer("DomainName") {
                domainName = try stub.unicodeString("DomainName")
            }
            status = try stub.status("status")
            try stub.expectEnd("LsarGetUserName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.pointer(userName != nil)
            if userName != nil { stub.unicodeString(userName) }
            stub.pointer(domainName != nil)
            if domainName != nil {
                stub.pointer(true)
                stub.unicodeString(domainName)
            }
            stub.status(status)
        }
    }
}
