import CLibuv
import CPosix

/// The one loop of the program: it waits for sockets, timers and signals and calls what belongs
/// to them. Everything made on a loop is used from the thread that runs it, and only there.
///
/// Objects made on the loop are owned by whoever made them. `close()` ends one at once, and so
/// does letting go of it; after either, none of its callbacks is called and none is kept.
///
/// `@safe`: the loop's memory lives as long as this object, every object made on the loop holds
/// on to it, and the receive buffer is lent out only during a callback.
@safe package final class EventLoop {
    let raw: UnsafeMutablePointer<uv_loop_t>
    /// Where datagrams and stream data arrive; one for all sockets, because each callback is
    /// through with it when it returns. Only the pages that were ever filled are resident.
    /// `lendBuffer` finds it through the loop's `data`.
    private let buffer: UnsafeMutableBufferPointer<CChar>

    /// The largest UDP datagram, and what one read of a stream may bring.
    static let chunk = 65_536
    /// Datagrams that one system call may bring.
    static let datagramsPerCall = 8

    package init() {
        unsafe raw = .allocate(capacity: 1)
        unsafe buffer = .allocate(capacity: Self.chunk * Self.datagramsPerCall)
        let status = unsafe uv_loop_init(raw)
        precondition(status == 0, "no event loop from the system")
        unsafe raw.pointee.data = UnsafeMutableRawPointer(buffer.baseAddress)
        // A peer that is gone shows as an error of the write, not as the end of the process.
        _ = postern_ignore_signal(SIGPIPE)
    }

    deinit {
        // Nothing open can be left, since all that is open holds on to the loop; what is being
        // closed still has to be given back.
        while unsafe uv_run(raw, UV_RUN_NOWAIT) != 0 {}
        let status = unsafe uv_loop_close(raw)
        precondition(status == 0, "a handle outlived its loop")
        unsafe buffer.deallocate()
        unsafe raw.deallocate()
    }

    /// Runs until `stop()`, or until nothing is left to wait for.
    package func run() { _ = unsafe uv_run(raw, UV_RUN_DEFAULT) }

    /// Does what is due, waiting for it if `waiting`, and returns.
    package func runOnce(waiting: Bool) {
        _ = unsafe uv_run(raw, waiting ? UV_RUN_ONCE : UV_RUN_NOWAIT)
    }

    package func stop() { unsafe uv_stop(raw) }

    /// Milliseconds on the monotonic clock, the same during all of one round of the loop.
    package var now: UInt64 { unsafe uv_now(raw) }

    /// Reads the clock anew for `now`, after work that took long.
    package func updateNow() { unsafe uv_update_time(raw) }

    /// Microseconds on the same clock, read at the call.
    package var microseconds: UInt64 { uv_hrtime() / 1_000 }
}

/// Calls back once at a moment that may be moved any number of times.
///
/// `@safe`: libuv's memory is freed by libuv's own close callback, and `data` in it, which is
/// this object unretained, is cleared before this object goes.
@safe package final class Timer {
    private let loop: EventLoop
    private var raw: UnsafeMutablePointer<uv_timer_t>?
    private var onFire: (() -> Void)?
    /// When to call back, in the loop's milliseconds; nil while disarmed.
    package private(set) var deadline: UInt64?
    /// When libuv will wake us, which may be sooner: then it is only armed again. That makes
    /// moving a deadline back, which every packet does, an assignment.
    private var wake: UInt64?

    package init(_ loop: EventLoop, onFire: @escaping () -> Void) {
        self.loop = loop
        self.onFire = onFire
        let timer = unsafe allocateHandle(uv_timer_t.self)
        unsafe uv_timer_init(loop.raw, timer)
        unsafe raw = timer
        unsafe timer.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit { close() }

    /// Calls back once when the loop's `now` has reached `moment`.
    package func arm(at moment: UInt64) {
        guard let raw = unsafe raw else { return }
        deadline = moment
        if let wake, wake <= moment { return }
        wake = moment
        // Never zero: libuv 1.44 would call a timer that is armed again from its own callback
        // without end, and look at no socket meanwhile.
        let delay = moment > loop.now ? moment - loop.now : 1
        _ = unsafe uv_timer_start(raw, timerFired, delay, 0)
    }

    package func arm(after milliseconds: UInt64) { arm(at: loop.now + milliseconds) }

    /// For a core's next deadline, which may be none.
    package func arm(at moment: UInt64?) {
        if let moment { arm(at: moment) } else { disarm() }
    }

    package func disarm() {
        deadline = nil
        wake = nil
        if let raw = unsafe raw { _ = unsafe uv_timer_stop(raw) }
    }

    package func close() {
        guard let timer = unsafe raw else { return }
        unsafe raw = nil
        deadline = nil
        onFire = nil
        unsafe closeHandle(timer)
    }

    fileprivate func fired() {
        wake = nil
        guard let moment = deadline else { return }
        if moment > loop.now { return arm(at: moment) }
        deadline = nil
        onFire?()
    }
}

private func timerFired(_ raw: UnsafeMutablePointer<uv_timer_t>?) {
    unsafe owner(raw, Timer.self)?.fired()
}

/// Calls back for every delivery of one signal, on the loop and not in the signal's own context.
///
/// `@safe`: as `Timer`.
@safe package final class SignalWatcher {
    package enum Signal: Sendable {
        case terminate, interrupt, hangUp

        var number: Int32 {
            switch self {
            case .terminate: SIGTERM
            case .interrupt: SIGINT
            case .hangUp: SIGHUP
            }
        }
    }

    private let loop: EventLoop
    private var raw: UnsafeMutablePointer<uv_signal_t>?
    private var onSignal: (() -> Void)?

    package init(_ loop: EventLoop, _ signal: Signal, onSignal: @escaping () -> Void) {
        self.loop = loop
        self.onSignal = onSignal
        let watcher = unsafe allocateHandle(uv_signal_t.self)
        unsafe uv_signal_init(loop.raw, watcher)
        unsafe raw = watcher
        unsafe watcher.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        let status = unsafe uv_signal_start(watcher, signalArrived, signal.number)
        precondition(status == 0, "a signal cannot be watched")
    }

    deinit { close() }

    package func close() {
        guard let watcher = unsafe raw else { return }
        unsafe raw = nil
        onSignal = nil
        unsafe closeHandle(watcher)
    }

    fileprivate func arrived() { onSignal?() }
}

private func signalArrived(_ raw: UnsafeMutablePointer<uv_signal_t>?, _ number: Int32) {
    unsafe owner(raw, SignalWatcher.self)?.arrived()
}
