import Foundation

/// A training with a directory of its own: of any network, with any optimizer, loss, schedule, observers and data. The
/// training is saved in the directory, and goes on from the directory.
///
/// - `checkpoint-000000001.safetensors` and so on hold everything: weights, states, optimizer slots, position,
///   settings, best score. A checkpoint is written before the first step, after every epoch, at each ``saveInterval``,
///   and when training ends. The two newest checkpoints are kept, and `latest` names the newest.
/// - `best.safetensors` holds the weights of the best epoch.
/// - `metrics.jsonl` gets a line for each epoch: ``EpochResult/jsonLine``.
/// - `lock` keeps a second process from training the same run.
///
/// A save runs beside training. If a save fails, observers hear of the failure
/// (``TrainingObserver/savingChanged(_:_:)``), and the next save writes a new file. Only the first and the last save of
/// a training throw.
///
/// ```swift
/// let network = try Network(model, input: [32, 32, 3], batch: 64, seed: 1)
/// let trainer = try Trainer(network, optimizer: Adam(), schedule: .cosine(epochs: 10), observers: [ProgressLines()])
/// let run = try Run("runs/mine", trainer)
/// try run.fit(train, test: test, epochs: 10)
/// ```
///
/// The same program, started again after an interruption, goes on exactly where the run was saved, and comes to the
/// same bits as a training without interruption. Settings that differ from the settings of the saved run are refused,
/// each by name: ``RunMismatch``.
public final class Run {
    /// The directory in which the run is saved.
    public let directory: String
    /// The trainer with the run's network and position.
    public let trainer: Trainer
    /// The best epoch so far.
    public internal(set) var best: BestScore
    /// Texts of your own that are saved with the run. Keys that begin with `linkednet.` are the library's.
    public var metadata: [String: String]

    /// The interval between saves during training, besides the save at the end of every epoch.
    public var saveInterval = SaveInterval.minutes(10)
    /// True to lock the run while it trains. Without the lock, two processes can train one run and damage it.
    public var locksDirectory = true
    /// The damage of the checkpoints that are newer than the opened checkpoint. Training repeats the steps in between.
    public let damage: [CheckpointError]
    /// The damage of the opened run's metrics: epochs without a line, or other lines. Training keeps the correct lines.
    /// Training first copies a file with other lines to `metrics-damaged.jsonl`.
    public let metricsDamage: CheckpointError?
    /// A text if this process computes in another way than the process that saved the run, so that the bits will
    /// differ; else `nil`.
    public let computationChange: String?

    let generations: Generations
    /// The settings of the data set and the batches, as saved; empty before the first training.
    private(set) var dataSettings: [String: String]
    private let accepted: Set<String>
    /// The metric that the caller asked for; `nil` for the default.
    private let metric: Metric?
    /// The images of the running training, or of the last training.
    var dataset: (any Dataset)?
    /// The position of the run on the disk; `nil` if the run isn't on the disk.
    var savedPosition: TrainingPosition?
    /// The metrics of epochs that no save has taken yet.
    var newLines: [String] = []
    /// The best weights, if no save has taken them yet.
    var newBest: BestWeights?
    /// The metrics of the last training, with the lines that could not be saved.
    var metrics: LineFile?
    /// The means to save the running training.
    var saving: (writer: CheckpointWriter, clock: SaveClock, best: BestWeights)?
    /// The error of the last save, if the save failed. Observers hear of the same trouble once.
    var lastFailure: CheckpointError?
    /// The record's texts in the newest save: other texts are new settings.
    var savedTexts: [String: String]
    /// The observers of the running training, without the run's own.
    var watchers: [any TrainingObserver] = []
    /// The states of the saved run's observers, until a training has taken them: ``ObserverStates``.
    var observerStates: [String: String]

