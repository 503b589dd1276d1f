import Foundation

/// Watches a training from inside: gradient flow, activation drift and dead neurons, a line of JSON in a file for each
/// look.
///
/// Its cost: each look takes a forward pass of one batch of the probe's network, about as long as a training step;
/// where an epoch ends, a forward pass of all training images. So nothing uses it unless asked to.
///
/// A resumed run goes on with the same file.
public final class DiagnosticsObserver: TrainingObserver {
    private let probe: ActivationProbe
    private let dataset: any Dataset
    private let every: Int
    private let path: String
    private var lines: LineFile
    private let pixels: AlignedStorage<Float>
    private let count: Int

    /// - Parameters:
    ///   - probe: one for the network that is trained.
    ///   - network: the network that is trained.
    ///   - dataset: what it is trained on. Drift is measured on the first batch, dead neurons are counted on all of it.
    ///   - every: how many steps lie between two looks.
    ///   - path: the file that lines are added to.
    /// - Throws: ``TrainingError`` if the images have another shape than the network's input, what the data set throws,
    ///   ``OutOfMemory``.
    public init(_ probe: ActivationProbe, of network: Network, dataset: any Dataset, every: Int, path: String) throws {
        self.probe = probe
        self.dataset = dataset
        self.every = max(every, 1)
        self.path = path
        lines = LineFile(path)
        guard dataset.imageShape == network.inputShape else {
            throw TrainingError.mismatch(
                subject: "images to be watched", expected: "\(network.inputShape)", found: "\(dataset.imageShape)")
        }
        count = min(network.batchSize, dataset.count)
        pixels = try AlignedStorage(count: count * network.inputShape.elementCount)
        try Self.load(count, of: dataset, into: pixels)
    }

    /// Writes the pixels of the first `count` images of a data set.
    private static func load(_ count: Int, of dataset: any Dataset, into pixels: AlignedStorage<Float>) throws {
        let labels = try AlignedStorage<Int32>(count: count)
        let indices = (0..<count).map { Int64($0) }
        var pixelSpan = pixels.buffer.mutableSpan
        var labelSpan = labels.buffer.mutableSpan
        try dataset.load(indices.span, augmentations: Span(), pixels: &pixelSpan, labels: &labelSpan)
    }

    public func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        // The steps that a killed run saw after its last checkpoint come again.
        let kept =
            FileManager.default.fileExists(atPath: path) && event.position.step > 0
            ? try DiagnosticsHistory(path).samples.filter { $0.step <= event.position.step } : []
        let header = DiagnosticsHistory.Header(
            parameterLayers: trainer.network.parameterLayers, activationLayers: probe.layers.map(\.name))
        lines = LineFile(path, lines: try [Self.line(header)] + kept.map { try Self.line($0) })
        try lines.flush()
        return .proceed
    }

    public func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        let endsEpoch = event.batch == event.batchesPerEpoch
        guard event.step % every == 0 || endsEpoch else { return .proceed }
        let distributions = try probe.distributions(of: trainer.network, pixels: pixels.pointer, count: count)
        let dead = endsEpoch ? try trainer.deadNeurons(probe, on: dataset) : nil
        let sample = DiagnosticsHistory.Sample(
            step: event.step, gradientNorms: trainer.network.gradientNorms().map(Self.rounded),
            means: distributions.map { Self.rounded($0.mean) },
            variances: distributions.map { Self.rounded($0.variance) },
            deadShares: dead?.map { Self.rounded(Double($0.dead) / Double($0.units)) ?? 0 })
        lines.add([try Self.line(sample)])
        // A disk that is full now may not be at the next look.
        try? lines.flush()
        return .proceed
    }

    public func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws {
        try lines.flush()
    }

    /// Four digits, which are more than a picture shows and take a third of the room; `nil` for what isn't finite.
    private static func rounded(_ value: Double) -> Double? {
        value.isFinite ? Double(String(format: "%.4g", value)) : nil
    }

    private static func line(_ content: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(content), as: UTF8.self)
    }
}
