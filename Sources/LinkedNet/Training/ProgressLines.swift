import Foundation

/// Writes lines for people: the position of training, the scores of the network, and the time that the rest takes.
///
/// A line comes at the start, after each epoch, and in between whenever the interval has passed. ``TrainingLog`` is the
/// observer for programs, with every number as metadata.
public final class ProgressLines: TrainingObserver {
    private let interval: Duration
    private let write: (String) -> Void
    private var begin: TrainingBegin?
    private var lastLine = ContinuousClock.now

    /// - Parameters:
    ///   - interval: the longest time without a line while steps or tests are running.
    ///   - write: gets each line, without a newline at its end; standard output unless told otherwise.
    public init(every interval: Duration = .seconds(5), write: @escaping (String) -> Void = { standardOutput($0) }) {
        self.interval = interval
        self.write = write
    }

    /// Writes a line to standard output at once, also where standard output is a file or a pipe. A reader that is gone
    /// ends no training.
    public static func standardOutput(_ line: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
    }

    public func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        begin = event
        show("training: \(event.batchesPerEpoch) steps an epoch, \(event.epochs) epochs")
        return .proceed
    }

    public func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        guard let begin, isDue else { return .proceed }
        let figures = String(
            format: "loss %.4f, accuracy %.4f, %.0f images/s", event.epochResult.loss, event.epochResult.accuracy,
            Double(event.epochResult.sampleCount) / event.epochSeconds)
        let left = Self.duration(event.secondsLeft(in: begin))
        show(
            "epoch \(event.epoch + 1)/\(begin.epochs), step \(event.batch)/\(event.batchesPerEpoch): \(figures), "
                + "\(left) left")
        return .proceed
    }

    public func evaluationStepEnded(_ event: EvaluationEvent, _ trainer: Trainer) throws -> Directive {
        if isDue { show("testing, batch \(event.batch)/\(event.batchCount)") }
        return .proceed
    }

    public func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        show(event.line(epochs: begin?.epochs ?? event.epoch + 1))
        return .proceed
    }

    public func savingChanged(_ event: SavingEvent, _ trainer: Trainer) throws {
        show("\(event)")
    }

    private var isDue: Bool { lastLine.duration(to: .now) >= interval }

    private func show(_ line: String) {
        lastLine = .now
        write(line)
    }

    /// A time for people: `1:05`, `2:00:07`; `?` for a time that can't be known.
    public static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
        let total = Int(seconds.rounded())
        let (hours, minutes) = (total / 3600, total / 60 % 60)
        return hours > 0
            ? String(format: "%d:%02d:%02d", hours, minutes, total % 60)
            : String(format: "%d:%02d", minutes, total % 60)
    }
}

extension StepEvent {
    /// The time that the remaining steps will take at the running epoch's speed, in seconds; without tests.
    public func secondsLeft(in training: TrainingBegin) -> Double {
        // The computation is in double: the product may be too large for an integer.
        let untilLimit = training.lastStep.map { Double($0) - Double(step) } ?? .infinity
        let untilEnd = (Double(training.epochs) - Double(epoch)) * Double(batchesPerEpoch) - Double(batch)
        return epochSeconds / Double(batch) * min(untilLimit, untilEnd)
    }
}

extension EpochResult {
    /// A line for people: losses, accuracies and times.
    ///
    /// - Parameter epochs: the number of epochs of the training.
    public func line(epochs: Int) -> String {
        var line = String(
            format: "epoch %d/%d: loss %.4f, accuracy %.4f", epoch + 1, epochs, training.loss, training.accuracy)
        if let test { line += String(format: ", test loss %.4f, test accuracy %.4f", test.loss, test.accuracy) }
        line += String(format: ", %.1f s", seconds)
        if test != nil { line += String(format: " + %.1f s test", testSeconds) }
        return line + String(format: ", %.0f images/s", imagesPerSecond)
    }
}
