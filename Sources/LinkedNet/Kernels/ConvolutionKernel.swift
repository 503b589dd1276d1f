import CKernels

/// The algorithm that computes a convolution.
public enum ConvolutionAlgorithm: String, Sendable, Hashable, CaseIterable, Codable {
    /// For each convolution and direction the algorithm that should be faster, by shape. Consecutive convolutions of
    /// few channels are computed together, as a chain. The network's first convolution and a dense layer that reads the
    /// convolution may be computed together, too.
    case automatic = "auto"
    /// Implicit matrix multiplication over packed weights.
    case direct
    /// Winograd's minimal filtering where it applies (3×3 kernels with stride 1 or 2), else direct. Winograd needs a
    /// quarter of the multiplications (with stride 2 somewhat more than half). Rounding errors are a few times as
    /// large. Tiles have 4×4 pixels, or 5×5 where 5×5 fits the image's size better.
    case winograd
}

/// A checked 2-D convolution that reads a pre-activation and forms the activation as it packs. `ck_convolution` states
/// the shapes.
struct ConvolutionKernel: WeightedKernel {
    private var convolution: ck_convolution
    private let wish: ConvolutionAlgorithm
    private var forwardAlgorithm = CK_DIRECT, backwardAlgorithm = CK_DIRECT

    /// A convolution of z [batch][height][width][channels]. Each call gives the batch.
    ///
    /// - Throws: ``ShapeError`` naming `subject`.
    init(
        height: Int, width: Int, channels: Int, outputChannels: Int, window: Window2D,
        activation: FusibleActivation, algorithm: ConvolutionAlgorithm, subject: String
    ) throws(ShapeError) {
        convolution = try ck_convolution(
            height: height, width: width, channels: channels, outputChannels: outputChannels, window: window,
            activation: activation, subject: subject)
        wish = algorithm
        try prepare(batch: 1, isSingleThreaded: false, subject: subject)
    }

    mutating func prepare(batch: Int, isSingleThreaded: Bool, subject: String) throws(ShapeError) {
        convolution.single_threaded = isSingleThreaded
        var convolution = convolution
        convolution.batch = Int64(batch)
        try convolution.validate(subject: subject)
        switch wish {
        case .automatic:
            forwardAlgorithm = ck_convolution_choose(&convolution, CK_FORWARD)
            backwardAlgorithm = ck_convolution_choose(&convolution, CK_BACKWARD)
        case .direct:
            forwardAlgorithm = CK_DIRECT
            backwardAlgorithm = CK_DIRECT
        case .winograd:
            convolution.algorithm = CK_WINOGRAD
            forwardAlgorithm = ck_convolution_check(&convolution) == nil ? CK_WINOGRAD : CK_DIRECT
            backwardAlgorithm = forwardAlgorithm
        }
    }

    var algorithm: String? {
        let forward = name(CK_FORWARD), backward = name(CK_BACKWARD)
        return forward == backward ? forward : "\(forward), \(backward) back"
    }

    private func name(_ pass: ck_pass) -> String {
        var convolution = convolution(batch: 1, pass: pass)
        guard convolution.algorithm == CK_WINOGRAD else { return ConvolutionAlgorithm.direct.rawValue }
        let tile = ck_convolution_tile(&convolution, pass)
        return ConvolutionAlgorithm.winograd.rawValue + (tile == 4 ? "" : " \(tile)×\(tile)")
    }

    var outputShape: Shape {
        [Int(convolution.out_height), Int(convolution.out_width), Int(convolution.out_channels)]
    }

    /// The descriptor for one image.
    var descriptor: ck_convolution { convolution }

    /// True if the choice of algorithm is automatic.
    var isAutomatic: Bool { wish == .automatic }

    private func convolution(batch: Int, pass: ck_pass) -> ck_convolution {
        var result = convolution
        result.batch = Int64(batch)
        result.algorithm = pass == CK_FORWARD ? forwardAlgorithm : backwardAlgorithm
        return result
    }

    func scratchBytes(batch: Int) -> Int {
        var forward = convolution(batch: batch, pass: CK_FORWARD)
        var backward = convolution(batch: batch, pass: CK_BACKWARD)
        return max(ck_convolution_scratch(&forward, CK_FORWARD), ck_convolution_scratch(&backward, CK_BACKWARD))
    }

    func forward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        bias: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer
    ) {
        var convolution = convolution(batch: batch, pass: CK_FORWARD)
        ck_convolution_forward(&convolution, z, slopes, weights, bias, y, scratch)
    }

    func backward(
        batch: Int, z: UnsafePointer<Float>, slopes: UnsafePointer<Float>?, weights: UnsafePointer<Float>,
        yGradient: UnsafePointer<Float>, zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool,
        slopesGradient: UnsafeMutablePointer<Float>?, weightsGradient: UnsafeMutablePointer<Float>,
        biasGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutableRawPointer
    ) {
        var convolution = convolution(batch: batch, pass: CK_BACKWARD)
        ck_convolution_backward(
            &convolution, z, slopes, weights, yGradient, zGradient, accumulate, slopesGradient, weightsGradient,
            biasGradient, scratch)
    }
}

extension ck_convolution {
    /// The direct convolution of one image.
    ///
    /// - Throws: ``ShapeError`` naming `subject` if the window doesn't fit the image.
    init(
        height: Int, width: Int, channels: Int, outputChannels: Int, window: Window2D, activation: FusibleActivation,
        subject: String
    ) throws(ShapeError) {
        let geometry = try WindowGeometry(window, imageHeight: height, imageWidth: width, subject: subject)
        self.init(
            batch: 1, height: Int64(height), width: Int64(width), channels: Int64(channels),
            out_height: Int64(geometry.outputHeight), out_width: Int64(geometry.outputWidth),
            out_channels: Int64(outputChannels),
            kernel_h: Int64(window.height), kernel_w: Int64(window.width),
            stride_h: Int64(window.strideHeight), stride_w: Int64(window.strideWidth),
            pad_top: Int64(geometry.padTop), pad_left: Int64(geometry.padLeft),
            activation: activation.descriptor, algorithm: CK_DIRECT, single_threaded: false)
    }

    /// - Throws: ``ShapeError`` naming `subject` if the kernels refuse the convolution.
    func validate(subject: String) throws(ShapeError) {
        var convolution = self
        if let reason = ck_convolution_check(&convolution) {
            throw ShapeError(
                subject: subject, expected: "a convolution that the kernels can compute",
                found: String(cString: reason))
        }
    }
}
