import CKernels

/// ResNet50's normalisations.
func registerBatchNorms() {
    for (size, channels) in [(32, 8), (32, 16), (32, 64), (16, 16), (16, 64), (8, 32), (8, 128), (4, 32), (4, 128)] {
        register(size: size, channels: channels)
    }
}

private func register(size: Int, channels: Int) {
    let rows = ConvolutionShape.batch * size * size
    let count = rows * channels
    let name = "resnet50 batch-norm \(channels) @\(size)"
    // Sums and sums of squares, then a scale and a shift.
    KernelCall(name: "\(name) forward", operations: Double(5 * count), floats: 2 * count).register {
        let norm = Normalization(rows: rows, channels: channels)
        return norm.forward
    }
    KernelCall(name: "\(name) backward", operations: Double(8 * count), floats: 3 * count).register {
        let norm = Normalization(rows: rows, channels: channels)
        norm.forward()
        return norm.backward
    }
}

private final class Normalization {
    private var descriptor: ck_batch_norm
    private let x, y, dx: Floats
    private let gamma, beta, runningMean, runningVariance, mean, inverseDeviation, dgamma, dbeta: Floats
    private let scratch: Floats

    init(rows: Int, channels: Int) {
        descriptor = ck_batch_norm(rows: Int64(rows), channels: Int64(channels), epsilon: 1e-3)
        (x, y, dx) = (Floats(rows * channels), Floats(rows * channels), Floats(rows * channels))
        (gamma, beta, dgamma, dbeta) = (Floats(channels), Floats(channels), Floats(channels), Floats(channels))
        (runningMean, runningVariance) = (Floats(channels), Floats(channels))
        (mean, inverseDeviation) = (Floats(channels), Floats(channels))
        scratch = Floats(bytes: ck_batch_norm_scratch(&descriptor))
    }

    func forward() {
        ck_batch_norm_forward_training(
            &descriptor, x.pointer, nil, gamma.pointer, beta.pointer, 0.99, false, runningMean.pointer,
            runningVariance.pointer, mean.pointer, inverseDeviation.pointer, nil, y.pointer, scratch.pointer)
    }

    /// The output stands for its gradient.
    func backward() {
        ck_batch_norm_backward(
            &descriptor, x.pointer, gamma.pointer, mean.pointer, inverseDeviation.pointer, y.pointer, dx.pointer, false,
            dgamma.pointer, dbeta.pointer, scratch.pointer)
    }
}
