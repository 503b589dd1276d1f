import LinkedNet

/// The models whose values the generators beside this file have computed, by the name of their case.
enum GoldenModels {
    /// The layers of the case called `name`, or `nil` without such a case.
    static func layers(_ name: String) throws -> [any Layer]? {
        if let layer = convolutions[name] { return [layer] }
        if let layers = plain[name] { return layers }
        if let layers = branches[name] { return try layers() }
        return try activation(name)
    }

    /// The names of all cases.
    static var names: [String] {
        let activated = consumers.keys.flatMap { consumer in
            (functions.keys.flatMap { [$0, "linked \($0)"] } + ["min-max", "three members"]).map { "\($0) \(consumer)" }
        }
        return Array(convolutions.keys) + Array(plain.keys) + Array(branches.keys) + activated
    }

    private static let convolutions: [String: Conv2D] = [
        "conv 1x1 same": Conv2D(4, kernel: 1, padding: .same),
        "conv 1x1 valid stride 2": Conv2D(4, kernel: 1, stride: 2),
        "conv 2x2 same": Conv2D(4, kernel: 2, padding: .same),
        "conv 3x3 same": Conv2D(4, kernel: 3, padding: .same),
        "conv 3x3 same without bias": Conv2D(4, kernel: 3, padding: .same, usesBias: false),
        "conv 3x3 valid": Conv2D(4, kernel: 3),
        "conv 3x3 same stride 2": Conv2D(4, kernel: 3, stride: 2, padding: .same),
        "conv 3x3 valid stride 2": Conv2D(4, kernel: 3, stride: 2),
        "conv 5x5 of 1 channel": Conv2D(3, kernel: 5, padding: .same),
        "conv 7x7 same stride 2": Conv2D(4, kernel: 7, stride: 2, padding: .same),
        "conv 7x7 valid": Conv2D(4, kernel: 7),
        "conv 7x7 same beyond the image": Conv2D(3, kernel: 7, padding: .same),
        "conv 1x3 same stride 2x1": Conv2D(
            4, window: Window2D(height: 1, width: 3, strideHeight: 2, strideWidth: 1, padding: .same)),
        "conv 3x3 same of 17 channels": Conv2D(19, kernel: 3, padding: .same),
        "conv 3x3 padding 1 stride 2": Conv2D(4, kernel: 3, stride: 2, padding: .explicit(1)),
        "conv 5x5 uneven padding": Conv2D(4, kernel: 5, padding: .explicit(top: 3, left: 0, bottom: 1, right: 4)),
    ]

    private static let plain: [String: [any Layer]] = [
        "dense": [Dense(5)],
        "dense without bias": [Dense(5, usesBias: false)],
        "flatten": [Flatten(), Dense(3)],
        "batch norm": [BatchNorm()],
        "batch norm of a vector": [BatchNorm()],
        "batch norm unbiased": [BatchNorm(momentum: 0.9, epsilon: 1e-5, unbiasedRunningVariance: true)],
        "batch norm unbiased of a vector": [BatchNorm(momentum: 0.9, epsilon: 1e-5, unbiasedRunningVariance: true)],
        "max pool 2 valid": [MaxPool2D(2)],
        "max pool 3 valid stride 2": [MaxPool2D(3, stride: 2)],
        "max pool 2 same": [MaxPool2D(2, padding: .same)],
        "max pool 3 same stride 1": [MaxPool2D(3, stride: 1, padding: .same)],
        "max pool 3 same stride 2": [MaxPool2D(3, stride: 2, padding: .same)],
        "max pool 3 padding 1 stride 2": [MaxPool2D(3, stride: 2, padding: .explicit(1))],
        "average pool 2 valid": [AveragePool2D(2)],
        "average pool 3 valid stride 2": [AveragePool2D(3, stride: 2)],
        "average pool 2 same": [AveragePool2D(2, padding: .same)],
        "average pool 3 same stride 1": [AveragePool2D(3, stride: 1, padding: .same)],
        "average pool 3 same stride 2": [AveragePool2D(3, stride: 2, padding: .same)],
        "average pool 3 padding 1 stride 2": [AveragePool2D(3, stride: 2, padding: .explicit(1))],
        "average pool 3 padding 1 stride 2 counting padding": [
            AveragePool2D(3, stride: 2, padding: .explicit(1), countsPadding: true)
        ],
        "max pool of a rest": [MaxPool2D(3, stride: 2, ceilMode: true)],
        "max pool of a rest with padding": [MaxPool2D(3, stride: 2, padding: .explicit(1), ceilMode: true)],
        "max pool of a rest beyond": [MaxPool2D(3, stride: 4, padding: .explicit(1), ceilMode: true)],
        "average pool of a rest": [AveragePool2D(3, stride: 2, ceilMode: true)],
        "average pool of a rest with padding": [AveragePool2D(3, stride: 2, padding: .explicit(1), ceilMode: true)],
        "average pool of a rest beyond": [AveragePool2D(3, stride: 4, padding: .explicit(1), ceilMode: true)],
        "average pool of a rest counting padding": [AveragePool2D(3, stride: 2, ceilMode: true, countsPadding: true)],
        "average pool of a rest with padding counting padding": [
            AveragePool2D(3, stride: 2, padding: .explicit(1), ceilMode: true, countsPadding: true)
        ],
        "average pool of a rest beyond counting padding": [
            AveragePool2D(3, stride: 4, padding: .explicit(1), ceilMode: true, countsPadding: true)
        ],
        "global average pool": [GlobalAveragePool2D()],
    ]

