import Testing

@testable import LinkedNet

/// The results of one pass, forward and backward, of random numbers through a network.
struct InspectedPass {
    let output, gradients: [Float]
    /// The outputs of its operations, by number.
    let inspected: [Int: [Float]]

    init(_ network: Network, count: Int) throws {
        var random = CounterRandom(seed: 9, use: RandomUse(rawValue: 2004))
        let input = (0..<count * network.inputShape.elementCount).map { _ in Float(random.normal()) }
        let gradient = (0..<count * network.outputShape.elementCount).map { _ in Float(random.normal()) }
        var inspected: [Int: [Float]] = [:]
        network.parameterGradients.update(repeating: .nan)
        try network.forward(input: input.span, mode: .training(step: 1)) { inspected[$0] = Array($1) }
        output = Array(UnsafeBufferPointer(start: network.output, count: gradient.count))
        network.outputGradient.update(from: gradient, count: gradient.count)
        try network.backward(input: input.span, step: 1)
        gradients = Array(network.parameterGradients)
        self.inspected = inspected
    }
}

extension Network {
    /// Adds random numbers to all parameters, so that none is 0.
    func disturbParameters() {
        var random = CounterRandom(seed: 8, use: RandomUse(rawValue: 2005))
        for index in parameters.indices { parameters[index] += 0.1 * Float(random.normal()) }
    }
}

/// Expects that an infinity in the kernel of `layer` stops a training of `network` with an error that names `layer`.
func expectNonFiniteKernelIsFound(in layer: String, of network: Network, batch: Int) throws {
    let name = "\(layer)/kernel"
    let trainer = try Trainer(network, optimizer: SGD())
    var kernel = try network.weight(named: name)
    kernel.withUnsafeMutableElements { $0[5] = .infinity }
    try network.setWeight(named: name, to: kernel)
    let pixels = Array(repeating: Float(0.5), count: batch * network.inputShape.elementCount)
    let error = #expect(throws: TrainingError.self) {
        try trainer.step(pixels: pixels, labels: Array(repeating: 3, count: batch))
    }
    #expect(error == .nonFinite(layer: layer, cause: .parameter(name: name), step: 1, epoch: 1))
}
