import Wire

extension SMB1 {
    /// The SMB header (MS-CIFS 2.2.3.1), the same in requests and responses.
    ///
    ///      0      1      2      3
    ///     | 0xFF | 'S'  | 'M'  | 'B'  |
    ///     |  Command    |   Status (4 bytes) …
    ///     … | Flags     | Flags2      |
    ///     | PIDHigh     | SecurityFeatures (8 bytes) …
    ///     … | Reserved  | TID  | PIDLow | UID | MID |
    package struct Header: Equatable, Sendable, CustomStringConvertible {
        package static let size = 32

        package var command: Command
        package var status: Status = .success
        package var flags: Flags
        package var flags2: Flags2
        package var pidHigh: UInt16 = 0
        package var securityFeatures = Bytes8()
        package var reserved: UInt16 = 0
        package var tid: UInt16 = 0
        package var pidLow: UInt16 = 0
        package var uid: UInt16 = 0
        package var mid: UInt16 = 0

        package init(command: Command, flags: Flags, flags2: Flags2) {
            self.command = command
            self.flags = flags
            self.flags2 = flags2
        }

        package init(parsing reader: inout WireReader) throws(WireError) {
            let protocolID = try reader.uint32BE("Protocol")
            if protocolID != Self.protocolID {
                throw reader.invalid("Protocol", Int(protocolID), width: 4)
            }
            command = Command(rawValue: try reader.uint8("Command"))
            let status = try reader.uint32LE("Status")
            flags = Flags(rawValue: try reader.uint8("Flags"))
            flags2 = Flags2(rawValue: try reader.uint16LE("Flags2"))
            self.status = Status(rawValue: status, isNT: flags2.contains(.ntStatus))
            pidHigh = try reader.uint16LE("PIDHigh")
            securityFeatures = try reader.fixed("SecurityFeatures")
            reserved = try reader.uint16LE("Reserved")
            tid = try reader.uint16LE("TID")
            pidLow = try reader.uint16LE("PIDLow")
            uid = try reader.uint16LE("UID")
            mid = try reader.uint16LE("MID")
        }

        package func write(into writer: inout WireWriter) {
            writer.uint32BE(Self.protocolID)
            writer.uint8(command.rawValue)
            writer.uint32LE(status.rawValue)
            writer.uint8(flags.rawValue)
            writer.uint16LE(flags2.rawValue)
            writer.uint16LE(pidHigh)
            writer.append(securityFeatures)
            writer.uint16LE(reserved)
            writer.uint16LE(tid)
            writer.uint16LE(pidLow)
            writer.uint16LE(uid)
            writer.uint16LE(mid)
        }

        /// The header of the answer to this request.
        package func response(_ status: NTStatus) -> Header {
            var answer = self
            answer.flags.insert(.reply)
            answer.status = Status(status, isNT: flags2.contains(.ntStatus))
            answer.securityFeatures = Bytes8()
            return answer
        }

        package var description: String {
            let direction = flags.contains(.reply) ? "response" : "request"
            let ids = "tid \(tid) pid \(pidLow) uid \(uid) mid \(mid)"
            return "SMB1 \(command.description) \(direction), \(status.description), \(ids)"
        }

        /// 0xFF 'S' 'M' 'B'.
        static let protocolID: UInt32 = 0xff53_4d42
        /// Where SecurityFeatures begins, for a signature made over the message in place.
        static let securityFeaturesOffset = 14
    }

    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let lockAndReadOK = Flags(rawValue: 0x01)
        package static let caseInsensitive = Flags(rawValue: 0x08)
        package static let canonicalizedPaths = Flags(rawValue: 0x10)
        /// The message is a response.
        package static let reply = Flags(rawValue: 0x80)
    }

    package struct Flags2: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let longNames = Flags2(rawValue: 0x0001)
        package static let extendedAttributes = Flags2(rawValue: 0x0002)
        package static let securitySignature = Flags2(rawValue: 0x0004)
        package static let signatureRequired = Flags2(rawValue: 0x0010)
        package static let extendedSecurity = Flags2(rawValue: 0x0800)
        package static let pagingIO = Flags2(rawValue: 0x2000)
        /// Status is an NT status, not a DOS class and code.
        package static let ntStatus = Flags2(rawValue: 0x4000)
        /// Strings are UTF-16LE, not of the OEM code page.
        package static let unicode = Flags2(rawValue: 0x8000)
    }
}
