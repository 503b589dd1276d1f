import LinkedNet

extension LearningRateSchedule {
    /// The texts that ``init(text:epochs:)`` takes, in a few words.
    public static let textOptions = """
        constant, allcnn, cosine, cosine:EPOCHS, cosine:EPOCHS=FINALFACTOR or steps:EPOCH=FACTOR,…, each also after \
        warm-up:STEPS+, and one after the other as in cosine:9@9:constant
        """

    /// A schedule from text: `constant`; `allcnn`; `cosine:30`; `cosine:30=0.01` (down to a hundredth of the rate);
    /// `steps:100=0.5,150=0.1` (from epoch 100, counted from 0, half the rate); any of these after `warm-up:500+`;
    /// several of these in a row, each after the first with the epoch, counted from 0, from which on the schedule
    /// holds: `cosine:30@30:cosine:10`.
    ///
    /// - Parameters:
    ///   - text: the description.
    ///   - epochs: the number of epochs of the whole schedule. `cosine` without a number extends over all epochs of its
    ///     part.
    /// - Throws: ``SettingsError``.
    public init(text: String, epochs: Int) throws(SettingsError) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else {
            self = try Self.single(text, epochs: epochs, whole: text)
            return
        }
        var starts = [0], texts = [parts[0]]
        for part in parts.dropFirst() {
            let (start, text) = Self.split(part, at: ":")
            guard let start = Int(start), start > starts[starts.count - 1], start <= RunOptions.mostEpochs, let text
            else { throw Self.error(part) }
            starts.append(start)
            texts.append(text)
        }
        let ends = starts.dropFirst() + [max(epochs, starts[starts.count - 1] + 1)]
        var stages: [Stage] = []
        for (index, end) in ends.enumerated() {
            let schedule = try Self.single(texts[index], epochs: end - starts[index], whole: text)
            stages.append(Stage(fromEpoch: starts[index], schedule: schedule))
        }
        self = .sequence(stages)
    }

    /// A schedule that is no sequence.
    ///
    /// - Parameter whole: the text that contains this schedule's text, for the error.
    private static func single(_ text: String, epochs: Int, whole: String) throws(SettingsError) -> Self {
        let error = error(whole)
        let (name, argument) = split(text, at: ":")
        switch (name, argument) {
        case ("constant", nil): return .constant
        case ("allcnn", nil): return .allCNN
        case ("cosine", nil): return .cosine(epochs: epochs)
        case ("cosine", let argument?):
            let (length, final) = split(argument, at: "=")
            guard let length = Int(length), length >= 1, length <= RunOptions.mostEpochs else { throw error }
            guard let final else { return .cosine(epochs: length) }
            // With a factor above 1 the rate would rise. With a very large factor, the rates in between would be no
            // numbers.
            guard let factor = factor(final), factor <= 1 else { throw error }
            return .cosine(epochs: length, finalFactor: factor)
        case ("steps", let list?):
            var steps: [Step] = []
            for item in list.split(separator: ",", omittingEmptySubsequences: false) {
                let (epoch, text) = split(String(item), at: "=")
                guard let epoch = Int(epoch), epoch >= 0, let factor = text.flatMap(factor) else { throw error }
                steps.append(Step(fromEpoch: epoch, factor: factor))
            }
            return .steps(steps)
        case ("warm-up", let rest?):
            let (length, then) = split(rest, at: "+")
            guard let length = Int(length), length >= 1, let then, !then.hasPrefix("warm-up") else { throw error }
            return .warmUp(steps: length, then: try single(then, epochs: epochs, whole: whole))
        default: throw error
        }
    }

    private static func error(_ text: String) -> SettingsError {
        let (name, argument) = split(text, at: ":")
        let names = ["constant", "allcnn", "cosine", "steps", "warm-up"]
        let nearest = names.contains(name) ? nil : name.nearest(in: names)
        let meant = nearest.map { $0 + (argument.map { ":\($0)" } ?? "") }
        let isRight = meant.map { (try? LearningRateSchedule(text: $0, epochs: 1)) != nil } ?? false
        return SettingsError(
            setting: "schedule", expected: textOptions, found: text, meant: isRight ? meant : nil)
    }

    private static func factor(_ text: String) -> Double? {
        guard let factor = Double(text), factor >= 0, factor.isFinite else { return nil }
        return factor
    }

    /// The text from which ``init(text:epochs:)`` makes this schedule, for any number of epochs. Some sequences have no
    /// text, and give `nil`: a sequence in a warm-up or in another sequence, a sequence that doesn't begin with epoch
    /// 0, and a sequence of fewer than two schedules.
    public var text: String? {
        switch self {
        case .constant: return "constant"
        case .allCNN: return "allcnn"
        case .steps(let steps) where steps.isEmpty: return "constant"
        case .steps(let steps): return "steps:" + steps.map { "\($0.epoch)=\($0.factor)" }.joined(separator: ",")
        case .cosine(let epochs, let factor): return "cosine:\(epochs)" + (factor == 0 ? "" : "=\(factor)")
        case .warmUp(_, .sequence): return nil
        case .warmUp(let steps, let then): return then.text.map { "warm-up:\(steps)+\($0)" }
        case .sequence(let stages):
            guard stages.count > 1, stages[0].epoch == 0 else { return nil }
            var texts: [String] = []
            for stage in stages {
                if case .sequence = stage.schedule { return nil }
                guard let text = stage.schedule.text else { return nil }
                texts.append(texts.isEmpty ? text : "\(stage.epoch):\(text)")
            }
            return texts.joined(separator: "@")
        }
    }

    /// The parts before and after the first `separator`.
    private static func split(_ text: String, at separator: Character) -> (String, String?) {
        let parts = text.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (parts.first ?? "", parts.count == 2 ? parts[1] : nil)
    }
}
