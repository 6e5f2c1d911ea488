import RPC
import Wire

/// A controller and where it is (MS-NRPC 2.2.1.2.1, DOMAIN_CONTROLLER_INFOW):
/// ```
/// DomainControllerName(4)  DomainControllerAddress(4)  DomainControllerAddressType(4)
/// DomainGuid(16)  DomainName(4)  DnsForestName(4)  Flags(4)  DcSiteName(4)  ClientSiteName(4)
/// ```
package struct DomainControllerInfo: Equatable, Sendable {
    /// The address is one of the internet protocol, or a NetBIOS name.
    package static let internetAddress: UInt32 = 1
    package static let netBIOSAddress: UInt32 = 2

    package var domainControllerName: String?
    package var domainControllerAddress: String?
    package var addressType: UInt32
    package var domainGUID: GUID
    package var domainName: String?
    package var dnsForestName: String?
    package var flags: UInt32
    package var dcSiteName: String?
    package var clientSiteName: String?

    package init(
        domainControllerName: String?, domainControllerAddress: String?, addressType: UInt32,
        domainGUID: GUID = .zero, domainName: String?, dnsForestName: String? = nil,
        flags: UInt32, dcSiteName: String? = nil, clientSiteName: String? = nil
    ) {
        self.domainControllerName = domainControllerName
        self.domainControllerAddress = domainControllerAddress
        self.addressType = addressType
        self.domainGUID = domainGUID
        self.domainName = domainName
        self.dnsForestName = dnsForestName
        self.flags = flags
        self.dcSiteName = dcSiteName
        self.clientSiteName = clientSiteName
    }

    init(parsing stub: inout NDRReader) throws(WireError) {
        let hasName = try stub.pointer("DomainControllerName")
        let hasAddress = try stub.pointer("DomainControllerAddress")
        addressType = try stub.uint32("DomainControllerAddressType")
        domainGUID = try GUID(parsing: &stub.wire)
        let hasDomain = try stub.pointer("DomainName")
        let hasForest = try stub.pointer("DnsForestName")
        flags = try stub.uint32("Flags")
        let hasSite = try stub.pointer("DcSiteName")
        let hasClientSite = try stub.pointer("ClientSiteName")
        domainControllerName = hasName ? try stub.wideText("DomainControllerName") : nil
        domainControllerAddress = hasAddress ? try stub.wideText("DomainControllerAddress") : nil
        domainName = hasDomain ? try stub.wideText("DomainName") : nil
        dnsForestName = hasForest ? try stub.wideText("DnsForestName") : nil
        dcSiteName = hasSite ? try stub.wideText("DcSiteName") : nil
        clientSiteName = hasClientSite ? try stub.wideText("ClientSiteName") : nil
    }

    func write(into stub: inout NDRWriter) {
        stub.pointer(domainControllerName != nil)
        stub.pointer(domainControllerAddress != nil)
        stub.uint32(addressType)
        domainGUID.write(into: &stub.wire)
        stub.pointer(domainName != nil)
        stub.pointer(dnsForestName != nil)
        stub.uint32(flags)
        stub.pointer(dcSiteName != nil)
        stub.pointer(clientSiteName != nil)
        if let domainControllerName { stub.wideString(domainControllerName) }
        if let domainControllerAddress { stub.wideString(domainControllerAddress) }
        if let domainName { stub.wideString(domainName) }
        if let dnsForestName { stub.wideString(dnsForestName) }
        if let dcSiteName { stub.wideString(dcSiteName) }
        if let clientSiteName { stub.wideString(clientSiteName) }
    }
}

/// The response of all three calls that find a controller.
package struct FoundController: NDRMessage, Equatable, Sendable {
    package var domainControllerInfo: DomainControllerInfo?
    package var status: NetStatus

    package init(domainControllerInfo: DomainControllerInfo?, status: NetStatus = .success) {
        self.domainControllerInfo = domainControllerInfo
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        domainControllerInfo =
            try stub.pointer("DomainControllerInfo")
            ? try DomainControllerInfo(parsing: &stub) : nil
        status = try stub.netStatus("status")
        try stub.expectEnd("DsrGetDcName")
    }

    package func write(into stub: inout NDRWriter) {
        stub.pointer(domainControllerInfo != nil)
        domainControllerInfo?.write(into: &stub)
        stub.netStatus(status)
    }
}

extension NDRReader {
    @_lifetime(self: copy self)
    mutating func optionalGUID(_ field: StaticString) throws(WireError) -> GUID? {
        try pointer(field) ? try GUID(parsing: &wire) : nil
    }
}

