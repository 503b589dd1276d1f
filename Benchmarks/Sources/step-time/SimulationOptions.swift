import ArgumentParser
import CKernels
import Foundation
import LinkedNet
import ThreadSimulation

/// Predicts the step's time on other numbers of threads.
struct SimulationOptions: ParsableArguments {
    @Option(
        help: """
            Predict the step's time on these numbers of threads, such as 2,4,8,16: each call's tasks are timed one by \
            one, and scheduled on as many threads.
            """,
        transform: { text in
            try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
                guard let count = Int(part), (1...1024).contains(count) else {
                    throw ValidationError("expected numbers from 1 to 1024, separated by commas, found \(text)")
                }
                return count
            }
        })
    var simulateThreads: [Int]?
    @Option(
        help: """
            The machine whose memory limits the step: none, \
            \(Machine.presets.map(\.name).joined(separator: ", ")).
            """)
    var machine = "none"
    @Option(help: "GB/s that one core moves, in place of the machine's.")
    var coreBandwidth: Double?
    @Option(help: "GB/s that all cores move, in place of the machine's.")
    var wholeBandwidth: Double?
    @Option(help: "MiB of cache of each core, in place of the machine's.")
    var coreCache: Double?
    @Option(help: "MiB of cache that all cores share, in place of the machine's.")
    var sharedCache: Double?
    @Option(help: "Microseconds to start and to join two threads; measured if not given.")
    var forkJoin: Double?
    @Option(
        help: "Microseconds to start and to join two threads that share a micro-batch; measured if not given.")
    var teamForkJoin: Double?

    /// The numbers of threads; empty if nothing is predicted.
    var threadCounts: [Int] { simulateThreads ?? [] }

    func validate() throws {
        guard machine == "none" || Machine.presets.contains(where: { $0.name == machine }) else {
            throw ValidationError(
                "--machine: expected none, \(Machine.presets.map(\.name).joined(separator: ", ")), found \(machine)")
        }
        let sizes = [
            ("--core-bandwidth", coreBandwidth), ("--whole-bandwidth", wholeBandwidth), ("--core-cache", coreCache),
            ("--shared-cache", sharedCache), ("--fork-join", forkJoin), ("--team-fork-join", teamForkJoin),
        ]
        for (name, size) in sizes {
            guard let size else { continue }
            guard size >= 0, size <= 1e6 else { throw ValidationError("\(name): expected 0 to 1e6, found \(size)") }
            guard machine != "none" || name.hasSuffix("fork-join") else {
                throw ValidationError("\(name): expected --machine, whose memory the option changes")
            }
        }
    }

    private var chosenMachine: Machine? {
        guard var chosen = Machine.presets.first(where: { $0.name == machine }) else { return nil }
        if let coreBandwidth { chosen.coreBandwidth = coreBandwidth * 1e9 }
        if let wholeBandwidth { chosen.wholeBandwidth = wholeBandwidth * 1e9 }
        if let coreCache { chosen.coreCache = Int(coreCache * 1048576) }
        if let sharedCache { chosen.sharedCache = Int(sharedCache * 1048576) }
        return chosen
    }

    /// Records `count` steps, and prints the predictions: a table of the step's parts for each number of threads, and a
    /// JSON line.
    func run(_ steps: RandomSteps, count: Int, label: String) throws {
        let measured = try MeasuredSteps(steps, threadCounts: threadCounts, count: count)
        let pair = forkJoin.map { $0 * 1e-6 } ?? Self.measuredForkJoin()
        let teamPair = teamForkJoin.map { $0 * 1e-6 } ?? Self.measuredTeamForkJoin()
        let simulation = Simulation(
            measured.recordings, of: steps.network, slots: steps.trainer.optimizer.slotNames.count,
            machine: chosenMachine, costs: ForkJoinCosts(region: pair, team: teamPair))
        let predictions = threadCounts.map { simulation.predict(threads: $0) }
        for prediction in predictions { print(PredictionTable(prediction, of: steps.network, label: label), "\n") }
        let one = simulation.predict(threads: 1), two = simulation.predict(threads: 2)
        var fields = [
            "\"network\": \"\(label)\"", "\"isa\": \"\(Runtime.instructionSet)\"", "\"machine\": \"\(machine)\"",
            String(format: "\"fork_join_us\": %.2f", pair * 1e6),
            String(format: "\"team_fork_join_us\": %.2f", teamPair * 1e6),
            String(format: "\"one_thread_ms\": %.2f", one.seconds * 1e3),
        ]
        // Memory in the model is another machine's, so there is nothing to compare.
        if chosenMachine == nil {
            fields.append(String(format: "\"measured_one_thread_ms\": %.2f", measured.oneThread))
            fields.append(String(format: "\"two_threads_ms\": %.2f", two.seconds * 1e3))
            fields.append(String(format: "\"measured_two_threads_ms\": %.2f", measured.twoThreads))
        }
        let speedUps = predictions.map { String(format: "\"\($0.threads)\": %.2f", $0.speedUp) }
        fields.append("\"speed_up\": {" + speedUps.joined(separator: ", ") + "}")
        print("{" + fields.joined(separator: ", ") + "}")
    }

    /// The seconds that a call of two tasks takes on two threads beyond the time of one task.
    private static func measuredForkJoin() -> Double {
        Runtime.withThreadCount(2) { shortTimeOfCalls() }
    }

    /// The same in a task that two threads share. Two threads have three tasks, so the last task has both threads.
    private static func measuredTeamForkJoin() -> Double {
        var seconds = measuredForkJoin()
        Runtime.withThreadCount(2) {
            ck_run_tasks(
                3, 2,
                { context, task, _ in
                    guard task == 2, let seconds = context?.assumingMemoryBound(to: Double.self) else { return }
                    let deadline = ContinuousClock.now + .milliseconds(100)
                    while ck_threads() < 2, ContinuousClock.now < deadline {}
                    if ck_threads() == 2 { seconds.pointee = SimulationOptions.shortTimeOfCalls() }
                }, { _, _, _ in }, &seconds)
        }
        return seconds
    }

    private static func shortTimeOfCalls() -> Double {
        let times = (0..<2000).map { _ in
            ContinuousClock().measure {
                ck_run_tasks(
                    2, 2,
                    { _, _, _ in
                        let end = ContinuousClock.now + .microseconds(3)
                        while ContinuousClock.now < end {}
                    }, { _, _, _ in }, nil)
            } - .microseconds(3)
        }
        // Another program may hold one of the two processors for much of the time.
        return max(times.sorted()[times.count / 10] / .seconds(1), 0)
    }
}

