import ArgumentParser
import Foundation
import LinkedNet

/// Times whole training steps (forward, loss, backward, optimizer) on random data and prints one JSON line.
@main
struct StepTime: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step-time",
        abstract: "Times training steps of a model on random data; one JSON line.")

    @Option(help: "allcnn, depth, width50, width400, width:N, extended or resnet50.")
    var model = "allcnn"
    @Option(help: "As train's --activation.")
    var activation: ModelActivation = .linkedReLU
    @Option(help: "Images in a step.")
    var batchSize = 32
    @Option(help: "Timed steps, after 3 that are not.")
    var steps = 10
    @Option(help: "Threads; the CPUs available if not given.")
    var threads: Int?
    @Flag(help: "BatchNorm after every convolution.")
    var batchNorm = false

    func run() throws {
        if let threads { Runtime.threadCount = threads }
        guard let name = ModelName(rawValue: model) else { throw ValidationError("unknown model '\(model)'") }
        let preset = Preset(model: name, activation: activation)
        let model = name.model(options: ModelOptions(activation: activation, batchNorm: batchNorm))
        let network = try Network(model, input: [32, 32, 3], batch: batchSize, seed: 100)
        let trainer = try Trainer(network: network, optimizer: preset.optimizer())
        var random = SystemRandomNumberGenerator()
        let pixels = (0..<batchSize * network.inputShape.elementCount).map { _ in Float.random(in: 0..<1, using: &random) }
        let labels = (0..<batchSize).map { _ in Int32.random(in: 0..<10, using: &random) }
        var milliseconds: [Double] = []
        for step in 0..<steps + 3 {
            let start = ContinuousClock.now
            try pixels.withUnsafeBufferPointer { pixels in
                try labels.withUnsafeBufferPointer { labels in
                    _ = try trainer.step(
                        pixels: pixels.baseAddress!, labels: labels.baseAddress!, count: batchSize)
                }
            }
            if step >= 3 { milliseconds.append((ContinuousClock.now - start) / .milliseconds(1)) }
        }
        milliseconds.sort()
        var usage = rusage()
        getrusage(RUSAGE_SELF, &usage)
        let median = milliseconds[milliseconds.count / 2]
        let fields: [(String, String)] = [
            ("model", "\"\(self.model)\""), ("activation", "\"\(activation.rawValue)\""),
            ("batch_norm", "\(batchNorm)"), ("batch", "\(batchSize)"), ("threads", "\(Runtime.threadCount)"),
            ("isa", "\"\(Runtime.instructionSet)\""), ("median_ms", String(format: "%.2f", median)),
            ("best_ms", String(format: "%.2f", milliseconds[0])),
            ("images_per_s", String(format: "%.1f", Double(batchSize) / milliseconds[0] * 1e3)),
            ("peak_rss_mb", "\(usage.ru_maxrss / 1024)"),
        ]
        print("{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
    }
}

extension ModelActivation: @retroactive ExpressibleByArgument {}
