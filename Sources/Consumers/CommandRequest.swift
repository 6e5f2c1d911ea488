import Crypto
import Wire

/// What a sub-command asks the running agent for.
package struct CommandKind: RawRepresentable, Equatable, Sendable {
    package var rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let status = CommandKind(rawValue: 1)
    package static let find = CommandKind(rawValue: 2)
    package static let explain = CommandKind(rawValue: 3)
    package static let secretRotate = CommandKind(rawValue: 4)
    package static let reload = CommandKind(rawValue: 6)
    /// Accounts and groups of the embedded domain.
    package static let account = CommandKind(rawValue: 7)
    package static let group = CommandKind(rawValue: 8)
    /// The embedded domain itself: its role.
    package static let domain = CommandKind(rawValue: 9)
}

/// A sub-command that the agent carries out and answers in text.
///
///     kind(1) requestID(4) command(1) flags(1) count(1) arguments(text each)
///     secret(text) where flags has `secret`
package struct CommandRequest: CustomStringConvertible {
    private enum Flag {
        static let json: UInt8 = 1
        static let secret: UInt8 = 2
    }

    static let layer: StaticString = "command request"
    package static let maximumArguments = 8
    package static let maximumArgument = 1024
    /// A password, or lines of a file that hold some.
    package static let maximumSecret = 32_768

    package var requestID: UInt32
    package var command: CommandKind
    package var wantsJSON: Bool
    package var arguments: [String]
    /// A password or secret that the command needs: never an argument.
    package var secret: Secret?

    package init(
        requestID: UInt32, command: CommandKind, wantsJSON: Bool = false,
        arguments: [String] = [], secret: Secret? = nil
    ) {
        self.requestID = requestID
        self.command = command
        self.wantsJSON = wantsJSON
        self.arguments = arguments
        self.secret = secret
    }

    package init(parsing reader: inout WireReader) throws(WireError) {
        requestID = try reader.controlHeader(.commandRequest)
        command = CommandKind(rawValue: try reader.uint8("command"))
        let flags = try reader.uint8("flags")
        if flags & ~(Flag.json | Flag.secret) != 0 {
            throw reader.invalid("flags", Int(flags), width: 1)
        }
        wantsJSON = flags & Flag.json != 0
        let count = Int(try reader.uint8("count"))
        if count > Self.maximumArguments {
            throw WireError(
                .limit, layer: Self.layer, field: "count", offset: reader.offset - 1,
                needed: count, available: Self.maximumArguments)
        }
        arguments = []
        for _ in 0..<count {
            arguments.append(try reader.countedText("argument", limit: Self.maximumArgument))
        }
        if flags & Flag.secret != 0 {
            secret = Secret(try reader.countedBytes("secret", limit: Self.maximumSecret))
        }
        try reader.expectEnd("arguments")
    }

    /// Every argument must keep to `maximumArgument`, and their number to `maximumArguments`.
    package func write(into writer: inout WireWriter) {
        writer.controlHeader(.commandRequest, requestID)
        writer.uint8(command.rawValue)
        writer.uint8((wantsJSON ? Flag.json : 0) | (secret == nil ? 0 : Flag.secret))
        writer.uint8(UInt8(arguments.count))
        for argument in arguments { writer.countedText(argument) }
        if let secret { writer.countedBytes(secret.bytes) }
    }

    package var isWithinLimits: Bool {
        if arguments.count > Self.maximumArguments { return false }
        for argument in arguments where argument.utf8.count > Self.maximumArgument { return false }
        return secret.map { $0.bytes.count <= Self.maximumSecret } ?? true
    }

    package var description: String {
        "command \(requestID): \(command.rawValue) with \(arguments.count) arguments"
    }
}
