import Foundation
import LinkedNet
import Testing

/// A hundred training steps against PyTorch's, from the same weights and batches. The values and their generator lie beside this file.
@Suite struct TorchCurveTests {
    private static let (batch, batches, classes, side) = (16, 10, 10, 8)

    /// Uniform multiples of 2⁻²³ in −1 ..< 1: the generator's `noise`.
    private static func noise(_ stream: UInt32, _ count: Int, scale: Float = 1) -> [Float] {
        (0..<UInt32(count)).map { index in
            var x = index &+ stream &* 1_000_003
            for multiplier: UInt32 in [0x7FEB_352D, 0x846C_A68B] {
                x ^= x >> 16
                x = x &* multiplier
            }
            x ^= x >> 16
            return scale * (Float(x >> 8) - 0x1p23) * 0x1p-23
        }
    }

    /// Sample i has label i mod 10; its image is its class's pattern plus noise of the same size.
    private static func samples() -> (images: [Float], labels: [Int32]) {
        let size = side * side * 3
        let patterns = noise(1, classes * size)
        let own = noise(2, batch * batches * size)
        let images = own.indices.map { index in
            0.5 * patterns[index / size % classes * size + index % size] + 0.5 * own[index]
        }
        return (images, (0..<batch * batches).map { Int32($0 % classes) })
    }

    @Test(arguments: ConvolutionAlgorithm.allCases)
    func hundredStepsLoseAsPyTorchDoes(algorithm: ConvolutionAlgorithm) throws {
        let url = try #require(Bundle.module.url(forResource: "torch_curve", withExtension: "json"))
        let expected = try JSONDecoder().decode([Double].self, from: Data(contentsOf: url))
        #expect(expected.count == 100)

        let model = try Sequential {
            Conv2D(8, kernel: 3, padding: .same, algorithm: algorithm)
            try LinkedActivation(.mirrored(.relu))
            Conv2D(8, kernel: 3, stride: 2, padding: .same, algorithm: algorithm)
            try LinkedActivation(.mirrored(.relu))
            GlobalAveragePool2D()
            Dense(10)
        }
        let network = try Network(model, input: [Self.side, Self.side, 3], batch: Self.batch)
        for (name, stream, scale) in [
            ("conv2d/kernel", 3, 0.25), ("conv2d/bias", 4, 0.125), ("conv2d_1/kernel", 5, 0.25),
            ("conv2d_1/bias", 6, 0.125), ("dense/kernel", 7, 0.5), ("dense/bias", 8, 0.125),
        ] as [(String, UInt32, Float)] {
            let shape = try network.weight(named: name).shape
            let elements = Self.noise(stream, shape.elementCount, scale: scale)
            try network.setWeight(named: name, to: Tensor(shape: shape, elements: elements))
        }
        let trainer = try Trainer(network, optimizer: SGD(learningRate: 0.05, momentum: 0.9, nesterov: true))
        let (images, labels) = Self.samples()
        let imageSize = Self.side * Self.side * 3
        for step in 0..<100 {
            let first = step % Self.batches * Self.batch
            let pixels = Array(images[first * imageSize..<(first + Self.batch) * imageSize])
            let result = try trainer.step(
                pixels: pixels, labels: Array(labels[first..<first + Self.batch]), count: Self.batch)
            let deviation = abs(result.loss / expected[step] - 1)
            #expect(deviation < 1e-3, "step \(step): loss \(result.loss), PyTorch's \(expected[step])")
        }
        #expect(expected[99] < 0.2 * expected[0], "the curve falls far enough to say something")
    }
}
