import Decoder
import Loop
import Wire

enum DecodeCommand {
    static let usage = """
        usage: postern decode HEX|FILE [--as KIND]

        Prints messages field by field; passwords, keys and responses are withheld.

        FILE is a capture (pcap, pcapng), or holds one message, as it is or in hexadecimal;
        - is standard input. HEX is one message; blanks and colons are ignored.

        KIND is nbns, datagram, mailslot, netlogon, browse, session, smb, rpc, cldap or ntlmssp;
        without it the message's shape tells.

        """

    /// The largest file that is read.
    private static let longestFile = 64 << 20

    static func run(_ words: [String]) -> ExitCode {
        let (parsed, code) = Options.parse(
            words, [Options.Option(name: "as", takesValue: true)], usage: usage)
        guard let parsed else { return code }
        if parsed.operands.isEmpty {
            Terminal.writeError(usage)
            return .usage
        }
        var kind: MessageKind?
        if let name = parsed.values["as"] {
            kind = MessageKind(name: name)
            if kind == nil {
                Terminal.writeError("postern: '\(name)' is not a kind of message\n\(usage)")
                return .usage
            }
        }
        return decode(parsed.operands, kind)
    }

    private static func decode(_ operands: [String], _ kind: MessageKind?) -> ExitCode {
        // Several operands are one message with blanks in it.
        let text = operands.joined(separator: " ")
        do throws(SystemError) {
            let path = text == "-" ? "/dev/stdin" : text
            return decode(file: try SystemFile.read(path, limit: longestFile), kind)
        } catch {
            if let bytes = hexadecimal(Array(text.utf8)) { return show(bytes, kind) }
            Terminal.writeError("postern: \(error.description)\n")
            return .failed
        }
    }

    private static func decode(file bytes: [UInt8], _ kind: MessageKind?) -> ExitCode {
        if CaptureDecoder.isCapture(bytes) { return capture(bytes) }
        if bytes.starts(with: [0x1f, 0x8b]) {
            Terminal.writeError("postern: the file is compressed; gunzip it first\n")
            return .failed
        }
        return show(hexadecimal(bytes) ?? bytes, kind)
    }

    private static func capture(_ bytes: [UInt8]) -> ExitCode {
        let (summary, error) = CaptureDecoder.decode(bytes) { text in
            if !text.isEmpty { Terminal.show(text) }
        }
        var line = "\(summary.frames) frames, \(summary.decoded) messages decoded"
        if summary.failed > 0 { line += ", \(summary.failed) not" }
        if summary.foreign > 0 { line += "; \(summary.foreign) frames not UDP or TCP over IPv4" }
        if summary.fragments > 0 { line += "; \(summary.fragments) IP fragments left out" }
        Terminal.write(line + "\n")
        if let error { Terminal.writeError("postern: \(error.description)\n") }
        return summary.decoded > 0 ? .success : .failed
    }

    private static func show(_ bytes: [UInt8], _ kind: MessageKind?) -> ExitCode {
        let outline = MessageDecoder.decode(bytes, as: kind)
        Terminal.show(outline.text)
        return outline.decoded > 0 ? .success : .failed
    }

    /// The bytes that `text` spells, or nil where it is not hexadecimal.
    private static func hexadecimal(_ text: [UInt8]) -> [UInt8]? {
        var digits: [UInt8] = []
        digits.reserveCapacity(text.count)
        for character in text {
            switch character {
            case 0x20, 0x09, 0x0a, 0x0d, UInt8(ascii: ":"): continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"):
                digits.append(character)
            case _: return nil
            }
        }
        if digits.isEmpty { return nil }
        return Hex.bytes(String(decoding: digits, as: UTF8.self))
    }
}
