import CKernels
import Foundation
@_spi(Measuring) import LinkedNet

/// Records steps of a network: kernels run on the calling thread, task after task, while the recorder takes the time of
/// each task.
public final class Recorder {
    /// A call that has begun.
    private struct OpenCall {
        var call: Recording.Call
        let begin: Double
    }

    /// The parts of a step or of a task, of which the last one has not ended.
    private struct OpenParts {
        var parts: [Recording.Part] = []
        var begin = Recorder.now
        /// The time of the last part's calls.
        var calls = 0.0

        mutating func endLast() {
            guard !parts.isEmpty else { return }
            parts[parts.count - 1].serial += Recorder.now - begin - calls
        }

        mutating func add(_ part: Recording.Part) {
            endLast()
            parts.append(part)
            (begin, calls) = (Recorder.now, 0)
        }
    }

    /// The parts of the step, then those of the task of each call that has begun.
    private var open: [OpenParts] = []
    private var calls: [OpenCall] = []

    public init() {}

    /// The processor time of the calling thread, in seconds: the clock of the kernels' recorder.
    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The times of `body`, which makes one training step of `network`.
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
            task_ends: { context, nanoseconds in Recorder.of(context).taskEnds(seconds: Double(nanoseconds) * 1e-9) },
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
        let begin = Self.now
        if open[open.count - 1].parts.isEmpty { open[open.count - 1].add(Recording.Part(planStep: -1)) }
        var call = Recording.Call(mostWorkers: mostWorkers)
        call.tasks.reserveCapacity(taskCount)
        calls.append(OpenCall(call: call, begin: begin))
        open.append(OpenParts())
    }

    private func taskEnds(seconds: Double) {
        open[open.count - 1].endLast()
        calls[calls.count - 1].call.tasks.append(
            Recording.Task(seconds: seconds, parts: open[open.count - 1].parts))
        open[open.count - 1] = OpenParts()
    }

    private func callEnds() {
        let call = calls.removeLast()
        open.removeLast()
        let around = open.count - 1
        open[around].parts[open[around].parts.count - 1].calls.append(call.call)
        open[around].calls += Self.now - call.begin
    }
}
