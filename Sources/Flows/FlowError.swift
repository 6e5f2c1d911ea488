import Wire

/// Why a dialogue with a server ended early: at which step, and what it means.
package enum FlowError: Error, CustomStringConvertible {
    /// Nobody answers there: no route, refused, or silent until the deadline.
    case unavailable(step: String, reason: String)
    /// The server answered, and refused.
    case refused(step: String, NTStatus)
    /// The server's answer cannot be understood.
    case malformed(step: String, WireError)
    /// The server's answer is understood, and is not one to go on with.
    case contradicted(step: String, reason: String)

    package var description: String {
        switch self {
        case .unavailable(let step, let reason): "\(step): \(reason)"
        case .refused(let step, let status): "\(step): \(status.name)"
        case .malformed(let step, let error): "\(step): \(error.description)"
        case .contradicted(let step, let reason): "\(step): \(reason)"
        }
    }

    /// Whether another server, or another way, may still bring the answer.
    package var isUnavailable: Bool {
        if case .unavailable = self { return true }
        return false
    }

    package var step: String {
        switch self {
        case .unavailable(let step, _), .refused(let step, _), .malformed(let step, _),
            .contradicted(let step, _):
            step
        }
    }
}