extension NDRWriter {
    mutating func optionalGUID(_ guid: GUID?) {
        pointer(guid != nil)
        guid?.write(into: &wire)
    }
}

/// Finds a controller (MS-NRPC 3.5.4.3.3). Flags are those of 3.5.4.3.1.
package enum DsrGetDcName: RemoteProcedure {
    package static let opnum: UInt16 = 20
    package typealias Response = FoundController

    package struct Request: NDRMessage, Equatable, Sendable {
        package var computerName: String?
        package var domainName: String?
        package var domainGUID: GUID?
        package var siteGUID: GUID?
        package var flags: UInt32

        package init(
            computerName: String?, domainName: String?, domainGUID: GUID? = nil,
            siteGUID: GUID? = nil, flags: UInt32 = 0
        ) {
            self.computerName = computerName
            self.domainName = domainName
            self.domainGUID = domainGUID
            self.siteGUID = siteGUID
            self.flags = flags
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            computerName = try stub.optionalWideText("ComputerName")
            domainName = try stub.optionalWideText("DomainName")
            domainGUID = try stub.optionalGUID("DomainGuid")
            siteGUID = try stub.optionalGUID("SiteGuid")
            flags = try stub.uint32("Flags")
            try stub.expectEndOfRequest("DsrGetDcName")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(computerName)
            stub.optionalWideString(domainName)
            stub.optionalGUID(domainGUID)
            stub.optionalGUID(siteGUID)
            stub.uint32(flags)
        }
    }
}

/// The same with a site's name (MS-NRPC 3.5.4.3.2).
package enum DsrGetDcNameEx: RemoteProcedure {
    package static let opnum: UInt16 = 27
    package typealias Response = FoundController

    package struct Request: NDRMessage, Equatable, Sendable {
        package var computerName: String?
        package var domainName: String?
        package var domainGUID: GUID?
        package var siteName: String?
        package var flags: UInt32

        package init(
            computerName: String?, domainName: String?, domainGUID: GUID? = nil,
            siteName: String? = nil, flags: UInt32 = 0
        ) {
            self.computerName = computerName
            self.domainName = domainName
            self.domainGUID = domainGUID
            self.siteName = siteName
            self.flags = flags
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            computerName = try stub.optionalWideText("ComputerName")
            domainName = try stub.optionalWideText("DomainName")
            domainGUID = try stub.optionalGUID("DomainGuid")
            siteName = try stub.optionalWideText("SiteName")
            flags = try stub.uint32("Flags")
            try stub.expectEndOfRequest("DsrGetDcNameEx")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(computerName)
            stub.optionalWideString(domainName)
            stub.optionalGUID(domainGUID)
            stub.optionalWideString(siteName)
            stub.uint32(flags)
        }
    }
}

/// The same for an account that the controller must know (MS-NRPC 3.5.4.3.1).
package enum DsrGetDcNameEx2: RemoteProcedure {
    package static let opnum: UInt16 = 34
    package typealias Response = FoundController

    package struct Request: NDRMessage, Equatable, Sendable {
        package var computerName: String?
        package var accountName: String?
        /// Which kinds of account, as in a SAM LOGON request.
        package var allowableAccountControlBits: UInt32
        package var domainName: String?
        package var domainGUID: GUID?
        package var siteName: String?
        package var flags: UInt32

        package init(
            computerName: String?, accountName: String? = nil,
            allowableAccountControlBits: UInt32 = 0, domainName: String?,
            domainGUID: GUID? = nil, siteName: String? = nil, flags: UInt32 = 0
        ) {
            self.computerName = computerName
            self.accountName = accountName
            self.allowableAccountControlBits = allowableAccountControlBits
            self.domainName = domainName
            self.domainGUID = domainGUID
            self.siteName = siteName
            self.flags = flags
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            computerName = try stub.optionalWideText("ComputerName")
            accountName = try stub.optionalWideText("AccountName")
            allowableAccountControlBits = try stub.uint32("AllowableAccountControlBits")
            domainName = try stub.optionalWideText("DomainName")
            domainGUID = try stub.optionalGUID("DomainGuid")
            siteName = try stub.optionalWideText("SiteName")
            flags = try stub.uint32("Flags")
            try stub.expectEndOfRequest("DsrGetDcNameEx2")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(computerName)
            stub.optionalWideString(accountName)
            stub.uint32(allowableAccountControlBits)
            stub.optionalWideString(domainName)
            stub.optionalGUID(domainGUID)
            stub.optionalWideString(siteName)
            stub.uint32(flags)
        }
    }
}
