import CommandSupport
import Foundation
import LinkedNet

/// Reports the course of a training to people, and with `--json` to programs.
final class Reporter: TrainingObserver {
    private let printsJSON: Bool
    private let logEvery: Int?
    private let progress: ProgressDisplay
    private var epochs = 0
    /// The running training's run, the step of the run's last known save, and the command that continues the run.
    private var saved: (run: Run, step: Int?, command: String)?

    init(json: Bool, quiet: Bool, logEvery: Int?) {
        printsJSON = json
        self.logEvery = logEvery
        progress = ProgressDisplay(json ? .standardError : .standardOutput, isQuiet: quiet)
    }

    /// A line for people.
    func line(_ line: String) { progress.line(line) }

    /// A warning for people.
    func warn(_ text: String) {
        progress.interrupt { Output.standardError.write("train: warning: \(text)\n") }
    }

    /// Removes the progress bar.
    func clear() { progress.end() }

    /// Prepares the message about the last save, for somebody who ends the process in the middle of a step.
    ///
    /// - Parameter command: the command that continues the run.
    func watch(_ run: Run, continuedBy command: String) {
        saved = (run, nil, command)
        noteSaves()
    }

    private func noteSaves() {
        guard let (run, step, command) = saved, let savedStep = run.savedStep, savedStep != step else { return }
        saved?.step = savedStep
        Interruption.setSaved(
            "saved in \(run.directory.printable()), as of step \(savedStep); continue with: \(command)")
    }

    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        epochs = event.epochs
        noteSaves()
        progress.show(event)
        return .proceed
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        noteSaves()
        if let logEvery, event.step % logEvery == 0 {
            if printsJSON { Output.standardOutput.write(event.jsonLine + "\n") }
            line(
                "step \(event.step), epoch \(event.epoch + 1): loss \(format(event.result.loss)), "
                    + "accuracy \(format(event.result.accuracy))")
        }
        progress.show(event)
        return .proceed
    }

    func evaluationStepEnded(_ event: EvaluationEvent, _ trainer: Trainer) throws -> Directive {
        progress.show(event)
        return .proceed
    }

    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        if printsJSON { Output.standardOutput.write(event.jsonLine + "\n") }
        progress.show(event, event.line(epochs: epochs))
        return .proceed
    }

    func savingChanged(_ event: SavingEvent, _ trainer: Trainer) throws {
        warn("\(event)")
    }

    func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws {
        progress.end()
    }

    private func format(_ number: Double) -> String { String(format: "%.4f", number) }
}
