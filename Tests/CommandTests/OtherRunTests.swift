import LinkedNet
import Testing

/// The commands with runs of networks that are not the paper's, and with a run's best weights.
@Suite struct OtherRunTests {
    private let place: Workplace

    init() throws {
        place = try Workplace()
    }

    @Test func aRunOfAnotherPackagesNetwork() throws {
        let model = Sequential {
            Flatten()
            Dense(10)
        }
        let network = try Network(model, input: [8, 8, 1], batch: 8, seed: 3)
        let run = try Run("\(place.path)/other", Trainer(network, optimizer: SGD()))
        try run.fit(IDX.train(in: "\(place.path)/data"), epochs: 1, maxSteps: 2)
        for arguments in [["other"], ["other", "--data", "data"], ["other", "--dead-neurons"]] {
            let result = try Command.evaluate.run(arguments, in: place)
            #expect(result.status == 65)
            #expect(result.errorLines.count == 1)
            #expect(result.errors.contains("expected a run of one of the paper's networks, found a run of the network"))
            #expect(result.errors.contains(" \(network.graphDigest.prefix(12)) of another package"))
            #expect(result.errors.contains("with Run to train it, with SavedRun to use it"))
        }
        #expect(try Command.train("--resume", "other", in: place).status == 65)
        #expect(try Command.evaluate("other", "--digest", in: place).output == "\(run.digest)\n")
    }

    @Test func theBestWeightsAreEvaluated() throws {
        let trained = try Command.train(
            "--model", "width:4", "--data", "data", "--epochs", "3", "--learning-rate", "0.03", "--output", "run",
            in: place)
        #expect(trained.status == 0, "\(trained.errors)")
        let best = try #require(SavedRun("\(place.path)/run").record.best.value)
        let result = try Command.evaluate("run/best.safetensors", "--json", in: place)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try result.events().first?["test_accuracy"] as? Double == best)
    }
}
