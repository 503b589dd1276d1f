import Foundation
import LinkedNet

/// Small networks and data, with all layers that have state: dropout, BatchNorm, slopes.
enum TinyTraining {
    /// Images of noise with a bright row that tells the class.
    static func dataset(_ count: Int, seed: UInt64 = 1) throws -> ImageDataset {
        var random = CounterRandom(seed: seed, use: RandomUse(rawValue: 2000))
        var pixels: [UInt8] = []
        let labels = (0..<count).map { Int32($0 % 3) }
        for label in labels {
            for row in 0..<6 {
                for _ in 0..<6 { pixels.append(UInt8(random.next(below: 100)) + (row == 2 * label ? 150 : 0)) }
            }
        }
        return try ImageDataset(
            name: "rows", imageShape: [6, 6, 1], classNames: ["top", "middle", "bottom"], pixels: pixels,
            labels: labels)
    }

    static func model() -> Sequential {
        Sequential {
            Conv2D(4, kernel: 3, padding: .same)
            BatchNorm()
            LinkedActivation(.mirrored(.prelu(.perChannel)))
            Dropout(0.2)
            Flatten()
            Dense(3)
        }
    }

    static func network(batch: Int = 8, seed: UInt64 = 7) throws -> Network {
        try Network(model(), input: [6, 6, 1], batch: batch, seed: seed)
    }

    /// Writes a directory of IDX files for `--data`, with images of 8×8 and 10 classes.
    static func writeIDX(to directory: TemporaryDirectory, train: Int = 50, test: Int = 15) throws -> String {
        for (split, count) in [("train", train), ("t10k", test)] {
            var random = CounterRandom(seed: UInt64(count), use: RandomUse(rawValue: 2001))
            func header(_ sizes: [Int]) -> [UInt8] {
                [0, 0, 8, UInt8(sizes.count)]
                    + sizes.flatMap { size in [24, 16, 8, 0].map { UInt8(size >> $0 & 255) } }
            }
            let pixels = (0..<count * 64).map { UInt8(random.next(below: 100)) + ($0 / 64 % 10 == $0 % 10 ? 150 : 0) }
            try directory.write("data/\(split)-images-idx3-ubyte", header([count, 8, 8]) + pixels)
            try directory.write("data/\(split)-labels-idx1-ubyte", header([count]) + (0..<count).map { UInt8($0 % 10) })
        }
        return "\(directory.path)/data"
    }
}

extension Network {
    var digest: String { WeightsDigest.sha256(of: borrowedWeights) }
}

/// Records all events, and stops training after a step or an epoch.
final class Recorder: TrainingObserver {
    private(set) var steps: [StepEvent] = []
    private(set) var epochs: [EpochResult] = []
    private(set) var evaluationSteps = 0
    private(set) var begins = 0
    private(set) var ends: [TrainingResult.End] = []
    private let stopsAfterStep: Int?
    private let stopsInEvaluation: Bool

    init(stopsAfterStep: Int? = nil, stopsInEvaluation: Bool = false) {
        self.stopsAfterStep = stopsAfterStep
        self.stopsInEvaluation = stopsInEvaluation
    }

    func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        begins += 1
        return .proceed
    }

    func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        steps.append(event)
        return event.step == stopsAfterStep ? .stop : .proceed
    }

    func evaluationStepEnded(_ event: EvaluationEvent, _ trainer: Trainer) throws -> Directive {
        evaluationSteps += 1
        return stopsInEvaluation ? .stop : .proceed
    }

    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        epochs.append(event)
        return .proceed
    }

    func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws { ends.append(result.end) }
}
