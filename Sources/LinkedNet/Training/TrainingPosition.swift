/// Where a training run stands: all that a resumed run must know besides weights, states and optimizer slots.
public struct TrainingPosition: Sendable, Hashable, Codable {
    /// How many epochs are complete, so also the running epoch, counted from 0.
    public var epoch = 0
    /// How many batches of the running epoch are done. All of them: what is left is the epoch's test.
    public var batch = 0
    /// How many updates there were since the beginning.
    public var step = 0
    /// Losses and hits of the running epoch so far.
    public var epochResult = LossResult()
    /// Time spent training in the running epoch so far, in seconds.
    public var epochSeconds = 0.0

    /// The beginning.
    public init() {}

    /// What no count in a file may exceed: far beyond any training, and sums and products of a few of them stay
    /// integers.
    static let largestCount = 1 << 48

    private enum CodingKeys: String, CodingKey {
        case epoch, batch, step
        case lossSum = "loss_sum"
        case correctCount = "correct_count"
        case sampleCount = "sample_count"
        case epochSeconds = "epoch_seconds"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func count(_ key: CodingKeys) throws -> Int {
            let value = try values.decode(Int.self, forKey: key)
            guard value >= 0, value <= Self.largestCount else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: values, debugDescription: "expected 0 to \(Self.largestCount), found \(value)")
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
    }

    /// Goes on to the next epoch.
    mutating func finishEpoch() {
        epoch += 1
        batch = 0
        epochResult = LossResult()
        epochSeconds = 0
    }
}
