import Wire

/// CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2), the server's choice and challenge:
///
///     Signature           8   NTLMSSP, zero
///     MessageType 2       4
///     TargetNameFields    8
///     NegotiateFlags      4
///     ServerChallenge     8
///     Reserved            8   from here on not from Windows 9x
///     TargetInfoFields    8
///     Version             8   not from Windows 2000 and older
///     Payload
package struct ChallengeMessage: CustomStringConvertible {
    /// The server's domain, or its own name where it has none.
    package var targetName: String
    package var negotiateFlags: NegotiateFlags
    package var serverChallenge: Bytes8
    /// The list of AV pairs, in the bytes that were parsed; empty where there is none.
    package var targetInfo: Range<Int>
    package var version: ProductVersion?

    package init(
        targetName: String, negotiateFlags: NegotiateFlags, serverChallenge: Bytes8,
        targetInfo: Range<Int> = 0..<0, version: ProductVersion? = nil
    ) {
        self.targetName = targetName
        self.negotiateFlags = negotiateFlags
        self.serverChallenge = serverChallenge
        self.targetInfo = targetInfo
        self.version = version
    }

    private static let header = 32

    /// Reads all that is left, because the payload has no end of its own.
    package init(parsing reader: inout WireReader) throws(WireError) {
        var fields = PayloadFields(reader)
        try NTLMMessageType.expect(.challenge, &reader)
        let target = try fields.field(&reader, "TargetName", header: Self.header)
        negotiateFlags = NegotiateFlags(rawValue: try reader.uint32LE("NegotiateFlags"))
        serverChallenge = try reader.fixed("ServerChallenge")
        targetInfo = reader.end..<reader.end
        if fields.reaches(48) {
            _ = try reader.take(8, "Reserved")
            let info = try fields.field(&reader, "TargetInfo", header: 48)
            if negotiateFlags.contains(.targetInfo) { targetInfo = info }
            if negotiateFlags.contains(.version), fields.reaches(56) {
                version = try ProductVersion(parsing: &reader)
            }
        }
        targetName = try reader.name(
            target, unicode: negotiateFlags.contains(.unicode), "TargetName")
        _ = reader.takeRest()
    }

    /// `source` holds the bytes of `targetInfo`.
    package func write(from source: Span<UInt8>, into writer: inout WireWriter) {
        let base = writer.count
        NTLMMessageType.challenge.write(into: &writer)
        let target = writer.reserveField()
        var flags = negotiateFlags.subtracting([.version, .targetInfo])
        if version != nil { flags.insert(.version) }
        if !targetInfo.isEmpty { flags.insert(.targetInfo) }
        writer.uint32LE(flags.rawValue)
        writer.append(serverChallenge)
        writer.zeros(8)
        let info = writer.reserveField()
        version?.write(into: &writer)
        var start = writer.count
        writer.name(targetName, unicode: flags.contains(.unicode))
        writer.fill(target, base: base, from: start)
        if targetInfo.isEmpty { return }
        start = writer.count
        writer.append(source.extracting(targetInfo))
        writer.fill(info, base: base, from: start)
    }

    package var description: String {
        var text = "NTLM CHALLENGE \(negotiateFlags.description) target \(targetName)"
        text += " challenge \(serverChallenge.hex)"
        if !targetInfo.isEmpty { text += " target info \(targetInfo.count) bytes" }
        if let version { text += " " + version.description }
        return text
    }
}
