import CommandSupport
import Foundation
import LinkedNet

/// Tells people how training goes: a line for each epoch, and on a terminal one that is written over.
final class Reporter: TrainingObserver {
    private let text = Output.standardOutput
    private var epochs = 0
    private var lastShown: ContinuousClock.Instant?
    private var isLineOpen = false

    /// A line of its own.
    func line(_ line: String) {
        clear()
        text.write(line + "\n")
    }

    /// Removes the line that is written over.
    func clear() {
        if isLineOpen { text.write("\r\u{1B}[K") }
        isLineOpen = false
    }

    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws {
        epochs = event.epochs
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        let now = ContinuousClock.now
        guard text.isTerminal, lastShown.map({ $0.duration(to: now) > .milliseconds(100) }) ?? true else {
            return .proceed
        }
        lastShown = now
        let line = String(
            format: "  epoch %d/%d  step %d/%d  loss %.4f", event.epoch + 1, epochs, event.batch, event.batchesPerEpoch,
            event.epochResult.loss)
        text.write("\r" + line.prefix(max(text.columns - 1, 1)) + "\u{1B}[K")
        isLineOpen = true
        return .proceed
    }

    func savingChanged(_ event: SavingEvent, _ trainer: Trainer) throws {
        line("\(event)")
    }

    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        line(
            String(
                format: "  epoch %d/%d: loss %.4f, accuracy %.4f, test accuracy %.4f, %.1f + %.1f s", event.epoch + 1,
                epochs,
                event.training.loss, event.training.accuracy, event.test?.accuracy ?? 0, event.seconds,
                event.testSeconds))
        return .proceed
    }
}
