import Foundation

/// The time of a call on several threads, and what keeps the time from being shorter.
package struct Schedule {
    /// From the call's begin to its end.
    package private(set) var seconds = 0.0
    /// The time of all tasks together. Tasks that teams share count with the time of their parts: the recorder's own
    /// time between the parts of a task is left out.
    package private(set) var work = 0.0
    /// Time that the call would not take if each thread had the same share of the work.
    package private(set) var losses = Losses()
    /// The share of each plan step in the time: the parts of micro-batches of the thread that ends last. The rest of
    /// the time is spent between micro-batches.
    package private(set) var shares: [Int: TimeAndLosses] = [:]

    /// Workers take tasks in order: each task runs on the worker that is free first, as in `ck_parallel`. Where there
    /// are more threads than tasks, a worker of `ck_run_tasks` leads a team, which shares the calls of its tasks.
    package init(_ call: Recording.Call, threads: Int, costs: ForkJoinCosts) {
        self.init(call, threads: threads, forkJoin: costs.region, teamForkJoin: costs.team)
    }

    private init(
        _ call: Recording.Call, threads: Int, forkJoin: (_ workers: Int) -> Double,
        teamForkJoin: (_ workers: Int) -> Double
    ) {
        let workers = min(threads, call.mostWorkers)
        guard workers > 1 else {
            (seconds, work) = (call.seconds, call.seconds)
            losses.fewTasks = seconds * (1 - 1 / Double(threads))
            return
        }
        var busy = Array(repeating: 0.0, count: workers)
        var tasksLed = Array(repeating: LedTask(), count: workers)
        // The last tasks, too few for all workers, have the threads of workers that have finished.
        let rest = call.tasks.count % workers
        var busyTime = 0.0
        for (index, task) in call.tasks.enumerated() {
            let next = busy.indices.min { busy[$0] < busy[$1] } ?? 0
            let busyWorkers = index >= call.tasks.count - rest ? rest : workers
            let led = Self.led(task, threads: threads, teams: busyWorkers, forkJoin: teamForkJoin)
            busy[next] += led.seconds
            tasksLed[next] += led
            busyTime += led.seconds
            work += led.work
        }
        let last = busy.indices.max { busy[$0] < busy[$1] } ?? 0
        let sharesCalls = call.tasks.contains { $0.parts.contains { !$0.calls.isEmpty } }
        losses = tasksLed[last].losses
        shares = tasksLed[last].shares
        losses.forkJoin += forkJoin(workers)
        seconds = busy[last] + forkJoin(workers)
        if !sharesCalls { losses.fewTasks += busyTime / Double(workers) - busyTime / Double(threads) }
        losses.unevenTasks += busy[last] - busyTime / Double(workers)
    }

    /// A task whose calls a team shares, one of `teams` teams. A helper that has nothing to do in its team helps
    /// another, so the teams have parts of threads where the threads don't divide.
    private static func led(
        _ task: Recording.Task, threads: Int, teams: Int, forkJoin: (_ workers: Int) -> Double
    ) -> LedTask {
        let fewer = led(task, threads: threads / teams, forkJoin: forkJoin)
        guard threads % teams != 0 else { return fewer }
        let more = led(task, threads: threads / teams + 1, forkJoin: forkJoin)
        let share = Double(threads % teams) / Double(teams)
        return more.lasting(1 / ((1 - share) / fewer.seconds + share / more.seconds))
    }

    private static func led(
        _ task: Recording.Task, threads: Int, forkJoin: (_ workers: Int) -> Double
    ) -> LedTask {
        var led = LedTask()
        let sharesCalls = threads > 1 && task.parts.contains { !$0.calls.isEmpty }
        for part in task.parts {
            guard sharesCalls else {
                led.add(part.planStep, TimeAndLosses(seconds: part.seconds))
                continue
            }
            led.work += part.seconds
            var time = TimeAndLosses(seconds: part.serial)
            time.losses.serial = part.serial * (1 - 1 / Double(threads))
            for call in part.calls {
                let schedule = Schedule(call, threads: threads, forkJoin: forkJoin, teamForkJoin: forkJoin)
                time += TimeAndLosses(seconds: schedule.seconds, losses: schedule.losses)
            }
            led.add(part.planStep, time)
        }
        // The time of a task outside of its parts counts where no team shares the task's calls.
        if !sharesCalls { (led.seconds, led.work) = (task.seconds, task.seconds) }
        return led
    }
}

/// A time, and what keeps the time from being shorter.
package struct TimeAndLosses {
    package var seconds = 0.0
    package var losses = Losses()

    static func += (sum: inout Self, other: Self) {
        sum.seconds += other.seconds
        sum.losses += other.losses
    }

    static func + (first: Self, second: Self) -> Self {
        var sum = first
        sum += second
        return sum
    }
}

/// The time of tasks whose calls a team shares.
private struct LedTask {
    var seconds = 0.0
    /// As ``Schedule/work``.
    var work = 0.0
    var losses = Losses()
    /// By plan step.
    var shares: [Int: TimeAndLosses] = [:]

    mutating func add(_ planStep: Int, _ time: TimeAndLosses) {
        seconds += time.seconds
        losses += time.losses
        shares[planStep, default: TimeAndLosses()] += time
    }

    /// The same task in another time.
    func lasting(_ seconds: Double) -> Self {
        var result = self
        let scale = self.seconds > 0 ? seconds / self.seconds : 1
        result.seconds = seconds
        result.shares = shares.mapValues { TimeAndLosses(seconds: $0.seconds * scale, losses: $0.losses) }
        return result
    }

    static func += (sum: inout Self, other: Self) {
        sum.seconds += other.seconds
        sum.losses += other.losses
        for (planStep, time) in other.shares { sum.shares[planStep, default: TimeAndLosses()] += time }
    }
}

/// The seconds to start and to join this number of workers.
public struct ForkJoinCosts: Sendable {
    /// Of a parallel region, and of a call that a team shares.
    public var region, team: @Sendable (_ workers: Int) -> Double

    /// - Parameters:
    ///   - region: two workers of a parallel region.
    ///   - team: two workers of a team.
    public init(region: Double, team: Double) {
        // Barriers are trees: each doubling of the threads adds a level.
        self.region = { region * max(log2(Double($0)), 0) }
        self.team = { team * max(log2(Double($0)), 0) }
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

    public static func -= (difference: inout Losses, other: Losses) {
        difference.fewTasks -= other.fewTasks
        difference.unevenTasks -= other.unevenTasks
        difference.forkJoin -= other.forkJoin
        difference.moreWork -= other.moreWork
        difference.serial -= other.serial
        difference.memory -= other.memory
    }

    /// The losses by name, the largest first.
    public var ranked: [(name: String, seconds: Double)] {
        [
            ("too few tasks", fewTasks), ("uneven tasks", unevenTasks), ("forks and joins", forkJoin),
            ("more work", moreWork), ("serial", serial), ("memory", memory),
        ].sorted { $0.1 > $1.1 }
    }
}
