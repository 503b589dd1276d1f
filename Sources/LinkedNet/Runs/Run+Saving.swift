extension Run {
    /// Makes sure that the run is on the disk and that there is room for more.
    func beginSaving(_ event: TrainingBegin) throws {
        let epochs = event.position.epoch
        let metrics = try metrics ?? RunMetrics(directory, epochs: epochs).file()
        // Of this object's last training, with what that could not save.
        if self.metrics != nil {
            metrics.add(takeNewLines())
            metrics.keep(first: epochs)
        }
        self.metrics = metrics
        let tensors = trainer.checkpointTensors
        let weights = trainer.network.storedWeights
        if event.position.epoch < event.epochs {
            // Of the best weights there are two files for a moment.
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
        if try savedPosition == nil || checkpointTexts() != savedTexts { try save() }
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

    /// Takes a copy of the weights as they are for the next save: they are the best so far.
    func keepBest() throws {
        guard let saving else { return }
        saving.writer.waitForBest()
        guard let epoch = best.epoch else { return }
        saving.best.keep(trainer.network.storedWeights, epoch: epoch, texts: try record.texts())
        newBest = saving.best
    }

    /// Begins a save if it is time and none is running, and tells observers how the one before went.
    func saveIfDue(step: Int) throws {
        guard let writer = saving?.writer else { return }
        // Asked first: a save that ends after this is told of at a later step, and not overwritten by the next one.
        let isFree = !writer.isSaving
        if let outcome = writer.takeOutcome() { try take(outcome) }
        guard saving?.clock.isDue(step: step) == true, isFree else { return }
        // Weights that aren't finite are found by the next step's loss, which doesn't depend on when a run is saved.
        guard (try? trainer.checkWeights()) != nil else { return }
        saving?.clock.began(step: step)
        writer.begin(trainer.checkpointTensors, try content())
    }

    /// Saves the run as it stands, beside its training: for observers that are told to. While another save is running,
    /// this one follows it after a step. Without a running training there is nothing to save.
    ///
    /// - Throws: what observers throw when they are told how the save before went.
    public func requestSave() throws {
        saving?.clock.isPending = true
        try saveIfDue(step: trainer.position.step)
    }

    /// Leaves the run as it stands on the disk.
    func endSaving() throws {
        guard let writer = saving?.writer else { return }
        writer.wait()
        if let outcome = writer.takeOutcome() { try take(outcome) }
        if savedPosition != trainer.position { try save() }
    }

    /// Keeps what was done since the last save, if training had begun and the error doesn't concern the weights.
    func saveIfPossible(after error: any Error) {
        guard let writer = saving?.writer else { return }
        writer.wait()
        if let outcome = writer.takeOutcome(), outcome.error == nil { note(outcome) }
        // The error to report is the one that ended training.
        if case TrainingError.nonFinite = error {
            // The weights are lost, but not what was measured on the way.
            try? writer.flush(takeNewLines())
        } else if let savedPosition, savedPosition != trainer.position {
            // Also if it is about a file: that may be an observer's, elsewhere.
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

    /// Learns how a save went, and tells observers if that is news.
    private func take(_ outcome: CheckpointWriter.Outcome) throws {
        if outcome.error == nil { note(outcome) }
        saving?.clock.ended(failed: outcome.error != nil)
        let isNews = outcome.error.map { !$0.isSameTrouble(as: lastFailure) } ?? (lastFailure != nil)
        guard isNews else { return }
        lastFailure = outcome.error
        try tell(SavingEvent(step: outcome.position.step, error: outcome.error, savedStep: savedStep ?? 0))
    }

    /// The run is on the disk as a save took it.
    private func note(_ outcome: CheckpointWriter.Outcome) {
        (savedPosition, savedTexts) = (outcome.position, outcome.metadata)
        // Better ones may have come while it was running.
        if outcome.bestEpoch != nil, outcome.bestEpoch == best.epoch { newBest = nil }
    }

    /// The content of a save now. The metrics' new lines belong to the save then.
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

    /// The run's record. There is a data set while training runs.
    private var record: RunRecord {
        guard let dataset else { preconditionFailure("a run is saved while it trains") }
        return RunRecord(
            trainer: trainer, dataset: dataset, dataSettings: dataSettings, best: best,
            computation: Self.computation(trainer.network), observerStates: ObserverStates.of(watchers),
            metadata: metadata)
    }

    // MARK: Computation

    /// The instruction set, and the algorithm of each operation that has a choice: what besides the settings decides
    /// bits.
    static func computation(_ network: Network) -> [String] {
        ["instructions: \(Runtime.instructionSet)"]
            + network.operations.compactMap { operation in operation.algorithm.map { "\(operation.name): \($0)" } }
    }

    /// The first difference.
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
