import Foundation

@testable import LinkedNet
@testable import PaperNetworks

/// A checkpoint's JSON, of this version or of a version that saved the settings in the JSON, too.
func runRecord(_ bytes: UnsafeBufferPointer<UInt8>) {
    let texts = ["linkednet.run": String(decoding: bytes, as: UTF8.self)]
    guard let record = try? RunRecord(metadata: texts, path: "file") else { return }
    require(record.classCount >= 1 && record.batchSize ?? 1 >= 1, "at least one class and sample")
    guard let settings = try? RunText.settings(of: texts, record: record, path: "file") else { return }
    require((try? settings.makeOptimizer()) != nil, "an optimizer")
    _ = "\(settings)"
}

/// A run's text without settings.
private let plainRecord = """
    {"best":{"metric":"test_accuracy"},"class_count":10,"data_fingerprint":"ab","image_shape":[8,8,1]}
    """

/// The settings that a run of the paper's networks saves as JSON.
func runSettings(_ bytes: UnsafeBufferPointer<UInt8>) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let record = try? RunRecord(metadata: ["linkednet.run": plainRecord], path: "file"),
        let settings = try? RunText.settings(of: ["paper.settings": text], record: record, path: "file")
    else { return }
    _ = "\(settings)"
    _ = settings.scheduleWarning
}

/// The position of a training in a checkpoint's form.
func position(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let position = try? JSONDecoder().decode(TrainingPosition.self, from: Data(bytes)) else { return }
    for count in [position.epoch, position.batch, position.step, position.epochResult.sampleCount] {
        require((0...TrainingPosition.largestCount).contains(count), "counts that can be calculated with")
    }
    _ = (position.epochResult.loss, position.epochResult.accuracy)
    for schedule in [LearningRateSchedule.allCNN, .cosine(epochs: 3), .warmUp(steps: 9, then: .constant)] {
        require(!schedule.factor(epoch: position.epoch, step: position.step, stepsPerEpoch: 100).isNaN, "a factor")
    }
}

/// A file of class names.
func classNames(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let names = try? ClassNames.read(MemoryFile(bytes), standard: ["a", "b", "c"]) else { return }
    require(names.count == 3, "as many names as classes")
}

/// A learning-rate schedule: the text of an accepted schedule means the same schedule.
func schedule(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let schedule = try? LearningRateSchedule(text: String(decoding: bytes, as: UTF8.self), epochs: 10) else {
        return
    }
    guard let text = schedule.text else { return require(false, "a text for what had one") }
    require((try? LearningRateSchedule(text: text, epochs: 20)) == schedule, "\(text) to mean what it says")
    for (epoch, step) in [(0, 0), (3, 1000), (Int(Int32.max), 1 << 48)] {
        let factor = schedule.factor(epoch: epoch, step: step, stepsPerEpoch: 100)
        require(factor.isFinite && factor >= 0, "a finite factor, not \(factor)")
    }
}

/// The options of a new and of a resumed run.
func options(_ bytes: UnsafeBufferPointer<UInt8>) {
    var choices = Choices(bytes)
    let wanted = choices.runOptions()
    guard let settings = try? wanted.settings() else { return }
    require(settings.epochs >= 1 && settings.batchSize >= 1 && settings.limit ?? 1 >= 1, "positive numbers")
    require((try? settings.makeOptimizer()) != nil, "an optimizer")
    // A schedule without a number takes the run's epochs, so only the epochs may differ from the options.
    let contradictions = (try? wanted.contradictions(to: settings)) ?? []
    require(contradictions.isEmpty, "no contradiction with oneself: \(contradictions)")
    let others = choices.runOptions()
    _ = try? others.contradictions(to: settings)
    _ = try? others.addedSchedule(to: settings)
    _ = settings.scheduleWarning
    _ = "\(settings)"
}

/// The shapes of a network: settings, image shape and classes, compiled up to the point where memory would be taken.
func network(_ bytes: UnsafeBufferPointer<UInt8>) {
    var choices = Choices(bytes)
    let shape = Shape((0..<Int(choices.byte()) % 5).map { _ in choices.integer() })
    let classCount = choices.integer()
    guard let settings = try? choices.runOptions().settings() else { return }
    compile(settings, imageShape: shape, classCount: classCount)
}

private func compile(_ settings: RunSettings, imageShape: Shape, classCount: Int) {
    struct Compiled: Error {}
    do {
        _ = try Network(
            settings.makeModel(classCount: classCount), input: imageShape, batch: settings.batchSize,
            seed: settings.seed
        ) { _ in throw Compiled() }
        require(false, "compiling ends before memory is taken")
    } catch {
        require(
            error is Compiled || error is ShapeError || error is LinkageError, "an error about shapes, not \(error)")
    }
}

/// A run's diagnostics: a line of JSON for each moment.
func diagnostics(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let history = try? DiagnosticsHistory(Data(bytes), path: "file") else { return }
    for map in history.heatMaps { _ = map.svg }
}

extension Choices {
    mutating func runOptions() -> RunOptions {
        var options = RunOptions()
        options.preset = optional { $0.one(of: Preset.allCases) }
        options.model = optional { $0.flag() ? .width($0.integer()) : ModelName($0.text()) ?? .depth }
        options.activation = optional { $0.one(of: ModelActivation.allCases) }
        options.batchNorm = optional { $0.flag() }
        options.dropout = optional { $0.flag() }
        options.widened = optional { $0.flag() }
        options.initializer = optional { $0.one(of: InitializerName.allCases) }
        options.convolution = optional { $0.one(of: ConvolutionAlgorithm.allCases) }
        options.limit = optional { $0.integer() }
        options.testLimit = optional { $0.integer() }
        options.epochs = optional { $0.integer() }
        options.batchSize = optional { $0.integer() }
        options.optimizer = optional { $0.one(of: OptimizerName.allCases) }
        options.learningRate = optional { $0.double() }
        options.decay = optional { $0.double() }
        options.momentum = optional { $0.double() }
        options.schedule = optional { $0.text() }
        options.seed = optional { $0.bits() }
        return options
    }
}
