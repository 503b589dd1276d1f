import Foundation
import LinkedNet

/// Trains a small network on LinkedNet's generated images, with an activation, a linkage, a layer and an observer of
/// this package.
@main
struct Main {
    static func main() throws {
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
        let network = try Network(model, input: [32, 32, 3], batch: 32, seed: 1)
        let log = LossLog()
        let trainer = try Trainer(network, optimizer: Adam(learningRate: 5e-3), observers: [log])
        try trainer.fit(Shapes.train(count: 2_000), epochs: 10)

        guard let first = log.losses.first, let last = log.losses.last, last < 0.9 * first else {
            print("the loss did not fall")
            exit(EXIT_FAILURE)
        }
        print("loss fell from \(first) to \(last)")
    }
}
