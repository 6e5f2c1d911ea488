enum DecodeCommand { static func run(_ words: [String]) -> ExitCode { .failed } }
