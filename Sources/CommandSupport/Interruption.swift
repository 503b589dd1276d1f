import Foundation
import LinkedNet
import Synchronization

/// The reaction to signals. The first signal of SIGINT, SIGTERM, SIGHUP and SIGXCPU is noted. A later SIGINT or SIGTERM
/// ends the process at once, unless this signal comes within a second of the first signal. SIGUSR1 asks for a save.
/// SIGPIPE is ignored, so training goes on when nobody reads the output. SIGXFSZ is ignored too: the write to a file
/// that may not grow fails.
package enum Interruption {
    /// The first signal that came, or 0.
    private static let received = Atomic<Int32>(0)
    /// The time of the first signal in nanoseconds, or 0. The clock is never set.
    private static let receivedTime = Atomic<UInt64>(0)
    /// True if a save was asked for.
    private static let saveRequest = Atomic(false)
    /// In nanoseconds. A signal that comes sooner after the first signal belongs to the first signal.
    private static let leastInterval: UInt64 = 1_000_000_000

    /// The first signal that came; `nil` if none came.
    package static var signal: Int32? {
        let number = received.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// True if a save was asked for since the last call. The call ends the request.
    package static func takeSaveRequest() -> Bool { saveRequest.exchange(false, ordering: .relaxed) }

    /// Begins to note signals. Signals that are ignored stay ignored: nohup ignores SIGHUP, and a shell script ignores
    /// SIGINT for the commands that the script runs in the background.
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
        // A program may start this process from a thread that blocks signals. The process inherits the block.
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

    /// Notes a signal, or ends the process after an impatient second signal. Service managers, and terminals that end,
    /// send several signals at once, and SIGHUP after the others. The system repeats SIGXCPU every second. None of
    /// these signals shows impatience.
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

/// Stops the training when a signal asks for the end, and saves the run when a signal asks for a save.
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
