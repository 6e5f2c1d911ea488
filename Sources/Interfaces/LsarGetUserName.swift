import RPC
import Wire

/// Tells a caller who it is (MS-LSAT 3.1.4.4).
package enum LsarGetUserName: RemoteProcedure {
    package static let opnum: UInt16 = 45

    package struct Request: NDRMessage, Equatable, Sendable {
        package var systemName: String?
        /// Must be absent, as the domain's name must, which only is asked for.
        package var userName: String?
        package var wantsDomainName: Bool
        package var domainName: String?

        package init(
            systemName: String?, userName: String? = nil, wantsDomainName: Bool = true,
            domainName: String? = nil
        ) {
            self.systemName = systemName
            self.userName = userName
            self.wantsDomainName = wantsDomainName
            self.domainName = domainName
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            systemName = try stub.optionalWideText("SystemName")
            userName = nil
            if try stub.pointer("UserName") {
                userName = try stub.unicodeString("UserName") ?? ""
            }
            wantsDomainName = try stub.pointer("DomainName")
            domainName = nil
            if wantsDomainName, try stub.pointer("DomainName") {
                domainName = try stub.unicodeString("DomainName") ?? ""
            }
            try stub.expectEndOfRequest("LsarGetUserName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(systemName)
            stub.pointer(userName != nil)
            if userName != nil { stub.unicodeString(userName) }
            stub.pointer(wantsDomainName)
            if wantsDomainName { stub.pointer(domainName != nil) }
            if wantsDomainName, domainName != nil { stub.unicodeString(domainName) }
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
