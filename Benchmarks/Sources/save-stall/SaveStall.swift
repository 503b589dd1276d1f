import ArgumentParser
import Foundation
import LinkedNet

/// Trains with a save every few steps, and prints what that costs the steps as one JSON line.
@main
struct SaveStall: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save-stall",
        abstract: "Times training steps with and without a save; one JSON line.")

    @Option(help: "\(ModelName.options)")
    var model: ModelName = .allCNN
    @Option(help: "As train's --activation.")
    var activation: ModelActivation = .linkedReLU
    @Option(help: "Images in a step.")
    var batchSize = 32
    @Option(help: "Timed steps.")
    var steps = 100
    @Option(help: "Steps between two saves.")
    var every = 10
    @Option(help: "Where to save; its file system counts.")
    var output: String

    func run() throws {
        var options = RunOptions()
        (options.model, options.activation, options.batchSize) = (model, activation, batchSize)
        (options.epochs, options.learningRate, options.limit) = (1000, 1e-6, 2 * steps * batchSize)
        let data = try DataSource.resolve("shapes")
        let run = try Run(options.settings(), data: data, directory: output)
        run.saveInterval = .steps(every)
        let watch = Watch()
        try run.train(on: data, observers: [watch], maxSteps: steps)
        // A step's time holds what the run does after it, so also the beginning of a save.
        func median(_ isIncluded: (Int) -> Bool) -> Double {
            let times = watch.milliseconds.indices.filter(isIncluded).map { watch.milliseconds[$0] }.sorted()
            return times.isEmpty ? .nan : times[times.count / 2]
        }
        // The first steps touch memory for the first time.
        let plain = median { $0 % every > every / 2 && $0 > every }
        let fields: [(String, String)] = [
            ("model", "\"\(model)\""), ("batch", "\(batchSize)"),
            ("checkpoint_mb", String(format: "%.1f", Double(run.trainer.checkpointBytes) / 1e6)),
            ("step_ms", String(format: "%.2f", plain)),
            ("step_with_save_begun_ms", String(format: "%.2f", median { $0 % every == 0 && $0 > every })),
            ("next_step_ms", String(format: "%.2f", median { $0 % every == 1 && $0 > every })),
            ("slowest_ms", String(format: "%.2f", watch.milliseconds.dropFirst(every).max() ?? .nan)),
        ]
        print("{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
    }
}

/// Times steps. It hears of each after the run has.
private final class Watch: TrainingObserver {
    /// By the number of the step; there is no step 0.
    private(set) var milliseconds: [Double] = []
    private var last = ContinuousClock.now

    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws {
        // Indices are the steps' numbers then.
        milliseconds = [0]
        last = .now
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        let now = ContinuousClock.now
        milliseconds.append((now - last) / .milliseconds(1))
        last = now
        return .proceed
    }
}
