import Foundation

@testable import LinkedNet

/// The saving part of a run on a ``SimulatedDisk``. The weights are the number of the attempt to save, so that no two
/// attempts save the same weights.
final class SimulatedRun {
    private static let directory = "run"
    let disk: SimulatedDisk
    private var writer: CheckpointWriter?
    /// The metrics of each attempt: the attempt itself, and the earlier attempts that it continues.
    private var histories: [Int: [Int]] = [:]
    private var attempts = 0
    private var position = TrainingPosition()
    /// The last attempt that succeeded, 0 for none.
    private(set) var saved = 0
    /// The last attempt, or the attempt that was loaded.
    private(set) var current = 0

    /// The difference from the saved run.
    struct Loss: Error, CustomStringConvertible {
        let description: String
    }

    init(_ disk: SimulatedDisk) {
        self.disk = disk
    }

    /// Opens the run as a new process does. Checks that nothing is lost, and that the files are whole.
    func open() throws {
        let generations = Generations(Self.directory, on: disk)
        position = TrainingPosition()
        current = 0
        if saved > 0 || generations.exist {
            // The attempt doesn't count as saved, because a power failure may lose the files that a killed process has
            // left in the cache.
            current = try find(generations)
            position.epoch = histories[current]?.count ?? 0
        } else {
            try RunDirectory.make(Self.directory, on: disk)
        }
        let metrics = try RunMetrics(Self.directory, epochs: position.epoch, on: disk)
        if let damage = metrics.damage { throw Loss(description: "\(damage)") }
        let expected = (histories[current] ?? []).enumerated().map { line(epoch: $0, attempt: $1) }.joined()
        let found = String(decoding: disk.contents("run/metrics.jsonl") ?? [], as: UTF8.self)
        guard found.hasPrefix(expected) else { throw Loss(description: "metrics \(found) instead of \(expected)") }
        writer = try Self.withTensors(0) { try CheckpointWriter(generations, metrics: metrics.file(), tensors: $0) }
    }

    /// The attempt that another process finds. Checks that the attempt is whole, and not older than the last saved
    /// attempt.
    func find() throws -> Int { try find(Generations(Self.directory, on: disk)) }

    private func find(_ generations: Generations) throws -> Int {
        let (file, damage) = try generations.open()
        guard damage.isEmpty else { throw Loss(description: "damaged: \(damage)") }
        guard let attempt = Int(file.metadata["attempt"] ?? ""), histories[attempt] != nil else {
            throw Loss(description: "metadata \(file.metadata)")
        }
        let elements = try file.tensor(named: "weights").elements
        guard elements.allSatisfy({ $0 == Float(attempt) }) else {
            throw Loss(description: "\(elements) instead of \(attempt)")
        }
        guard attempt >= saved else { throw Loss(description: "attempt \(attempt) after \(saved) was saved") }
        return attempt
    }

    /// Trains an epoch and tries to save the epoch, as a run does.
    @discardableResult
    func save() -> CheckpointError? {
        guard let writer else { return nil }
        attempts += 1
        histories[attempts] = (histories[current] ?? []) + [attempts]
        current = attempts
        position.epoch += 1
        let outcome = Self.withTensors(Float(attempts)) {
            writer.save(
                $0,
                .init(
                    position: position, metadata: ["attempt": "\(attempts)"],
                    lines: [String(line(epoch: position.epoch - 1, attempt: attempts).dropLast())]))
        }
        if outcome.error == nil { saved = attempts }
        return outcome.error
    }

    private func line(epoch: Int, attempt: Int) -> String { "{\"epoch\":\(epoch + 1),\"attempt\":\(attempt)}\n" }

    private static func withTensors<Result>(_ value: Float, _ body: ([BorrowedTensor]) throws -> Result) rethrows
        -> Result
    {
        try withUnsafeTemporaryAllocation(of: Float.self, capacity: 6) { elements in
            elements.initialize(repeating: value)
            return try body([BorrowedTensor(name: "weights", shape: [6], elements: elements)])
        }
    }
}

// MARK: Lives

extension SimulatedRun {
    /// The counts of events.
    struct Lives: CustomStringConvertible {
        var cuts = 0
        var kills = 0
        var saves = 0
        var failures = 0

        var description: String {
            "\(cuts) power cuts and \(kills) kills in \(saves) saves, of which \(failures) failed"
        }
    }

    /// Lets runs live, with power cuts at random moments and occasional disk failures.
    ///
    /// - Throws: ``Loss`` if a saved attempt is lost.
    static func lives(cuts: Int, seed: UInt64) throws -> Lives {
        var lives = Lives()
        var seeds = CounterRandom(seed: seed, use: RandomUse(rawValue: 2006))
        while lives.cuts < cuts {
            var random = CounterRandom(seed: seeds.next(), use: RandomUse(rawValue: 2006))
            let run = SimulatedRun(SimulatedDisk(seed: random.next()))
            for _ in 0..<40 {
                try run.open()
                // A save is about 30 operations.
                run.disk.plan = .init(
                    index: run.disk.operationCount + Int.random(in: 0..<90, using: &random),
                    fault: Bool.random(using: &random) ? .crashBefore : .crashAfter,
                    hasEffect: Bool.random(using: &random),
                    failuresPerThousand: [0, 0, 10, 100].randomElement(using: &random) ?? 0)
                while !run.disk.hasCrashed {
                    lives.saves += 1
                    if run.save() != nil { lives.failures += 1 }
                }
                // Sometimes only the process is killed.
                if Int.random(in: 0..<5, using: &random) == 0 {
                    run.disk.restart()
                    lives.kills += 1
                } else {
                    run.disk.cutPower()
                    lives.cuts += 1
                }
            }
        }
        return lives
    }
}
