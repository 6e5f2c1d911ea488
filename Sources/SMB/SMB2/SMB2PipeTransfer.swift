import Wire

extension SMB2 {
    /// SMB2 IOCTL request (MS-SMB2 2.2.31), here FSCTL_PIPE_TRANSCEIVE alone: a message to a pipe,
    /// and the read of its answer (MS-FSCC 2.3.49).
    ///
    ///     | StructureSize 57 | Reserved | CtlCode (4) | FileId (16) | InputOffset (4) |
    ///     | InputCount (4) | MaxInputResponse (4) | OutputOffset (4) | OutputCount (4) |
    ///     | MaxOutputResponse (4) | Flags (4) | Reserved2 (4) | Buffer … |
    package struct TransceiveRequest: Equatable, Sendable {
        package static let command = Command.ioctl
        static let controlCode: UInt32 = 0x0011_c017

        package var fileID: FileID
        package var maxOutput: UInt32
        package var input: Range<Int> = 0..<0

        package init(fileID: FileID, maxOutput: UInt32) {
            self.fileID = fileID
            self.maxOutput = maxOutput
        }

        package init(parsing reader: inout WireReader, from base: Int) throws(WireError) {
            try reader.smb2StructureSize(57)
            _ = try reader.uint16LE("Reserved")
            let code = try reader.uint32LE("CtlCode")
            if code != Self.controlCode { throw reader.invalid("CtlCode", Int(code), width: 4) }
            fileID = try reader.fixed("FileId")
            let start = Int(try reader.uint32LE("InputOffset"))
            let count = Int(try reader.uint32LE("InputCount"))
            _ = try reader.uint32LE("MaxInputResponse")
            _ = try reader.uint32LE("OutputOffset")
            _ = try reader.uint32LE("OutputCount")
            maxOutput = try reader.uint32LE("MaxOutputResponse")
            _ = try reader.uint32LE("Flags")
            _ = try reader.uint32LE("Reserved2")
            input = try reader.smb2Buffer("Input", at: start, count: count, from: base)
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter, from base: Int, message: [UInt8]) {
            writer.uint16LE(57)
            writer.uint16LE(0)
            writer.uint32LE(Self.controlCode)
            writer.append(fileID)
            writer.uint32LE(UInt32(writer.count + 32 - base))
            writer.uint32LE(UInt32(message.count))
            writer.zeros(12)
            writer.uint32LE(maxOutput)
            // SMB2_0_IOCTL_IS_FSCTL.
            writer.uint32LE(1)
            writer.uint32LE(0)
            writer.append(message)
        }
    }

    /// SMB2 IOCTL response (MS-SMB2 2.2.32).
    ///
    ///     | StructureSize 49 | Reserved | CtlCode (4) | FileId (16) | InputOffset (4) |
    ///     | InputCount (4) | OutputOffset (4) | OutputCount (4) | Flags (4) | Reserved2 (4) |
    ///     | Buffer … |
    package struct TransceiveResponse: Equatable, Sendable {
        package static let command = Command.ioctl

        package var fileID: FileID
        package var output: Range<Int> = 0..<0

        package init(fileID: FileID) { self.fileID = fileID }

        package init(parsing reader: inout WireReader, from base: Int) throws(WireError) {
            try reader.smb2StructureSize(49)
            _ = try reader.uint16LE("Reserved")
            let code = try reader.uint32LE("CtlCode")
            if code != TransceiveRequest.controlCode {
                throw reader.invalid("CtlCode", Int(code), width: 4)
            }
            fileID = try reader.fixed("FileId")
            _ = try reader.uint32LE("InputOffset")
            _ = try reader.uint32LE("InputCount")
            let start = Int(try reader.uint32LE("OutputOffset"))
            let count = Int(try reader.uint32LE("OutputCount"))
            _ = try reader.uint32LE("Flags")
            _ = try reader.uint32LE("Reserved2")
            output = try reader.smb2Buffer("Output", at: start, count: count, from: base)
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter, from base: Int, message: [UInt8]) {
            writer.uint16LE(49)
            writer.uint16LE(0)
            writer.uint32LE(TransceiveRequest.controlCode)
            writer.append(fileID)
            writer.zeros(8)
            writer.uint32LE(UInt32(writer.count + 16 - base))
            writer.uint32LE(UInt32(message.count))
            writer.zeros(8)
            writer.append(message)
        }
    }

