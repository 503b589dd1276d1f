import LinkedNet
import Testing

@Suite struct SyntheticShapesTests {
    @Test func anImageDependsOnSeedSplitAndIndexOnly() throws {
        let thirty = try SyntheticShapes.dataset(count: 30, seed: 1, split: .train)
        let twenty = try SyntheticShapes.dataset(count: 20, seed: 1, split: .train)
        #expect(thirty.imageShape == [32, 32, 3])
        #expect(thirty.labels == (0..<30).map { Int32($0 % 10) })
        #expect(thirty.pixels.prefix(20 * 3072) == twenty.pixels[...])
        #expect(try SyntheticShapes.dataset(count: 20, seed: 1, split: .train).fingerprint == twenty.fingerprint)
    }

    @Test func noTwoImagesAreTheSame() throws {
        let sets = try [(1, .train), (1, .test), (2, .train)].map { (seed: UInt64, split: SyntheticShapes.Split) in
            try SyntheticShapes.dataset(count: 30, seed: seed, split: split)
        }
        let images = sets.flatMap { set in (0..<30).map { set.pixels[$0 * 3072..<($0 + 1) * 3072] } }
        #expect(Set(images).count == 90)
    }

    /// A smoothed image has two colours, so the image isn't all noise or all background.
    @Test func imagesShowSomething() throws {
        let dataset = try SyntheticShapes.dataset(count: 100, seed: 3, split: .test)
        for image in 0..<100 {
            let red = (0..<1024).map { Double(dataset.pixels[(image * 1024 + $0) * 3]) }
            let green = (0..<1024).map { Double(dataset.pixels[(image * 1024 + $0) * 3 + 1]) }
            let blue = (0..<1024).map { Double(dataset.pixels[(image * 1024 + $0) * 3 + 2]) }
            let deviation = [red, green, blue].map { values in
                let mean = values.reduce(0, +) / 1024
                return (values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 1024).squareRoot()
            }.reduce(0, +)
            #expect(deviation > 30, "image \(image)")
        }
    }

    /// Nearest neighbours in pixels do worse than a network should, but better than chance:
    /// the classes are neither the same nor given away by single pixels.
    @Test func classesAreNeitherTrivialNorHopeless() throws {
        let train = try SyntheticShapes.train(count: 300)
        let test = try SyntheticShapes.test(count: 60)
        var correct = 0
        for image in 0..<60 {
            var best = (distance: Int.max, label: Int32(-1))
            for other in 0..<300 {
                var distance = 0
                var byte = 0
                while byte < 3072 {
                    let difference = Int(test.pixels[image * 3072 + byte]) - Int(train.pixels[other * 3072 + byte])
                    distance += difference * difference
                    byte += 11
                }
                if distance < best.distance { best = (distance, train.labels[other]) }
            }
            if best.label == test.labels[image] { correct += 1 }
        }
        #expect((1...36).contains(correct))
    }

    @Test func emptyAndNegativeCounts() throws {
        #expect(try SyntheticShapes.dataset(count: 0, seed: 0, split: .train).count == 0)
        #expect(throws: DataError(path: "shapes", expected: "a number of images of at least 0", found: "-1")) {
            try SyntheticShapes.dataset(count: -1, seed: 0, split: .train)
        }
        #expect(
            throws: DataError(path: "shapes", expected: "images that fit in memory", found: "\(Int.max) images")
        ) { try SyntheticShapes.dataset(count: .max, seed: 0, split: .train) }
    }
}
