import Testing

@testable import LinkedNet

@Suite struct SaveClockTests {
    /// A clock that stands until a test moves the clock.
    private final class Hands {
        var now = ContinuousClock.now
    }

    private static let seconds: [(interval: SaveInterval, regular: Int?)] = [
        (.minutes(10), 600), (.minutes(0.5), 30), (.steps(1_000_000), nil),
    ]

    /// After a failure, the next save is due after a minute, or after the interval if the interval is shorter. After a
    /// success, the next save is due after the interval.
    @Test(arguments: seconds)
    private func aFailedSaveIsTriedAgainEarly(interval: SaveInterval, regular: Int?) {
        let hands = Hands()
        var clock = SaveClock(interval, step: 0) { hands.now }
        var step = 0
        /// The number of seconds until the next save is due.
        func wait(atMost most: Int) -> Int? {
            (0...most).first { second in
                step += 1
                if second > 0 { hands.now += .seconds(1) }
                return clock.isDue(step: step)
            }
        }
        for hasFailed in [false, true, true, false, false] {
            clock.ended(failed: hasFailed)
            let expected = hasFailed ? min(regular ?? .max, 60) : regular
            #expect(wait(atMost: 700) == expected, "after a \(hasFailed ? "failure" : "success")")
            clock.began(step: step)
        }
    }

    @Test func stepsAreCounted() {
        let hands = Hands()
        var clock = SaveClock(.steps(3), step: 10) { hands.now }
        #expect((11...13).map { clock.isDue(step: $0) } == [false, false, true])
        clock.began(step: 13)
        hands.now += .seconds(100_000)
        #expect((14...16).map { clock.isDue(step: $0) } == [false, false, true])
        // A failure doesn't delay a save that an interval of steps makes due sooner.
        clock.began(step: 16)
        clock.ended(failed: true)
        #expect((17...19).map { clock.isDue(step: $0) } == [false, false, true])
    }

    @Test func whatIsPendingIsDueAtOnce() {
        var clock = SaveClock(.minutes(10), step: 0)
        clock.isPending = true
        #expect(clock.isDue(step: 1))
        clock.began(step: 1)
        #expect(!clock.isDue(step: 2))
    }
}
