import Wire

extension SMB1 {
    /// SMB_COM_SESSION_SETUP_ANDX request in its three forms: LANMAN with ten words (MS-CIFS
    /// 2.2.4.53.1 for older dialects), NT LM 0.12 with thirteen (MS-CIFS 2.2.4.53.1) and with
    /// extended security twelve (MS-SMB 2.2.4.6.1).
    ///
    ///     | AndX header | MaxBufferSize | MaxMpxCount | VcNumber | SessionKey (4) |
    ///       ten:      | PasswordLength | Reserved (4) |
    ///       thirteen: | OEMPasswordLen | UnicodePasswordLen | Reserved (4) | Capabilities (4) |
    ///       twelve:   | SecurityBlobLength | Reserved (4) | Capabilities (4) |
    ///     | ByteCount | passwords or blob | AccountName | PrimaryDomain |
    ///     | NativeOS | NativeLanMan |
    ///
    /// The names may end early: a server takes the missing ones as empty. With extended security
    /// the first two are not sent.
    package struct SessionSetupRequest: CommandBody {
        package static let command = Command.sessionSetupAndX

        package enum Credentials: Equatable, Sendable {
            case lanMan(password: [UInt8])
            case ntLM(oemPassword: [UInt8], unicodePassword: [UInt8], Capabilities)
            /// The SPNEGO or NTLMSSP token, as a range of the source.
            case extended(securityBlob: Range<Int>, Capabilities)
        }

        package var maxBufferSize: UInt16
        package var maxMpxCount: UInt16
        /// Number 0 makes some servers end the client's other sessions.
        package var vcNumber: UInt16
        package var sessionKey: UInt32
        package var credentials: Credentials
        package var accountName: String?
        package var primaryDomain: String?
        package var nativeOS: String?
        package var nativeLanMan: String?

        package init(
            maxBufferSize: UInt16, maxMpxCount: UInt16, vcNumber: UInt16 = 1,
            sessionKey: UInt32, credentials: Credentials
        ) {
            self.maxBufferSize = maxBufferSize
            self.maxMpxCount = maxMpxCount
            self.vcNumber = vcNumber
            self.sessionKey = sessionKey
            self.credentials = credentials
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(10, 12, 13, in: reader)
            var words = reader.part(block.words)
            var bytes = reader.part(block.bytes)
            maxBufferSize = try words.uint16LE("MaxBufferSize")
            maxMpxCount = try words.uint16LE("MaxMpxCount")
            vcNumber = try words.uint16LE("VcNumber")
            sessionKey = try words.uint32LE("SessionKey")
            let length = Int(try words.uint16LE("OEMPasswordLen"))
            if block.wordCount == 13 {
                let second = Int(try words.uint16LE("UnicodePasswordLen"))
                _ = try words.uint32LE("Reserved")
                let capabilities = Capabilities(rawValue: try words.uint32LE("Capabilities"))
                let oem = reader.copy(try bytes.take(length, "OEMPassword"))
                let unicode = reader.copy(try bytes.take(second, "UnicodePassword"))
                credentials = .ntLM(oemPassword: oem, unicodePassword: unicode, capabilities)
            } else {
                _ = try words.uint32LE("Reserved")
                let password = try bytes.take(length, "Password")
                if block.wordCount == 12 {
                    let capabilities = Capabilities(rawValue: try words.uint32LE("Capabilities"))
                    credentials = .extended(securityBlob: password, capabilities)
                } else {
                    credentials = .lanMan(password: reader.copy(password))
                }
            }
            if block.wordCount != 12 {
                accountName = try bytes.trailingString(block.form, "AccountName")
                primaryDomain = try bytes.trailingString(block.form, "PrimaryDomain")
            }
            nativeOS = try bytes.trailingString(block.form, "NativeOS")
            nativeLanMan = try bytes.trailingString(block.form, "NativeLanMan")
            // Windows and Samba add another empty string or a domain here; nobody needs it.
            _ = bytes.takeRest()
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(maxBufferSize)
            writer.uint16LE(maxMpxCount)
            writer.uint16LE(vcNumber)
            writer.uint32LE(sessionKey)
            switch credentials {
            case .lanMan(let password):
                writer.uint16LE(UInt16(password.count))
                writer.uint32LE(0)
                block.beginBytes(&writer)
                writer.append(password)
                writer.trailingStrings([accountName, primaryDomain, nativeOS, nativeLanMan], form)
            case .ntLM(let oem, let unicode, let capabilities):
                writer.uint16LE(UInt16(oem.count))
                writer.uint16LE(UInt16(unicode.count))
                writer.uint32LE(0)
                writer.uint32LE(capabilities.rawValue)
                block.beginBytes(&writer)
                writer.append(oem)
                writer.append(unicode)
                writer.trailingStrings([accountName, primaryDomain, nativeOS, nativeLanMan], form)
            case .extended(let blob, let capabilities):
                writer.uint16LE(UInt16(blob.count))
                writer.uint32LE(0)
                writer.uint32LE(capabilities.rawValue)
                block.beginBytes(&writer)
                writer.append(source.extracting(blob))
                writer.trailingStrings([nativeOS, nativeLanMan], form)
            }
            block.end(&writer)
        }

        package var description: String {
            let way: String
            switch credentials {
            case .lanMan(let password): way = "LANMAN, password of \(password.count) bytes"
            case .ntLM(let oem, let unicode, _):
                way = "passwords of \(oem.count) and \(unicode.count) bytes"
            case .extended(let blob, _): way = "blob of \(blob.count) bytes"
            }
            return "SESSION_SETUP_ANDX \"\(primaryDomain ?? "")\\\(accountName ?? "")\" \(way)"
        }
    }