/// Steps that were recorded, and real steps between them.
private struct MeasuredSteps {
    /// For each number of threads.
    let recordings: [Int: Recording]
    /// Milliseconds of a real step.
    let oneThread, twoThreads: Double

    init(_ steps: RandomSteps, threadCounts: [Int], count: Int) throws {
        let recorder = Recorder()
        // Touches memory for the first time.
        for _ in 0..<2 { try steps.step() }
        // Recordings that are cut in the same way count as one, by the first of their numbers of threads.
        var cuts: [(threads: Int, recordings: [Recording])] = []
        var cutIndices: [Int: Int] = [:]
        for threads in Set([1, 2] + threadCounts).sorted() {
            let recording = try recorder.record(steps.network, threads: threads) { try steps.step() }
            cutIndices[threads] = cuts.firstIndex { $0.recordings[0].isCut(as: recording) } ?? cuts.count
            if cutIndices[threads] == cuts.count { cuts.append((threads, [recording])) }
        }
        var ones: [Double] = [], twos: [Double] = []
        for _ in 0..<count {
            twos += try Runtime.withThreadCount(2) { try steps.milliseconds(1, unmeasured: 1) }
            ones += try Runtime.withThreadCount(1) { try steps.milliseconds(1, unmeasured: 1) }
            for (index, cut) in cuts.enumerated() {
                cuts[index].recordings.append(
                    try recorder.record(steps.network, threads: cut.threads) { try steps.step() })
            }
        }
        let medians = try cuts.map { try Recording(medianOf: $0.recordings) }
        recordings = cutIndices.mapValues { medians[$0] }
        oneThread = ones.sorted()[ones.count / 2]
        twoThreads = twos.sorted()[twos.count / 2]
    }
}
