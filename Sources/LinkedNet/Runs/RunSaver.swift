/// Saves a run after the steps and epochs at which a save is due. The last of a training's observers.
final class RunSaver: TrainingObserver {
    private let run: Run

    init(_ run: Run) { self.run = run }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        try run.saveIfDue(step: event.step)
        return .proceed
    }

    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        try run.saveIfDue(step: event.step)
        return .proceed
    }
}
