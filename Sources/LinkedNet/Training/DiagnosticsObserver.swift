import Foundation

/// Watches a training from inside: gradient flow, activation drift and dead neurons. Each look adds a line of JSON to a
/// file.
///
/// Each look costs a forward pass of the probe's network for one batch, about as long as a training step. The end of an
/// epoch costs a forward pass of all training images. So nothing uses this observer unless asked to.
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
    ///   - probe: a probe for the network that is trained.
    ///   - network: the network that is trained.
    ///   - dataset: the training images. Drift is measured on the first batch, dead neurons are counted on all images.
    ///   - every: the number of steps from one look to the next look.
    ///   - path: the file that lines are added to.
    /// - Throws: ``TrainingError`` if the images have another shape than the network's input, the errors of the data
    ///   set, ``OutOfMemory``.
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
        // Training repeats the steps that a killed run made after the last checkpoint.
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
        // A disk that is full now may have room at the next look.
        try? lines.flush()
        return .proceed
    }

    public func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws {
        try lines.flush()
    }

    /// The number with four digits, which are more than a picture shows and take a third of the room; `nil` for a
    /// number that isn't finite.
    private static func rounded(_ value: Double) -> Double? {
        value.isFinite ? Double(String(format: "%.4g", value)) : nil
    }

    private static func line(_ content: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(content), as: UTF8.self)
    }
}
