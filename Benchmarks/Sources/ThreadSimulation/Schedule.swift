/// The time of a call on several threads, and what keeps the time from being shorter.
struct Schedule {
    /// From the call's begin to its end.
    var seconds = 0.0
    /// Time that the call would not take if each thread had the same share of the work.
    var losses = Losses()

    /// Workers take tasks in order: each task runs on the worker that is free first, as in `ck_parallel`.
    ///
    /// - Parameter forkJoin: the time to start and to join this number of workers.
    init(_ call: Recording.Call, threads: Int, forkJoin: (_ workers: Int) -> Double) {
        let workers = min(threads, call.mostWorkers)
        guard workers > 1 else {
            seconds = call.seconds
            losses.fewTasks = seconds * (1 - 1 / Double(threads))
            return
        }
        var busy = Array(repeating: 0.0, count: workers)
        for task in call.tasks {
            let next = busy.indices.min { busy[$0] < busy[$1] } ?? 0
            busy[next] += task.seconds
        }
        let longest = busy.max() ?? 0, work = call.seconds
        losses.forkJoin = forkJoin(workers)
        seconds = longest + losses.forkJoin
        losses.fewTasks = work / Double(workers) - work / Double(threads)
        losses.unevenTasks = longest - work / Double(workers)
    }
}

/// Seconds that a step takes beyond its time on one thread divided by the number of threads.
public struct Losses: Sendable {
    public init() {}

    /// Fewer tasks than threads.
    public var fewTasks = 0.0
    /// Threads that wait for the last tasks.
    public var unevenTasks = 0.0
    public var forkJoin = 0.0
    /// Work that several threads have and one thread has not, such as sums of parts and repeated maps.
    public var moreWork = 0.0
    /// Code outside of calls.
    public var serial = 0.0
    /// The memory's bandwidth.
    public var memory = 0.0

    public static func += (sum: inout Losses, other: Losses) {
        sum.fewTasks += other.fewTasks
        sum.unevenTasks += other.unevenTasks
        sum.forkJoin += other.forkJoin
        sum.moreWork += other.moreWork
        sum.serial += other.serial
        sum.memory += other.memory
    }

    /// The losses by name, the largest first.
    public var ranked: [(name: String, seconds: Double)] {
        [
            ("too few tasks", fewTasks), ("uneven tasks", unevenTasks), ("forks and joins", forkJoin),
            ("more work", moreWork), ("serial", serial), ("memory", memory),
        ].sorted { $0.1 > $1.1 }
    }
}
