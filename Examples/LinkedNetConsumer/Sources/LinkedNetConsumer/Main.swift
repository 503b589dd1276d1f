import Foundation
import LinkedNet

/// Trains a small network on LinkedNet's generated images, with an activation, a linkage, a layer and an observer of
/// this package.
///
/// With a directory as its argument it trains durably there, with an optimizer of this package: killed and started
/// again it goes on, and at the end it prints the digest of the weights.
@main
struct Main {
    static func main() throws {
        if CommandLine.arguments.count > 1 {
            try trainDurably(in: CommandLine.arguments[1])
        } else {
            try train()
        }
    }

    private static func network() throws -> Network {
        let model = try Sequential {
            Conv2D(8, kernel: 3, stride: 2, padding: .same)
            try LinkedActivation(.reluBothWaysAndSwish())
            Conv2D(16, kernel: 3, stride: 2, padding: .same)
            ChannelScale()
            try LinkedActivation(.reluBothWaysAndSwish())
            Conv2D(16, kernel: 3, stride: 2, padding: .same)
            try LinkedActivation(.mirrored(.softPlus))
            Flatten()
            Dense(10)
        }
        return try Network(model, input: [32, 32, 3], batch: 32, seed: 1)
    }

    private static func train() throws {
        let log = LossLog()
        let trainer = try Trainer(network(), optimizer: Adam(learningRate: 5e-3), observers: [log])
        try trainer.fit(SyntheticShapes.train(count: 2_000), epochs: 10)

        guard let first = log.losses.first, let last = log.losses.last, last < 0.9 * first else {
            print("the loss did not fall")
            exit(EXIT_FAILURE)
        }
        print("loss fell from \(first) to \(last)")
    }

    private static func trainDurably(in directory: String) throws {
        let trainer = try Trainer(network(), optimizer: SignDescent(), schedule: .cosine(epochs: 40))
        let run = try Run(directory, trainer)
        run.saveInterval = .steps(1)
        try run.fit(
            SyntheticShapes.train(count: 500), test: SyntheticShapes.test(count: 100), epochs: 40,
            augmentation: Augmentation(horizontalFlip: true, shift: 0.1))
        print(run.digest)
    }
}
