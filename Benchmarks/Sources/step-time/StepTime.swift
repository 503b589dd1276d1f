import ArgumentParser
import Foundation
import LinkedNet
import PaperNetworks
import StepOptions

/// Times whole training steps (forward, loss, backward, optimizer) on random data and prints one JSON line.
@main
struct StepTime: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step-time",
        abstract: "Times training steps of a model on random data; one JSON line.")

    @OptionGroup var training: StepOptions
    @Option(help: "Timed steps, after 3 that are not.")
    var steps = 10
    @Option(help: "Threads; the CPUs available if not given.")
    var threads: Int?
    @Flag(help: "BatchNorm after every convolution.")
    var batchNorm = false
    @Option(help: "As train's --convolution.")
    var convolution: ConvolutionAlgorithm = .automatic

    func validate() throws {
        guard (1...1_000_000).contains(steps) else {
            throw ValidationError("--steps: expected 1 to 1000000, found \(steps)")
        }
        if let threads, threads < 1 { throw ValidationError("--threads: expected at least 1, found \(threads)") }
    }

    func run() throws {
        if let threads { Runtime.threadCount = threads }
        let (model, activation, batchSize) = (training.model, training.activation, training.batchSize)
        let experiment = model.experiment(linked: activation.isLinked)
        let options = ModelOptions(activation: activation, batchNorm: batchNorm, convolution: convolution)
        let network = try Network(model.model(options), input: [32, 32, 3], batch: batchSize, seed: 100)
        let trainer = try Trainer(network, optimizer: try optimizer(of: experiment))
        var random = SystemRandomNumberGenerator()
        let pixels = (0..<batchSize * network.inputShape.elementCount).map { _ in
            Float.random(in: 0..<1, using: &random)
        }
        let labels = (0..<batchSize).map { _ in Int32.random(in: 0..<10, using: &random) }
        var milliseconds: [Double] = []
        for step in 0..<steps + 3 {
            let start = ContinuousClock.now
            try trainer.step(pixels: pixels.span, labels: labels.span)
            if step >= 3 { milliseconds.append((ContinuousClock.now - start) / .milliseconds(1)) }
        }
        milliseconds.sort()
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        let median = milliseconds[milliseconds.count / 2]
        let fields: [(String, String)] = [
            ("model", "\"\(model)\""), ("activation", "\"\(activation.rawValue)\""),
            ("batch_norm", "\(batchNorm)"), ("batch", "\(batchSize)"), ("threads", "\(Runtime.threadCount)"),
            ("isa", "\"\(Runtime.instructionSet)\""), ("median_ms", String(format: "%.2f", median)),
            ("best_ms", String(format: "%.2f", milliseconds[0])),
            ("images_per_s", String(format: "%.1f", Double(batchSize) / milliseconds[0] * 1e3)),
            ("peak_rss_mb", "\(usage.ru_maxrss / 1024)"),
        ]
        print("{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
    }
}

private func optimizer(of experiment: Experiment) throws -> any Optimizer {
    // The rate takes no time, and with the experiment's own some activations explode on random labels.
    let rate = experiment.learningRate * 1e-3
    return switch experiment.optimizer {
    case .sgd:
        try SGD(
            learningRate: rate, momentum: experiment.momentum, nesterov: experiment.momentum > 0,
            decay: experiment.decay)
    case .adam: try Adam(learningRate: rate, decay: experiment.decay)
    case .rmsProp: try RMSProp(learningRate: rate, decay: experiment.decay)
    }
}

extension ConvolutionAlgorithm: @retroactive ExpressibleByArgument {}
