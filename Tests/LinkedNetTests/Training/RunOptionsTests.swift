import Foundation
import LinkedNet
import Testing

@Suite struct RunOptionsTests {
    private func settings(_ change: (inout RunOptions) -> Void = { _ in }) throws -> RunSettings {
        var options = RunOptions()
        change(&options)
        return try options.settings()
    }

    // MARK: The paper's experiments

    struct Expected: Sendable, CustomTestStringConvertible {
        let model: ModelName
        let optimizer: OptimizerName
        let rate, decay, momentum: Double
        let schedule: LearningRateSchedule
        let linkedBatch, plainBatch: Int
        let augments: Bool
        let initializer: InitializerName

        var testDescription: String { model.description }
    }

    @Test(arguments: [
        Expected(
            model: .width(50), optimizer: .sgd, rate: 0.01, decay: 0, momentum: 0, schedule: .constant, linkedBatch: 32,
            plainBatch: 32, augments: false, initializer: .glorotUniform),
        Expected(
            model: .depth, optimizer: .adam, rate: 1e-3, decay: 0, momentum: 0, schedule: .constant, linkedBatch: 32,
            plainBatch: 32, augments: false, initializer: .glorotUniform),
        Expected(
            model: .extended, optimizer: .rmsProp, rate: 1e-4, decay: 1e-6, momentum: 0, schedule: .constant,
            linkedBatch: 32, plainBatch: 32, augments: false, initializer: .glorotNormal),
        Expected(
            model: .allCNN, optimizer: .sgd, rate: 0.01, decay: 1e-6, momentum: 0.9, schedule: .allCNN,
            linkedBatch: 128, plainBatch: 32, augments: true, initializer: .glorotUniform),
        Expected(
            model: .resNet50, optimizer: .adam, rate: 1e-3, decay: 1e-6, momentum: 0, schedule: .constant,
            linkedBatch: 128, plainBatch: 128, augments: true, initializer: .glorotUniform),
    ])
    func defaultsAreTheExperiments(expected: Expected) throws {
        for linked in [true, false] {
            let settings = try settings {
                $0.model = expected.model
                $0.activation = linked ? .linkedSELU : .selu
            }
            #expect(settings.optimizer == expected.optimizer)
            #expect(settings.learningRate == expected.rate)
            #expect(settings.decay == expected.decay)
            #expect(settings.momentum == expected.momentum)
            #expect(settings.schedule == expected.schedule)
            #expect(settings.batchSize == (linked ? expected.linkedBatch : expected.plainBatch))
            #expect(settings.augments == expected.augments)
            #expect(settings.shuffles == expected.augments)
            #expect(settings.initializer == expected.initializer)
            #expect(settings.batchNorm == (expected.model == .resNet50))
            #expect(settings.epochs == 10)
            #expect(settings.seed == 100)
        }
    }

    @Test func withoutOptionsItIsAllCNNWithLinkedReLU() throws {
        let settings = try settings()
        #expect(settings.model == .allCNN)
        #expect(settings.activation == .linkedReLU)
        #expect(!settings.batchNorm && !settings.widened)
    }

    @Test func batchNormCanBeLeftOut() throws {
        let settings = try settings { ($0.model, $0.batchNorm) = (.resNet50, false) }
        #expect(!settings.batchNorm)
        var other = RunOptions()
        other.batchNorm = true
        #expect(try other.contradictions(to: settings).map(\.option) == ["--batch-norm"])
        other.epochs = .max
        #expect(throws: SettingsError.self) { try other.contradictions(to: settings) }
    }

    @Test func anotherOptimizerHasItsOwnDefaults() throws {
        let adam = try settings { $0.optimizer = .adam }
        #expect(adam.learningRate == 1e-3)
        #expect(adam.decay == 0 && adam.momentum == 0)
        #expect(adam.schedule == .constant)
        #expect(adam.batchSize == 128)
    }

    // MARK: What makes no sense

