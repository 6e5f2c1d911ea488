import Wire

extension RAP {
    /// A server, or a domain, in an answer to NetServerEnum2, NetServerEnum3 and NetServerGetInfo:
    /// NetServerInfo0 and 1 (MS-RAP 2.5.5.4).
    ///
    ///     | ServerName (16) |                                                        level 0
    ///     | VersionMajor (1) | VersionMinor (1) | ServerType (4) | → ServerComment | level 1
    ///
    /// ServerName is padded with zeros, the last of which ends it.
    package struct ServerInfo: Equatable, Sendable, CustomStringConvertible {
        package var serverName: String
        package var versionMajor: UInt8
        package var versionMinor: UInt8
        /// SV_TYPE bits, MS-RAP 2.3.2.
        package var serverType: UInt32
        /// Of a domain: its master browser.
        package var serverComment: String

        package init(
            serverName: String, versionMajor: UInt8 = 0, versionMinor: UInt8 = 0,
            serverType: UInt32 = 0, serverComment: String = ""
        ) {
            self.serverName = serverName
            self.versionMajor = versionMajor
            self.versionMinor = versionMinor
            self.serverType = serverType
            self.serverComment = serverComment
        }

        static func descriptor(_ level: UInt16) -> String? {
            switch level {
            case 0: "B16"
            case 1: "B16BBDz"
            case _: nil
            }
        }

        @_lifetime(reader: copy reader)
        package init(
            parsing reader: inout RecordReader, level: UInt16
        ) throws(WireError) {
            self.init(serverName: try reader.text(16, "ServerName"))
            if level == 0 { return }
            versionMajor = try reader.fixed.uint8("VersionMajor")
            versionMinor = try reader.fixed.uint8("VersionMinor")
            serverType = try reader.fixed.uint32LE("ServerType")
            serverComment = try reader.pointer("ServerComment") ?? ""
        }

        package func write(into writer: inout RecordWriter, level: UInt16) {
            writer.text(serverName, 16)
            if level > 0 {
                writer.uint8(versionMajor)
                writer.uint8(versionMinor)
                writer.uint32(serverType)
                writer.pointer(serverComment)
            }
            writer.endRecord()
        }

        /// The servers of an answer's data.
        package static func list(
            _ data: Span<UInt8>, _ response: Response, level: UInt16
        ) throws(WireError) -> [ServerInfo] {
            var reader = RecordReader(data, converter: response.converter)
            var list: [ServerInfo] = []
            for _ in 0..<response.entriesReturned {
                list.append(try ServerInfo(parsing: &reader, level: level))
            }
            return list
        }

        package var description: String {
            "\(serverName), type 0x" + Hex.string(serverType) + ", \(serverComment)"
        }
    }
}
