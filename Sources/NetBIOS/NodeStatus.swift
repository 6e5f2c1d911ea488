import Wire

/// A node's names and statistics, RFC 1002 4.2.18: the RDATA of an NBSTAT record.
///
/// ```
/// NUM_NAMES(1) | NODE_NAME: name(16) NAME_FLAGS(2) … | STATISTICS
/// ```
package struct NodeStatus: Equatable, Sendable, CustomStringConvertible {
    package struct Entry: Equatable, Sendable {
        package var name: NetBIOSName
        package var flags: NameFlags

        package init(_ name: NetBIOSName, _ flags: NameFlags) {
            self.name = name
            self.flags = flags
        }
    }

    /// What the length byte of NUM_NAMES allows.
    package static let mostNames = 255

    package var names: [Entry]
    package var statistics: NodeStatistics

    package init(names: [Entry], statistics: NodeStatistics) {
        precondition(names.count <= Self.mostNames)
        self.names = names
        self.statistics = statistics
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        let count = Int(try reader.uint8("NUM_NAMES"))
        names = []
        names.reserveCapacity(count)
        for _ in 0..<count {
            let high = try reader.uint64LE("NODE_NAME").byteSwapped
            let low = try reader.uint64LE("NODE_NAME").byteSwapped
            let flags = NameFlags(rawValue: try reader.uint16BE("NAME_FLAGS"))
            names.append(Entry(NetBIOSName(high: high, low: low), flags))
        }
        statistics = try NodeStatistics(parsing: &reader)
    }

    package func write(into writer: inout WireWriter) {
        writer.uint8(UInt8(names.count))
        for entry in names {
            writer.uint64LE(entry.name.high.byteSwapped)
            writer.uint64LE(entry.name.low.byteSwapped)
            writer.uint16BE(entry.flags.rawValue)
        }
        statistics.write(into: &writer)
    }

    package var description: String {
        var text = "\(names.count) names"
        for entry in names {
            text += " " + entry.name.description + (entry.flags.isGroup ? " (group)" : "")
        }
        return text
    }
}

/// The statistics of a node status response, RFC 1002 4.2.18. Nodes send fewer bytes than the
/// specification's 46, or pad beyond them, as their stack keeps the counters: what is missing is
/// read as zero, what is beyond is not looked at.
package struct NodeStatistics: Equatable, Sendable {
    /// The adapter's hardware address.
    package var unitID = FixedBytes<6>()
    package var jumpers: UInt8 = 0
    package var testResult: UInt8 = 0
    package var versionNumber: UInt16 = 0
    package var periodOfStatistics: UInt16 = 0
    package var numberOfCRCs: UInt16 = 0
    package var numberAlignmentErrors: UInt16 = 0
    package var numberOfCollisions: UInt16 = 0
    package var numberSendAborts: UInt16 = 0
    package var numberGoodSends: UInt32 = 0
    package var numberGoodReceives: UInt32 = 0
    package var numberRetransmits: UInt16 = 0
    package var numberNoResourceConditions: UInt16 = 0
    package var numberFreeCommandBlocks: UInt16 = 0
    package var totalNumberCommandBlocks: UInt16 = 0
    package var maximumTotalNumberCommandBlocks: UInt16 = 0
    package var numberPendingSessions: UInt16 = 0
    package var maximumNumberPendingSessions: UInt16 = 0
    package var maximumTotalSessionsPossible: UInt16 = 0
    package var sessionDataPacketSize: UInt16 = 0

    package init() {}

    package init(parsing reader: inout WireReader) throws(WireError) {
        defer { _ = reader.takeRest() }
        if reader.remaining < 6 { return }
        unitID = try reader.fixed("UNIT_ID")
        if reader.remaining < 40 { return }
        jumpers = try reader.uint8("JUMPERS")
        testResult = try reader.uint8("TEST_RESULT")
        versionNumber = try reader.uint16BE("VERSION_NUMBER")
        periodOfStatistics = try reader.uint16BE("PERIOD_OF_STATISTICS")
        numberOfCRCs = try reader.uint16BE("NUMBER_OF_CRCs")
        numberAlignmentErrors = try reader.uint16BE("NUMBER_ALIGNMENT_ERRORS")
        numberOfCollisions = try reader.uint16BE("NUMBER_OF_COLLISIONS")
        numberSendAborts = try reader.uint16BE("NUMBER_SEND_ABORTS")
        numberGoodSends = try reader.uint32BE("NUMBER_GOOD_SENDS")
        numberGoodReceives = try reader.uint32BE("NUMBER_GOOD_RECEIVES")
        numberRetransmits = try reader.uint16BE("NUMBER_RETRANSMITS")
        numberNoResourceConditions = try reader.uint16BE("NUMBER_NO_RESOURCE_CONDITIONS")
        numberFreeCommandBlocks = try reader.uint16BE("NUMBER_FREE_COMMAND_BLOCKS")
        totalNumberCommandBlocks = try reader.uint16BE("TOTAL_NUMBER_COMMAND_BLOCKS")
        maximumTotalNumberCommandBlocks = try reader.uint16BE("MAX_TOTAL_NUMBER_COMMAND_BLOCKS")
        numberPendingSessions = try reader.uint16BE("NUMBER_PENDING_SESSIONS")
        maximumNumberPendingSessions = try reader.uint16BE("MAX_NUMBER_PENDING_SESSIONS")
        maximumTotalSessionsPossible = try reader.uint16BE("MAX_TOTAL_SESSIONS_POSSIBLE")
        sessionDataPacketSize = try reader.uint16BE("SESSION_DATA_PACKET_SIZE")
    }

    package func write(into writer: inout WireWriter) {
        writer.append(unitID)
        writer.uint8(jumpers)
        writer.uint8(testResult)
        writer.uint16BE(versionNumber)
        writer.uint16BE(periodOfStatistics)
        writer.uint16BE(numberOfCRCs)
        writer.uint16BE(numberAlignmentErrors)
        writer.uint16BE(numberOfCollisions)
        writer.uint16BE(numberSendAborts)
        writer.uint32BE(numberGoodSends)
        writer.uint32BE(numberGoodReceives)
        writer.uint16BE(numberRetransmits)
        writer.uint16BE(numberNoResourceConditions)
        writer.uint16BE(numberFreeCommandBlocks)
        writer.uint16BE(totalNumberCommandBlocks)
        writer.uint16BE(maximumTotalNumberCommandBlocks)
        writer.uint16BE(numberPendingSessions)
        writer.uint16BE(maximumNumberPendingSessions)
        writer.uint16BE(maximumTotalSessionsPossible)
        writer.uint16BE(sessionDataPacketSize)
    }
}
