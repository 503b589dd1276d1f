import Testing

@testable import LinkedNet
@testable import PaperNetworks

@Suite struct SaveIntervalTests {
    @Test(arguments: [
        ("500", SaveInterval.steps(500)), ("500steps", .steps(500)), ("10min", .minutes(10)), ("0.5min", .minutes(0.5)),
    ])
    func texts(text: String, interval: SaveInterval) throws {
        #expect(try SaveInterval(text: text) == interval)
    }

    @Test(arguments: ["", "0", "-1", "1.5", "0min", "min", "10h", "1e3", "infmin", "99999999999999999999", "10 min"])
    func otherTextsAreRefused(text: String) {
        let error = #expect(throws: SettingsError.self) { try SaveInterval(text: text) }
        #expect(error?.setting == "save-every")
        #expect(error?.found == text)
        #expect(error?.meant == ["10h": "600min", "10 min": "10min"][text])
    }

    @Test func stepsAreCounted() {
        var clock = SaveClock(.steps(5), step: 7)
        #expect((8...11).allSatisfy { !clock.isDue(step: $0) })
        #expect(clock.isDue(step: 12))
        clock.began(step: 13)
        #expect(!clock.isDue(step: 17))
        clock.isPending = true
        #expect(clock.isDue(step: 17))
        clock.began(step: 17)
        #expect(!clock.isDue(step: 18))
    }

    @Test func timePasses() {
        #expect(!SaveClock(.minutes(1e300), step: 0).isDue(step: 1_000_000))
        #expect(SaveClock(.minutes(1e-300), step: 0).isDue(step: 1))
    }

    @Test(arguments: [.nan, -.infinity, -1, 0] as [Double], [false, true])
    func timesThatAreNoneAreOver(minutes: Double, afterFailure: Bool) {
        var clock = SaveClock(.minutes(minutes), step: 0)
        clock.ended(failed: afterFailure)
        #expect(clock.isDue(step: 1))
    }

    /// Steps before a failure still count.
    @Test func aFailureDelaysNothing() {
        var clock = SaveClock(.steps(5), step: 0)
        clock.began(step: 5)
        clock.ended(failed: true)
        #expect(!clock.isDue(step: 6))
        #expect(clock.isDue(step: 10))
    }
}
