/// The position of a training run: everything that a resumed run needs besides weights, states and optimizer slots.
public struct TrainingPosition: Sendable, Hashable, Codable {
    /// The number of complete epochs, so also the running epoch, counted from 0.
    public internal(set) var epoch = 0
    /// The number of finished batches of the running epoch. If all batches are finished, only the test is left.
    public internal(set) var batch = 0
    /// The number of updates since the beginning.
    public internal(set) var step = 0
    /// Losses and hits of the running epoch so far.
    public internal(set) var epochResult = LossResult()
    /// Time spent training in the running epoch so far, in seconds.
    public internal(set) var epochSeconds = 0.0
    /// The source of the running epoch's batches; `nil` before its first batch, and in files of older versions.
    var batches: EpochBatches?

    /// These settings and the epoch decide the images of each batch. With other settings ``batch`` has no meaning:
    /// images would come twice or not at all.
    struct EpochBatches: Sendable, Hashable {
        /// The number of images of every batch but the last.
        let batchSize: Int
        /// The order of the images.
        let sampler: Sampler
        /// The number of images.
        let imageCount: Int
        /// The seed of the order and the augmentation.
        let seed: UInt64
    }

    /// The beginning.
    public init() {}

    /// The largest count that a file may have: far beyond any training, and small enough that sums of a few counts
    /// don't overflow.
    static let largestCount = 1 << 48

    private enum CodingKeys: String, CodingKey {
        case epoch, batch, step
        case lossSum = "loss_sum"
        case correctCount = "correct_count"
        case sampleCount = "sample_count"
        case epochSeconds = "epoch_seconds"
        case batchSize = "batch_size"
        case sampler
        case imageCount = "image_count"
        case dataSeed = "data_seed"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func count(_ key: CodingKeys, least: Int = 0) throws -> Int {
            let value = try values.decode(Int.self, forKey: key)
            guard value >= least, value <= Self.largestCount else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: values,
                    debugDescription: "expected \(least) to \(Self.largestCount), found \(value)")
            }
            return value
        }
        func number(_ key: CodingKeys) throws -> Double {
            let value = try values.decode(Double.self, forKey: key)
            guard value.isFinite else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: values, debugDescription: "expected a finite number, found \(value)")
            }
            return value
        }
        epoch = try count(.epoch)
        batch = try count(.batch)
        step = try count(.step)
        epochResult = try LossResult(
            lossSum: number(.lossSum), correctCount: count(.correctCount),
            sampleCount: count(.sampleCount))
        epochSeconds = try number(.epochSeconds)
        guard values.contains(.batchSize) else { return }
        let name = try values.decode(String.self, forKey: .sampler)
        guard let sampler = Sampler(rawValue: name) else {
            throw DecodingError.dataCorruptedError(
                forKey: .sampler, in: values, debugDescription: "expected a sampler, found \(name)")
        }
        batches = EpochBatches(
            batchSize: try count(.batchSize, least: 1), sampler: sampler, imageCount: try count(.imageCount, least: 1),
            seed: try values.decode(UInt64.self, forKey: .dataSeed))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(epoch, forKey: .epoch)
        try values.encode(batch, forKey: .batch)
        try values.encode(step, forKey: .step)
        try values.encode(epochResult.lossSum, forKey: .lossSum)
        try values.encode(epochResult.correctCount, forKey: .correctCount)
        try values.encode(epochResult.sampleCount, forKey: .sampleCount)
        try values.encode(epochSeconds, forKey: .epochSeconds)
        guard let batches else { return }
        try values.encode(batches.batchSize, forKey: .batchSize)
        try values.encode(batches.sampler.rawValue, forKey: .sampler)
        try values.encode(batches.imageCount, forKey: .imageCount)
        try values.encode(batches.seed, forKey: .dataSeed)
    }

    /// Throws for a position in the middle of an epoch that began with other batches.
    func check(_ own: EpochBatches) throws(TrainingError) {
        func expect(_ subject: String, _ expected: some CustomStringConvertible, _ found: some CustomStringConvertible)
            throws(TrainingError)
        {
            guard expected.description != found.description else { return }
            throw .mismatch(
                subject: subject,
                expected: "\(expected), with which epoch \(epoch + 1) began: its first \(batch) batches are done",
                found: found.description)
        }
        guard batch > 0 else { return }
        if let batches {
            try expect("batch size", batches.batchSize, own.batchSize)
            try expect("number of training images", batches.imageCount, own.imageCount)
            try expect("sampler", batches.sampler.rawValue, own.sampler.rawValue)
            try expect("seed of sampler and augmentation", batches.seed, own.seed)
        } else {
            // Files of older versions tell only the number of images so far.
            let (seen, overflows) = batch.multipliedReportingOverflow(by: own.batchSize)
            try expect(
                "images in the first \(batch) batches of the epoch", epochResult.sampleCount,
                overflows ? own.imageCount : min(seen, own.imageCount))
        }
        let count = (own.imageCount - 1) / own.batchSize + 1
        guard batch <= count else {
            throw .mismatch(
                subject: "position", expected: "at most the \(count) batches of an epoch", found: "batch \(batch)")
        }
    }

    /// Goes on to the next epoch.
    mutating func finishEpoch() {
        epoch += 1
        batch = 0
        epochResult = LossResult()
        epochSeconds = 0
        batches = nil
    }
}
