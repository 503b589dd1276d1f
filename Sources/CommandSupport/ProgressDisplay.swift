import Foundation
import LinkedNet

/// Shows the training's progress, scores, speed and remaining time. A terminal gets a line that is written over; other
/// outputs get a line now and then.
package final class ProgressDisplay {
    enum Form {
        /// A line with a bar that is written over.
        case bar
        /// Lines.
        case lines
        /// Nothing.
        case quiet
    }

    /// The longest time without a line.
    private static let interval = Duration.seconds(10)
    /// The shortest time before the bar is written over.
    private static let barInterval = Duration.milliseconds(100)

    private let form: Form
    private let write: (String) -> Void
    private let columns: () -> Int
    private let now: () -> ContinuousClock.Instant

    private var begin: TrainingBegin?
    /// The time of the last test, in seconds.
    private var testSeconds = 0.0
    private var lastShown: ContinuousClock.Instant?
    private var lastEvent: ContinuousClock.Instant?
    /// The bar's line; `nil` while the display has nothing to show.
    private var barText: String?
    private var isBarVisible = false

    /// - Parameter isQuiet: true to show nothing.
    package convenience init(_ output: Output, isQuiet: Bool) {
        self.init(isQuiet ? .quiet : output.acceptsEscapes ? .bar : .lines, columns: { output.columns }) {
            output.write($0)
        }
    }

    init(
        _ form: Form, columns: @escaping () -> Int = { 80 }, now: @escaping () -> ContinuousClock.Instant = { .now },
        write: @escaping (String) -> Void
    ) {
        (self.form, self.columns, self.now, self.write) = (form, columns, now, write)
    }

    // MARK: Events

    /// Training begins. The display shows a text before the first step, because the first step may be slow.
    package func show(_ event: TrainingBegin) {
        begin = event
        let position = event.position
        guard position.epoch < event.epochs, event.lastStep.map({ position.step < $0 }) ?? true else { return }
        switch form {
        case .bar: draw(epochTitle(position.epoch), done: position.batch, of: event.batchesPerEpoch, "")
        case .lines:
            line(
                "training: \(epochTitle(position.epoch)), step \(position.step)\(totalSteps), "
                    + "\(event.batchesPerEpoch) steps in an epoch")
        case .quiet: break
        }
        (lastShown, lastEvent) = (now(), now())
    }

    /// A test without a training begins.
    package func beginTest() { (lastShown, lastEvent) = (now(), now()) }

    /// A step ended.
    package func show(_ event: StepEvent) {
        guard isDue(isLast: event.batch == event.batchesPerEpoch) else { return }
        let figures = String(
            format: "loss %.4f  accuracy %.4f  %.0f images/s  ", event.epochResult.loss, event.epochResult.accuracy,
            Double(event.epochResult.sampleCount) / event.epochSeconds)
        let rest = "\(figures)\(ProgressLines.duration(secondsLeft(after: event))) left"
        switch form {
        case .bar:
            draw(
                epochTitle(event.epoch), done: event.batch, of: event.batchesPerEpoch, "step \(event.step)  \(rest)")
        case .lines: line("\(epochTitle(event.epoch))  step \(event.step)\(totalSteps)  \(rest)")
        case .quiet: break
        }
    }

    /// A batch of a test ended.
    package func show(_ event: EvaluationEvent) {
        guard isDue(isLast: event.batch == event.batchCount) else { return }
        switch form {
        case .bar: draw("testing", done: event.batch, of: event.batchCount, "")
        case .lines: line("testing: batch \(event.batch) of \(event.batchCount)")
        case .quiet: break
        }
    }

    /// An epoch and the epoch's test ended. `text` is the epoch's line.
    package func show(_ event: EpochResult, _ text: String) {
        testSeconds = event.testSeconds
        if let begin, event.epoch + 1 < begin.epochs, begin.lastStep.map({ event.step < $0 }) ?? true {
            barText = barLine(epochTitle(event.epoch + 1), done: 0, of: begin.batchesPerEpoch, "step \(event.step)")
        } else {
            barText = nil
        }
        line(text)
        (lastShown, lastEvent) = (now(), now())
    }

    /// Training is over.
    package func end() {
        clear()
        (begin, barText) = (nil, nil)
    }

    // MARK: Lines

    /// Writes a line, and the bar below the line again.
    package func line(_ text: String) { interrupt { write(text + "\n") } }

    /// Removes the bar, lets `body` write lines, perhaps to another output, and shows the bar again.
    package func interrupt(_ body: () -> Void) {
        clear()
        body()
        showBar()
    }

    /// Removes the bar, so that other text can be written.
    package func clear() {
        guard isBarVisible else { return }
        write("\r\u{1B}[K")
        isBarVisible = false
        Interruption.isLineOpen = false
    }

    private func draw(_ title: String, done: Int, of total: Int, _ figures: String) {
        barText = barLine(title, done: done, of: total, figures)
        showBar()
    }

    private func showBar() {
        guard form == .bar, let barText else { return }
        // A line that wraps can't be written over.
        write("\r" + barText.prefix(max(columns() - 1, 1)) + "\u{1B}[K")
        isBarVisible = true
        Interruption.isLineOpen = true
    }

    private func barLine(_ title: String, done: Int, of total: Int, _ figures: String) -> String {
        let width = 20
        let filled = total == 0 ? width : Int(Double(done) / Double(total) * Double(width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        return "\(title) \(bar) \(done)/\(total)  \(figures)"
    }

    // MARK: Times

    /// True if the display has to show an event. The bar is shown at most ten times a second, and at the end. Lines
    /// come so that no more than ten seconds pass without a line, unless a single step takes longer.
    private func isDue(isLast: Bool) -> Bool {
        guard form != .quiet, let lastShown else { return false }
        let now = now()
        let sinceEvent = lastEvent.map { $0.duration(to: now) } ?? .zero
        lastEvent = now
        let silence = lastShown.duration(to: now)
        let isDue = form == .bar ? isLast || silence >= Self.barInterval : silence + sinceEvent > Self.interval
        if isDue { self.lastShown = now }
        return isDue
    }

    private func secondsLeft(after event: StepEvent) -> Double {
        guard let begin else { return .infinity }
        // The numbers are in double precision, because the product may be too large for an integer.
        let epochsLeft = Double(begin.epochs) - Double(event.epoch)
        let stepsLeft = epochsLeft * Double(event.batchesPerEpoch) - Double(event.batch)
        let secondsPerStep = event.epochSeconds / Double(event.batch)
        if let last = begin.lastStep, Double(last) - Double(event.step) < stepsLeft {
            let tests = (Double(event.batch) + Double(last) - Double(event.step)) / Double(event.batchesPerEpoch)
            return secondsPerStep * (Double(last) - Double(event.step)) + testSeconds * tests.rounded(.down)
        }
        return secondsPerStep * stepsLeft + testSeconds * epochsLeft
    }

    private func epochTitle(_ epoch: Int) -> String { "epoch \(epoch + 1)/\(begin?.epochs ?? 0)" }

    /// ` of 3750`: the number of steps at the training's end.
    private var totalSteps: String {
        guard let begin else { return "" }
        let position = begin.position
        let (steps, overflows) = (begin.epochs - position.epoch).multipliedReportingOverflow(by: begin.batchesPerEpoch)
        let last = overflows ? .max : position.step - position.batch + min(steps, .max / 2)
        return " of \(min(last, begin.lastStep ?? .max))"
    }
}
