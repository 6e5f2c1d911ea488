import Wire

extension RAP {
    /// A request (MS-RAP 2.5.1), as the parameters of its transaction.
    ///
    ///     | RAPOpcode (2) | ParamDesc | DataDesc | RAPParams … |
    ///
    /// The descriptors, null-terminated, say what the arguments and the answer's records consist
    /// of. They belong to the opcode and the level; others are refused.
    package enum Request: Equatable, Sendable, CustomStringConvertible {
        /// MS-RAP 2.5.6.1.1: the shares.
        case shareEnum(level: UInt16, receiveBufferSize: UInt16)
        /// 2.5.6.2.1.
        case shareGetInfo(name: String, level: UInt16, receiveBufferSize: UInt16)
        /// 2.5.5.1.1.
        case serverGetInfo(level: UInt16, receiveBufferSize: UInt16)
        /// 2.5.8.1.1.
        case userGetInfo(name: String, level: UInt16, receiveBufferSize: UInt16)
        /// 2.5.10.1.1.
        case workstationGetInfo(level: UInt16, receiveBufferSize: UInt16)
        /// 2.5.9.1.1.
        case remoteTimeOfDay(receiveBufferSize: UInt16)
        /// 2.5.5.2.1: the servers of a domain, or the domains. Without a domain, the server's own.
        case serverEnum2(
            level: UInt16, receiveBufferSize: UInt16, serverType: UInt32, domain: String?)
        /// 2.5.5.3.1: the same from a name on.
        case serverEnum3(
            level: UInt16, receiveBufferSize: UInt16, serverType: UInt32, domain: String,
            firstNameToReturn: String)
        case userLogon(UserLogonRequest)
        case userLogoff(UserLogoffRequest)
        /// SamOEMChangePassword: the new password is in the transaction's data.
        case oemChangePassword(user: String, dataLength: UInt16)
        case other(Opcode)

        /// The longest of ours has 31 characters.
        static let longestDescriptor = 64

        package init(parsing reader: inout WireReader) throws(WireError) {
            let opcode = Opcode(rawValue: try reader.uint16LE("RAPOpcode"))
            let parameters = try Self.descriptor(&reader, "ParamDesc")
            let data = try Self.descriptor(&reader, "DataDesc")
            let arguments = reader.offset
            self = try Self.parse(opcode, parameters, &reader)
            if case .other = self { return }
            try reader.expectEnd("RAPParams")
            let own = descriptors
            // A level that is not known has no descriptor to compare with.
            if parameters != own.parameters && parameters != own.otherParameters
                || own.data != nil && data != own.data
            {
                try reader.seek(arguments, "DataDesc")
                throw reader.invalid("DataDesc", data.utf8.count)
            }
        }

        private static func descriptor(
            _ reader: inout WireReader, _ field: StaticString
        ) throws(WireError) -> String {
            let range = try reader.take(through: 0, field)
            if range.count > longestDescriptor {
                throw WireError(
                    .limit, layer: reader.layer, field: field, offset: range.lowerBound,
                    needed: range.count, available: longestDescriptor)
            }
            return OEMCodePage.string(reader.copy(range))
        }

        private static func parse(
            _ opcode: Opcode, _ parameters: String, _ reader: inout WireReader
        ) throws(WireError) -> Request {
            switch opcode {
            case .shareEnum:
                let level = try reader.uint16LE("InfoLevel")
                return .shareEnum(level: level, receiveBufferSize: try bufferSize(&reader))
            case .shareGetInfo:
                let name = try reader.oemString("ShareName")
                let level = try reader.uint16LE("InfoLevel")
                return .shareGetInfo(
                    name: name, level: level, receiveBufferSize: try bufferSize(&reader))
            case .serverGetInfo:
                let level = try reader.uint16LE("InfoLevel")
                return .serverGetInfo(level: level, receiveBufferSize: try bufferSize(&reader))
            case .userGetInfo:
                let name = try reader.oemString("UserName")
                let level = try reader.uint16LE("InfoLevel")
                return .userGetInfo(
                    name: name, level: level, receiveBufferSize: try bufferSize(&reader))
            case .workstationGetInfo:
                let level = try reader.uint16LE("InfoLevel")
                return .workstationGetInfo(
                    level: level, receiveBufferSize: try bufferSize(&reader))
            case .remoteTimeOfDay:
                return .remoteTimeOfDay(receiveBufferSize: try bufferSize(&reader))
            case .serverEnum2, .serverEnum3:
                return try serverEnum(opcode, parameters, &reader)
            case .workstationUserLogon:
                return .userLogon(
                    try UserLogonRequest(parsing: &reader, parameters))
            case .workstationUserLogoff:
                return .userLogoff(try UserLogoffRequest(parsing: &reader, parameters))
            case .oemChangePassword:
                let user = try reader.oemString("UserName")
                return .oemChangePassword(
                    user: user, dataLength: try reader.uint16LE("DataLength"))
            case _:
                _ = reader.takeRest()
                return .other(opcode)
            }
        }

        private static func bufferSize(
            _ reader: inout WireReader
        ) throws(WireError) -> UInt16 {
            try reader.uint16LE("ReceiveBufferSize")
        }

        private static func serverEnum(
            _ opcode: Opcode, _ parameters: String, _ reader: inout WireReader
        ) throws(WireError) -> Request {
            let level = try reader.uint16LE("InfoLevel")
            let size = try bufferSize(&reader)
            let type = try reader.uint32LE("ServerType")
            if opcode == .serverEnum3 {
                let domain = try reader.oemString("Domain")
                return .serverEnum3(
                    level: level, receiveBufferSize: size, serverType: type, domain: domain,
                    firstNameToReturn: try reader.oemString("FirstNameToReturn"))
            }
            // "O" is an argument that is not there.
            let domain = parameters.utf8.last == UInt8(ascii: "O")
                ? nil : try reader.oemString("Domain")
            return .serverEnum2(
                level: level, receiveBufferSize: size, serverType: type, domain: domain)
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(opcode.rawValue)
            let descriptors = descriptors
            writer.oemString(descriptors.parameters)
            writer.oemString(descriptors.data ?? "")
            switch self {
            case .shareEnum(let level, let size), .serverGetInfo(let level, let size),
                .workstationGetInfo(let level, let size):
                writer.uint16LE(level)
                writer.uint16LE(size)
            case .shareGetInfo(let name, let level, let size),
                .userGetInfo(let name, let level, let size):
                writer.oemString(name)
                writer.uint16LE(level)
                writer.uint16LE(size)
            case .remoteTimeOfDay(let size):
                writer.uint16LE(size)
            case .serverEnum2(let level, let size, let type, let domain):
                writer.uint16LE(level)
                writer.uint16LE(size)
                writer.uint32LE(type)
                if let domain { writer.oemString(domain) }
            case .serverEnum3(let level, let size, let type, let domain, let first):
                writer.uint16LE(level)
                writer.uint16LE(size)
                writer.uint32LE(type)
                writer.oemString(domain)
                writer.oemString(first)
            case .userLogon(let request): request.write(into: &writer)
            case .userLogoff(let request): request.write(into: &writer)
            case .oemChangePassword(let user, let length):
                writer.oemString(user)
                writer.uint16LE(length)
            case .other:
                break
            }
        }
    }
}

