import NetBIOS
import Wire

/// One TCP connection of a capture: SMB in sessions, or RPC.
struct Connection {
    /// The longest message that is kept until it is whole. Longer ones carry files, in SMB 2.
    static let longestMessage = 262_144
    /// Segments looked at before a connection on an unknown port is left alone.
    static let mostGlances = 4

    private enum Content {
        case unknown
        case smb(SessionFraming)
        case rpc
        case foreign
    }

    /// What one end sent.
    private struct Direction {
        var queue = SegmentQueue()
        /// In order, from a message's beginning on.
        var buffer: [UInt8] = []
        /// Bytes of a message that is left out.
        var skip = 0
    }

    private var content: Content
    private var glances = 0
    private var directions = [Direction(), Direction()]
    private var smb = SMBConversation()
    private var rpc = RPCConversation()

    /// Ports tell what is spoken, where they are well known.
    init(_ one: UInt16, _ other: UInt16) {
        content =
            switch (one, other) {
            case (139, _), (_, 139): .smb(.netBIOS)
            case (445, _), (_, 445): .smb(.direct)
            case (135, _), (_, 135): .rpc
            case _: .unknown
            }
    }

    /// Takes a segment that the end of number `sender` sent.
    mutating func receive(
        _ packet: InternetPacket, _ bytes: Span<UInt8>, from sender: Int,
        into outline: inout Outline
    ) {
        guard let segment = packet.segment else { return }
        if segment.isSynchronizing {
            directions[sender] = Direction()
        } else if !packet.payload.isEmpty {
            glance(WireReader(bytes, layer: "TCP").part(packet.payload))
        }
        switch content {
        case .unknown, .foreign: return
        case .smb, .rpc: break
        }
        let pieces = directions[sender].queue.add(segment, packet.payload, of: bytes)
        for piece in pieces { take(piece, sender, into: &outline) }
    }

    /// The capture has ended: what waits for missing segments is all there is.
    mutating func finish(into outline: inout Outline) {
        for sender in 0..<2 {
            for piece in directions[sender].queue.finish() { take(piece, sender, into: &outline) }
        }
    }

    /// What a connection's first bytes look like goes before what its port promises.
    private mutating func glance(_ reader: borrowing WireReader) {
        if glances == Self.mostGlances { return }
        glances += 1
        let inner = reader.part(
            min(reader.offset + SessionHeader.byteCount, reader.end)..<reader.end)
        if RPCConversation.looksLike(reader) {
            if case .rpc = content { return }
            content = .rpc
            glances = Self.mostGlances
        } else if case .unknown = content {
            if reader.starts(with: [0]) && SMBConversation.looksLike(inner) {
                content = .smb(.direct)
            } else if glances == Self.mostGlances {
                content = .foreign
            }
        } else {
            glances = Self.mostGlances
        }
    }

    private mutating func take(
        _ piece: SegmentQueue.Piece, _ sender: Int, into outline: inout Outline
    ) {
        switch piece {
        case .gap(let count):
            outline.line("\(count) bytes before this are not in the capture")
            directions[sender].buffer = []
            directions[sender].skip = max(directions[sender].skip - count, 0)
            rpc.lose(.client)
            rpc.lose(.server)
        case .bytes(let bytes):
            switch content {
            case .smb(let framing): sessions(framing, bytes, sender, into: &outline)
            // Which end is the client does not matter: a PDU's type tells.
            case .rpc: rpc.receive(bytes, from: sender == 0 ? .client : .server, into: &outline)
            case .unknown, .foreign: break
            }
        }
    }

    // MARK: Sessions

    private mutating func sessions(
        _ framing: SessionFraming, _ bytes: [UInt8], _ sender: Int, into outline: inout Outline
    ) {
        var direction = directions[sender]
        let skipped = min(direction.skip, bytes.count)
        direction.skip -= skipped
        direction.buffer += bytes[skipped...]
        var start = 0
        do throws(WireError) {
            while direction.buffer.count - start >= SessionHeader.byteCount {
                var reader = WireReader(direction.buffer.span, layer: SessionDecoder.layer)
                try reader.seek(start, "TYPE")
                let length = try SessionHeader(parsing: &reader, framing).length
                let end = reader.offset + length
                if length > Self.longestMessage {
                    outline.line("session message of \(length) bytes, left out")
                    direction.skip = max(end - direction.buffer.count, 0)
                    start = min(end, direction.buffer.count)
                } else if end > direction.buffer.count {
                    break
                } else {
                    try SessionDecoder.decode(
                        reader.part(start..<end), framing, &smb, into: &outline)
                    start = end
                }
            }
            direction.buffer.removeFirst(start)
        } catch {
            outline.fail(error)
            direction.buffer = []
        }
        directions[sender] = direction
    }
}

/// The session service of port 139, and SMB over port 445.
enum SessionDecoder {
    static let layer: StaticString = "NBSS"

    /// Shows the packet that fills `reader`.
    static func decode(
        _ reader: borrowing WireReader, _ framing: SessionFraming,
        _ conversation: inout SMBConversation, into outline: inout Outline
    ) throws(WireError) {
        var packet = reader.part(reader.offset..<reader.end)
        switch try SessionPacket(parsing: &packet, framing) {
        case .message(let range):
            let message = reader.part(range, layer: SMBConversation.layer)
            if SMBConversation.looksLike(message) {
                conversation.show(message, into: &outline)
            } else if message.starts(with: [0xfd, 0x53, 0x4d, 0x42]) {
                outline.line("SMB 3 message of \(range.count) bytes, enciphered")
            } else {
                outline.line("session message of \(range.count) bytes, not SMB")
            }
            return
        case .request(let called, let calling):
            outline.open("NBSS session request")
            outline.field("called", called.description)
            outline.field("calling", calling.description)
            outline.close()
        case .positiveResponse: outline.line("NBSS positive session response")
        case .negativeResponse(let code):
            outline.line("NBSS negative session response: " + code.description)
        case .retargetResponse(let endpoint):
            outline.line("NBSS retarget response: " + endpoint.description)
        case .keepAlive: outline.line("NBSS keep-alive")
        }
        outline.succeed()
    }
}
