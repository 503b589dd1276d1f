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

    @Option(help: "\(BenchmarkModel.options)")
    var model: BenchmarkModel = .paper(.allCNN)
    @Option(help: "As train's --activation; of the paper's models.")
    var activation: ModelActivation = .linkedReLU
    @Option(help: "Images in a step.")
    var batchSize = 32
    @Option(help: "Timed steps, after 3 that are not.")
    var steps = 10
    @Option(help: "Threads; the CPUs available if not given.")
    var threads: Int?
    @Flag(help: "BatchNorm after every convolution; of the paper's models.")
    var batchNorm = false
    @Option(help: "As train's --convolution.")
    var convolution: ConvolutionAlgorithm = .automatic
    @OptionGroup var simulation: SimulationOptions

    func validate() throws {
        // Random images of a batch are made in memory.
        guard (1...65_536).contains(batchSize) else {
            throw ValidationError("--batch-size: expected 1 to 65536, found \(batchSize)")
        }
        guard (1...1_000_000).contains(steps) else {
            throw ValidationError("--steps: expected 1 to 1000000, found \(steps)")
        }
        if let threads, threads < 1 { throw ValidationError("--threads: expected at least 1, found \(threads)") }
    }

    func run() throws {
        let most = simulation.threadCounts.max()
        // Kernels make room for as many threads as the variable names when they are first used.
        if let most { setenv("OMP_NUM_THREADS", "\(most)", 1) }
        if let threads { Runtime.threadCount = threads }
        let threadCount = Runtime.threadCount
        // A network makes room for the micro-batches that its threads compute at once.
        if let most { Runtime.threadCount = max(most, threadCount) }
        let options = ModelOptions(activation: activation, batchNorm: batchNorm, convolution: convolution)
        let steps = try RandomSteps(
            model.network(options, batch: batchSize), optimizer: try model.optimizer(linked: activation.isLinked))
        Runtime.threadCount = threadCount
        if simulation.threadCounts.isEmpty {
            printTimes(try steps.milliseconds(self.steps, unmeasured: 3))
        } else {
            let label = "\(model) \(activation.rawValue)\(batchNorm ? " BN" : "") @\(batchSize)"
            try simulation.run(steps, count: self.steps, label: label)
        }
    }

    private func printTimes(_ milliseconds: [Double]) {
        let sorted = milliseconds.sorted()
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        let fields: [(String, String)] = [
            ("model", "\"\(model)\""), ("activation", "\"\(activation.rawValue)\""),
            ("batch_norm", "\(batchNorm)"), ("batch", "\(batchSize)"), ("threads", "\(Runtime.threadCount)"),
            ("isa", "\"\(Runtime.instructionSet)\""), ("median_ms", String(format: "%.2f", sorted[sorted.count / 2])),
            ("best_ms", String(format: "%.2f", sorted[0])),
            ("images_per_s", String(format: "%.1f", Double(batchSize) / sorted[0] * 1e3)),
            ("peak_rss_mb", "\(usage.ru_maxrss / 1024)"),
        ]
        print("{" + fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
    }
}

extension ConvolutionAlgorithm: @retroactive ExpressibleByArgument {}
