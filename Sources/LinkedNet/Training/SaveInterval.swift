/// How often a run is saved in the course of its training.
public enum SaveInterval: Sendable, Hashable {
    /// After every so many steps.
    case steps(Int)
    /// When this much time has passed, at the end of the running step.
    case minutes(Double)

    /// Reads what commands take: `500` or `500steps`, `10min`.
    ///
    /// - Throws: ``SettingsError`` naming `--save-every`.
    public init(text: String) throws(SettingsError) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        switch text.dropFirst(digits.count) {
        case "", "steps":
            if let steps = Int(digits), steps >= 1 { self = .steps(steps); return }
        case "min":
            if let minutes = Double(digits), minutes > 0, minutes.isFinite { self = .minutes(minutes); return }
        default: break
        }
        throw SettingsError(
            option: "--save-every", expected: "at least one step (500 or 500steps), or minutes (10min)", found: text)
    }
}

/// Says when the next save is due.
struct SaveClock {
    let interval: SaveInterval
    /// True if there is a reason that doesn't wait for the interval, such as the end of an epoch.
    var isPending = false
    private var lastStep: Int
    private var lastTime = ContinuousClock.now
    private var hasFailed = false

    /// After a failure, the next attempt comes no later than this.
    private static let retryInterval = Duration.seconds(60)

    init(_ interval: SaveInterval, step: Int) {
        self.interval = interval
        lastStep = step
    }

    func isDue(step: Int) -> Bool {
        if isPending { return true }
        if case .steps(let count) = interval, !hasFailed { return step - lastStep >= count }
        let elapsed = lastTime.duration(to: .now)
        switch interval {
        case .steps(let count): return step - lastStep >= count || elapsed >= Self.retryInterval
        case .minutes(let minutes):
            let interval = Duration.seconds(min(minutes, 1e9) * 60)
            return elapsed >= (hasFailed ? min(interval, Self.retryInterval) : interval)
        }
    }

    /// A save has begun.
    mutating func began(step: Int) {
        (lastStep, lastTime, isPending) = (step, .now, false)
    }

    /// A save has ended.
    mutating func ended(failed: Bool) { hasFailed = failed }
}
