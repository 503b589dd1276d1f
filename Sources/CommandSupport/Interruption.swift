import Foundation
import LinkedNet
import Synchronization

/// SIGINT, SIGTERM, SIGHUP and SIGXCPU: the first is noted, a second one leaves at once if someone means it. SIGUSR1
/// asks for a save. SIGPIPE is ignored: when nobody reads what is printed, training goes on. So is SIGXFSZ: a file that
/// may not grow fails its write.
package enum Interruption {
    /// The signal that came, or 0.
    private static let received = Atomic<Int32>(0)
    /// When it came, or 0: nanoseconds of a clock that is never set.
    private static let receivedTime = Atomic<UInt64>(0)
    /// True if a save was asked for.
    private static let saveRequest = Atomic(false)
    /// A signal that comes sooner after the first one belongs to the first.
    private static let leastInterval: UInt64 = 1_000_000_000

    /// The signal that came, if one did.
    package static var signal: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// True if a save is asked for. The request is taken with that.
    package static func takeSaveRequest() -> Bool { saveRequest.exchange(false, ordering: .relaxed) }

    /// Begins to note signals. Those that are ignored stay so: nohup has it with SIGHUP, and a shell script with SIGINT
    /// for what it runs in the background.
    package static func install() {
        // A lazily made global must exist before a signal handler uses it.
        received.store(0, ordering: .relaxed)
        receivedTime.store(0, ordering: .relaxed)
        prepareMessages()
        saveRequest.store(false, ordering: .relaxed)
        var noted = sigset_t()
        sigemptyset(&noted)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGUSR1] where !isIgnored(number) {
            var action = sigaction()
            #if canImport(Darwin)
            action.__sigaction_u.__sa_handler = { number in Interruption.note(number) }
            #else
            action.__sigaction_handler.sa_handler = { number in Interruption.note(number) }
            #endif
            action.sa_flags = Int32(SA_RESTART)
            sigaction(number, &action, nil)
            sigaddset(&noted, number)
        }
        Foundation.signal(SIGPIPE, SIG_IGN)
        Foundation.signal(SIGXFSZ, SIG_IGN)
        // A program that starts this one from a thread with signals blocked passes that on.
        sigprocmask(SIG_UNBLOCK, &noted, nil)
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
    /// the system repeats SIGXCPU every second. None of that is impatience.
    private static func note(_ number: Int32) {
        guard number != SIGUSR1 else { return saveRequest.store(true, ordering: .relaxed) }
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
        let (isFirst, first) = receivedTime.compareExchange(expected: 0, desired: now, ordering: .relaxed)
        if isFirst {
            received.store(number, ordering: .relaxed)
            announceStop()
        } else if number != SIGHUP, number != SIGXCPU, now &- first >= leastInterval {
            announceLeave()
            _exit(128 + number)
        }
    }
}

/// Stops training when a signal has come that asks for its end, and saves the run when one has come that asks for that.
package final class InterruptionObserver: TrainingObserver {
    package init() {}

    package func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        try answer(trainer)
    }

    package func evaluationStepEnded(_ event: EvaluationEvent, _ trainer: Trainer) throws -> Directive {
        try answer(trainer)
    }

    private func answer(_ trainer: Trainer) throws -> Directive {
        if Interruption.takeSaveRequest() {
            for case let run as Run in trainer.observers { try run.requestSave() }
        }
        return Interruption.signal == nil ? .proceed : .stop
    }
}
