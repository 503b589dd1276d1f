@testable import LinkedNet

/// Small random networks. The compiler's fusions meet unexpected neighbours in such networks.
struct GeneratedNetwork {
    /// The image between layers.
    private struct Image: Equatable {
        var height, width: Int
        var channels: Int

        mutating func halve() { (height, width) = ((height + 1) / 2, (width + 1) / 2) }
    }

    private var random: CounterRandom
    /// Shared layers that keep an image's size, and that later layers may use again.
    private var shared: [(layer: Shared, image: Image)] = []

    /// A function of `seed`.
    init(seed: UInt64) {
        random = CounterRandom(seed: seed, use: RandomUse(rawValue: 2002))
    }

    /// Layers for images of `input`, three classes at the end.
    mutating func layers(input: Shape) throws -> [any Layer] {
        var image = Image(height: input[0], width: input[1], channels: input[2])
        var layers: [any Layer] = []
        for _ in 0..<2 + chance(of: 4) { layers += try block(&image, nesting: 0) }
        return layers + (try head(image))
    }

    private mutating func chance(of count: Int) -> Int { Int(random.next(below: UInt64(count))) }

    /// One layer, or branches of several.
    private mutating func block(_ image: inout Image, nesting: Int) throws -> [any Layer] {
        switch chance(of: nesting < 2 ? 24 : 9) {
        case 0...2: return [convolution(&image, kernel: chance(of: 3) == 0 ? 3 : 1)]
        case 3...4: return [try activation(&image)]
        case 5...6: return [BatchNorm()]
        case 7 where min(image.height, image.width) >= 4:
            (image.height, image.width) = (image.height / 2, image.width / 2)
            return [MaxPool2D(2)]
        case 7...8: return [AveragePool2D(3, stride: 1, padding: .same)]
        case 9...11: return [try shortcut(image, nesting: nesting)]
        case 12...13: return [try projection(&image, nesting: nesting)]
        case 14: return [try branches(&image, nesting: nesting)]
        case 15...16: return try stridedBranches(&image, nesting: nesting)
        case 17: return [try concatenation(&image)]
        case 18: return try sharedShortcut(&image, nesting: nesting)
        case 19: return try shortcutBehindConvolutions(&image)
        case 20...21: return try sharing(&image)
        default: return [try reread(image, nesting: nesting)]
        }
    }

    /// The layers that give the classes: a dense layer, or layers of one pixel whose output other layers read, too.
    private mutating func head(_ image: Image) throws -> [any Layer] {
        guard chance(of: 3) == 0 else {
            let readers: [any Layer] = chance(of: 4) == 0 ? [ReadInside([Dense(2), BatchNorm()])] : []
            // A BatchNorm of the same numbers in another shape.
            let norm: [any Layer] = chance(of: 8) == 0 ? [Conv2D(3, kernel: 1), Flatten(), BatchNorm()] : [Flatten()]
            return norm + [Dense(3)] + readers
        }
        let whole = Window2D(
            height: image.height, width: image.width, strideHeight: 1, strideWidth: 1, padding: .valid)
        let pixel = Image(height: 1, width: 1, channels: 3)
        var layers: [any Layer] = [Conv2D(3, window: whole)]
        for _ in 0..<1 + chance(of: 2) { layers.append(try shortcut(pixel, nesting: 1)) }
        if chance(of: 3) == 0 { layers.append(Conv2D(3, kernel: 1)) }
        var reader = pixel
        var branch = try pointwise(&reader)
        if chance(of: 2) == 0 { branch = [BatchNorm()] + branch }
        return layers + (chance(of: 3) == 0 ? [] : [ReadInside(branch)])
    }

    // MARK: Layers

    /// A convolution to `channels`, or to a random number of channels.
    private mutating func convolution(_ image: inout Image, kernel: Int, stride: Int = 1, channels: Int? = nil)
        -> Conv2D
    {
        image.channels = channels ?? 2 + chance(of: 4)
        if stride == 2 { image.halve() }
        let padding = image.channels % 4 == 0 ? Self.uneven(kernel: kernel, stride: stride) : .same
        return Conv2D(image.channels, kernel: kernel, stride: stride, padding: padding, usesBias: chance(of: 2) == 0)
    }

