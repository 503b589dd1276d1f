import CKernels
import Foundation
@_spi(Measuring) import LinkedNet

/// Records steps of a network: kernels run on the calling thread, task after task, while the recorder takes the time
/// and the operations of each task.
public final class Recorder {
    /// A call that has begun.
    private struct OpenCall {
        var call: Recording.Call
        let begin = Moment.now
    }

    /// The processor time of the calling thread in seconds, on the clock of the kernels' recorder, and the operations
    /// that the thread has counted.
    private struct Moment {
        var seconds = 0.0
        var operations: UInt64 = 0

        static var now: Moment {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Moment(
                seconds: Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9, operations: ck_own_operations())
        }

        static func - (end: Moment, begin: Moment) -> Moment {
            Moment(seconds: end.seconds - begin.seconds, operations: end.operations &- begin.operations)
        }

        static func += (sum: inout Moment, other: Moment) {
            sum.seconds += other.seconds
            sum.operations &+= other.operations
        }
    }

    /// The parts of a step or of a task, of which the last one has not ended.
    private struct OpenParts {
        var parts: [Recording.Part] = []
        var begin = Moment.now
        /// What the last part's calls took.
        var calls = Moment()

        mutating func endLast() {
            guard !parts.isEmpty else { return }
            let serial = Moment.now - begin - calls
            parts[parts.count - 1].serial += serial.seconds
            parts[parts.count - 1].serialOperations += Int(serial.operations)
        }

        mutating func add(_ part: Recording.Part) {
            endLast()
            parts.append(part)
            (begin, calls) = (Moment.now, Moment())
        }
    }

    /// The parts of the step, then those of the task of each call that has begun.
    private var open: [OpenParts] = []
    private var calls: [OpenCall] = []

    public init() {}

    /// The times and the operations of `body`, which makes one training step of `network`.
    ///
    /// - Parameter threads: the number of threads that kernels are told. Some cut their work finer for more threads.
    public func record(_ network: Network, threads: Int, _ body: () throws -> Void) throws -> Recording {
        open = [OpenParts()]
        open[0].add(Recording.Part(planStep: -1))
        network.stepBegins = { [unowned self] in open[open.count - 1].add(Recording.Part(planStep: $0)) }
        defer { network.stepBegins = nil }
        var recorder = ck_recorder(
            context: Unmanaged.passUnretained(self).toOpaque(),
            call_begins: { context, count, workers in
                Recorder.of(context).callBegins(taskCount: Int(count), mostWorkers: Int(workers))
            },
            task_ends: { context, nanoseconds, operations in
                Recorder.of(context).taskEnds(seconds: Double(nanoseconds) * 1e-9, operations: Int(operations))
            },
            call_ends: { context in Recorder.of(context).callEnds() })
        try withUnsafePointer(to: &recorder) {
            ck_set_own_recorder($0)
            defer { ck_set_own_recorder(nil) }
            try Runtime.withThreadCount(threads) { try body() }
        }
        open[0].endLast()
        return Recording(parts: open[0].parts)
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> Recorder {
        guard let context else { preconditionFailure("expected a recorder") }
        return Unmanaged<Recorder>.fromOpaque(context).takeUnretainedValue()
    }

    private func callBegins(taskCount: Int, mostWorkers: Int) {
        var openCall = OpenCall(call: Recording.Call(mostWorkers: mostWorkers))
        if open[open.count - 1].parts.isEmpty { open[open.count - 1].add(Recording.Part(planStep: -1)) }
        openCall.call.tasks.reserveCapacity(taskCount)
        calls.append(openCall)
        open.append(OpenParts())
    }

    private func taskEnds(seconds: Double, operations: Int) {
        open[open.count - 1].endLast()
        calls[calls.count - 1].call.tasks.append(
            Recording.Task(seconds: seconds, operations: operations, parts: open[open.count - 1].parts))
        open[open.count - 1] = OpenParts()
    }

    private func callEnds() {
        let call = calls.removeLast()
        open.removeLast()
        let around = open.count - 1
        open[around].parts[open[around].parts.count - 1].calls.append(call.call)
        open[around].calls += Moment.now - call.begin
    }
}
