@testable import LinkedNet

/// The forward pass of a list of layers in double precision, straight from the definitions: no fusion, no tiles, no
/// shared memory. Weights have the library's names.
struct ReferenceNetwork {
    let layers: [any Layer]
    var weights: [String: [Double]]
    /// For each dropout layer in order, the factor of each element.
    var dropoutMasks: [[Double]] = []

    /// The result of a forward pass.
    struct Result {
        var output: ReferenceTensor
        /// A hash of every decision at a kink: the side of 0 of each argument of an activation with a kink, and the
        /// choice of each maximum. Between two points with the same decisions the network is smooth, except for
        /// coincidences.
        var decisions: UInt64
    }

    /// The output in training mode for a batch of `count` samples; the first layer is a ``TrainableInput``.
    func forward(count: Int) throws -> Result {
        var pass = ReferencePass(weights: weights, dropoutMasks: dropoutMasks)
        let output = try pass.apply(layers, to: ReferenceTensor(batch: count, shape: [1]))
        return Result(output: output, decisions: pass.decisions)
    }

    /// The mean softmax cross-entropy against `labels`, and the pass's decisions.
    func loss(labels: [Int32]) throws -> (loss: Double, decisions: UInt64) {
        let result = try forward(count: labels.count)
        let classes = result.output.channels
        var sum = 0.0
        for (row, label) in labels.enumerated() {
            let logits = result.output.elements[row * classes..<(row + 1) * classes]
            let largest = logits.max() ?? 0
            let exponentials = logits.reduce(0) { $0 + exponential($1 - largest) }
            sum += logarithm(exponentials) + largest - logits[logits.startIndex + Int(label)]
        }
        return (sum / Double(labels.count), result.decisions)
    }
}

/// A layer that the reference doesn't know, or a weight that is missing.
struct ReferenceError: Error, CustomStringConvertible {
    let description: String
}