    /// Padding that gives the output of `same` another way: all zeros on one side, or PyTorch's with a stride.
    private static func uneven(kernel: Int, stride: Int) -> Padding {
        stride > 1 ? .explicit(kernel / 2) : .explicit(top: kernel - 1, left: 0, bottom: 0, right: kernel - 1)
    }

    /// A 1×1 convolution, perhaps after an activation.
    private mutating func pointwise(_ image: inout Image, stride: Int = 1, channels: Int? = nil) throws -> [any Layer] {
        let before = chance(of: 2) == 0 ? [try activation(&image)] : []
        return before + [convolution(&image, kernel: 1, stride: stride, channels: channels)]
    }

    private mutating func function() -> ActivationFunction {
        let functions: [ActivationFunction] = [
            .relu, .relu, .swish, .elu(), .selu, .leakyReLU(), .prelu(.perChannel), .prelu(.perPosition),
        ]
        return functions[chance(of: functions.count)]
    }

    private mutating func activation(_ image: inout Image) throws -> any Layer {
        let function = function()
        guard chance(of: 3) == 0, image.channels <= 6 else { return Activation(function) }
        var members = [function, function].enumerated().map { Linkage.Member($1, inputScale: $0 == 0 ? 1 : -1) }
        // Three or four members, as in the d-way experiments.
        if chance(of: 3) == 0 {
            members.append(Linkage.Member(.selu))
            if chance(of: 2) == 0 { members.append(Linkage.Member(.selu, inputScale: -1)) }
        }
        image.channels *= members.count
        return LinkedActivation(try Linkage(members))
    }

    // MARK: Branches

    /// Layers that keep the image's size and end with `channels` channels.
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

    /// Layers without a convolution, which keep the image's shape: none, or normalisations and activations.
    private mutating func plainBody() -> [any Layer] {
        switch chance(of: 6) {
        case 0: return []
        case 1...2: return [BatchNorm()]
        case 3: return [Activation(function())]
        case 4: return [BatchNorm(), Activation(function())]
        default: return [Activation(function()), BatchNorm()]
        }
    }

