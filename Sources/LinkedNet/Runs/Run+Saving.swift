extension Run {
    /// Makes sure that the run is on the disk, and that the disk has room for more checkpoints.
    func beginSaving(_ event: TrainingBegin) throws {
        let epochs = event.position.epoch
        let metrics = try metrics ?? RunMetrics(directory, epochs: epochs).file()
        // This object has trained before. The metrics of the last training go on, with the lines that were not saved.
        if self.metrics != nil {
            metrics.add(takeNewLines())
            metrics.keep(first: epochs)
        }
        self.metrics = metrics
        let tensors = trainer.checkpointTensors
        let weights = trainer.network.storedWeights
        if event.position.epoch < event.epochs {
            // For a moment, two files of best weights exist.
            let bestFiles = bestWeights == nil ? 2 : 1
            let others = bestFiles * weights.reduce(0) { $0 + $1.elements.count } * MemoryLayout<Float>.stride
            try generations.requireSpace(for: tensors, metadata: checkpointTexts(), others: others)
        }
        try BestWeights.recover(in: directory, best: best, on: generations.disk)
        let writer = try CheckpointWriter(generations, metrics: metrics, tensors: tensors)
        saving = (writer, SaveClock(saveInterval, step: event.position.step), try newBest ?? BestWeights(weights))
        lastFailure = nil
        try writer.flush([])
        // New settings belong to the run from here on, also if the process is killed before the first step.
        if try savedPosition == nil || record.texts() != savedTexts { try save() }
        if !writer.namesLast {
            let warning =
                "\(directory.printable()): the file system cannot synchronize directories; a power failure may undo "
                + "the newest saves, or all of a new run (the end of a process cannot)"
            try tell(SavingEvent(step: event.position.step, error: nil, savedStep: savedStep ?? 0, warning: warning))
        }
    }

    private func tell(_ event: SavingEvent) throws {
        for observer in trainer.observers { try observer.savingChanged(event, trainer) }
    }

    /// Copies the current weights, which are the best so far, for the next save.
    func keepBest() throws {
        guard let saving else { return }
        saving.writer.waitForBest()
        guard let epoch = best.epoch else { return }
        saving.best.keep(trainer.network.storedWeights, epoch: epoch, texts: try record.texts())
        newBest = saving.best
    }

    /// Begins a save if a save is due and no other save is running. Tells observers the previous save's result if the
    /// result is news.
    func saveIfDue(step: Int) throws {
        guard let writer = saving?.writer else { return }
        // `isSaving` is read before the outcome is taken. If a save ends in between or later, this step begins no new
        // save: a new save would overwrite the outcome.
        let isFree = !writer.isSaving
        if let outcome = writer.takeOutcome() { try take(outcome) }
        guard saving?.clock.isDue(step: step) == true, isFree else { return }
        // Weights that aren't finite are no error here. The next step's loss finds such weights, and doesn't depend on
        // the times of saves.
        guard (try? trainer.checkWeights()) != nil else { return }
        saving?.clock.began(step: step)
        writer.begin(trainer.checkpointTensors, try content())
    }

    /// Saves the current state of the run beside the training: for observers that receive such a request. While another
    /// save is running, this save follows at the end of a later step. Without a running training, nothing is saved.
    ///
    /// - Throws: the errors of observers that hear the result of the previous save.
    public func requestSave() throws {
        saving?.clock.isPending = true
        try saveIfDue(step: trainer.position.step)
    }

    /// Brings the current state of the run to the disk.
    func endSaving() throws {
        guard let writer = saving?.writer else { return }
        writer.wait()
        if let outcome = writer.takeOutcome() { try take(outcome) }
        if savedPosition != trainer.position { try save() }
    }

    /// Saves the steps since the last save, if training had begun and the error doesn't concern the weights.
    func saveIfPossible(after error: any Error) {
        guard let writer = saving?.writer else { return }
        writer.wait()
        if let outcome = writer.takeOutcome(), outcome.error == nil { note(outcome) }
        // The error that ended training is the error to report.
        if case TrainingError.nonFinite = error {
            // The weights are lost, but the metrics so far are not.
            try? writer.flush(takeNewLines())
        } else if let savedPosition, savedPosition != trainer.position {
            // An error about a file doesn't prevent the save: the file may belong to an observer, and lie elsewhere.
            try? save()
        }
    }

    private func save() throws {
        guard let writer = saving?.writer else { return }
        try trainer.checkWeights()
        let outcome = try writer.save(trainer.checkpointTensors, content())
        if let error = outcome.error { throw error }
        try take(outcome)
    }

    /// Takes a save's result into account, and tells observers if the result is news.
    private func take(_ outcome: CheckpointWriter.Outcome) throws {
        if outcome.error == nil { note(outcome) }
        saving?.clock.ended(failed: outcome.error != nil)
        let isNews = outcome.error.map { !$0.isSameTrouble(as: lastFailure) } ?? (lastFailure != nil)
        guard isNews else { return }
        lastFailure = outcome.error
        try tell(SavingEvent(step: outcome.position.step, error: outcome.error, savedStep: savedStep ?? 0))
    }

    /// Notes that the run is on the disk in the state of the save.
    private func note(_ outcome: CheckpointWriter.Outcome) {
        (savedPosition, savedTexts) = (outcome.position, RunRecord.texts(of: outcome.metadata))
        // Better weights may have come while the save was running.
        if outcome.bestEpoch != nil, outcome.bestEpoch == best.epoch { newBest = nil }
    }

    /// The content of a save that begins now. The call hands the metrics' new lines over to the save.
    private func content() throws -> CheckpointWriter.Content {
        let texts = try checkpointTexts()
        return CheckpointWriter.Content(
            position: trainer.position, metadata: texts, lines: takeNewLines(), best: newBest)
    }

    private func takeNewLines() -> [String] {
        defer { newLines = [] }
        return newLines
    }

    private func checkpointTexts() throws -> [String: String] {
        try trainer.checkpointMetadata(record.texts())
    }

    /// The run's record. A run in training always has a data set.
    private var record: RunRecord {
        guard let dataset else { preconditionFailure("a run is saved while it trains") }
        return RunRecord(
            trainer: trainer, dataset: dataset, dataSettings: dataSettings, best: best,
            computation: Self.computation(trainer.network), observerStates: ObserverStates.of(watchers),
            metadata: metadata)
    }

    // MARK: Computation

    /// The instruction set, and the algorithm of each operation that has a choice. These decide the bits of the
    /// results, besides the settings.
    static func computation(_ network: Network) -> [String] {
        ["instructions: \(Runtime.instructionSet)"]
            + network.operations.compactMap { operation in operation.algorithm.map { "\(operation.name): \($0)" } }
    }

    /// A text about the first difference; `nil` without a difference.
    static func change(from saved: [String], to own: [String]) -> String? {
        guard saved != own else { return nil }
        let difference =
            own.first { !saved.contains($0) }.map { "now \($0)" } ?? saved.first { !own.contains($0) }.map {
                "before \($0)"
            }
            ?? "now in another order"
        return "the run was computed otherwise before (\(difference.printable(longest: 100))), "
            + "so its bits will not be those of an unbroken run"
    }
}
