import Wire

/// Why a dialogue with a server ended early: at which step, and what it means.
package enum FlowError: Error, CustomStringConvertible {
    /// Nobody answers there: no route, refused, or silent until the deadline.
    case unavailable(step: String, reason: String)
    /// The server answered, and refused.
    case refused(step: String, NTStatus)
    /// The server's answer cannot be understood.
    case malformed(step: String, WireError)

    package var description: String {
        switch self {
        case .unavailable(let step, let reason): "\(step): \(reason)"
        case .refused(let step, let status): "\(step): \(status.name)"
        case .malformed(let step, let error): "\(step): \(error.description)"
        }
    }
}
