import CommandSupport
import Foundation
import LinkedNet

/// A line of a terminal that is written over: where training is, how well it does, how fast it is, how long it will
/// take.
struct ProgressBar {
    private let terminal: Output
    private var begin: TrainingBegin?
    private var lastShown: ContinuousClock.Instant?
    private var isVisible = false

    init(_ terminal: Output) {
        self.terminal = terminal
    }

    mutating func begin(_ event: TrainingBegin) {
        begin = event
    }

    mutating func show(_ event: StepEvent) {
        guard let begin, isDue(event.batch == event.batchesPerEpoch) else { return }
        let secondsPerStep = event.epochSeconds / Double(event.batch)
        // In double: the product may be too large for an integer.
        let stepsLeft = min(
            begin.lastStep.map { Double($0) - Double(event.step) } ?? .infinity,
            (Double(begin.epochs) - Double(event.epoch)) * Double(event.batchesPerEpoch) - Double(event.batch))
        draw(
            "epoch \(event.epoch + 1)/\(begin.epochs)", done: event.batch, of: event.batchesPerEpoch,
            String(
                format: "step %d  loss %.4f  accuracy %.4f  %.0f images/s  ", event.step, event.epochResult.loss,
                event.epochResult.accuracy, Double(event.epochResult.sampleCount) / event.epochSeconds)
                + Self.duration(secondsPerStep * stepsLeft) + " left")
    }

    mutating func show(_ event: EvaluationEvent) {
        guard isDue(event.batch == event.batchCount) else { return }
        draw("testing", done: event.batch, of: event.batchCount, "")
    }

    /// Removes the line, so that another can be written.
    mutating func clear() {
        guard isVisible else { return }
        terminal.write("\r\u{1B}[K")
        isVisible = false
    }

    /// True ten times a second, and at the end.
    private mutating func isDue(_ isLast: Bool) -> Bool {
        let now = ContinuousClock.now
        if let lastShown, !isLast, lastShown.duration(to: now) < .milliseconds(100) { return false }
        lastShown = now
        return true
    }

    private mutating func draw(_ title: String, done: Int, of total: Int, _ figures: String) {
        let width = 20
        let filled = total == 0 ? width : Int(Double(done) / Double(total) * Double(width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        let line = "\(title) \(bar) \(done)/\(total)  \(figures)"
        // A line that wraps can't be written over.
        terminal.write("\r" + line.prefix(max(terminal.columns - 1, 1)) + "\u{1B}[K")
        isVisible = true
    }

    /// `1:05`, `2:00:07`.
    private static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "?" }
        let total = Int(seconds.rounded())
        let (hours, minutes) = (total / 3600, total / 60 % 60)
        return hours > 0
            ? String(format: "%d:%02d:%02d", hours, minutes, total % 60)
            : String(format: "%d:%02d", minutes, total % 60)
    }
}