    @Test func theOptionIsNamed() throws {
        let changes: [(String, (inout RunOptions) -> Void)] = [
            ("--epochs", { $0.epochs = 0 }), ("--epochs", { $0.epochs = .max }),
            ("--schedule", { $0.schedule = "cosine:\(Int.max)" }),
            ("--batch-size", { $0.batchSize = 0 }), ("--limit", { $0.limit = -1 }),
            ("--learning-rate", { $0.learningRate = -1 }), ("--learning-rate", { $0.learningRate = .nan }),
            ("--decay", { $0.decay = .infinity }), ("--momentum", { $0.momentum = 1 }),
            ("--schedule", { $0.schedule = "steep" }),
            ("--momentum", { ($0.momentum, $0.optimizer) = (0.5, .adam) }),
        ]
        for (option, change) in changes {
            let error = #expect(throws: SettingsError.self) { try settings(change) }
            #expect(error?.option == option)
        }
    }

    @Test func contradictionsAreNamed() throws {
        let settings = try settings { $0.limit = 100 }
        var same = RunOptions()
        (same.model, same.batchSize, same.schedule, same.limit, same.epochs) = (.allCNN, 128, "allcnn", 100, 10)
        #expect(try same.contradictions(to: settings).isEmpty)
        same.epochs = 11
        #expect(try same.contradictions(to: settings).isEmpty)

        var other = RunOptions()
        (other.model, other.activation, other.batchNorm, other.widened) = (.depth, .relu, true, true)
        (other.initializer, other.limit, other.batchSize, other.optimizer) = (.heNormal, 99, 1, .adam)
        (other.learningRate, other.decay, other.momentum, other.schedule) = (1, 1, 0.5, "constant")
        (other.augments, other.shuffles, other.seed, other.epochs) = (false, false, 1, 9)
        #expect(
            try other.contradictions(to: settings).map(\.option) == [
                "--model", "--activation", "--batch-norm", "--sqrt2", "--init", "--limit", "--batch-size",
                "--optimizer", "--learning-rate", "--decay", "--momentum", "--schedule", "--augment", "--shuffle",
                "--seed", "--epochs",
            ])
        let first = try #require(try other.contradictions(to: settings).first)
        #expect(first.description == "--model: expected allcnn as in the resumed run, found depth")
    }

    @Test func settingsSurviveJSON() throws {
        for schedule in ["constant", "allcnn", "cosine:4", "warm-up:3+steps:1=0.5"] {
            let settings = try settings {
                $0.model = .width(7)
                $0.data = "somewhere"
                $0.schedule = schedule
                $0.learningRate = 0.1 + 0.2
            }
            #expect(try JSONDecoder().decode(RunSettings.self, from: JSONEncoder().encode(settings)) == settings)
        }
    }

    // MARK: Names

    @Test(arguments: [
        ("allcnn", ModelName.allCNN), ("depth", .depth), ("width50", .width(50)), ("width400", .width(400)),
        ("width:50", .width(50)), ("width:7", .width(7)), ("extended", .extended), ("resnet50", .resNet50),
    ])
    func modelsHaveNames(name: String, model: ModelName) {
        #expect(ModelName(name) == model)
        #expect(ModelName(model.description) == model)
    }

    @Test(arguments: ["", "AllCNN", "width", "width:", "width:0", "width:-1", "width:1.5", "width60", "resnet"])
    func otherNamesAreNone(name: String) {
        #expect(ModelName(name) == nil)
    }

    @Test(arguments: [
        ("constant", LearningRateSchedule.constant), ("allcnn", .allCNN), ("cosine", .cosine(epochs: 12)),
        ("cosine:3", .cosine(epochs: 3)),
        ("steps:1=0.5,4=0.1", .steps([.init(fromEpoch: 1, factor: 0.5), .init(fromEpoch: 4, factor: 0.1)])),
        ("warm-up:9+cosine", .warmUp(steps: 9, then: .cosine(epochs: 12))),
    ])
    func schedulesHaveTexts(text: String, schedule: LearningRateSchedule) throws {
        #expect(try LearningRateSchedule(text: text, epochs: 12) == schedule)
        #expect(try LearningRateSchedule(text: #require(schedule.text), epochs: 1) == schedule)
    }

    @Test(arguments: [
        "", "cosine:", "cosine:0", "constant:1", "steps", "steps:", "steps:1", "steps:1=", "steps:a=1", "steps:1=-1",
        "steps:1=nan", "steps:1=0.5,", "warm-up", "warm-up:3", "warm-up:0+constant", "warm-up:1+warm-up:1+constant",
    ])
    func otherTextsAreNone(text: String) {
        #expect(throws: SettingsError.self) { try LearningRateSchedule(text: text, epochs: 12) }
    }
}
