import Foundation

@testable import LinkedNet

/// A run on a ``SimulatedDisk``, as far as saving goes: its weights are the number of the attempt to save them, so that
/// no two attempts save the same.
final class SimulatedRun {
    private static let directory = "run"
    let disk: SimulatedDisk
    private var writer: CheckpointWriter?
    /// What each attempt had in its metrics: the attempts before it of which it is the continuation, and itself.
    private var histories: [Int: [Int]] = [:]
    private var attempts = 0
    private var position = TrainingPosition()
    /// The last attempt that succeeded, 0 for none.
    private(set) var saved = 0
    /// The last attempt, or what was loaded.
    private(set) var current = 0

    /// What makes it not what was saved.
    struct Loss: Error, CustomStringConvertible {
        let description: String
    }

    init(_ disk: SimulatedDisk) {
        self.disk = disk
    }

    /// Begins as a process does: on what is there. Checks that nothing is lost, and that what there is is whole.
    func open() throws {
        let generations = Generations(Self.directory, on: disk)
        position = TrainingPosition()
        current = 0
        if saved > 0 || generations.exist {
            // Not saved by that: what a killed process has left in the cache may go with the power.
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

    /// The attempt that another process finds. Checks that it is whole, and not older than the last that was saved.
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

    /// Trains an epoch and tries to save it, as a run does.
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
    /// How often what happened.
    struct Lives: CustomStringConvertible {
        var cuts = 0
        var kills = 0
        var saves = 0
        var failures = 0

        var description: String {
            "\(cuts) power cuts and \(kills) kills in \(saves) saves, of which \(failures) failed"
        }
    }

    /// Lets runs live whose power is cut at random moments, again and again, and whose disks fail now and then.
    ///
    /// - Throws: ``Loss`` if something isn't there any more.
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
                // Now and then only the process is killed.
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
