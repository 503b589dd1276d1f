import Foundation
import LinkedNet
import Testing

/// A hundred training steps, compared with PyTorch from the same weights and batches. The values and their generator
/// lie beside this file.
@Suite struct TorchCurveTests {
    private static let (batch, batches) = (16, 10)

    /// Winograd's first layer has tiles of 4×4 on images of 8×8, and tiles of 5×5 on images of 10×10.
    @Test(arguments: ConvolutionAlgorithm.allCases, [(8, "winograd"), (10, "winograd 5×5")])
    func hundredStepsLoseAsPyTorchDoes(algorithm: ConvolutionAlgorithm, size: (side: Int, winograd: String)) throws {
        let side = size.side
        let url = try #require(Bundle.module.url(forResource: "torch_curve", withExtension: "json"))
        let curves = try JSONDecoder().decode([String: [Double]].self, from: Data(contentsOf: url))
        let expected = try #require(curves["\(side)"])
        #expect(expected.count == 100)

        let model = Sequential {
            Conv2D(8, kernel: 3, padding: .same, algorithm: algorithm)
            LinkedActivation(.mirrored(.relu))
            Conv2D(8, kernel: 3, stride: 2, padding: .same, algorithm: algorithm)
            LinkedActivation(.mirrored(.relu))
            GlobalAveragePool2D()
            Dense(10)
        }
        let network = try Network(model, input: [side, side, 3], batch: Self.batch)
        if algorithm == .winograd { #expect(network.operations[0].algorithm == size.winograd) }
        for (name, stream, scale) in [
            ("conv2d/kernel", 3, 0.25), ("conv2d/bias", 4, 0.125), ("conv2d_1/kernel", 5, 0.25),
            ("conv2d_1/bias", 6, 0.125), ("dense/kernel", 7, 0.5), ("dense/bias", 8, 0.125),
        ] as [(String, UInt32, Float)] {
            let shape = try network.weight(named: name).shape
            let elements = ParityData.noise(stream, shape.elementCount, scale: scale)
            try network.setWeight(named: name, to: Tensor(shape: shape, elements: elements))
        }
        let trainer = try Trainer(network, optimizer: SGD(learningRate: 0.05, momentum: 0.9, nesterov: true))
        let (images, labels) = ParityData.samples(count: Self.batch * Self.batches, side: side)
        let imageSize = side * side * 3
        for step in 0..<100 {
            let first = step % Self.batches * Self.batch
            let pixels = Array(images[first * imageSize..<(first + Self.batch) * imageSize])
            let result = try trainer.step(
                pixels: pixels, labels: Array(labels[first..<first + Self.batch]))
            let deviation = abs(result.loss / expected[step] - 1)
            #expect(deviation < 1e-3, "step \(step): loss \(result.loss), PyTorch's \(expected[step])")
        }
        #expect(expected[99] < 0.5 * expected[0], "the curve falls far enough to say something")
    }
}
