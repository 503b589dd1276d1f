import LinkedNet
import Testing

/// The digest tells apart networks that compute different functions from the same shapes.
@Suite struct GraphDigestTests {
    private static func digest(fusesActivations: Bool = true, @LayerBuilder _ layers: () throws -> [any Layer]) throws
        -> String
    {
        let all = try layers()
        return try Network(
            Sequential { all }, input: [8, 8, 4], batch: 2, seed: 1, fusesActivations: fusesActivations
        ).graphDigest
    }

    /// Two networks with the same shapes everywhere, of which one setting differs.
    @Test func everySettingCounts() throws {
        let pairs: [(String, String)] = try [
            (Self.digest { BatchNorm() }, Self.digest { BatchNorm(momentum: 0.9) }),
            (Self.digest { BatchNorm() }, Self.digest { BatchNorm(epsilon: 1e-4) }),
            (Self.digest { MaxPool2D(3, stride: 3) }, Self.digest { MaxPool2D(3, stride: 4) }),
            (Self.digest { AveragePool2D(2, stride: 6) }, Self.digest { AveragePool2D(2, stride: 5) }),
            (
                Self.digest { Conv2D(3, kernel: 3, stride: 5, padding: .same) },
                Self.digest { Conv2D(3, kernel: 3, stride: 5, padding: .valid) }
            ),
            (Self.digest { Conv2D(3, kernel: 1, stride: 6) }, Self.digest { Conv2D(3, kernel: 1, stride: 5) }),
            (Self.digest { Dropout(0.2) }, Self.digest { Dropout(0.3) }),
            (Self.digest { Activation(.relu) }, Self.digest { Activation(.swish) }),
            (Self.digest { Activation(.elu(alpha: 1)) }, Self.digest { Activation(.elu(alpha: 2)) }),
        ]
        for (first, second) in pairs { #expect(first != second) }
        #expect(Set(pairs.flatMap { [$0.0, $0.1] }).count >= pairs.count * 2 - 1)
    }

    /// What the network computes together is no part of the model.
    @Test func fusionDoesNotCount() throws {
        func model(_ fuses: Bool) throws -> String {
            try Self.digest(fusesActivations: fuses) {
                Conv2D(3, kernel: 3)
                Activation(.relu)
                MaxPool2D(2)
                Activation(.elu())
                Conv2D(2, kernel: 1)
            }
        }
        #expect(try model(true) == model(false))
    }
}
