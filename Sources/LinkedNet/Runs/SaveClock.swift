/// Says when the next save is due.
struct SaveClock {
    let interval: SaveInterval
    /// True if a save is due for a reason besides the interval, such as the end of an epoch.
    var isPending = false
    private var lastStep: Int
    private var lastTime: ContinuousClock.Instant
    private var hasFailed = false
    private let now: () -> ContinuousClock.Instant

    /// The longest time from a failed attempt to the next attempt.
    private static let retryInterval = Duration.seconds(60)

    /// - Parameter now: gives the time.
    init(_ interval: SaveInterval, step: Int, now: @escaping () -> ContinuousClock.Instant = { .now }) {
        (self.interval, self.now) = (interval, now)
        (lastStep, lastTime) = (step, now())
    }

    func isDue(step: Int) -> Bool {
        if isPending { return true }
        if case .steps(let count) = interval, !hasFailed { return step - lastStep >= count }
        let elapsed = lastTime.duration(to: now())
        switch interval {
        case .steps(let count): return step - lastStep >= count || elapsed >= Self.retryInterval
        case .minutes(let minutes):
            let interval = Duration.seconds(minutes > 0 ? min(minutes, 1e9) * 60 : 0)
            return elapsed >= (hasFailed ? min(interval, Self.retryInterval) : interval)
        }
    }

    /// A save has begun.
    mutating func began(step: Int) {
        (lastStep, lastTime, isPending) = (step, now(), false)
    }

    /// A save has ended.
    mutating func ended(failed: Bool) { hasFailed = failed }
}