extension RAP.Request {
    package var opcode: RAP.Opcode {
        switch self {
        case .shareEnum: .shareEnum
        case .shareGetInfo: .shareGetInfo
        case .serverGetInfo: .serverGetInfo
        case .userGetInfo: .userGetInfo
        case .workstationGetInfo: .workstationGetInfo
        case .remoteTimeOfDay: .remoteTimeOfDay
        case .serverEnum2: .serverEnum2
        case .serverEnum3: .serverEnum3
        case .userLogon: .workstationUserLogon
        case .userLogoff: .workstationUserLogoff
        case .oemChangePassword: .oemChangePassword
        case .other(let opcode): opcode
        }
    }

    /// What a request of this kind and level has for descriptors. `data` is nil for a level that
    /// does not exist; `otherParameters` is what is sent by some clients and not by us.
    struct Descriptors {
        var parameters: String
        var otherParameters: String?
        var data: String?

        init(_ parameters: String, _ data: String?, or otherParameters: String? = nil) {
            self.parameters = parameters
            self.data = data
            self.otherParameters = otherParameters
        }
    }

    var descriptors: Descriptors {
        switch self {
        case .shareEnum(let level, _):
            Descriptors("WrLeh", RAP.ShareInfo.descriptor(level))
        case .shareGetInfo(_, let level, _):
            Descriptors("zWrLh", RAP.ShareInfo.descriptor(level))
        case .serverGetInfo(let level, _):
            Descriptors("WrLh", RAP.ServerInfo.descriptor(level))
        case .userGetInfo(_, let level, _):
            Descriptors("zWrLh", RAP.UserInfo.descriptor(level))
        case .workstationGetInfo(let level, _):
            Descriptors("WrLh", RAP.WorkstationInfo.descriptor(level))
        case .remoteTimeOfDay:
            Descriptors("rL", RAP.TimeOfDay.descriptor)
        case .serverEnum2(let level, _, _, let domain):
            Descriptors(
                domain == nil ? "WrLehDO" : "WrLehDz", RAP.ServerInfo.descriptor(level))
        case .serverEnum3(let level, _, _, _, _):
            Descriptors("WrLehDzz", RAP.ServerInfo.descriptor(level))
        case .userLogon(let request):
            // Windows 9x leaves the unused texts out, which the specification has empty.
            Descriptors(
                request.hasTexts ? "zzWb54WrLh" : "OOWb54WrLh",
                RAP.UserLogonInfo.descriptor(request.infoLevel))
        case .userLogoff(let request):
            Descriptors(
                request.hasTexts ? "zzWb38WrLh" : "OOWb38WrLh",
                RAP.UserLogoffInfo.descriptor(request.infoLevel))
        case .oemChangePassword:
            Descriptors("zsT", "B516B16")
        case .other:
            Descriptors("", "")
        }
    }

    /// Whether the request's level is one that exists.
    package var hasKnownLevel: Bool { descriptors.data != nil }

    package var description: String {
        switch self {
        case .shareEnum(let level, _): "NetShareEnum level \(level)"
        case .shareGetInfo(let name, let level, _): "NetShareGetInfo \(name) level \(level)"
        case .serverGetInfo(let level, _): "NetServerGetInfo level \(level)"
        case .userGetInfo(let name, let level, _): "NetUserGetInfo \(name) level \(level)"
        case .workstationGetInfo(let level, _): "NetWkstaGetInfo level \(level)"
        case .remoteTimeOfDay: "NetRemoteTOD"
        case .serverEnum2(let level, _, let type, let domain):
            "NetServerEnum2 level \(level) type 0x" + Hex.string(type) + " of "
                + (domain ?? "its domain")
        case .serverEnum3(let level, _, let type, let domain, let first):
            "NetServerEnum3 level \(level) type 0x" + Hex.string(type) + " of \(domain) from "
                + first
        case .userLogon(let request): "NetWkstaUserLogon \(request.userName)"
        case .userLogoff(let request): "NetWkstaUserLogoff \(request.userName)"
        case .oemChangePassword(let user, _): "SamOEMChangePassword \(user)"
        case .other(let opcode): "RAP opcode \(opcode.rawValue)"
        }
    }
}