    /// SMB_COM_SESSION_SETUP_ANDX response: three words (MS-CIFS 2.2.4.53.2), with extended
    /// security four (MS-SMB 2.2.4.6.2).
    ///
    ///     | AndX header | Action | [SecurityBlobLength] |
    ///     | ByteCount | [SecurityBlob …] | NativeOS | NativeLanMan | PrimaryDomain |
    package struct SessionSetupResponse: CommandBody {
        package static let command = Command.sessionSetupAndX
        /// The session is the guest's, whoever asked.
        package static let guest: UInt16 = 1

        package var action: UInt16
        package var securityBlob: Range<Int>?
        package var nativeOS: String?
        package var nativeLanMan: String?
        package var primaryDomain: String?

        package init(action: UInt16 = 0, securityBlob: Range<Int>? = nil) {
            self.action = action
            self.securityBlob = securityBlob
        }

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(3, 4, in: reader)
            var words = reader.part(block.words)
            var bytes = reader.part(block.bytes)
            action = try words.uint16LE("Action")
            if block.wordCount == 4 {
                let length = Int(try words.uint16LE("SecurityBlobLength"))
                securityBlob = try bytes.take(length, "SecurityBlob")
            }
            nativeOS = try bytes.trailingString(block.form, "NativeOS")
            nativeLanMan = try bytes.trailingString(block.form, "NativeLanMan")
            primaryDomain = try bytes.trailingString(block.form, "PrimaryDomain")
            // Some servers pad to an even length, or terminate the last string twice.
            _ = bytes.takeRest()
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            writer.uint16LE(action)
            if let securityBlob { writer.uint16LE(UInt16(securityBlob.count)) }
            block.beginBytes(&writer)
            if let securityBlob { writer.append(source.extracting(securityBlob)) }
            writer.trailingStrings([nativeOS, nativeLanMan, primaryDomain], form)
            block.end(&writer)
        }

        package var description: String {
            "SESSION_SETUP_ANDX action \(action) os \"\(nativeOS ?? "")\" "
                + "lanman \"\(nativeLanMan ?? "")\" domain \"\(primaryDomain ?? "")\""
        }
    }

    /// SMB_COM_LOGOFF_ANDX request and response (MS-CIFS 2.2.4.54): the AndX header only.
    package struct Logoff: CommandBody {
        package static let command = Command.logoffAndX

        package init() {}

        package init(parsing reader: inout WireReader, _ block: Block) throws(WireError) {
            try block.requireWords(2, in: reader)
            try reader.part(block.bytes).expectEnd("Bytes")
        }

        package func write(
            into writer: inout WireWriter, _ form: Form, from source: borrowing Span<UInt8>
        ) {
            var block = BlockWriter(&writer, Self.command)
            block.beginBytes(&writer)
            block.end(&writer)
        }

        package var description: String { "LOGOFF_ANDX" }
    }
}
