import RPC
import Wire

/// A controller's word on a user (MS-NRPC 2.2.1.4.14, NETLOGON_VALIDATION): the level as the
/// union's tag(2), padding to 4, pointer(4), the structure. Without one where the logon failed.
package struct NetlogonValidation: NDRMessage, Equatable, Sendable {
    /// Those that the union has arms for.
    private static let levels: ClosedRange<UInt16> = 2...6

    package var level: ValidationLevel
    package var samInfo: ValidationSAMInfo?

    package init(level: ValidationLevel, samInfo: ValidationSAMInfo? = nil) {
        self.level = level
        self.samInfo = samInfo
    }

    package init(parsing stub: inout NDRReader) throws(WireError) {
        level = ValidationLevel(rawValue: try stub.uint16("ValidationInformation tag"))
        // A controller that does not know the level answers with the tag alone: Authoritative and
        // the status are then all that is left.
        if stub.wire.remaining <= 8 + (2 & stub.wire.offset) {
            samInfo = nil
            try stub.align(4, "ValidationInformation")
            return
        }
        if try stub.pointer("ValidationInformation") {
            guard level == .samInfo || level == .samInfo2 || level == .samInfo4 else {
                throw stub.wire.invalid("ValidationLevel", Int(level.rawValue), width: 8)
            }
            samInfo = try ValidationSAMInfo(parsing: &stub, level: level)
        } else {
            samInfo = nil
        }
    }

    package func write(into stub: inout NDRWriter) {
        stub.uint16(level.rawValue)
        // The union has no arm for another level: there is the tag alone.
        guard Self.levels.contains(level.rawValue) else { return stub.align(4) }
        stub.pointer(samInfo != nil)
        samInfo?.write(into: &stub, level: level)
    }

    /// With texts and lists in memory of its own. `reader` reads the span that it was parsed from.
    package func owned(in reader: borrowing WireReader) throws(WireError) -> NetlogonValidation {
        NetlogonValidation(level: level, samInfo: try samInfo?.owned(in: reader))
    }
}