    /// A body with or without convolutions, and a shortcut that may have layers, too. The image's shape stays.
    private mutating func shortcut(_ image: Image, nesting: Int) throws -> Residual {
        var layers: [any Layer]
        switch chance(of: 5) {
        case 0...1: layers = plainBody()
        case 2 where nesting < 2: layers = [try shortcut(image, nesting: nesting + 1)] + plainBody()
        default: layers = try body(image, channels: image.channels, nesting: nesting)
        }
        guard chance(of: 3) == 0 else { return Residual { layers } }
        let projection = plainBody()
        return Residual {
            layers
        } projection: {
            projection
        }
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

    /// Branches of half the size, with their stride at the beginning or behind a shortcut. An activation that all
    /// branches form may stand before the branches.
    private mutating func stridedBranches(_ image: inout Image, nesting: Int) throws -> [any Layer] {
        guard min(image.height, image.width) >= 3 else { return [BatchNorm()] }
        let before: [any Layer] = chance(of: 3) == 0 ? [] : [Activation(function())]
        var channels = 0
        var parts: [Sequential] = []
        for _ in 0..<2 + chance(of: 2) {
            var own = image
            let layers: [any Layer]
            switch chance(of: 4) {
            case 0: layers = [convolution(&own, kernel: 1, stride: 2)]
            case 1: layers = [convolution(&own, kernel: 3, stride: 2)]
            case 2: layers = [try shortcut(own, nesting: nesting + 1), convolution(&own, kernel: 1, stride: 2)]
            default:
                let main = convolution(&own, kernel: 1, channels: own.channels)
                layers = [Residual { main }, MaxPool2D(2, stride: 2, padding: .same)]
            }
            channels += own.channels
            parts.append(Sequential { layers })
        }
        image.halve()
        image.channels = channels
        return before + [Concat { parts }]
    }

    /// A concatenation of one tensor with itself, twice or more often.
    private mutating func concatenation(_ image: inout Image) throws -> any Layer {
        guard image.channels <= 6 else { return Residual {} }
        var parts = [Sequential {}, Sequential {}]
        if chance(of: 2) == 0 { parts.append(Sequential { plainBody() }) }
        image.channels *= parts.count
        return Concat { parts }
    }

    /// One tensor as the shortcut of several sums.
    private mutating func sharedShortcut(_ image: inout Image, nesting: Int) throws -> [any Layer] {
        let before: [any Layer] = chance(of: 2) == 0 ? [] : [Activation(function())]
        let parts = try (0..<2).map { _ in try shortcut(image, nesting: nesting + 1) }
        guard chance(of: 2) == 0, image.channels <= 6 else {
            return before + [
                Residual {
                    parts[0]
                } projection: {
                    parts[1]
                }
            ]
        }
        image.channels *= 2
        return before + [Concat { parts.map { $0 as any Layer } }]
    }

    /// Convolutions of few channels, which suit a chain. A sum reads their output, too.
    private mutating func shortcutBehindConvolutions(_ image: inout Image) throws -> [any Layer] {
        var layers: [any Layer] = []
        for _ in 0..<1 + chance(of: 2) { layers.append(convolution(&image, kernel: 3)) }
        if chance(of: 2) == 0 { layers.append(Activation(.relu)) }
        var inner = image
        var body: [any Layer] = [convolution(&inner, kernel: 3)]
        if chance(of: 2) == 0 { body.append(Activation(function())) }
        body.append(convolution(&inner, kernel: 3, channels: image.channels))
        return layers + [Residual { body }]
    }

    /// Layers with one set of parameters in several places: one after the other, side by side, or from an earlier image
    /// of the same size.
    private mutating func sharing(_ image: inout Image) throws -> [any Layer] {
        let known = shared.filter { $0.image == image }
        if !known.isEmpty, chance(of: 2) == 0 { return [known[chance(of: known.count)].layer] }
        var layers: [any Layer] = [Conv2D(image.channels, kernel: chance(of: 3) == 0 ? 3 : 1, padding: .same)]
        if chance(of: 2) == 0 { layers.append(BatchNorm()) }
        if chance(of: 2) == 0 { layers.append(Activation(function())) }
        if chance(of: 4) == 0 {
            let body = layers
            layers = [Residual { body }]
        }
        let layer = Shared(layers.count == 1 ? layers[0] : Sequential { layers })
        shared.append((layer, image))
        switch chance(of: 4) {
        case 0: return [layer, layer]
        case 1:
            return [
                Residual {
                    layer
                } projection: {
                    layer
                }
            ]
        case 2: return [layer, Residual { layer }]
        default:
            guard image.channels <= 6 else { return [layer, Activation(function()), layer] }
            image.channels *= 2
            let function = function()
            return [
                Concat {
                    layer;
                    Sequential {
                        Activation(function); layer
                    }
                }
            ]
        }
    }

    /// A user's operation reads tensors that other layers read, and reads some tensors at several inputs.
    private mutating func reread(_ image: Image, nesting: Int) throws -> any Layer {
        let layers: [any Layer]
        switch chance(of: 4) {
        case 0: layers = plainBody()
        case 1: layers = [Conv2D(image.channels, kernel: 1), BatchNorm()]
        case 2: layers = [Conv2D(image.channels, kernel: 1)]
        default: layers = try body(image, channels: image.channels, nesting: nesting + 1)
        }
        let all: [Reread.Source] = [.input, .body, .sum]
        // The first source reads the layers, which would have no gradient otherwise.
        let sources = [all[1 + chance(of: 2)]] + (0..<chance(of: 4)).map { _ in all[chance(of: all.count)] }
        return Reread(layers, sources: sources)
    }
}