    /// Begins a run, or opens the run that is saved in `directory`, at the newest checkpoint that is whole. The trainer
    /// of an opened run has the saved weights and position.
    ///
    /// - Parameters:
    ///   - directory: the run's directory. A missing directory is made, with all missing parents.
    ///   - trainer: the trainer of the network to train; for a saved run, with the settings of the saved run.
    ///   - metadata: replaces the saved ``metadata``; `nil` keeps the saved texts.
    ///   - metric: the metric that decides which epoch is best. The default is the saved run's metric, for a new run
    ///     the test's accuracy, or the training's accuracy if there is no test.
    ///   - accepted: the names of settings that may differ from the saved run's settings. ``RunMismatch`` tells the
    ///     names. `optimizer` stands for all settings of the optimizer.
    /// - Throws: ``RunMismatch`` for settings that differ; ``CheckpointError`` if no checkpoint is whole, if the
    ///   directory can't be made or holds another run's metrics, if the trainer of a new run has trained already, or if
    ///   a key of the metadata is the library's; ``WeightsMismatch``.
    public init(
        _ directory: String, _ trainer: Trainer, metadata: [String: String]? = nil, judgedBy metric: Metric? = nil,
        accepting accepted: Set<String> = []
    ) throws {
        if let key = metadata?.keys.sorted().first(where: { $0.hasPrefix(RunRecord.reservedPrefix) }) {
            throw CheckpointError.content(
                path: directory, offset: nil,
                expected: "metadata under keys that don't begin with \(RunRecord.reservedPrefix)", found: key)
        }
        self.directory = directory
        self.trainer = trainer
        self.accepted = accepted
        self.metric = metric
        generations = Generations(directory)
        guard generations.exist else {
            guard trainer.position == TrainingPosition() else {
                throw CheckpointError.content(
                    path: directory, offset: nil, expected: "a saved run, or a trainer at its beginning",
                    found: "no run, and a trainer after \(trainer.position.step) steps")
            }
            try RunDirectory.begin(directory)
            self.metadata = metadata ?? [:]
            best = BestScore(metric ?? .testAccuracy)
            (dataSettings, savedTexts, observerStates) = ([:], [:], [:])
            (damage, metricsDamage, computationChange) = ([], nil, nil)
            return
        }
        let (file, damage) = try generations.open()
        let record = try RunRecord(file)
        self.damage = damage
        self.metadata = metadata ?? record.metadata
        (dataSettings, savedTexts, observerStates) = (
            record.dataSettings, RunRecord.texts(of: file.metadata), record.observerStates
        )
        best = metric.map { $0 == record.best.metric ? record.best : BestScore($0) } ?? record.best
        computationChange = record.computation.flatMap { Self.change(from: $0, to: Self.computation(trainer.network)) }
        if !record.trainerSettings.isEmpty {
            try Self.check(
                record.trainerSettings, RunSettingTexts.of(trainer), in: directory, accepting: accepted)
        }
        try trainer.resume(from: file)
        savedPosition = trainer.position
        metricsDamage = RunMetrics.damage(directory, epochs: trainer.position.epoch)
    }

    /// True if a run is saved in `directory`.
    public static func exists(in directory: String) -> Bool { Generations(directory).exist }

    /// Makes the first missing directory of `base-1`, `base-2`, …, for a run that needs a directory of its own.
    ///
    /// - Returns: the directory.
    /// - Throws: ``CheckpointError`` if the directory can't be made.
    public static func newDirectory(_ base: String) throws(CheckpointError) -> String {
        try RunDirectory.create(base: base)
    }

    /// The SHA-256 of all weights: ``WeightsDigest``.
    public var digest: String { WeightsDigest.sha256(of: trainer.network.borrowedWeights) }

    /// The number of updates of the run on the disk; `nil` if the run isn't on the disk.
    public var savedStep: Int? { savedPosition?.step }

    /// The file with the weights of the best epoch, for ``Network/loadWeights(from:)-(String)``; `nil` before the first
    /// epoch with a score is saved, and while training repeats steps whose checkpoints were damaged.
    public var bestWeights: String? { BestWeights.find(in: directory, best: best) }