    private static let branches: [String: @Sendable () throws -> [any Layer]] = [
        "residual": { [residual] },
        "residual after swish": { [Activation(.swish), residual] },
        "residual after linked prelu": {
            [
                LinkedActivation(.mirrored(.prelu(.perChannel))),
                Residual { Conv2D(6, kernel: 3, padding: .same) },
            ]
        },
        "residual with projection": {
            let linkage = Linkage.mirrored(.selu)
            return [
                Residual {
                    Conv2D(2, kernel: 3, stride: 2, padding: .same)
                    LinkedActivation(linkage)
                    Conv2D(5, kernel: 1)
                } projection: {
                    Conv2D(5, kernel: 1, stride: 2, padding: .same)
                }
            ]
        },
        "concat": {
            [
                Concat {
                    Conv2D(2, kernel: 1)
                    Sequential {
                        Conv2D(5, kernel: 3, padding: .same)
                        Activation(.swish)
                    }
                    MaxPool2D(3, stride: 1, padding: .same)
                }
            ]
        },
    ]

    private static let residual = Residual {
        Conv2D(4, kernel: 3, padding: .same)
        Activation(.relu)
        Conv2D(3, kernel: 3, padding: .same)
    }

    private static let functions: [String: ActivationFunction] = [
        "identity": .identity,
        "relu": .relu,
        "leaky relu": .leakyReLU(),
        "elu": .elu(),
        "elu 0.7": .elu(alpha: 0.7),
        "selu": .selu,
        "swish": .swish,
        "prelu per channel": .prelu(.perChannel),
        "prelu per position": .prelu(),
    ]

    private static let consumers: [String: [any Layer]] = [
        "alone": [],
        "before conv": [Conv2D(4, kernel: 3, padding: .same)],
        "before strided conv": [Conv2D(4, kernel: 1, stride: 2)],
        "before dense": [Flatten(), Dense(4)],
        "before pooling": [MaxPool2D(2)],
    ]

    /// `[linked ]function consumer`.
    private static func activation(_ name: String) throws -> [any Layer]? {
        for (suffix, consumer) in consumers where name.hasSuffix(" \(suffix)") {
            let activation = name.dropLast(suffix.count + 1)
            if activation == "min-max" { return [LinkedActivation(.minMax)] + consumer }
            if activation == "three members" {
                let linkage = try Linkage([
                    .init(.elu(), inputScale: 2, outputScale: -0.5),
                    .init(.prelu(.perChannel), inputScale: -1),
                    .init(.swish, inputScale: 0.25, outputScale: 1.5),
                ])
                return [LinkedActivation(linkage)] + consumer
            }
            if let function = functions[String(activation)] { return [Activation(function)] + consumer }
            guard activation.hasPrefix("linked "), let function = functions[String(activation.dropFirst(7))] else {
                continue
            }
            return [LinkedActivation(try .mirrored(function))] + consumer
        }
        return nil
    }
}
