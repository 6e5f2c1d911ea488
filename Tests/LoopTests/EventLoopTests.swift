import CPosix
import Loop
import Testing
import Wire

@Suite struct EventLoopTests {
    @Test func callsBackOnceWhenTheTimerIsDue() {
        let loop = EventLoop()
        var moments: [UInt64] = []
        let timer = Timer(loop) { moments.append(loop.now) }
        let start = loop.now
        timer.arm(after: 20)
        loop.run()
        #expect(moments.count == 1 && moments[0] >= start + 20)
        #expect(timer.deadline == nil)
    }

    @Test func movesADeadlineBackAndForth() {
        let loop = EventLoop()
        var fired = 0
        let timer = Timer(loop) { fired += 1 }
        let start = loop.now
        timer.arm(after: 10)
        for later in 11...40 { timer.arm(after: UInt64(later)) }
        loop.run()
        #expect(fired == 1 && loop.now >= start + 40)
        timer.arm(after: 60_000)
        timer.arm(after: 1)
        loop.run()
        #expect(fired == 2 && loop.now < start + 10_000)
    }

    @Test func disarmsAndArmsFromWithinItsCallback() {
        let loop = EventLoop()
        var fired = 0
        var timer: Timer?
        timer = Timer(loop) {
            fired += 1
            if fired < 3 { timer?.arm(after: 1) }
        }
        timer?.arm(after: 1)
        loop.run()
        #expect(fired == 3)
        timer?.arm(after: 5)
        timer?.arm(at: nil)
        loop.run()
        #expect(fired == 3)
        timer = nil
    }

    @Test func keepsNoClosureAfterClose() {
        let loop = EventLoop()
        var gone = 0
        var timer: Timer?
        do {
            let canary = Canary { gone += 1 }
            timer = Timer(loop) { _ = canary }
        }
        timer?.arm(after: 1_000)
        #expect(gone == 0)
        timer?.close()
        #expect(gone == 1)
        timer?.arm(after: 1)
        loop.run()
    }

    @Test func hearsSignals() {
        let loop = EventLoop()
        var heard: [String] = []
        let hangUp = SignalWatcher(loop, .hangUp) { heard.append("HUP") }
        let terminate = SignalWatcher(loop, .terminate) {
            heard.append("TERM")
            loop.stop()
        }
        kill(getpid(), SIGHUP)
        run(loop) { !heard.isEmpty }
        kill(getpid(), SIGTERM)
        loop.run()
        #expect(heard == ["HUP", "TERM"])
        hangUp.close()
        terminate.close()
    }

    @Test func hasAClockInMicroseconds() {
        let loop = EventLoop()
        let before = loop.microseconds
        usleep(2_000)
        let passed = loop.microseconds - before
        #expect(passed >= 2_000 && passed < 2_000_000)
    }
}
