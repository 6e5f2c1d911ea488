enum NtlmAuthCommand { static func run(_ words: [String]) -> ExitCode { .failed } }
