import Foundation
import LinkedNet
import Synchronization

/// SIGINT, SIGTERM and SIGHUP: the first is noted, a second one leaves at once if someone means it. SIGPIPE is ignored:
/// when nobody reads what is printed, training goes on. So is SIGXFSZ: a file that may not grow fails its write.
package enum Interruption {
    /// The signal that came, or 0.
    private static let received = Atomic<Int32>(0)
    /// When it came, or 0: nanoseconds of a clock that is never set.
    private static let receivedTime = Atomic<UInt64>(0)
    /// What comes sooner after the first signal belongs to it.
    private static let leastInterval: UInt64 = 1_000_000_000

    /// The signal that came, if one did.
    package static var signal: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// Begins to note signals.
    package static func install() {
        // A lazily made global must exist before a signal handler uses it.
        received.store(0, ordering: .relaxed)
        receivedTime.store(0, ordering: .relaxed)
        prepareMessages()
        var action = sigaction()
        #if canImport(Darwin)
        action.__sigaction_u.__sa_handler = { number in Interruption.note(number) }
        #else
        action.__sigaction_handler.sa_handler = { number in Interruption.note(number) }
        #endif
        action.sa_flags = Int32(SA_RESTART)
        var noted = [SIGINT, SIGTERM]
        // nohup has it ignored.
        if !isIgnored(SIGHUP) { noted.append(SIGHUP) }
        for number in noted { sigaction(number, &action, nil) }
        Foundation.signal(SIGPIPE, SIG_IGN)
        Foundation.signal(SIGXFSZ, SIG_IGN)
        // A program that starts this one from a thread with signals blocked passes that on.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in noted { sigaddset(&signals, number) }
        sigprocmask(SIG_UNBLOCK, &signals, nil)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        #if canImport(Darwin)
        let handler = action.__sigaction_u.__sa_handler
        #else
        let handler = action.__sigaction_handler.sa_handler
        #endif
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Service managers and terminals that end send several signals at once, and hang up after whatever else they sent;
    /// none of that is impatience.
    private static func note(_ number: Int32) {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
        let (isFirst, first) = receivedTime.compareExchange(expected: 0, desired: now, ordering: .relaxed)
        if isFirst {
            received.store(number, ordering: .relaxed)
            announceStop()
        } else if number != SIGHUP, now &- first >= leastInterval {
            announceLeave()
            _exit(128 + number)
        }
    }
}

/// Stops training when a signal has come.
package final class InterruptionObserver: TrainingObserver {
    package init() {}

    package func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        Interruption.signal == nil ? .proceed : .stop
    }

    package func evaluationStepEnded(_ event: EvaluationEvent, _ trainer: Trainer) throws -> Directive {
        Interruption.signal == nil ? .proceed : .stop
    }
}
