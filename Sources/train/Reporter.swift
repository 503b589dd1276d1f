import CommandSupport
import Foundation
import LinkedNet

/// Tells people, and with `--json` programs, how training goes.
final class Reporter: TrainingObserver {
    private let text: Output
    private let printsJSON: Bool
    private let logEvery: Int?
    private var bar: ProgressBar?
    private var epochs = 0

    init(json: Bool, logEvery: Int?) {
        printsJSON = json
        self.logEvery = logEvery
        text = json ? .standardError : .standardOutput
        bar = text.isTerminal ? ProgressBar(text) : nil
    }

    /// A line for people.
    func line(_ line: String) {
        clear()
        text.write(line + "\n")
    }

    /// A warning for people.
    func warn(_ text: String) {
        clear()
        Output.standardError.write("train: warning: \(text)\n")
    }

    /// Removes the progress bar.
    func clear() { bar?.clear() }

    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws {
        epochs = event.epochs
        bar?.begin(event)
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        if let logEvery, event.step % logEvery == 0 {
            if printsJSON { Output.standardOutput.write(event.jsonLine + "\n") }
            line(
                "step \(event.step), epoch \(event.epoch + 1): loss \(format(event.result.loss)), accuracy \(format(event.result.accuracy))"
            )
        }
        bar?.show(event)
        return .proceed
    }

    func evaluationStepEnded(_ event: EvaluationEvent, _ trainer: Trainer) throws -> Directive {
        bar?.show(event)
        return .proceed
    }

    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        if printsJSON { Output.standardOutput.write(event.jsonLine + "\n") }
        let test = event.test.map { ", test loss \(format($0.loss)), test accuracy \(format($0.accuracy))" } ?? ""
        line(
            "epoch \(event.epoch + 1)/\(epochs): loss \(format(event.training.loss)), accuracy \(format(event.training.accuracy))\(test), "
                + String(format: "%.1f s, %.0f images/s", event.seconds, event.imagesPerSecond))
        return .proceed
    }

    func savingChanged(_ event: SavingEvent, _ trainer: Trainer) throws {
        warn("\(event)")
    }

    func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws {
        clear()
    }

    private func format(_ number: Double) -> String { String(format: "%.4f", number) }
}