    /// Trains until `epochs` epochs are complete, an observer stops the training, or `maxSteps` steps are done. Then
    /// the run is saved.
    ///
    /// After an error in the middle of an epoch, the run is saved with all steps so far, if the directory can be
    /// written. NaN or infinite values are the exception: nothing is saved then.
    ///
    /// - Parameters:
    ///   - train: the images to train on.
    ///   - test: the images on which each epoch ends with an evaluation.
    ///   - epochs: the number of epochs of the whole run, epochs before the save included. A larger number than before
    ///     continues the run.
    ///   - batchSize: the number of images of a step; `nil` for ``Network/batchSize``.
    ///   - sampler: the order of each epoch.
    ///   - augmentation: random changes to the training images.
    ///   - seed: the seed of sampler and augmentation; `nil` for the network's seed.
    ///   - observers: observers besides the trainer's own observers.
    ///   - maxSteps: the largest number of steps of this call. Steps of earlier calls don't count.
    /// - Throws: ``RunMismatch`` if the images, or the settings of the batches, differ from the saved run; ``RunInUse``
    ///   if another process trains the run; the errors of
    ///   ``Trainer/fit(_:test:epochs:batchSize:sampler:augmentation:seed:maxSteps:)`` and
    ///   ``Trainer/save(to:metadata:)``.
    @discardableResult
    public func fit(
        _ train: any Dataset, test: (any Dataset)? = nil, epochs: Int, batchSize: Int? = nil,
        sampler: Sampler = .shuffled, augmentation: Augmentation = .none, seed: UInt64? = nil,
        observers: [any TrainingObserver] = [], maxSteps: Int? = nil
    ) throws -> TrainingResult {
        var given = RunSettingTexts.of(
            train, test: test, batchSize: batchSize ?? trainer.network.batchSize, sampler: sampler,
            augmentation: augmentation,
            seed: seed ?? trainer.network.seed)
        let testName = RunSettingTexts.testDataset
        // A run may be tested or not at any time, but always on the same images.
        if test == nil { given[testName] = dataSettings[testName] }
        // A run of an older version knows only the fingerprint of the images.
        var comparable = dataSettings.count == 1 ? given.filter { dataSettings[$0.key] != nil } : given
        if dataSettings[testName] == nil { comparable[testName] = nil }
        if !dataSettings.isEmpty {
            try Self.check(dataSettings, comparable, in: directory, accepting: accepted)
        }
        // No other writer may train the run at the same time, or have trained the run since this object opened the run.
        let lock = locksDirectory ? try DirectoryLock(directory) : nil
        defer { withExtendedLifetime(lock) {} }
        try generations.requireUnchanged()
        let before = (dataset, dataSettings, best)
        (dataset, dataSettings) = (train, given)
        if test == nil, metric == nil, best.value == nil { best = BestScore(.accuracy) }
        let own = trainer.observers
        watchers = own + observers
        // The run comes first, so that other observers hear of an epoch only after the run has counted the epoch. The
        // saver comes last, so that a save has the states of the others after the step.
        trainer.observers = [self] + watchers + [RunSaver(self)]
        defer { (trainer.observers, saving, watchers) = (own, nil, []) }
        do {
            try restoreWatchers()
            return try trainer.fit(
                train, test: test, epochs: epochs, batchSize: batchSize, sampler: sampler, augmentation: augmentation,
                seed: seed, maxSteps: maxSteps)
        } catch {
            // Arguments that training refuses leave no trace.
            if saving == nil { (dataset, dataSettings, best) = before }
            saveIfPossible(after: error)
            throw error
        }
    }

    private static func check(
        _ saved: [String: String], _ given: [String: String], in directory: String, accepting: Set<String>
    ) throws(RunMismatch) {
        let differences = RunSettingTexts.differences(saved: saved, given: given, accepting: accepting)
        guard differences.isEmpty else { throw RunMismatch(directory: directory, differences: differences) }
    }
}

extension Run: TrainingObserver {
    public var watchedMetrics: [Metric] { [best.metric] }

    public func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        try RunDirectory.removeTemporaries(directory)
        try beginSaving(event)
        return .proceed
    }

    public func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        if best.consider(event) { try keepBest() }
        newLines.append(event.jsonLine)
        saving?.clock.isPending = true
        return .proceed
    }

    public func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws {
        try endSaving()
    }
}
