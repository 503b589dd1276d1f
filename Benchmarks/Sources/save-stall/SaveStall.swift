import ArgumentParser
import Foundation
import LinkedNet
import PaperNetworks
import StepOptions

/// Trains with a save every few steps, and prints what that costs the steps as one JSON line.
@main
struct SaveStall: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save-stall",
        abstract: "Times how long steps wait for a save, and steps beside one; one JSON line.")

    @OptionGroup var training: StepOptions
    @Option(help: "Timed steps.")
    var steps = 100
    @Option(help: "Steps between two saves.")
    var every = 10
    @Option(help: "Where to save; its file system counts.")
    var output: String

    func validate() throws {
        // Of every interval: the step that waits for the save, the one beside it, and some in its second half.
        guard (3...1_000).contains(every) else {
            throw ValidationError("--every: expected 3 to 1000, found \(every)")
        }
        // The first interval isn't counted.
        guard (2 * every...100_000).contains(steps) else {
            throw ValidationError("--steps: expected \(2 * every) to 100000, twice --every or more, found \(steps)")
        }
    }

    func run() throws {
        var options = RunOptions()
        options.preset = .paper
        (options.model, options.activation, options.batchSize) = (
            training.model, training.activation, training.batchSize
        )
        (options.epochs, options.learningRate, options.limit) = (steps, 1e-6, 2 * steps * training.batchSize)
        let data = try DataSource.resolve("shapes")
        let paperRun = try PaperRun(options.settings(), data: data, directory: output)
        let run = paperRun.run
        run.saveInterval = .steps(every)
        let watch = Watch()
        try paperRun.train(on: data, observers: [watch], maxSteps: steps)
        // The first steps touch memory for the first time.
        let numbers = watch.steps.indices.filter { $0 > every }
        func sorted(_ times: [Double], _ isIncluded: (Int) -> Bool) -> [Double] {
            numbers.filter(isIncluded).map { times[$0] }.sorted()
        }
        let stalls = sorted(watch.stalls) { $0 % every == 0 }
        let (plain, next) = (sorted(watch.steps) { $0 % every > every / 2 }, sorted(watch.steps) { $0 % every == 1 })
        let fields: [(String, String)] = [
            ("model", "\"\(training.model)\""), ("batch", "\(training.batchSize)"),
            ("checkpoint_mb", String(format: "%.1f", Double(run.trainer.checkpointBytes) / 1e6)),
            ("stall_median_ms", String(format: "%.2f", stalls[stalls.count / 2])),
            ("stall_most_ms", String(format: "%.2f", stalls[stalls.count - 1])),
            ("step_median_ms", String(format: "%.2f", plain[plain.count / 2])),
            ("next_step_median_ms", String(format: "%.2f", next[next.count / 2])),
        ]
        print("{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
    }
}

/// Tells apart what steps take and what the run does after each, of which it hears when the run has done it.
private final class Watch: TrainingObserver {
    /// In milliseconds, by the number of the step; there is no step 0.
    private(set) var steps = [0.0]
    private(set) var stalls = [0.0]
    private var last = ContinuousClock.now
    private var lastSeconds = 0.0

    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        last = .now
        return .proceed
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        // Without what observers do, and from 0 in each epoch.
        let step = (event.epochSeconds - (event.batch == 1 ? 0 : lastSeconds)) * 1e3
        let now = ContinuousClock.now
        steps.append(step)
        stalls.append((now - last) / .milliseconds(1) - step)
        (last, lastSeconds) = (now, event.epochSeconds)
        return .proceed
    }
}
