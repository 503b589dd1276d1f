import Foundation
import Synchronization
import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// Holds the threads of saves back until the gate opens.
final class SaveGate: Sendable {
    private let held = Mutex<[@Sendable () -> Void]>([])

    /// Takes the place of ``BackgroundThread/start(_:)``, but the body waits.
    func hold(_ body: @escaping @Sendable () -> Void) -> Bool {
        held.withLock { $0.append(body) }
        return true
    }

    /// Lets the held bodies run, each on a thread of its own.
    func open() {
        for body in held.withLock({ bodies in
            defer { bodies = [] }
            return bodies
        }) where !BackgroundThread.start(body) { body() }
    }
}

/// The content of a checkpoint that was written beside training: the trainer's whole state at the begin of the save.
@Suite struct BackgroundCheckpointTests {
    /// The bits of a trainer's whole state, read from the trainer's own memory.
    private struct Snapshot: Equatable {
        let position: TrainingPosition
        private(set) var tensors: [String: [UInt32]] = [:]

        init(_ trainer: Trainer) {
            position = trainer.position
            trainer.network.forEachWeight { tensors[$0.name] = $1.map(\.bitPattern) }
            let layout = trainer.network.parameterLayout
            for (name, memory) in zip(trainer.optimizer.slotNames, trainer.slots) {
                for (index, entry) in layout.entries.enumerated() {
                    tensors["optimizer:\(name)/\(entry.name)"] = memory.buffer[layout.range(of: index)].map(
                        \.bitPattern)
                }
            }
        }

        init(_ file: SafetensorsFile) throws {
            let text = try #require(file.metadata["linkednet.position"])
            position = try JSONDecoder().decode(TrainingPosition.self, from: Data(text.utf8))
            for entry in file.entries {
                tensors[entry.name] = try file.tensor(named: entry.name).elements.map(\.bitPattern)
            }
        }
    }

    static let optimizers: [(name: String, slots: [String])] = [
        ("sgd", []), ("momentum", ["velocity"]), ("adam", ["first_moment", "second_moment"]),
        ("rmsprop", ["mean_square"]),
    ]

    private static func optimizer(_ name: String) throws -> any Optimizer {
        switch name {
        case "adam": try Adam(learningRate: 0.01)
        case "rmsprop": try RMSProp()
        case "momentum": try SGD(learningRate: 0.05, momentum: 0.9, nesterov: true)
        default: try SGD(learningRate: 0.05)
        }
    }

    /// The test holds the save back until training has changed all numbers. The file has the numbers from the begin of
    /// the save.
    @Test(arguments: optimizers)
    func aSaveHoldsWhatTrainingHad(optimizer: String, slots: [String]) throws {
        func trainer() throws -> Trainer { try Trainer(TinyTraining.network(), optimizer: Self.optimizer(optimizer)) }
        func fit(_ trainer: Trainer, maxSteps: Int? = nil) throws {
            try trainer.fit(TinyTraining.dataset(27), epochs: 3, augmentation: .paper, maxSteps: maxSteps)
        }
        let disk = SimulatedDisk()
        try RunDirectory.make("run", on: disk)
        let gate = SaveGate()
        let trainer = try trainer()
        let writer = try CheckpointWriter(
            Generations("run", on: disk), metrics: LineFile("run/metrics.jsonl", isWritten: true, on: disk),
            tensors: trainer.checkpointTensors, startThread: gate.hold)
        var expected: [Snapshot] = []
        // The second save uses the memory of the first.
        for steps in [5, 2] {
            try fit(trainer, maxSteps: steps)
            expected.append(Snapshot(trainer))
            writer.begin(
                trainer.checkpointTensors,
                .init(position: trainer.position, metadata: try trainer.checkpointMetadata([:]), lines: []))
            try fit(trainer, maxSteps: 1)
            gate.open()
            writer.wait()
            #expect(try #require(writer.takeOutcome()).error == nil)
        }
        for (number, expected) in expected.enumerated() {
            let file = try SafetensorsFile("run/\(Generations.name(number + 1))", on: disk)
            #expect(try Snapshot(file) == expected)
        }
        // No number of the file is equal to the first or the present number, so that no number is right by chance.
        let (now, first, last) = (Snapshot(trainer), try Snapshot(self.trainer(optimizer)), expected[1])
        let parameters = trainer.network.parameterLayout.entries.map(\.name)
        for name in parameters + trainer.network.stateLayout.entries.map(\.name)
            + slots.flatMap({ slot in parameters.map { "optimizer:\(slot)/\($0)" } })
        {
            #expect(last.tensors[name] != nil && last.tensors[name] != now.tensors[name], "\(name)")
            #expect(last.tensors[name] != first.tensors[name], "\(name)")
        }
        // A resumed training goes on with the same bits.
        let resumed = try self.trainer(optimizer)
        try resumed.resume(from: SafetensorsFile("run/\(Generations.name(2))", on: disk))
        for trainer in [resumed, trainer] { try fit(trainer) }
        #expect(Snapshot(resumed).tensors == Snapshot(trainer).tensors)
    }

    private func trainer(_ optimizer: String) throws -> Trainer {
        try Trainer(TinyTraining.network(), optimizer: Self.optimizer(optimizer))
    }

    /// Compares the trainer after each step of a run with the save of this step. The save begins after all observers
    /// have heard of the step, so the next event compares.
    private final class Comparison: TrainingObserver {
        private let run: Run
        private var expected: Snapshot?
        private(set) var count = 0

        init(_ run: Run) { self.run = run }

        func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
            try compare(trainer)
            return .proceed
        }

        func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
            try compare(trainer)
            return .proceed
        }

        func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws { try compare(trainer) }

        private func compare(_ trainer: Trainer) throws {
            run.saving?.writer.wait()
            if let expected {
                let (file, damage) = try Generations(run.directory).open()
                #expect(damage.isEmpty)
                #expect(try Snapshot(file) == expected)
                count += 1
            }
            expected = Snapshot(trainer)
        }
    }

    /// A run saves what its trainer holds at the step of the save.
    @Test(arguments: [OptimizerName.sgd, .adam, .rmsProp])
    func everySaveOfARunHoldsItsStep(optimizer: OptimizerName) throws {
        let directory = try TemporaryDirectory()
        let data = try DataSource.resolve(TinyTraining.writeIDX(to: directory))
        var options = RunOptions()
        (options.model, options.batchSize, options.epochs, options.batchNorm) = (.width(2), 16, 2, true)
        options.optimizer = optimizer
        if optimizer == .sgd { options.momentum = 0.9 }
        let paperRun = try PaperRun(options.settings(), data: data, directory: "\(directory.path)/run")
        let run = paperRun.run
        #expect(run.trainer.slots.count == (optimizer == .adam ? 2 : 1))
        run.saveInterval = .steps(1)
        let comparison = Comparison(run)
        try paperRun.train(on: data, observers: [comparison])
        #expect(comparison.count == 2 * (4 + 1))
    }
}
