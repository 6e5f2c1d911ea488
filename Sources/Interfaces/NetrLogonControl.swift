import RPC
import Wire

/// What Netlogon is asked or told to do (MS-NRPC 3.5.4.9.1, FunctionCode).
package struct LogonControlFunction: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let query = LogonControlFunction(rawValue: 1)
    package static let replicate = LogonControlFunction(rawValue: 2)
    package static let synchronize = LogonControlFunction(rawValue: 3)
    package static let pdcReplicate = LogonControlFunction(rawValue: 4)
    package static let rediscover = LogonControlFunction(rawValue: 5)
    package static let trustedChannelQuery = LogonControlFunction(rawValue: 6)
    package static let transportNotify = LogonControlFunction(rawValue: 7)
    package static let findUser = LogonControlFunction(rawValue: 8)
    package static let changePassword = LogonControlFunction(rawValue: 9)
    package static let trustedChannelVerify = LogonControlFunction(rawValue: 10)
    package static let setDebugFlag = LogonControlFunction(rawValue: 0xfffe)
}

/// The parameter of a control call (MS-NRPC 2.2.1.7.1, NETLOGON_CONTROL_DATA_INFORMATION): the
/// function again as the tag(4), then what that function needs.
package enum LogonControlData: Equatable, Sendable {
    case trustedDomainName(String?)
    case userName(String?)
    case debugFlag(UInt32)
    case none

    init(function: LogonControlFunction, parsing stub: inout NDRReader) throws(WireError) {
        let tag = try stub.uint32("Data tag")
        if tag != function.rawValue {
            throw stub.wire.invalid("Data tag", Int(clamping: tag), width: 4)
        }
        switch function {
        case .rediscover, .trustedChannelQuery, .changePassword, .trustedChannelVerify:
            self = .trustedDomainName(try stub.optionalWideText("TrustedDomainName"))
        case .findUser: self = .userName(try stub.optionalWideText("UserName"))
        case .setDebugFlag: self = .debugFlag(try stub.uint32("DebugFlag"))
        // The specification gives it no parameter, and Samba a domain's name.
        case .transportNotify where stub.wire.remaining > 0:
            self = .trustedDomainName(try stub.optionalWideText("TrustedDomainName"))
        case _: self = .none
        }
    }

    func write(function: LogonControlFunction, into stub: inout NDRWriter) {
        stub.uint32(function.rawValue)
        switch self {
        case .trustedDomainName(let name), .userName(let name): stub.optionalWideString(name)
        case .debugFlag(let flag): stub.uint32(flag)
        case .none: break
        }
    }
}

/// What Netlogon says of itself (MS-NRPC 2.2.1.7.2 to 2.2.1.7.5, NETLOGON_INFO_1 to _4).
package enum LogonControlInfo: Equatable, Sendable {
    case info1(flags: UInt32, pdcConnectionStatus: NetStatus)
    case info2(
        flags: UInt32, pdcConnectionStatus: NetStatus, trustedDCName: String?,
        tcConnectionStatus: NetStatus)
    case info3(flags: UInt32, logonAttempts: UInt32)
    case info4(trustedDCName: String?, trustedDomainName: String?)

    package var level: UInt32 {
        switch self {
        case .info1: 1
        case .info2: 2
        case .info3: 3
        case .info4: 4
        }
    }

    init(level: UInt32, parsing stub: inout NDRReader) throws(WireError) {
        switch level {
        case 1:
            let flags = try stub.uint32("netlog1_flags")
            self = .info1(
                flags: flags,
                pdcConnectionStatus: try stub.netStatus("netlog1_pdc_connection_status"))
        case 2:
            let flags = try stub.uint32("netlog2_flags")
            let pdcStatus = try stub.netStatus("netlog2_pdc_connection_status")
            let hasName = try stub.pointer("netlog2_trusted_dc_name")
            let tcStatus = try stub.netStatus("netlog2_tc_connection_status")
            self = .info2(
                flags: flags, pdcConnectionStatus: pdcStatus,
                trustedDCName: hasName ? try stub.wideText("netlog2_trusted_dc_name") : nil,
                tcConnectionStatus: tcStatus)
        case 3:
            let flags = try stub.uint32("netlog3_flags")
            let attempts = try stub.uint32("netlog3_logon_attempts")
            for _ in 0..<5 { _ = try stub.uint32("netlog3_reserved") }
            self = .info3(flags: flags, logonAttempts: attempts)
        case 4:
            let hasController = try stub.pointer("netlog4_trusted_dc_name")
            let hasDomain = try stub.pointer("netlog4_trusted_domain_name")
            let controller = hasController ? try stub.wideText("netlog4_trusted_dc_name") : nil
            let domain = hasDomain ? try stub.wideText("netlog4_trusted_domain_name") : nil
            self = .info4(trustedDCName: controller, trustedDomainName: domain)
        case _: throw stub.wire.invalid("QueryLevel", Int(clamping: level))
        }
    }

    func write(into stub: inout NDRWriter) {
        switch self {
        case .info1(let flags, let status):
            stub.uint32(flags)
            stub.netStatus(status)
        case .info2(let flags, let pdcStatus, let name, let tcStatus):
            stub.uint32(flags)
            stub.netStatus(pdcStatus)
            stub.pointer(name != nil)
            stub.netStatus(tcStatus)
            if let name { stub.wideString(name) }
        case .info3(let flags, let attempts):
            stub.uint32(flags)
            stub.uint32(attempts)
            for _ in 0..<5 { stub.uint32(0) }
        case .info4(let controller, let domain):
            stub.pointer(controller != nil)
            stub.pointer(domain != nil)
            if let controller { stub.wideString(controller) }
            if let domain { stub.wideString(domain) }
        }
    }
}

