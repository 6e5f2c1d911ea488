import Wire

/// NTLMv2_CLIENT_CHALLENGE (MS-NLMP 2.2.2.7), what follows the proof in an NTLMv2 response:
///
///     RespType 1             1
///     HiRespType 1           1
///     Reserved1              2
///     Reserved2              4
///     TimeStamp              8   FILETIME
///     ChallengeFromClient    8
///     Reserved3              4
///     AvPairs                    the list with its end, then four zeros
///
/// Clients differ in what follows the list, so it is not looked at.
package struct NTLMv2ClientChallenge {
    package var timestamp: UInt64
    package var challengeFromClient: Bytes8
    /// The list of AV pairs and what follows, in the bytes that were parsed.
    package var avPairs: Range<Int> = 0..<0

    package init(timestamp: UInt64, challengeFromClient: Bytes8) {
        self.timestamp = timestamp
        self.challengeFromClient = challengeFromClient
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let type = try reader.uint8("RespType")
        guard type == 1 else { throw reader.invalid("RespType", Int(type), width: 1) }
        let highest = try reader.uint8("HiRespType")
        guard highest == 1 else { throw reader.invalid("HiRespType", Int(highest), width: 1) }
        _ = try reader.uint16LE("Reserved1")
        _ = try reader.uint32LE("Reserved2")
        timestamp = try reader.uint64LE("TimeStamp")
        challengeFromClient = try reader.fixed("ChallengeFromClient")
        _ = try reader.uint32LE("Reserved3")
        avPairs = reader.takeRest()
    }

    /// `targetInfo` is a list of AV pairs with its end, which the closing zeros follow.
    package func write(targetInfo: Span<UInt8>, into writer: inout WireWriter) {
        writer.uint8(1)
        writer.uint8(1)
        writer.zeros(6)
        writer.uint64LE(timestamp)
        writer.append(challengeFromClient)
        writer.zeros(4)
        writer.append(targetInfo)
        writer.zeros(4)
    }
}
