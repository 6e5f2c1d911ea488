import Wire

/// AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3), the client's name and responses:
///
///     Signature                          8   NTLMSSP, zero
///     MessageType 3                      4
///     LmChallengeResponseFields          8
///     NtChallengeResponseFields          8
///     DomainNameFields                   8
///     UserNameFields                     8
///     WorkstationFields                  8
///     EncryptedRandomSessionKeyFields    8   from here on not from Windows 9x
///     NegotiateFlags                     4
///     Version                            8   not from Windows 2000 and older
///     MIC                               16   not from Windows Server 2003 and older
///     Payload
package struct AuthenticateMessage: CustomStringConvertible {
    /// Where the MIC stands, to be zero while the code is computed.
    package static let micOffset = 72

    // Ranges count in the bytes that were parsed.
    package var lmChallengeResponse: Range<Int>
    package var ntChallengeResponse: Range<Int>
    package var domainName: String
    package var userName: String
    package var workstation: String
    package var encryptedRandomSessionKey: Range<Int>
    package var negotiateFlags: NegotiateFlags
    package var version: ProductVersion?
    /// What stands in the place of the MIC. Whether it is one, the flags of the NT response's AV
    /// pairs say.
    package var mic: Bytes16?

    package init(
        lmChallengeResponse: Range<Int>, ntChallengeResponse: Range<Int>, domainName: String,
        userName: String, workstation: String, encryptedRandomSessionKey: Range<Int> = 0..<0,
        negotiateFlags: NegotiateFlags, version: ProductVersion? = nil, mic: Bytes16? = nil
    ) {
        self.lmChallengeResponse = lmChallengeResponse
        self.ntChallengeResponse = ntChallengeResponse
        self.domainName = domainName
        self.userName = userName
        self.workstation = workstation
        self.encryptedRandomSessionKey = encryptedRandomSessionKey
        self.negotiateFlags = negotiateFlags
        self.version = version
        self.mic = mic
    }

    private static let header = 52

    /// Reads all that is left, because the payload has no end of its own. `negotiated` are the
    /// flags of the challenge, for clients that do not repeat them.
    package init(
        parsing reader: inout WireReader, negotiated: NegotiateFlags = []
    ) throws(WireError) {
        var fields = PayloadFields(reader)
        try NTLMMessageType.expect(.authenticate, &reader)
        lmChallengeResponse = try fields.field(
            &reader, "LmChallengeResponse", header: Self.header)
        ntChallengeResponse = try fields.field(
            &reader, "NtChallengeResponse", header: Self.header)
        let domain = try fields.field(&reader, "DomainName", header: Self.header)
        let user = try fields.field(&reader, "UserName", header: Self.header)
        let station = try fields.field(&reader, "Workstation", header: Self.header)
        encryptedRandomSessionKey = reader.end..<reader.end
        negotiateFlags = negotiated
        domainName = ""
        userName = ""
        workstation = ""
        if fields.reaches(64) {
            encryptedRandomSessionKey = try fields.field(
                &reader, "EncryptedRandomSessionKey", header: 64)
            negotiateFlags = NegotiateFlags(rawValue: try reader.uint32LE("NegotiateFlags"))
            try readVersionAndMIC(&reader, fields)
        }
        let unicode = negotiateFlags.contains(.unicode)
        domainName = try reader.name(domain, unicode: unicode, "DomainName")
        userName = try reader.name(user, unicode: unicode, "UserName")
        workstation = try reader.name(station, unicode: unicode, "Workstation")
        _ = reader.takeRest()
    }

    private mutating func readVersionAndMIC(
        _ reader: inout WireReader, _ fields: PayloadFields
    ) throws(WireError) {
        guard fields.reaches(Self.micOffset) else { return }
        let found = try ProductVersion(parsing: &reader)
        if negotiateFlags.contains(.version) { version = found }
        guard fields.reaches(Self.micOffset + 16) else { return }
        mic = try reader.fixed("MIC")
    }

    /// `source` holds the bytes of the responses and of the session key.
    package func write(from source: Span<UInt8>, into writer: inout WireWriter) {
        let base = writer.count
        NTLMMessageType.authenticate.write(into: &writer)
        let lm = writer.reserveField()
        let nt = writer.reserveField()
        let names = [writer.reserveField(), writer.reserveField(), writer.reserveField()]
        let key = writer.reserveField()
        var flags = negotiateFlags.subtracting(.version)
        if version != nil { flags.insert(.version) }
        writer.uint32LE(flags.rawValue)
        if let version {
            version.write(into: &writer)
        } else if mic != nil {
            writer.zeros(ProductVersion.byteCount)
        }
        if let mic { writer.append(mic) }
        for (field, name) in zip(names, [domainName, userName, workstation]) {
            let start = writer.count
            writer.name(name, unicode: flags.contains(.unicode))
            writer.fill(field, base: base, from: start)
        }
        let values = [
            (lm, lmChallengeResponse), (nt, ntChallengeResponse), (key, encryptedRandomSessionKey),
        ]
        for (field, range) in values {
            let start = writer.count
            writer.append(source.extracting(range))
            writer.fill(field, base: base, from: start)
        }
    }

    /// The client asks for no user's rights: no name and no NT response.
    package var isAnonymous: Bool { userName.isEmpty && ntChallengeResponse.isEmpty }

    /// Both responses and the session key are left out: a guesser could use them.
    package var description: String {
        var text = "NTLM AUTHENTICATE \(negotiateFlags.description) user \(domainName)\\\(userName)"
        text += " workstation \(workstation) LM \(lmChallengeResponse.count) bytes"
        text += " NT \(ntChallengeResponse.count) bytes"
        if mic != nil { text += " with MIC" }
        if let version { text += " " + version.description }
        return text
    }
}
