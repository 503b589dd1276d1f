import CKernels

/// A checked pooling window over x [batch][height][width][channels], or over the members of an activation of x.
/// `ck_pooling` states the shapes.
struct PoolingKernel: Sendable {
    private var pooling: ck_pooling
    private var activation: ck_activation
    private let memberCount: Int

    /// - Parameters:
    ///   - ceilMode: as ``WindowGeometry``.
    ///   - countsPadding: true if means divide by the positions in the padding, too.
    ///   - activation: the activation that a maximum forms of x as it reads x; without learned slopes. Means are of x
    ///     itself.
    /// - Throws: ``ShapeError`` naming `subject`.
    init(
        height: Int, width: Int, channels: Int, window: Window2D, ceilMode: Bool, countsPadding: Bool = false,
        activation: FusibleActivation = .identity, subject: String
    ) throws(ShapeError) {
        let geometry = try WindowGeometry(
            window, imageHeight: height, imageWidth: width, ceilMode: ceilMode, subject: subject)
        pooling = ck_pooling(
            batch: 1, height: Int64(height), width: Int64(width), channels: Int64(channels),
            out_height: Int64(geometry.outputHeight), out_width: Int64(geometry.outputWidth),
            window_h: Int64(window.height), window_w: Int64(window.width),
            stride_h: Int64(window.strideHeight), stride_w: Int64(window.strideWidth),
            pad_top: Int64(geometry.padTop), pad_left: Int64(geometry.padLeft),
            pad_bottom: Int64(geometry.padBottom), pad_right: Int64(geometry.padRight), counts_padding: countsPadding)
        self.activation = activation.descriptor
        memberCount = activation.members.count
        if let reason = ck_pooling_check(&pooling, &self.activation) {
            throw ShapeError(
                subject: subject, expected: "a pooling window that the kernels can compute",
                found: String(cString: reason))
        }
    }

    var outputShape: Shape {
        [Int(pooling.out_height), Int(pooling.out_width), memberCount * Int(pooling.channels)]
    }

    private func pooling(batch: Int) -> ck_pooling {
        var result = pooling
        result.batch = Int64(batch)
        return result
    }

    func maximumForward(
        batch: Int, z: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, argmax: UnsafeMutablePointer<UInt8>?
    ) {
        var pooling = pooling(batch: batch)
        var activation = activation
        ck_max_pool_forward(&pooling, &activation, z, y, argmax)
    }

    /// Doesn't read `z` if no activation is formed.
    func maximumBackward(
        batch: Int, argmax: UnsafePointer<UInt8>, z: UnsafePointer<Float>?, yGradient: UnsafePointer<Float>,
        zGradient: UnsafeMutablePointer<Float>, accumulate: Bool
    ) {
        var pooling = pooling(batch: batch)
        var activation = activation
        ck_max_pool_backward(&pooling, &activation, argmax, z, yGradient, zGradient, accumulate)
    }

    func averageForward(batch: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>) {
        var pooling = pooling(batch: batch)
        ck_average_pool_forward(&pooling, x, y)
    }

    func averageBackward(
        batch: Int, yGradient: UnsafePointer<Float>, xGradient: UnsafeMutablePointer<Float>, accumulate: Bool
    ) {
        var pooling = pooling(batch: batch)
        ck_average_pool_backward(&pooling, yGradient, xGradient, accumulate)
    }
}

/// The mean over all positions of x [batch][positions][channels].
enum GlobalAveragePoolKernel {
    static func forward(
        batch: Int, positions: Int, channels: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
    ) {
        ck_global_average_pool_forward(Int64(batch), Int64(positions), Int64(channels), x, y)
    }

    static func backward(
        batch: Int, positions: Int, channels: Int, yGradient: UnsafePointer<Float>,
        xGradient: UnsafeMutablePointer<Float>, accumulate: Bool
    ) {
        ck_global_average_pool_backward(
            Int64(batch), Int64(positions), Int64(channels), yGradient, xGradient, accumulate)
    }
}
