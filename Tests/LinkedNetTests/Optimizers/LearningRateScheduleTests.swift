import LinkedNet
import Testing

/// Factors of schedules, computed by hand, with five steps an epoch.
@Suite struct LearningRateScheduleTests {
    private func expectFactors(_ schedule: LearningRateSchedule, _ expected: [Int: Double]) {
        for (step, factor) in expected {
            let found = schedule.factor(epoch: step / 5, step: step, stepsPerEpoch: 5)
            #expect(abs(found - factor) <= 1e-15, "step \(step): \(found), expected \(factor)")
        }
    }

    @Test func aCosineEndsAtItsFinalFactor() {
        expectFactors(.cosine(epochs: 2, finalFactor: 0.2), [0: 1, 5: 0.6, 10: 0.2, 15: 0.2])
        expectFactors(.cosine(epochs: 2), [0: 1, 5: 0.5, 10: 0, 15: 0])
    }

    /// The order of the list does not matter. Of two steps at one epoch, the later step in the list holds.
    @Test func theLatestStepHolds() {
        let ordered = [LearningRateSchedule.Step(fromEpoch: 1, factor: 0.5), .init(fromEpoch: 4, factor: 0.1)]
        for steps in [ordered, ordered.reversed()] {
            expectFactors(.steps(steps), [0: 1, 4: 1, 5: 0.5, 19: 0.5, 20: 0.1, 50: 0.1])
        }
        expectFactors(.steps(ordered + [.init(fromEpoch: 4, factor: 0.2)]), [19: 0.5, 20: 0.2])
    }

    @Test func aWarmUpRisesToTheScheduleBehindIt() {
        expectFactors(.warmUp(steps: 4, then: .constant), [0: 0.25, 1: 0.5, 2: 0.75, 3: 1, 9: 1])
        expectFactors(
            .warmUp(steps: 10, then: .cosine(epochs: 2, finalFactor: 0.2)), [0: 0.1, 5: 0.6 * 0.6, 10: 0.2])
    }

    @Test func aStageCountsFromItsBeginning() {
        expectFactors(
            .sequence([
                .init(fromEpoch: 0, schedule: .cosine(epochs: 2)),
                .init(fromEpoch: 3, schedule: .warmUp(steps: 2, then: .steps([.init(fromEpoch: 1, factor: 0.5)]))),
            ]), [0: 1, 5: 0.5, 10: 0, 14: 0, 15: 0.5, 16: 1, 19: 1, 20: 0.5])
    }
}
