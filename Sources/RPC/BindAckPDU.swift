import Wire

/// What the server made of one presentation context (C706 12.6.3.1, p_result_t):
/// ```
/// result(2)  reason(2)  transfer_syntax(20)
/// ```
package struct PresentationResult: Equatable, Sendable {
    /// p_cont_def_result_t.
    package struct Outcome: RawRepresentable, Hashable, Sendable {
        package var rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let acceptance = Outcome(rawValue: 0)
        package static let userRejection = Outcome(rawValue: 1)
        package static let providerRejection = Outcome(rawValue: 2)
        /// The answer to `BindTimeFeatures`, which are then in `reason` (MS-RPCE 2.2.2.4).
        package static let negotiateAck = Outcome(rawValue: 3)
    }

    /// p_provider_reason_t.
    package struct Reason: RawRepresentable, Hashable, Sendable {
        package var rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let notSpecified = Reason(rawValue: 0)
        package static let abstractSyntaxNotSupported = Reason(rawValue: 1)
        package static let proposedTransferSyntaxesNotSupported = Reason(rawValue: 2)
        package static let localLimitExceeded = Reason(rawValue: 3)
    }

    package var outcome: Outcome
    package var reason: Reason
    package var transferSyntax: SyntaxID

    package init(_ outcome: Outcome, _ reason: Reason, _ transferSyntax: SyntaxID) {
        self.outcome = outcome
        self.reason = reason
        self.transferSyntax = transferSyntax
    }

    package static func accepted(_ transferSyntax: SyntaxID) -> PresentationResult {
        PresentationResult(.acceptance, .notSpecified, transferSyntax)
    }

    package static func rejected(_ reason: Reason) -> PresentationResult {
        PresentationResult(.providerRejection, reason, .none)
    }

    package static func features(_ features: BindTimeFeatures) -> PresentationResult {
        PresentationResult(.negotiateAck, Reason(rawValue: features.rawValue), .none)
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        outcome = Outcome(rawValue: try reader.uint16("result"))
        reason = Reason(rawValue: try reader.uint16("reason"))
        transferSyntax = try SyntaxID(parsing: &reader)
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16LE(outcome.rawValue)
        writer.uint16LE(reason.rawValue)
        transferSyntax.write(into: &writer)
    }
}

/// The body of a bind_ack and of an alter_context_resp (C706 12.6.4.4, 12.6.4.2):
/// ```
/// max_xmit_frag(2)  max_recv_frag(2)
/// assoc_group_id(4)
/// sec_addr: length(2), text with its null; padding to 4 from the PDU's start
/// n_results(1)  reserved(1)  reserved2(2)
/// p_result, each
/// ```
/// The results are in the order of the contexts that were asked for.
package struct BindAckPDU: PDUBody, Equatable, Sendable {
    package static let maximumResults = BindPDU.maximumContexts

    package var maximumTransmitFragment: UInt16
    package var maximumReceiveFragment: UInt16
    package var associationGroup: UInt32
    /// The port or the pipe, without a null; empty in an alter_context_resp.
    package var secondaryAddress: [UInt8]
    package var results: [PresentationResult]

    package init(
        maximumTransmitFragment: UInt16, maximumReceiveFragment: UInt16,
        associationGroup: UInt32, secondaryAddress: [UInt8] = [], results: [PresentationResult]
    ) {
        self.maximumTransmitFragment = maximumTransmitFragment
        self.maximumReceiveFragment = maximumReceiveFragment
        self.associationGroup = associationGroup
        self.secondaryAddress = secondaryAddress
        self.results = results
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        // The header is a multiple of 4, so the body's start serves as well as the PDU's.
        let start = reader.offset
        maximumTransmitFragment = try reader.uint16("max_xmit_frag")
        maximumReceiveFragment = try reader.uint16("max_recv_frag")
        associationGroup = try reader.uint32("assoc_group_id")
        let length = Int(try reader.uint16("sec_addr length"))
        secondaryAddress = reader.copy(try reader.take(length, "sec_addr"))
        if secondaryAddress.last == 0 { secondaryAddress.removeLast() }
        try reader.align(4, from: start, "sec_addr padding")
        let count = Int(try reader.uint8("n_results"))
        if count > Self.maximumResults {
            throw WireError(
                .limit, layer: reader.layer, field: "n_results", offset: reader.offset - 1,
                needed: count, available: Self.maximumResults)
        }
        _ = try reader.take(3, "reserved")
        results = []
        results.reserveCapacity(count)
        for _ in 0..<count { results.append(try PresentationResult(parsing: &reader)) }
        try reader.expectEnd("p_result_list")
    }

    package func write(into writer: inout WireWriter) {
        let start = writer.count
        writer.uint16LE(maximumTransmitFragment)
        writer.uint16LE(maximumReceiveFragment)
        writer.uint32LE(associationGroup)
        if secondaryAddress.isEmpty {
            writer.uint16LE(0)
        } else {
            writer.uint16LE(UInt16(secondaryAddress.count + 1))
            writer.append(secondaryAddress)
            writer.uint8(0)
        }
        writer.align(4, from: start)
        writer.uint8(UInt8(results.count))
        writer.zeros(3)
        for result in results { result.write(into: &writer) }
    }
}

/// The body of a bind_nak (C706 12.6.4.5):
/// ```
/// provider_reject_reason(2)
/// n_protocols(1)  { major(1)  minor(1) } each
/// ```
/// Peers leave out the versions, pad, or append extended error information (MS-RPCE 2.2.2.9):
/// what follows the reason is read as far as it makes sense.
package struct BindNakPDU: PDUBody, Equatable, Sendable {
    package struct Reason: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        package var rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let notSpecified = Reason(rawValue: 0)
        package static let temporaryCongestion = Reason(rawValue: 1)
        package static let localLimitExceeded = Reason(rawValue: 2)
        package static let protocolVersionNotSupported = Reason(rawValue: 4)
        package static let authenticationTypeNotRecognized = Reason(rawValue: 8)
        package static let invalidChecksum = Reason(rawValue: 9)

        package var description: String {
            switch self {
            case .notSpecified: "reason not specified"
            case .temporaryCongestion: "temporary congestion"
            case .localLimitExceeded: "local limit exceeded"
            case .protocolVersionNotSupported: "protocol version not supported"
            case .authenticationTypeNotRecognized: "authentication type not recognized"
            case .invalidChecksum: "invalid checksum"
            case _: "reason \(rawValue)"
            }
        }
    }

    package var reason: Reason
    /// What the server speaks, each as major and minor.
    package var versions: [UInt16]

    package init(_ reason: Reason, versions: [UInt16] = [0x0500]) {
        self.reason = reason
        self.versions = versions
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        reason = Reason(rawValue: try reader.uint16("provider_reject_reason"))
        versions = []
        guard reader.remaining > 0 else { return }
        let count = Int(try reader.uint8("n_protocols"))
        if reader.remaining >= count * 2 {
            for _ in 0..<count { versions.append(try reader.uint16BE("p_rt_version")) }
        }
        _ = reader.takeRest()
    }

    package func write(into writer: inout WireWriter) {
        writer.uint16LE(reason.rawValue)
        writer.uint8(UInt8(versions.count))
        for version in versions { writer.uint16BE(version) }
    }
}
