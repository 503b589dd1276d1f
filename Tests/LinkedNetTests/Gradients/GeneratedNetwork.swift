@testable import LinkedNet

/// Small networks put together at random: whatever a network's compiler joins, it meets here between neighbours that
/// nobody thought of.
struct GeneratedNetwork {
    /// The image between layers.
    private struct Image {
        var size: (height: Int, width: Int)
        var channels: Int
    }

    private var random: CounterRandom

    /// A function of `seed`.
    init(seed: UInt64) {
        random = CounterRandom(seed: seed, use: RandomUse(rawValue: 2002))
    }

    /// Layers for images of `input`, three classes at the end.
    mutating func layers(input: Shape) throws -> [any Layer] {
        var image = Image(size: (input[0], input[1]), channels: input[2])
        var layers: [any Layer] = []
        for _ in 0..<2 + chance(of: 4) { layers += try block(&image, nesting: 0) }
        return layers + [Flatten(), Dense(3)]
    }

    private mutating func chance(of count: Int) -> Int { Int(random.next(below: UInt64(count))) }

    /// One layer, or branches of several.
    private mutating func block(_ image: inout Image, nesting: Int) throws -> [any Layer] {
        switch chance(of: nesting < 2 ? 14 : 9) {
        case 0...2: return [convolution(&image, kernel: chance(of: 3) == 0 ? 3 : 1)]
        case 3...4: return [try activation(&image)]
        case 5...6: return [BatchNorm()]
        case 7 where min(image.size.height, image.size.width) >= 4:
            image.size = (image.size.height / 2, image.size.width / 2)
            return [MaxPool2D(2)]
        case 7...8: return [AveragePool2D(3, stride: 1, padding: .same)]
        case 9...10: return [try shortcut(image, nesting: nesting)]
        case 11...12: return [try projection(&image, nesting: nesting)]
        default: return [try branches(&image, nesting: nesting)]
        }
    }

    /// To `channels`, or to any number of them.
    private mutating func convolution(_ image: inout Image, kernel: Int, stride: Int = 1, channels: Int? = nil)
        -> Conv2D
    {
        image.channels = channels ?? 2 + chance(of: 4)
        image.size = ((image.size.height + stride - 1) / stride, (image.size.width + stride - 1) / stride)
        return Conv2D(image.channels, kernel: kernel, stride: stride, padding: .same, usesBias: chance(of: 2) == 0)
    }

    private mutating func activation(_ image: inout Image) throws -> any Layer {
        let functions: [ActivationFunction] = [
            .relu, .swish, .elu(), .selu, .leakyReLU(), .prelu(.perChannel), .prelu(.perPosition),
        ]
        let function = functions[chance(of: functions.count)]
        guard chance(of: 3) == 0, image.channels <= 6 else { return Activation(function) }
        var members = [function, function].enumerated().map { Linkage.Member($1, inputScale: $0 == 0 ? 1 : -1) }
        // Three or four, as in the d-way experiments.
        if chance(of: 3) == 0 {
            members.append(Linkage.Member(.selu))
            if chance(of: 2) == 0 { members.append(Linkage.Member(.selu, inputScale: -1)) }
        }
        image.channels *= members.count
        return LinkedActivation(try Linkage(members))
    }

    /// Layers that keep the image's size, and end with as many channels as `channels` says.
    private mutating func body(_ image: Image, channels: Int, stride: Int = 1, nesting: Int) throws -> [any Layer] {
        var image = image
        var layers: [any Layer] = []
        for _ in 0..<chance(of: 3) {
            switch chance(of: nesting < 1 ? 5 : 4) {
            case 0...1: layers.append(try activation(&image))
            case 2: layers.append(BatchNorm())
            case 3: layers.append(convolution(&image, kernel: chance(of: 2) == 0 ? 3 : 1))
            default: layers.append(try shortcut(image, nesting: nesting + 1))
            }
        }
        layers.append(convolution(&image, kernel: chance(of: 3) == 0 ? 3 : 1, stride: stride, channels: channels))
        switch chance(of: 4) {
        case 0: layers.append(BatchNorm())
        case 1: layers.append(Activation(.swish))
        default: break
        }
        return layers
    }

    private mutating func shortcut(_ image: Image, nesting: Int) throws -> Residual {
        let layers = try body(image, channels: image.channels, nesting: nesting)
        return Residual { layers }
    }

    private mutating func projection(_ image: inout Image, nesting: Int) throws -> Residual {
        let channels = 2 + chance(of: 4), stride = 1 + chance(of: 2)
        let layers = try body(image, channels: channels, stride: stride, nesting: nesting)
        var projection: [any Layer] = [convolution(&image, kernel: 1, stride: stride, channels: channels)]
        if chance(of: 2) == 0 { projection.append(BatchNorm()) }
        return Residual {
            layers
        } projection: {
            projection
        }
    }

    private mutating func branches(_ image: inout Image, nesting: Int) throws -> Concat {
        let parts = try (0..<2).map { _ in try body(image, channels: 2, nesting: nesting) }
        image.channels = 4
        return Concat { parts.map { part in Sequential { part } } }
    }
}
