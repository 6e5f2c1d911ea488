import Wire

extension RAP {
    /// A response (MS-RAP 2.5.2), as the parameters of its transaction; the records are its data.
    ///
    ///     | Win32ErrorCode (2) | Converter (2) | RAPOutParams … |
    ///
    /// The out parameters are words: how many records there are, and how many there would be;
    /// or how many bytes a single one needs; or none.
    package struct Response: Equatable, Sendable, CustomStringConvertible {
        /// NetServerEnum2 has two; no call has more.
        static let mostOutParameters = 4

        package var win32ErrorCode: ErrorCode
        package var converter: UInt16
        package var outParameters: [UInt16]

        package init(_ code: ErrorCode, converter: UInt16 = 0, _ outParameters: [UInt16] = []) {
            win32ErrorCode = code
            self.converter = converter
            self.outParameters = outParameters
        }

        /// An error's response may end after its code.
        package init(parsing reader: inout WireReader) throws(WireError) {
            win32ErrorCode = ErrorCode(rawValue: try reader.uint16LE("Win32ErrorCode"))
            converter = reader.isAtEnd ? 0 : try reader.uint16LE("Converter")
            outParameters = []
            while !reader.isAtEnd {
                if outParameters.count == Self.mostOutParameters {
                    throw WireError(
                        .limit, layer: reader.layer, field: "RAPOutParams",
                        offset: reader.offset, available: Self.mostOutParameters)
                }
                outParameters.append(try reader.uint16LE("RAPOutParams"))
            }
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(win32ErrorCode.rawValue)
            writer.uint16LE(converter)
            for word in outParameters { writer.uint16LE(word) }
        }

        /// The records in the data of an enumeration.
        package var entriesReturned: Int { Int(outParameters.first ?? 0) }

        package var description: String {
            var text = win32ErrorCode.description
            for word in outParameters { text += ", \(word)" }
            return text
        }
    }
}
