import Consumers
import Loop

final class DomainSearch {
    private let done: Commands.Done
    init(_ index: Int, _ daemon: Daemon, json: Bool, done: @escaping Commands.Done) { self.done = done }
    func start() { done("", .success) }
}
