import Wire

// The parameters of SMB_COM_TRANSACTION2's subcommands that read directories and attributes.

extension SMB1 {
    /// The subcommands (MS-CIFS 2.2.2.2).
    package enum Transaction2Subcommand: UInt16, Sendable {
        case open2 = 0x00
        case findFirst2 = 0x01
        case findNext2 = 0x02
        case queryFSInformation = 0x03
        case queryPathInformation = 0x05
        case setPathInformation = 0x06
        case queryFileInformation = 0x07
        case setFileInformation = 0x08
        case createDirectory = 0x0d
        case sessionSetup = 0x0e
        case getDFSReferral = 0x10
    }

    /// Flags of both searches.
    package struct FindFlags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let closeAfterRequest = FindFlags(rawValue: 0x0001)
        package static let closeAtEnd = FindFlags(rawValue: 0x0002)
        package static let resumeKeys = FindFlags(rawValue: 0x0004)
        package static let continueFromLast = FindFlags(rawValue: 0x0008)
    }

    /// TRANS2_FIND_FIRST2 request parameters (MS-CIFS 2.2.6.2.1).
    ///
    ///     | SearchAttributes | SearchCount | Flags | InformationLevel | SearchStorageType (4) |
    ///     | FileName |
    package struct FindFirst2: Equatable, Sendable {
        package var searchAttributes: FileAttributes
        package var searchCount: UInt16
        package var flags: FindFlags
        package var informationLevel: UInt16
        package var searchStorageType: UInt32 = 0
        package var fileName: String

        package init(
            searchAttributes: FileAttributes, searchCount: UInt16, flags: FindFlags,
            informationLevel: UInt16, fileName: String
        ) {
            self.searchAttributes = searchAttributes
            self.searchCount = searchCount
            self.flags = flags
            self.informationLevel = informationLevel
            self.fileName = fileName
        }

        /// `form` counts from the parameters' begin.
        package init(parsing reader: inout WireReader, _ form: Form) throws(WireError) {
            searchAttributes = FileAttributes(rawValue: try reader.uint16LE("SearchAttributes"))
            searchCount = try reader.uint16LE("SearchCount")
            flags = FindFlags(rawValue: try reader.uint16LE("Flags"))
            informationLevel = try reader.uint16LE("InformationLevel")
            searchStorageType = try reader.uint32LE("SearchStorageType")
            fileName = try reader.trailingString(form, "FileName") ?? ""
        }

        package func write(into writer: inout WireWriter, _ form: Form) {
            writer.uint16LE(searchAttributes.rawValue)
            writer.uint16LE(searchCount)
            writer.uint16LE(flags.rawValue)
            writer.uint16LE(informationLevel)
            writer.uint32LE(searchStorageType)
            writer.smbString(fileName, form)
        }
    }

    /// TRANS2_FIND_NEXT2 request parameters (MS-CIFS 2.2.6.3.1).
    ///
    ///     | SID | SearchCount | InformationLevel | ResumeKey (4) | Flags | FileName |
    package struct FindNext2: Equatable, Sendable {
        package var sid: UInt16
        package var searchCount: UInt16
        package var informationLevel: UInt16
        package var resumeKey: UInt32 = 0
        package var flags: FindFlags
        package var fileName: String

        package init(
            sid: UInt16, searchCount: UInt16, informationLevel: UInt16, flags: FindFlags,
            fileName: String
        ) {
            self.sid = sid
            self.searchCount = searchCount
            self.informationLevel = informationLevel
            self.flags = flags
            self.fileName = fileName
        }

        package init(parsing reader: inout WireReader, _ form: Form) throws(WireError) {
            sid = try reader.uint16LE("SID")
            searchCount = try reader.uint16LE("SearchCount")
            informationLevel = try reader.uint16LE("InformationLevel")
            resumeKey = try reader.uint32LE("ResumeKey")
            flags = FindFlags(rawValue: try reader.uint16LE("Flags"))
            fileName = try reader.trailingString(form, "FileName") ?? ""
        }

        package func write(into writer: inout WireWriter, _ form: Form) {
            writer.uint16LE(sid)
            writer.uint16LE(searchCount)
            writer.uint16LE(informationLevel)
            writer.uint32LE(resumeKey)
            writer.uint16LE(flags.rawValue)
            writer.smbString(fileName, form)
        }
    }

    /// The response parameters of both searches (MS-CIFS 2.2.6.2.2, 2.2.6.3.2); the second one's
    /// have no SID.
    ///
    ///     | [SID] | SearchCount | EndOfSearch | EaErrorOffset | LastNameOffset |
    package struct FindAnswer: Equatable, Sendable {
        package var sid: UInt16?
        package var searchCount: UInt16
        package var isEnd: Bool
        package var eaErrorOffset: UInt16 = 0
        /// Where the last entry begins.
        package var lastNameOffset: UInt16

        package init(sid: UInt16?, searchCount: UInt16, isEnd: Bool, lastNameOffset: UInt16) {
            self.sid = sid
            self.searchCount = searchCount
            self.isEnd = isEnd
            self.lastNameOffset = lastNameOffset
        }

        package init(parsing reader: inout WireReader, hasSID: Bool) throws(WireError) {
            if hasSID { sid = try reader.uint16LE("SID") }
            searchCount = try reader.uint16LE("SearchCount")
            isEnd = try reader.uint16LE("EndOfSearch") != 0
            eaErrorOffset = try reader.uint16LE("EaErrorOffset")
            lastNameOffset = try reader.uint16LE("LastNameOffset")
        }

        package func write(into writer: inout WireWriter) {
            if let sid { writer.uint16LE(sid) }
            writer.uint16LE(searchCount)
            writer.uint16LE(isEnd ? 1 : 0)
            writer.uint16LE(eaErrorOffset)
            writer.uint16LE(lastNameOffset)
        }
    }

    /// TRANS2_QUERY_PATH_INFORMATION request parameters (MS-CIFS 2.2.6.6.1).
    ///
    ///     | InformationLevel | Reserved (4) | FileName |
    package struct QueryPathInformation: Equatable, Sendable {
        package var informationLevel: UInt16
        package var fileName: String

        package init(informationLevel: UInt16, fileName: String) {
            self.informationLevel = informationLevel
            self.fileName = fileName
        }

        package init(parsing reader: inout WireReader, _ form: Form) throws(WireError) {
            informationLevel = try reader.uint16LE("InformationLevel")
            _ = try reader.uint32LE("Reserved")
            fileName = try reader.trailingString(form, "FileName") ?? ""
        }

        package func write(into writer: inout WireWriter, _ form: Form) {
            writer.uint16LE(informationLevel)
            writer.uint32LE(0)
            writer.smbString(fileName, form)
        }
    }

    /// TRANS2_QUERY_FILE_INFORMATION request parameters (MS-CIFS 2.2.6.8.1).
    ///
    ///     | FID | InformationLevel |
    package struct QueryFileInformation: Equatable, Sendable {
        package var fid: UInt16
        package var informationLevel: UInt16

        package init(fid: UInt16, informationLevel: UInt16) {
            self.fid = fid
            self.informationLevel = informationLevel
        }

        package init(parsing reader: inout WireReader) throws(WireError) {
            fid = try reader.uint16LE("FID")
            informationLevel = try reader.uint16LE("InformationLevel")
        }

        package func write(into writer: inout WireWriter) {
            writer.uint16LE(fid)
            writer.uint16LE(informationLevel)
        }
    }
}