/// The response of all three control calls: the level as the tag(4), a pointer(4). A level beyond
/// those that are defined has neither pointer nor content.
package struct LogonControlAnswer: NDRMessage, Equatable, Sendable {
    package static let levels: ClosedRange<UInt32> = 1...4

    package var queryLevel: UInt32
    package var buffer: LogonControlInfo?
    package var status: NetStatus

    /// `buffer`, where there is one, is of the level `queryLevel`.
    package init(queryLevel: UInt32, buffer: LogonControlInfo?, status: NetStatus = .success) {
        precondition(buffer == nil || buffer?.level == queryLevel)
        self.queryLevel = queryLevel
        self.buffer = buffer
        self.status = status
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        queryLevel = try stub.uint32("QueryLevel")
        buffer = nil
        if Self.levels.contains(queryLevel), try stub.pointer("Buffer") {
            buffer = try LogonControlInfo(level: queryLevel, parsing: &stub)
        }
        status = try stub.netStatus("status")
        try stub.expectEnd("NetrLogonControl")
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint32(queryLevel)
        if Self.levels.contains(queryLevel) {
            stub.pointer(buffer != nil)
            buffer?.write(into: &stub)
        }
        stub.netStatus(status)
    }
}

/// Asks how Netlogon is (MS-NRPC 3.5.4.9.3).
package enum NetrLogonControl: RemoteProcedure {
    package static let opnum: UInt16 = 12
    package typealias Response = LogonControlAnswer

    package struct Request: NDRMessage, Equatable, Sendable {
        package var serverName: String?
        package var functionCode: LogonControlFunction
        package var queryLevel: UInt32

        package init(serverName: String?, functionCode: LogonControlFunction, queryLevel: UInt32) {
            self.serverName = serverName
            self.functionCode = functionCode
            self.queryLevel = queryLevel
        }

        package init(parsing stub: inout NDRReader) throws(WireError) {
            serverName = try stub.optionalWideText("ServerName")
            functionCode = LogonControlFunction(rawValue: try stub.uint32("FunctionCode"))
            queryLevel = try stub.uint32("QueryLevel")
            try stub.expectEndOfRequest("NetrLogonControl")
        }

        package func write(into stub: inout NDRWriter) {
            stub.optionalWideString(serverName)
            stub.uint32(functionCode.rawValue)
            stub.uint32(queryLevel)
        }
    }
}

/// The request of NetrLogonControl2 and NetrLogonControl2Ex.
package struct LogonControl2Request: NDRMessage, Equatable, Sendable {
    package var serverName: String?
    package var functionCode: LogonControlFunction
    package var queryLevel: UInt32
    package var data: LogonControlData

    package init(
        serverName: String?, functionCode: LogonControlFunction, queryLevel: UInt32,
        data: LogonControlData
    ) {
        self.serverName = serverName
        self.functionCode = functionCode
        self.queryLevel = queryLevel
        self.data = data
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        serverName = try stub.optionalWideText("ServerName")
        functionCode = LogonControlFunction(rawValue: try stub.uint32("FunctionCode"))
        queryLevel = try stub.uint32("QueryLevel")
        data = try LogonControlData(function: functionCode, parsing: &stub)
        try stub.expectEndOfRequest("NetrLogonControl2")
    }

    package func write(into stub: inout NDRWriter) {
        stub.optionalWideString(serverName)
        stub.uint32(functionCode.rawValue)
        stub.uint32(queryLevel)
        data.write(function: functionCode, into: &stub)
    }
}

/// The same of a trusted domain's channel (MS-NRPC 3.5.4.9.2).
package enum NetrLogonControl2: RemoteProcedure {
    package static let opnum: UInt16 = 14
    package typealias Request = LogonControl2Request
    package typealias Response = LogonControlAnswer
}

/// The same with all levels (MS-NRPC 3.5.4.9.1).
package enum NetrLogonControl2Ex: RemoteProcedure {
    package static let opnum: UInt16 = 18
    package typealias Request = LogonControl2Request
    package typealias Response = LogonControlAnswer
}
