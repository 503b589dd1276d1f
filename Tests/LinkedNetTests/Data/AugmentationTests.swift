import LinkedNet
import PaperNetworks
import Testing

@Suite struct AugmentationTests {
    private let shape: Shape = [32, 20, 3]

    private func draws(_ augmentation: Augmentation, seed: UInt64 = 1, epoch: Int = 0) -> [ImageAugmentation] {
        (0..<4_000).map { augmentation.draw(seed: seed, epoch: epoch, sample: $0, imageShape: shape) }
    }

    @Test func noneChangesNothing() {
        #expect(draws(.none).allSatisfy { $0 == ImageAugmentation() })
    }

    @Test func paperFlipsHalfAndShiftsUniformly() {
        let draws = draws(.paper)
        // Five standard deviations: √4,000 / 2 · 5.
        #expect(abs(draws.count(where: \.flip) - 2_000) < 158)
        for (shifts, limit) in [(draws.map(\.shiftY), Float(3.2)), (draws.map(\.shiftX), Float(2))] {
            let mean = shifts.reduce(0, +) / 4_000
            let variance = shifts.map { $0 * $0 }.reduce(0, +) / 4_000
            #expect(shifts.allSatisfy { abs($0) <= limit })
            #expect(shifts.max()! > 0.99 * limit && shifts.min()! < -0.99 * limit)
            // A uniform number of ±limit has the deviation limit/√3, and its square limit²·√(4/45). The bounds are five
            // standard errors of each.
            #expect(abs(mean) < 0.046 * limit)
            #expect(abs(variance - limit * limit / 3) < 0.024 * limit * limit)
            // Shifts are in fractions of pixels.
            #expect(Set(shifts.map { $0 - $0.rounded(.down) }).count > 3_000)
        }
    }

    @Test func flipAndShiftsAreIndependent() {
        let draws = draws(.paper)
        let products = draws.map { Double($0.shiftY / 3.2 * $0.shiftX / 2) }
        let flipped = draws.map { ($0.flip ? 1 : -1) * Double($0.shiftX / 2) }
        // Mean 0; five standard errors of 1/3 and 1/√3.
        #expect(abs(products.reduce(0, +) / 4_000) < 0.027)
        #expect(abs(flipped.reduce(0, +) / 4_000) < 0.046)
    }

    @Test func dependsOnSeedEpochAndSampleOnly() {
        #expect(draws(.paper) == draws(.paper))
        #expect(draws(.paper) != draws(.paper, seed: 2))
        #expect(draws(.paper) != draws(.paper, epoch: 1))
        #expect(Set(draws(.paper)).count == 4_000)
    }

    @Test func switchingOneOffLeavesTheOther() {
        let shifts = draws(Augmentation(horizontalFlip: false, shift: 0.1))
        let flips = draws(Augmentation(horizontalFlip: true, shift: 0))
        let both = draws(.paper)
        #expect(shifts.map(\.shiftX) == both.map(\.shiftX) && shifts.allSatisfy { !$0.flip })
        #expect(flips.map(\.flip) == both.map(\.flip) && flips.allSatisfy { $0.shiftY == 0 && $0.shiftX == 0 })
    }

    @Test(arguments: [(-1, 0), (.nan, 0), (.infinity, 32)] as [(Double, Float)])
    func shiftsOutsideTheirRangeAreClamped(shift: Double, limit: Float) {
        let draws = draws(Augmentation(horizontalFlip: false, shift: shift))
        #expect(draws.allSatisfy { abs($0.shiftY) <= limit })
    }
}
