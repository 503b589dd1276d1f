import Foundation
import LinkedNet
import PaperNetworks

/// Does the work of a plan, run by run. A finished run is never done again, and an interrupted run goes on where the
/// run stopped.
package struct Runner {
    package let plan: Plan
    package let data: ReproductionData
    package let output: OutputDirectory
    /// True to watch the training of each cell's first seed from inside: ``DiagnosticsObserver``.
    package let diagnoses: Bool
    /// The observers of every training.
    package let observers: [any TrainingObserver]
    /// True when the user wants to leave.
    package let isInterrupted: () -> Bool
    /// Gets lines for people.
    package let say: (String) -> Void

    package init(
        _ plan: Plan, data: ReproductionData, output: OutputDirectory, diagnoses: Bool = false,
        observers: [any TrainingObserver] = [], isInterrupted: @escaping () -> Bool = { false },
        say: @escaping (String) -> Void = { _ in }
    ) {
        self.plan = plan
        self.data = data
        self.output = output
        self.diagnoses = diagnoses
        self.observers = observers
        self.isInterrupted = isInterrupted
        self.say = say
    }

    /// Does every run that isn't finished.
    ///
    /// - Returns: false if the work was interrupted.
    package func run() throws -> Bool {
        var (expected, spent) = (0.0, 0.0)
        var left = plan.expectedSeconds
        for (index, item) in plan.items.enumerated() where !item.isFinished {
            if isInterrupted() { return false }
            let correction = expected > 20 ? spent / expected : 1
            say(
                """
                run \(index + 1) of \(plan.items.count): \(item.training.id), seed \(item.seed); about \
                \(Duration.text(left * correction)) left
                """
            )
            let start = ContinuousClock.now
            guard try finish(item) else { return false }
            spent += Double(start.duration(to: .now).components.seconds)
            expected += item.expectedSeconds
            left -= item.expectedSeconds
        }
        return true
    }

    /// Trains to the end and writes the record; false if the training was interrupted.
    private func finish(_ item: Plan.Item) throws -> Bool {
        let source = try data.source(item.training.pixels, testImages: item.budget.testImages)
        let directory = output.runDirectory(item.training, seed: item.seed)
        let settings = try item.training.settings(item.budget, seed: item.seed)
        let run: PaperRun
        if Run.exists(in: directory) {
            run = try PaperRun(resuming: directory)
            for damage in run.run.damage { say("\(damage); going on from an older checkpoint") }
            if let damage = run.run.metricsDamage { say("\(damage)") }
            if let change = run.run.computationChange { say(change) }
            guard run.settings == settings else {
                throw SettingsError(
                    setting: "resume", expected: "a run in \(directory) with the settings: \(settings)",
                    found: "\(run.settings)")
            }
        } else {
            run = try PaperRun(settings, data: source, directory: directory)
        }
        let images = settings.trainingImages(of: source)
        let diagnoses = self.diagnoses && item.seed == Experiment.seed
        let probe = diagnoses || item.training.model == .depth ? try settings.probe(of: run.run.trainer.network) : nil
        var observers = self.observers
        if diagnoses, let probe {
            let steps = settings.epochs * ((images.count + settings.batchSize - 1) / settings.batchSize)
            observers.append(
                try DiagnosticsObserver(
                    probe, of: run.run.trainer.network, dataset: images, every: max(1, steps / 120),
                    path: output.diagnosticsPath(item.training, seed: item.seed)))
        }
        var explosion: TrainingRecord.Explosion?
        do {
            let result = try run.train(on: source, observers: observers)
            if result.end == .stopped { return false }
        } catch let error as TrainingError {
            guard case .nonFinite(let layer, _, let step, let epoch) = error else { throw error }
            explosion = .init(step: step, epoch: epoch, layer: layer, description: error.description)
            say("\(item.training.id), seed \(item.seed): \(error)")
        }
        let dead = explosion == nil ? try probe.map { try run.run.trainer.deadNeurons($0, on: images) } : nil
        let record = TrainingRecord(
            training: item.training.id, settings: settings, dataName: data.name, dataFingerprint: run.dataFingerprint,
            testImages: source.test.count, classCount: source.train.classCount,
            parameters: run.run.trainer.network.parameterLayout.elementCount, instructionSet: Runtime.instructionSet,
            threads: Runtime.threadCount, commit: Self.commit,
            curve: try TrainingRecord.curve(directory + "/metrics.jsonl"),
            explosion: explosion, deadNeurons: dead)
        try record.write(to: output.recordPath(item.training, seed: item.seed))
        return true
    }

    /// The name of the working directory's sources in git; `nil` without git.
    private static let commit: String? = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "describe", "--always", "--dirty", "--abbrev=40"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return process.terminationStatus == 0 && !name.isEmpty ? name : nil
    }()
}
