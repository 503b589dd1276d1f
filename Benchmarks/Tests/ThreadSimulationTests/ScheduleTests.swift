import Testing
import ThreadSimulation

/// Times of calls that are worked out by hand. All times are sums of halves and quarters, so they are exact.
@Suite struct ScheduleTests {
    /// A region costs 1 s for each doubling of the threads, a call of a team a quarter of that.
    private let costs = ForkJoinCosts(region: 1, team: 0.25)

    private func call(mostWorkers: Int, seconds: [Double]) -> Recording.Call {
        Recording.Call(mostWorkers: mostWorkers, tasks: seconds.map { Recording.Task(seconds: $0) })
    }

    /// Four threads take two tasks of 3 s each: 6 s. Four threads double twice: 2 s.
    @Test func evenTasks() {
        let schedule = Schedule(
            call(mostWorkers: 8, seconds: Array(repeating: 3, count: 8)), threads: 4, costs: costs)
        #expect(schedule.seconds == 8)
        #expect(schedule.losses.forkJoin == 2)
        #expect(schedule.losses.unevenTasks == 0)
        #expect(schedule.losses.fewTasks == 0)
    }

    /// The first thread takes the 5 s. The second thread takes three times 1 s, is free first, and takes the 4 s: 7 s.
    /// Each thread has 6 s of the 12 s, so one second is lost.
    @Test func unevenTasks() {
        let schedule = Schedule(call(mostWorkers: 5, seconds: [5, 1, 1, 1, 4]), threads: 2, costs: costs)
        #expect(schedule.seconds == 7 + 1)
        #expect(schedule.losses.unevenTasks == 1)
        #expect(schedule.losses.fewTasks == 0)
    }

    /// Two of four threads have a task of 6 s. Four threads would have 3 s each, so 3 s are lost.
    @Test func fewerTasksThanThreads() {
        let schedule = Schedule(call(mostWorkers: 2, seconds: [6, 6]), threads: 4, costs: costs)
        #expect(schedule.seconds == 6 + 1)
        #expect(schedule.losses.fewTasks == 3)
        #expect(schedule.losses.unevenTasks == 0)
    }

    /// One worker forks nothing. Three of four threads are idle.
    @Test func oneTask() {
        let schedule = Schedule(call(mostWorkers: 1, seconds: [6]), threads: 4, costs: costs)
        #expect(schedule.seconds == 6)
        #expect(schedule.losses.forkJoin == 0)
        #expect(schedule.losses.fewTasks == 4.5)
    }

    /// A micro-batch: 1 s outside of calls, and a call of four tasks of 2 s.
    private var microBatch: Recording.Task {
        Recording.Task(
            seconds: 9,
            parts: [
                Recording.Part(
                    planStep: 0, serial: 1, calls: [call(mostWorkers: 4, seconds: [2, 2, 2, 2])])
            ])
    }

    /// Two teams of two threads have a micro-batch each. The threads of a team take two of the four tasks each: 4 s,
    /// with the outside 5 s. A team of two costs 0.25 s, the region of the two leaders 1 s.
    @Test func teamsShareTheCallsOfLedTasks() {
        let led = Recording.Call(mostWorkers: 2, tasks: [microBatch, microBatch])
        let schedule = Schedule(led, threads: 4, costs: costs)
        #expect(schedule.seconds == 5.25 + 1)
        #expect(schedule.losses.forkJoin == 0.25 + 1)
        // A team's thread waits for half of the second outside of calls.
        #expect(schedule.losses.serial == 0.5)
    }

    /// The last of three micro-batches has all four threads: one task each, 2 s, with the outside 3 s. A team of four
    /// costs 0.5 s.
    @Test func theLastLedTaskHasAllThreads() {
        let led = Recording.Call(mostWorkers: 2, tasks: [microBatch, microBatch, microBatch])
        let schedule = Schedule(led, threads: 4, costs: costs)
        #expect(schedule.seconds == 5.25 + 3.5 + 1)
    }

    /// On as many threads as leaders, no calls are shared.
    @Test func leadersWithoutHelpersTakeTheWholeTask() {
        let led = Recording.Call(mostWorkers: 2, tasks: [microBatch, microBatch])
        #expect(Schedule(led, threads: 2, costs: costs).seconds == 9 + 1)
    }

    /// The team of the first micro-batch ends last: 1 s outside of calls, 4 s in the call, 0.25 s for the team. The
    /// region's second belongs to no part.
    @Test func partsOfMicroBatchesHaveShares() {
        let short = Recording.Task(seconds: 1, parts: [Recording.Part(planStep: 1, serial: 1)])
        let led = Recording.Call(mostWorkers: 2, tasks: [microBatch, short])
        let schedule = Schedule(led, threads: 4, costs: costs)
        #expect(schedule.seconds == 5.25 + 1)
        #expect(schedule.shares.mapValues(\.seconds) == [0: 5.25])
        #expect(schedule.shares[0]?.losses.forkJoin == 0.25)
        #expect(schedule.shares[0]?.losses.serial == 0.5)
    }

    /// Three threads for two teams: one team has two threads and takes 5.25 s, the other has one and takes 9 s. Both
    /// count as equally fast, and so the parts of a team take the same share of the time as with two threads.
    @Test func teamsWithPartsOfThreadsHaveShares() throws {
        let led = Recording.Call(mostWorkers: 2, tasks: [microBatch, microBatch])
        let schedule = Schedule(led, threads: 3, costs: costs)
        let inside = try #require(schedule.shares[0]).seconds
        #expect(abs(inside - 1 / (0.5 / 9 + 0.5 / 5.25)) < 1e-12)
        #expect(abs(schedule.seconds - inside - 1) < 1e-12)
    }

    /// The operations of a step take their own seconds, and the times that were measured count no more.
    @Test func operationsBecomeSeconds() {
        let nested = Recording.Call(mostWorkers: 2, tasks: [Recording.Task(seconds: 7, operations: 30)])
        let led = Recording.Task(
            seconds: 9, operations: 50,
            parts: [Recording.Part(planStep: 1, serial: 2, serialOperations: 20, calls: [nested])])
        let recording = Recording(parts: [
            Recording.Part(
                planStep: 0, serial: 3, serialOperations: 10, calls: [Recording.Call(mostWorkers: 2, tasks: [led])])
        ])
        #expect(recording.operations == 60)
        let timed = recording.timed(operationsPerSecond: 10)
        #expect(timed.isCut(as: recording))
        #expect(timed.seconds == 6)
        #expect(timed.parts[0].serial == 1)
        #expect(timed.parts[0].calls[0].seconds == 5)
        #expect(timed.parts[0].calls[0].tasks[0].parts[0].seconds == 5)
        #expect(timed.operations == 60)
    }
}
