import Wire

/// Which PDUs carry a call's stub, and their own fields.
package enum StubCarrier: Equatable, Sendable {
    case request(contextID: UInt16, opnum: UInt16, object: GUID? = nil)
    case response(contextID: UInt16)
}

/// Splits a stub into PDUs that the peer takes, and leaves room in each for what a security
/// provider puts there: each PDU is sealed by itself, after `next` wrote it.
///
///     var fragmenter = Fragmenter(…)
///     while let layout = fragmenter.next(stub.span, into: &writer) { seal(layout) }
package struct Fragmenter {
    /// What every implementation must receive (C706 12.6.3.1, MustRecvFragSize). A peer that
    /// grants less is not believed.
    package static let minimumFragment = 1432
    /// Stubs are cut at multiples of this, so that no number is split (C706 12.6.2).
    private static let cutAlignment = AuthTrailer.stubAlignment

    /// Where one PDU's parts are in the writer.
    package struct Layout: Equatable, Sendable {
        package var whole: Range<Int>
        /// The stub and its padding: what is sealed.
        package var sealed: Range<Int>
        /// What a signature covers where both ends sign headers.
        package var signed: Range<Int>
        /// Zeros, to be overwritten with the token.
        package var token: Range<Int>
    }

    private let carrier: StubCarrier
    private let callID: UInt32
    private let security: SecurityContext?
    private let tokenLength: Int
    private let padding: Int
    private let extraFlags: PDUFlags
    /// The most stub bytes of one PDU.
    private let capacity: Int
    private var offset = 0
    private var isDone = false

    /// `maximumFragment` is what the peer announced to receive. `tokenLength` is the provider's,
    /// `padding` the alignment before its trailer, from the stub's start: 16, or 4 towards a
    /// peer that is known to take less.
    package init(
        _ carrier: StubCarrier, callID: UInt32, maximumFragment: Int,
        security: SecurityContext? = nil, tokenLength: Int = 0,
        padding: Int = AuthTrailer.stubAlignment, extraFlags: PDUFlags = []
    ) {
        self.carrier = carrier
        self.callID = callID
        self.security = security
        self.tokenLength = tokenLength
        self.padding = padding
        self.extraFlags = extraFlags
        var overhead = PDUHeader.byteCount + 8
        if case .request(_, _, .some) = carrier { overhead += 16 }
        if security != nil { overhead += AuthTrailer.byteCount + tokenLength }
        let room = min(
            max(maximumFragment, Self.minimumFragment), FragmentCutter.maximumFragment) - overhead
        capacity = room / Self.cutAlignment * Self.cutAlignment
        precondition(capacity > 0, "a token leaves no room for a stub")
    }

    /// Writes the next PDU of `stub`, or returns nil when all is written. An empty stub has one
    /// PDU too.
    package mutating func next(
        _ stub: Span<UInt8>, into writer: inout WireWriter
    ) -> Layout? {
        if isDone { return nil }
        let start = writer.count
        let length = min(capacity, stub.count - offset)
        isDone = offset + length == stub.count
        var flags = extraFlags
        if offset == 0 { flags.insert(.firstFragment) }
        if isDone { flags.insert(.lastFragment) }
        writeHeaders(into: &writer, flags, hint: UInt32(stub.count - offset))
        let body = writer.count
        writer.append(stub.extracting(offset..<(offset + length)))
        offset += length
        var sealed = body..<writer.count
        var token = writer.count..<writer.count
        if let security {
            AuthTrailer.write(security, into: &writer, base: body, alignment: padding)
            sealed = body..<(writer.count - AuthTrailer.byteCount)
            token = writer.count..<(writer.count + tokenLength)
            writer.zeros(tokenLength)
        }
        PDUHeader.finish(
            &writer, start: start, authLength: security == nil ? 0 : tokenLength)
        return Layout(
            whole: start..<writer.count, sealed: sealed, signed: start..<token.lowerBound,
            token: token)
    }

    private func writeHeaders(
        into writer: inout WireWriter, _ given: PDUFlags, hint: UInt32
    ) {
        var flags = given
        switch carrier {
        case .request(let contextID, let opnum, let object):
            if object != nil { flags.insert(.objectUUID) }
            PDUHeader(.request, flags, callID: callID).write(into: &writer)
            RequestPDU(allocHint: hint, contextID: contextID, opnum: opnum, object: object)
                .write(into: &writer)
        case .response(let contextID):
            PDUHeader(.response, flags, callID: callID).write(into: &writer)
            ResponsePDU(allocHint: hint, contextID: contextID).write(into: &writer)
        }
    }
}
