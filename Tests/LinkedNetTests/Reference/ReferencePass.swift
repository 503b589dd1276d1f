import Foundation

@testable import LinkedNet

func exponential(_ x: Double) -> Double { exp(x) }
func logarithm(_ x: Double) -> Double { log(x) }

/// One forward pass of a ``ReferenceNetwork``: walks the layers and finds weights by the names of nested layers.
struct ReferencePass {
    let weights: [String: [Double]]
    var dropoutMasks: [[Double]]
    /// See ``ReferenceNetwork/Result/decisions``.
    private(set) var decisions: UInt64 = 0

    private var path: [String] = []
    private var nameCounts: [String: Int] = [:]
    private var sharedPaths: [ObjectIdentifier: [String]] = [:]

    init(weights: [String: [Double]], dropoutMasks: [[Double]]) {
        self.weights = weights
        self.dropoutMasks = dropoutMasks
    }

    mutating func decide(_ choice: Int) {
        decisions = (decisions ^ UInt64(choice + 1)) &* 0x0000_0100_0000_01B3 &+ 0x9E37_79B9
    }

    func weight(_ name: String) throws -> [Double] {
        let fullName = (path + [name]).joined(separator: "/")
        guard let value = weights[fullName] else { throw ReferenceError(description: "no weight \(fullName)") }
        return value
    }

    private mutating func scope<T>(_ name: String, _ body: (inout ReferencePass) throws -> T) rethrows -> T {
        let key = (path + [name]).joined(separator: "/")
        let count = nameCounts[key, default: 0]
        nameCounts[key] = count + 1
        path.append(count == 0 ? name : "\(name)_\(count)")
        defer { path.removeLast() }
        return try body(&self)
    }

    /// All uses have the names of the first use. Numbers of names within the layer begin again for each use.
    private mutating func shared(_ layer: Shared, _ x: ReferenceTensor) throws -> ReferenceTensor {
        let identity = ObjectIdentifier(layer.identity)
        guard let known = sharedPaths[identity] else {
            return try scope(layer.name ?? "shared") {
                $0.sharedPaths[identity] = $0.path
                return try $0.apply([layer.layer], to: x)
            }
        }
        let outer = (path, nameCounts)
        (path, nameCounts) = (known, [:])
        defer { (path, nameCounts) = outer }
        return try apply([layer.layer], to: x)
    }

    private mutating func reread(_ layer: Reread, _ x: ReferenceTensor) throws -> ReferenceTensor {
        let main = try apply(layer.body, to: x)
        let factor = try weight("factor")[0]
        var result = ReferenceTensor(batch: x.batch, shape: x.shape)
        for (index, source) in layer.sources.enumerated() {
            let share = Double(Reread.weight(index)) * factor
            for element in result.elements.indices {
                let value =
                    switch source {
                    case .input: x.elements[element]
                    case .body: main.elements[element]
                    case .sum: main.elements[element] + x.elements[element]
                    }
                result.elements[element] += share * value
            }
        }
        return result
    }

    mutating func apply(_ layers: [any Layer], to x: ReferenceTensor) throws -> ReferenceTensor {
        try layers.reduce(x) { try apply($1, to: $0) }
    }

    private mutating func apply(_ layer: any Layer, to x: ReferenceTensor) throws -> ReferenceTensor {
        switch layer {
        case let layer as Sequential:
            return try apply(layer.layers, to: x)
        case let layer as TrainableInput:
            return try scope("input") {
                ReferenceTensor(batch: x.batch, shape: layer.shape.dimensions, elements: try $0.weight("value"))
            }
        case let layer as Conv2D:
            return try scope(layer.name ?? "conv2d") {
                convolution(
                    x, kernel: try $0.weight("kernel"), bias: layer.usesBias ? try $0.weight("bias") : nil,
                    filters: layer.filters, window: layer.window)
            }
        case let layer as Dense:
            return try scope(layer.name ?? "dense") {
                // A dense layer is a 1×1 convolution of an image of one pixel.
                let window = Window2D(height: 1, width: 1, strideHeight: 1, strideWidth: 1, padding: .valid)
                var image = x
                image.shape = [1, 1, x.sampleSize]
                var result = convolution(
                    image, kernel: try $0.weight("kernel"), bias: layer.usesBias ? try $0.weight("bias") : nil,
                    filters: layer.units, window: window)
                result.shape = [layer.units]
                return result
            }
        case let layer as BatchNorm:
            return try scope(layer.name ?? "batch_norm") {
                normalized(
                    x, gamma: try $0.weight("gamma"), beta: try $0.weight("beta"), epsilon: Double(layer.epsilon))
            }
        case let layer as Activation:
            return try scope(layer.name ?? "activation") { try $0.activated(x, [Linkage.Member(layer.function)]) }
        case let layer as LinkedActivation:
            return try scope(layer.name ?? "linked_activation") { try $0.activated(x, layer.linkage.members) }
        case let layer as MaxPool2D:
            return pooled(x, layer.window, maximum: true)
        case let layer as AveragePool2D:
            return pooled(x, layer.window, maximum: false)
        case is GlobalAveragePool2D:
            let whole = Window2D(
                height: x.shape[0], width: x.shape[1], strideHeight: 1, strideWidth: 1, padding: .valid)
            var result = pooled(x, whole, maximum: false)
            result.shape = [x.channels]
            return result
        case is Flatten:
            return ReferenceTensor(batch: x.batch, shape: [x.sampleSize], elements: x.elements)
        case is Dropout:
            guard !dropoutMasks.isEmpty else { throw ReferenceError(description: "no mask for a dropout layer") }
            let mask = dropoutMasks.removeFirst()
            var result = x
            for index in mask.indices { result.elements[index] *= mask[index] }
            return result
        case let layer as Residual:
            return try scope(layer.name ?? "residual") {
                var sum = try $0.apply(layer.body, to: x)
                let shortcut = try $0.scope("projection") { try $0.apply(layer.projection ?? [], to: x) }
                for index in sum.elements.indices { sum.elements[index] += shortcut.elements[index] }
                return sum
            }
        case let layer as Concat:
            return try scope(layer.name ?? "concat") { pass in
                concatenated(try layer.branches.map { try pass.apply($0, to: x) })
            }
        case let layer as Shared:
            return try shared(layer, x)
        case let layer as Reread:
            return try scope("reread") { try $0.reread(layer, x) }
        case is ReadInside:
            return x
        default:
            throw ReferenceError(description: "the reference has no \(type(of: layer))")
        }
    }
}