    /// SMB2 READ request (MS-SMB2 2.2.19).
    ///
    ///     | StructureSize 49 | Padding (1) | Flags (1) | Length (4) | Offset (8) | FileId (16) |
    ///     | MinimumCount (4) | Channel (4) | RemainingBytes (4) | ReadChannelInfoOffset |
    ///     | ReadChannelInfoLength | Buffer (1) |
    package struct ReadRequest: Equatable, Sendable {
        package static let command = Command.read

        package var length: UInt32
        package var fileID: FileID

        package init(fileID: FileID, length: UInt32) {
            self.fileID = fileID
            self.length = length
        }

        package init(parsing reader: inout WireReader) throws(WireError) {
            try reader.smb2StructureSize(49)
            _ = try reader.uint16LE("Padding")
            length = try reader.uint32LE("Length")
            _ = try reader.uint64LE("Offset")
            fileID = try reader.fixed("FileId")
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(49)
            // Where the data of the response may begin: behind its header and fixed part.
            writer.uint8(UInt8(Header.size + 16))
            writer.uint8(0)
            writer.uint32LE(length)
            writer.uint64LE(0)
            writer.append(fileID)
            writer.zeros(16)
            // The buffer has a byte at least, whatever is in it.
            writer.uint8(0)
        }
    }

    /// SMB2 READ response (MS-SMB2 2.2.20).
    ///
    ///     | StructureSize 17 | DataOffset (1) | Reserved (1) | DataLength (4) |
    ///     | DataRemaining (4) | Reserved2 (4) | Buffer … |
    package struct ReadResponse: Equatable, Sendable {
        package static let command = Command.read

        package var data: Range<Int> = 0..<0

        package init() {}

        package init(parsing reader: inout WireReader, from base: Int) throws(WireError) {
            try reader.smb2StructureSize(17)
            let start = Int(try reader.uint8("DataOffset"))
            _ = try reader.uint8("Reserved")
            let count = Int(try reader.uint32LE("DataLength"))
            _ = try reader.uint32LE("DataRemaining")
            _ = try reader.uint32LE("Reserved2")
            data = try reader.smb2Buffer("Data", at: start, count: count, from: base)
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter, from base: Int, data: [UInt8]) {
            writer.uint16LE(17)
            writer.uint8(UInt8(writer.count + 14 - base))
            writer.uint8(0)
            writer.uint32LE(UInt32(data.count))
            writer.zeros(8)
            writer.append(data)
        }
    }

    /// SMB2 WRITE request (MS-SMB2 2.2.21).
    ///
    ///     | StructureSize 49 | DataOffset | Length (4) | Offset (8) | FileId (16) | Channel (4) |
    ///     | RemainingBytes (4) | WriteChannelInfoOffset | WriteChannelInfoLength | Flags (4) |
    ///     | Buffer … |
    package struct WriteRequest: Equatable, Sendable {
        package static let command = Command.write

        package var fileID: FileID
        package var data: Range<Int> = 0..<0

        package init(fileID: FileID) { self.fileID = fileID }

        package init(parsing reader: inout WireReader, from base: Int) throws(WireError) {
            try reader.smb2StructureSize(49)
            let start = Int(try reader.uint16LE("DataOffset"))
            let count = Int(try reader.uint32LE("Length"))
            _ = try reader.uint64LE("Offset")
            fileID = try reader.fixed("FileId")
            _ = try reader.uint32LE("Channel")
            _ = try reader.uint32LE("RemainingBytes")
            _ = try reader.uint32LE("WriteChannelInfo")
            _ = try reader.uint32LE("Flags")
            data = try reader.smb2Buffer("Data", at: start, count: count, from: base)
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter, from base: Int, data: [UInt8]) {
            writer.uint16LE(49)
            writer.uint16LE(UInt16(writer.count + 46 - base))
            writer.uint32LE(UInt32(data.count))
            writer.uint64LE(0)
            writer.append(fileID)
            writer.zeros(16)
            writer.append(data)
        }
    }

    /// SMB2 WRITE response (MS-SMB2 2.2.22).
    ///
    ///     | StructureSize 17 | Reserved | Count (4) | Remaining (4) | WriteChannelInfo (4) |
    package struct WriteResponse: Equatable, Sendable {
        package static let command = Command.write

        package var count: UInt32

        package init(count: UInt32) { self.count = count }

        package init(parsing reader: inout WireReader) throws(WireError) {
            try reader.smb2StructureSize(17)
            _ = try reader.uint16LE("Reserved")
            count = try reader.uint32LE("Count")
            _ = try reader.uint32LE("Remaining")
            _ = try reader.uint32LE("WriteChannelInfo")
            _ = reader.takeRest()
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(17)
            writer.uint16LE(0)
            writer.uint32LE(count)
            writer.zeros(8)
        }
    }
}
