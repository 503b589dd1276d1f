extension LearningRateSchedule {
    /// What ``init(text:epochs:)`` takes, in a few words.
    public static let textOptions =
        "constant, allcnn, cosine, cosine:EPOCHS or steps:EPOCH=FACTOR,…, each also after warm-up:STEPS+"

    /// A schedule from text: `constant`; `allcnn`; `cosine:30`; `steps:100=0.5,150=0.1` (from epoch 100, counted from
    /// 0, half the rate); any of them after `warm-up:500+`.
    ///
    /// - Parameter epochs: the length of `cosine` without a number.
    /// - Throws: ``SettingsError``.
    public init(text: String, epochs: Int) throws(SettingsError) {
        let error = SettingsError(option: "--schedule", expected: Self.textOptions, found: text)
        let (name, argument) = Self.split(text, at: ":")
        switch (name, argument) {
        case ("constant", nil): self = .constant
        case ("allcnn", nil): self = .allCNN
        case ("cosine", nil): self = .cosine(epochs: epochs)
        case ("cosine", let length?):
            guard let length = Int(length), length >= 1, length <= RunOptions.mostEpochs else { throw error }
            self = .cosine(epochs: length)
        case ("steps", let list?):
            var steps: [Step] = []
            for item in list.split(separator: ",", omittingEmptySubsequences: false) {
                let (epoch, factor) = Self.split(String(item), at: "=")
                guard let epoch = Int(epoch), epoch >= 0, let factor = factor.flatMap(Double.init), factor >= 0,
                    factor.isFinite
                else { throw error }
                steps.append(Step(fromEpoch: epoch, factor: factor))
            }
            self = .steps(steps)
        case ("warm-up", let rest?):
            let (length, then) = Self.split(rest, at: "+")
            guard let length = Int(length), length >= 1, let then, !then.hasPrefix("warm-up") else { throw error }
            self = .warmUp(steps: length, then: try LearningRateSchedule(text: then, epochs: epochs))
        default: throw error
        }
    }

    /// The text that ``init(text:epochs:)`` makes this schedule of, for any number of epochs. `nil` for a cosine that
    /// doesn't end at zero, which has none.
    public var text: String? {
        switch self {
        case .constant: "constant"
        case .allCNN: "allcnn"
        case .steps(let steps) where steps.isEmpty: "constant"
        case .steps(let steps): "steps:" + steps.map { "\($0.epoch)=\($0.factor)" }.joined(separator: ",")
        case .cosine(let epochs, let finalFactor): finalFactor == 0 ? "cosine:\(epochs)" : nil
        case .warmUp(let steps, let then): then.text.map { "warm-up:\(steps)+\($0)" }
        }
    }

    /// What stands before and after the first `separator`.
    private static func split(_ text: String, at separator: Character) -> (String, String?) {
        let parts = text.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (parts.first ?? "", parts.count == 2 ? parts[1] : nil)
    }
}
