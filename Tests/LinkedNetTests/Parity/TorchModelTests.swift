import Foundation
import LinkedNet
import PaperNetworks
import Testing

/// The first 20 steps of the paper's models, each with its experiment's optimizer, compared with PyTorch from the same
/// weights and batches. The values and their generator lie beside this file.
@Suite struct TorchModelTests {
    struct Case: Decodable, CustomTestStringConvertible {
        let model, activation: String
        let batchNorm: Bool
        let optimizer: String
        let learningRate, epsilon, decay: Double
        let parameters: Int
        let losses: [Double]

        var testDescription: String { "\(model) \(activation)\(batchNorm ? " BatchNorm" : ""), \(optimizer)" }

        func makeOptimizer() throws -> any Optimizer {
            switch optimizer {
            case "adam":
                try Adam(
                    learningRate: learningRate, epsilon: epsilon, decay: decay, epsilonPlacement: .afterBiasCorrection)
            case "rmsprop": try RMSProp(learningRate: learningRate, rho: 0.9, epsilon: epsilon, decay: decay)
            case "nesterov": try SGD(learningRate: learningRate, momentum: 0.9, nesterov: true, decay: decay)
            default: try SGD(learningRate: learningRate, decay: decay)
            }
        }
    }

    static func cases() throws -> [Case] {
        let url = try #require(Bundle.module.url(forResource: "torch_models", withExtension: "json"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode([Case].self, from: Data(contentsOf: url))
    }

    private static let (batch, batches, side, gamma) = (8, 5, 16, Float(0.125))

    /// The generator's weights: kernels start as in He et al., and other weights near their usual first values.
    private static func setWeights(of network: Network) throws {
        for (index, info) in network.parameterLayout.entries.enumerated() {
            let noise = ParityData.noise(UInt32(100 + index), info.shape.elementCount)
            let elements: [Float]
            if info.name.hasSuffix("kernel") {
                let fanIn = info.shape.dimensions.dropLast().reduce(1, *)
                let scale = Float((6 / Double(fanIn)).squareRoot())
                elements = noise.map { scale * $0 }
            } else {
                let offset = info.name.hasSuffix("gamma") ? gamma : 0
                elements = noise.map { offset + 0.0625 * $0 }
            }
            try network.setWeight(named: info.name, to: Tensor(shape: info.shape, elements: elements))
        }
    }

    @Test(arguments: try cases())
    func twentyStepsLoseAsPyTorchDoes(expected: Case) throws {
        let name = try #require(ModelName(expected.model))
        let activation = try #require(ModelActivation(rawValue: expected.activation))
        let model = name.model(ModelOptions(activation: activation, batchNorm: expected.batchNorm))
        // The networks have no dropout, because the masks differ from PyTorch's.
        let layers = try model.layers().filter { !($0 is Dropout) }
        let network = try Network(Sequential { layers }, input: [Self.side, Self.side, 3], batch: Self.batch)
        #expect(network.parameterLayout.elementCount == expected.parameters)
        try Self.setWeights(of: network)
        let trainer = try Trainer(network, optimizer: expected.makeOptimizer())
        let (images, labels) = ParityData.samples(count: Self.batch * Self.batches, side: Self.side)
        let batchSize = Self.batch * Self.side * Self.side * 3
        #expect(expected.losses.count == 20)
        for step in 0..<20 {
            let index = step % Self.batches
            let result = try trainer.step(
                pixels: Array(images[index * batchSize..<(index + 1) * batchSize]),
                labels: Array(labels[index * Self.batch..<(index + 1) * Self.batch]))
            let deviation = abs(result.loss / expected.losses[step] - 1)
            #expect(deviation < 1e-3, "step \(step): loss \(result.loss), PyTorch's \(expected.losses[step])")
        }
    }

    @Test func everyModelAndOptimizerIsThere() throws {
        let cases = try Self.cases()
        #expect(Set(cases.map(\.model)) == ["width50", "depth", "extended", "allcnn", "resnet50"])
        #expect(Set(cases.map(\.optimizer)) == ["sgd", "nesterov", "adam", "rmsprop"])
    }
}
