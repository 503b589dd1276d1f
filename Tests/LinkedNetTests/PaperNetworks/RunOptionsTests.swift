import Foundation
import Testing

@testable import LinkedNet
@testable import PaperNetworks

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
    func thePapersSettingsAreTheExperiments(expected: Expected) throws {
        for linked in [true, false] {
            let settings = try settings {
                $0.preset = .paper
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
            // The paper's momentum is Nesterov's.
            let sgd = try settings.makeOptimizer() as? SGD
            #expect((sgd == nil) == (expected.optimizer != .sgd))
            #expect(sgd.map { $0.momentum == expected.momentum && $0.nesterov == (expected.momentum > 0) } ?? true)
        }
    }

    static let models: [ModelName] = [.allCNN, .depth, .width(50), .width(400), .extended, .resNet50]

    /// The recipe can train every model, for any number of epochs.
    @Test(arguments: models, [true, false]) func theRecipeFitsEveryModel(model: ModelName, linked: Bool) throws {
        func recipe(_ epochs: Int?) throws -> RunSettings {
            try settings { ($0.model, $0.activation, $0.epochs) = (model, linked ? .linkedReLU : .relu, epochs) }
        }
        let own = try recipe(nil)
        #expect(own.preset == .recipe)
        #expect(own.shuffles)
        // The schedule depends on the run's length, and lets added epochs learn.
        for settings in try [own, recipe(7)] {
            let end = try #require(settings.schedule.end)
            #expect(end.epoch == settings.epochs && end.factor > 0)
            #expect(settings.scheduleWarning == nil)
        }
        #expect(try recipe(7).epochs == 7)
        #expect(own.batchNorm == (model == .resNet50))
        var explicit = own
        explicit.preset = .paper
        #expect(explicit != own)
    }

    @Test func everyOptionOverridesThePreset() throws {
        for preset in Preset.allCases {
            let settings = try settings {
                ($0.preset, $0.optimizer, $0.learningRate, $0.decay, $0.momentum) = (preset, .sgd, 0.5, 0.25, 0.75)
                ($0.schedule, $0.batchSize, $0.augments, $0.shuffles) = (
                    "steps:1=0.5", 9, !($0.augments ?? false), false
                )
                ($0.initializer, $0.batchNorm, $0.epochs, $0.seed) = (.heNormal, true, 3, 8)
                ($0.limit, $0.testLimit) = (50, 40)
            }
            #expect((settings.optimizer, settings.learningRate) == (.sgd, 0.5))
            #expect((settings.decay, settings.momentum) == (0.25, 0.75))
            #expect(settings.schedule == .steps([.init(fromEpoch: 1, factor: 0.5)]))
            #expect((settings.batchSize, settings.augments, settings.shuffles) == (9, true, false))
            #expect((settings.initializer, settings.batchNorm) == (.heNormal, true))
            #expect((settings.epochs, settings.seed) == (3, 8))
            #expect((settings.limit, settings.testLimit) == (50, 40))
        }
    }

    @Test func withoutOptionsItIsAllCNNWithLinkedReLU() throws {
        let settings = try settings()
        #expect(settings.preset == .recipe)
        #expect(settings.model == .allCNN)
        #expect(settings.activation == .linkedReLU)
        #expect(!settings.batchNorm && !settings.widened)
    }

    @Test func batchNormCanBeLeftOut() throws {
        let settings = try settings { ($0.model, $0.batchNorm) = (.resNet50, false) }
        #expect(!settings.batchNorm)
        var other = RunOptions()
        other.batchNorm = true
        #expect(try other.contradictions(to: settings).map(\.setting) == ["batch-norm"])
        other.epochs = .max
        #expect(throws: SettingsError.self) { try other.contradictions(to: settings) }
    }

    @Test func anotherOptimizerHasItsOwnDefaults() throws {
        let adam = try settings { ($0.preset, $0.optimizer) = (.paper, .adam) }
        #expect(adam.learningRate == 1e-3)
        #expect(adam.decay == 0 && adam.momentum == 0)
        #expect(adam.schedule == .constant)
        #expect(adam.batchSize == 128)
        let sgd = try settings { $0.optimizer = .sgd }
        #expect(sgd.learningRate == 0.01 && sgd.schedule == .constant)
    }

    // MARK: Senseless options

    @Test func theOptionIsNamed() throws {
        let changes: [(String, (inout RunOptions) -> Void)] = [
            ("epochs", { $0.epochs = 0 }), ("epochs", { $0.epochs = .max }),
            ("schedule", { $0.schedule = "cosine:\(Int.max)" }),
            ("batch-size", { $0.batchSize = 0 }), ("limit", { $0.limit = -1 }),
            ("limit-test", { $0.testLimit = 0 }),
            ("learning-rate", { $0.learningRate = -1 }), ("learning-rate", { $0.learningRate = .nan }),
            ("decay", { $0.decay = .infinity }), ("momentum", { $0.momentum = 1 }),
            ("schedule", { $0.schedule = "steep" }),
            ("momentum", { ($0.momentum, $0.optimizer) = (0.5, .adam) }),
        ]
        for (option, change) in changes {
            let error = #expect(throws: SettingsError.self) { try settings(change) }
            #expect(error?.setting == option)
        }
    }

    /// The recipe of allcnn has no dropout, and the paper's settings have.
    @Test(arguments: [nil, false, true])
    func dropoutReachesTheNetwork(asked: Bool?) throws {
        for preset in [Preset.recipe, .paper] {
            let settings = try settings { ($0.preset, $0.dropout) = (preset, asked) }
            let network = try settings.network(imageShape: [32, 32, 3], classCount: 10)
            let found = network.operations.contains { $0.label.hasPrefix("Dropout") }
            #expect(found == (asked ?? (preset == .paper)))
        }
    }

    /// Where nothing is asked for, a run's values hold: those that may be missing, too.
    @Test func askingForNothingContradictsNothing() throws {
        let nothing = RunOptions()
        #expect(nothing.limit == nil && nothing.testLimit == nil && nothing.data == nil)
        let settings = try settings {
            ($0.preset, $0.model, $0.data) = (.paper, .depth, "somewhere")
            ($0.limit, $0.testLimit, $0.seed) = (100, 7, 1)
        }
        #expect(try nothing.contradictions(to: settings).isEmpty)
    }

    @Test func contradictionsAreNamed() throws {
        let settings = try settings { ($0.preset, $0.limit) = (.paper, 100) }
        var same = RunOptions()
        (same.model, same.batchSize, same.schedule, same.limit, same.epochs) = (.allCNN, 128, "allcnn", 100, 10)
        #expect(try same.contradictions(to: settings).isEmpty)
        same.epochs = 11
        #expect(try same.contradictions(to: settings).isEmpty)

        var other = RunOptions()
        (other.preset, other.testLimit) = (.recipe, 7)
        (other.model, other.activation, other.batchNorm, other.widened) = (.depth, .relu, true, true)
        (other.dropout, other.initializer, other.limit) = (false, .heNormal, 99)
        (other.batchSize, other.optimizer) = (1, .adam)
        (other.learningRate, other.decay, other.momentum, other.schedule) = (1, 1, 0.5, "constant")
        (other.augments, other.shuffles, other.seed, other.epochs) = (false, false, 1, 9)
        #expect(
            try other.contradictions(to: settings).map(\.setting) == [
                "model", "activation", "batch-norm", "dropout", "sqrt2", "init", "settings", "batch-size",
                "optimizer", "learning-rate", "momentum", "decay", "augment", "shuffle", "limit", "limit-test", "seed",
                "schedule",
                "epochs",
            ])
        other.preset = .paper
        let first = try #require(try other.contradictions(to: settings).first)
        #expect(first.description == "model: expected allcnn as in the resumed run, found depth")
    }

    @Test func settingsSurviveJSON() throws {
        for schedule in ["constant", "allcnn", "cosine:4", "warm-up:3+steps:1=0.5", "cosine:4=0.1@4:constant"] {
            let settings = try settings {
                ($0.preset, $0.testLimit) = (schedule == "constant" ? .paper : .recipe, 12)
                $0.model = .width(7)
                $0.data = "somewhere"
                $0.schedule = schedule
                $0.learningRate = 0.1 + 0.2
            }
            #expect(try JSONDecoder().decode(RunSettings.self, from: JSONEncoder().encode(settings)) == settings)
        }
    }

    /// A run from a version without presets has the paper's settings. The paper's settings are still saved in the same
    /// form.
    @Test func settingsWithoutAPresetAreThePapers() throws {
        let paper = try settings { $0.preset = .paper }
        let text = String(decoding: try JSONEncoder().encode(paper), as: UTF8.self)
        #expect(!text.contains("preset") && !text.contains("estLimit"))
        #expect(try JSONDecoder().decode(RunSettings.self, from: Data(text.utf8)) == paper)
        #expect(String(decoding: try JSONEncoder().encode(settings()), as: UTF8.self).contains("\"preset\":\"recipe\""))
    }

    @Test func theLineSaysWhoseSettingsTheyAre() throws {
        #expect(try "\(settings())".hasPrefix("recipe settings: allcnn, "))
        #expect(
            try "\(settings { ($0.preset, $0.testLimit) = (.paper, 9) })" == "paper settings: allcnn, lk-relu, "
                + "glorot-uniform, batch size 128, sgd 0.01, momentum 0.9, decay 1e-06, schedule allcnn, augmented, "
                + "shuffled, tested on the first 9, 10 epochs, seed 100")
    }

    // MARK: Epochs that are added

    private func added(_ schedule: String?, to own: String, epochs: Int = 6) throws -> LearningRateSchedule? {
        var more = RunOptions()
        (more.epochs, more.schedule) = (epochs, schedule)
        let settings = try settings { ($0.epochs, $0.schedule) = (3, own) }
        #expect(try more.contradictions(to: settings).isEmpty)
        return try more.addedSchedule(to: settings)
    }

    @Test func addedEpochsMayHaveASchedule() throws {
        #expect(try added("constant", to: "cosine") == .constant)
        // The schedule has the length of the added epochs.
        #expect(try added("cosine", to: "cosine") == .cosine(epochs: 3))
        #expect(try added("cosine", to: "warm-up:5+cosine:3", epochs: 5) == .cosine(epochs: 2))
        #expect(try added("warm-up:2+cosine:3", to: "warm-up:2+cosine") == .warmUp(steps: 2, then: .cosine(epochs: 3)))
        // The run's own schedule, given again, is not another schedule if it goes on.
        for own in ["constant", "cosine:30", "allcnn", "steps:1=0.5"] { #expect(try added(own, to: own) == nil) }
        #expect(try added("steps:1=0", to: "steps:1=0") != nil)
        #expect(try added(nil, to: "cosine") == nil)
    }

    /// The error names the given numbers, and options that work.
    @Test func aScheduleWithoutAddedEpochsIsRefused() throws {
        let settings = try settings { ($0.epochs, $0.schedule) = (3, "cosine:3@1:cosine") }
        var other = RunOptions()
        for (text, isRefused) in [
            ("cosine", false), ("cosine:2", false), ("cosine:3@1:cosine:2", false), ("constant", true),
        ] {
            for epochs in [nil, 3] {
                (other.schedule, other.epochs) = (text, epochs)
                let found = try other.contradictions(to: settings)
                #expect(found.map(\.setting) == (isRefused ? ["schedule"] : []), "\(text)")
                #expect(found.allSatisfy { $0.found == text && $0.expected.contains("more --epochs than its 3") })
                #expect(try other.addedSchedule(to: settings) == nil)
            }
        }
        // The added schedule may have several stages, and is the run's when the command comes again.
        let staged = try self.settings { ($0.epochs, $0.schedule) = (10, "cosine:3@3:cosine:2@5:constant") }
        (other.schedule, other.epochs) = ("cosine:2@2:constant", 10)
        #expect(try other.contradictions(to: staged).isEmpty)
        other.schedule = "cosine:2@1:constant"
        #expect(try other.contradictions(to: staged).map(\.setting) == ["schedule"])
    }

    @Test(
        arguments: [
            ("cosine:3", 6, "epochs 4 to 6 will change no weight"),
            ("warm-up:5+cosine:5", 6, "epoch 6 will change no weight"),
            ("steps:1=0.5,4=0", 6, "epochs 5 to 6 will change no weight"),
            ("cosine:3=0.5", 4, "epoch 4 will have its final"),
            ("cosine:3@3:cosine:2", 6, "epoch 6 will change no weight"), ("cosine:9@9:constant", 99, nil),
            ("cosine", 6, nil), ("constant", 6, nil), ("allcnn", 6, nil), ("steps:1=0,2=1", 6, nil),
        ] as [(String, Int, String?)])
    func aScheduleThatEndsEarlyIsSaid(schedule: String, epochs: Int, warning: String?) throws {
        let settings = try settings { ($0.schedule, $0.epochs) = (schedule, epochs) }
        guard let warning else { return #expect(settings.scheduleWarning == nil) }
        #expect(settings.scheduleWarning?.contains(warning) == true, "\(settings.scheduleWarning ?? "")")
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
        ("cosine:3", .cosine(epochs: 3)), ("cosine:3=0.5", .cosine(epochs: 3, finalFactor: 0.5)),
        (
            "cosine@4:warm-up:2+cosine:1@9:cosine",
            .sequence([
                .init(fromEpoch: 0, schedule: .cosine(epochs: 4)),
                .init(fromEpoch: 4, schedule: .warmUp(steps: 2, then: .cosine(epochs: 1))),
                .init(fromEpoch: 9, schedule: .cosine(epochs: 3)),
            ])
        ),
        ("steps:1=0.5,4=0.1", .steps([.init(fromEpoch: 1, factor: 0.5), .init(fromEpoch: 4, factor: 0.1)])),
        ("warm-up:9+cosine", .warmUp(steps: 9, then: .cosine(epochs: 12))),
    ])
    func schedulesHaveTexts(text: String, schedule: LearningRateSchedule) throws {
        #expect(try LearningRateSchedule(text: text, epochs: 12) == schedule)
        #expect(try LearningRateSchedule(text: #require(schedule.text), epochs: 1) == schedule)
    }

    /// Each schedule counts as if training began with this schedule.
    @Test func aSequenceIsOneScheduleAfterTheOther() throws {
        let (first, second) = (
            LearningRateSchedule.warmUp(steps: 3, then: .cosine(epochs: 2)), LearningRateSchedule.cosine(epochs: 3)
        )
        let whole = first.followed(by: second, fromEpoch: 2)
        for step in 0..<25 {
            let epoch = step / 5
            #expect(
                whole.factor(epoch: epoch, step: step, stepsPerEpoch: 5)
                    == (epoch < 2
                        ? first.factor(epoch: epoch, step: step, stepsPerEpoch: 5)
                        : second.factor(epoch: epoch - 2, step: step - 10, stepsPerEpoch: 5)))
        }
        #expect(whole.followed(by: .constant, fromEpoch: 5).text == "warm-up:3+cosine:2@2:cosine:3@5:constant")
        // A sequence is added stage by stage, and has the factors of the sequence.
        let stages = try LearningRateSchedule(text: "cosine:2@2:constant", epochs: 4)
        let longer = first.followed(by: stages, fromEpoch: 3)
        #expect(longer.text == "warm-up:3+cosine:2@3:cosine:2@5:constant")
        for (epoch, step) in [(3, 30), (4, 45), (5, 50), (8, 80)] {
            let own = stages.factor(epoch: epoch - 3, step: step - 30, stepsPerEpoch: 10)
            #expect(longer.factor(epoch: epoch, step: step, stepsPerEpoch: 10) == own)
        }
        #expect(whole.followed(by: .constant, fromEpoch: 2).text == "warm-up:3+cosine:2@2:constant")
        #expect(LearningRateSchedule.warmUp(steps: 1, then: whole).text == nil)
    }

    @Test(arguments: [
        "", "cosine:", "cosine:0", "constant:1", "steps", "steps:", "steps:1", "steps:1=", "steps:a=1", "steps:1=-1",
        "cosine:3=", "cosine:3=-1", "cosine:3=1.5", "cosine:3=inf", "@", "constant@", "constant@3", "constant@3:",
        "constant@0:constant",
        "constant@3:constant@3:constant", "constant@-1:constant", "@3:constant", "constant@9999999999:constant",
        "steps:1=nan", "steps:1=0.5,", "warm-up", "warm-up:3", "warm-up:0+constant", "warm-up:1+warm-up:1+constant",
    ])
    func otherTextsAreNone(text: String) {
        #expect(throws: SettingsError.self) { try LearningRateSchedule(text: text, epochs: 12) }
    }
}
