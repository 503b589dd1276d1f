import LinkedNet
import Testing

@Suite struct ProgressLinesTests {
    private func lines(every interval: Duration) throws -> [String] {
        let images = try SyntheticShapes.train(count: 64)
        let model = Sequential {
            GlobalAveragePool2D()
            Dense(10)
        }
        let network = try Network(model, input: [32, 32, 3], batch: 16, seed: 1)
        var lines: [String] = []
        let trainer = try Trainer(
            network, optimizer: SGD(learningRate: 0.01),
            observers: [ProgressLines(every: interval) { lines.append($0) }])
        try trainer.fit(images, test: SyntheticShapes.test(count: 16), epochs: 2)
        return lines
    }

    @Test func aLineComesAtTheStartAndAfterEachEpoch() throws {
        let lines = try lines(every: .seconds(3600))
        #expect(lines.count == 3)
        #expect(lines.first == "training: 4 steps an epoch, 2 epochs")
        let epoch = /epoch 2\/2: loss [\d.]+, accuracy [\d.]+, test loss [\d.]+, test accuracy [\d.]+, .* s test, .*/
        #expect(try epoch.wholeMatch(in: #require(lines.last)) != nil, "\(lines)")
    }

    @Test func everyStepHasALineIfTheIntervalIsZero() throws {
        let lines = try lines(every: .zero)
        #expect(lines.contains { $0.hasPrefix("epoch 1/2, step 3/4: loss ") && $0.hasSuffix(" left") }, "\(lines)")
        #expect(lines.contains("testing, batch 1/1"))
    }

    @Test(arguments: [(65.2, "1:05"), (7207, "2:00:07"), (.infinity, "?"), (.nan, "?"), (-1, "?")])
    func durationsAreForPeople(seconds: Double, text: String) {
        #expect(ProgressLines.duration(seconds) == text)
    }
}
