import CKernels

/// Consecutive convolutions: groups of images run through all convolutions in cache, without a barrier if each
/// thread has a group.
/// `ck_convolution_chain` states the layouts.
struct ConvolutionChainKernel: Sendable {
    /// One convolution of a chain.
    struct Convolution: Sendable {
        let kernel: ConvolutionKernel
        let usesBias: Bool
    }

    private let layers: [ck_chain_layer]
    private let givesInputGradient: Bool

    /// - Parameter givesInputGradient: true if
    ///   ``backward(batch:parameters:yGradient:saved:zGradient:accumulate:gradients:scratch:)`` gives the gradient of
    ///   the first layer's input or of its slopes.
    /// - Returns: `nil` if the kernels can't compute these layers as a chain.
    init?(_ layers: [Convolution], givesInputGradient: Bool, batch: Int) {
        self.layers = layers.map { ck_chain_layer(convolution: $0.kernel.descriptor, has_bias: $0.usesBias) }
        self.givesInputGradient = givesInputGradient
        guard withChain(batch: batch, { ck_convolution_chain_check($0) == nil }) else { return nil }
    }

    private func withChain<Result>(batch: Int, _ body: (UnsafePointer<ck_convolution_chain>) -> Result) -> Result {
        layers.withUnsafeBufferPointer { layers in
            var chain = ck_convolution_chain(
                batch: Int64(batch), layer_count: Int64(layers.count), layers: layers.baseAddress,
                gives_input_gradient: givesInputGradient)
            return body(&chain)
        }
    }

    /// The number of convolutions.
    var layerCount: Int { layers.count }

    /// The bytes that the forward pass saves for the backward pass.
    func savedBytes(batch: Int) -> Int { withChain(batch: batch) { ck_convolution_chain_saved($0) } }

    /// The scratch that is large enough for every call of at most `batch` samples.
    func scratchBytes(batch: Int) -> Int { withChain(batch: batch) { ck_convolution_chain_scratch($0) } }

    /// Pointers to the parameters of all layers in order, or to their gradients.
    typealias Pointers = UnsafeBufferPointer<UnsafeMutablePointer<Float>>

    func forward(
        batch: Int, z: UnsafePointer<Float>, parameters: Pointers, y: UnsafeMutablePointer<Float>,
        saved: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer
    ) {
        withChain(batch: batch) { ck_convolution_chain_forward($0, z, Self.constant(parameters), y, saved, scratch) }
    }

    func backward(
        batch: Int, parameters: Pointers, yGradient: UnsafePointer<Float>, saved: UnsafeRawPointer,
        zGradient: UnsafeMutablePointer<Float>?, accumulate: Bool, gradients: Pointers, scratch: UnsafeMutableRawPointer
    ) {
        let targets = UnsafeRawPointer(gradients.baseAddress)?.assumingMemoryBound(
            to: UnsafeMutablePointer<Float>?.self)
        withChain(batch: batch) {
            ck_convolution_chain_backward(
                $0, Self.constant(parameters), yGradient, saved, zGradient, accumulate, targets, scratch)
        }
    }

    /// Copies the output of a layer, except the last layer, after ``forward(batch:z:parameters:y:saved:scratch:)``.
    func copyOutput(ofLayer layer: Int, batch: Int, saved: UnsafeRawPointer, to output: UnsafeMutablePointer<Float>) {
        withChain(batch: batch) { ck_convolution_chain_output($0, saved, Int64(layer), output) }
    }

    private static func constant(_ pointers: Pointers) -> UnsafePointer<UnsafePointer<Float>?>? {
        UnsafeRawPointer(pointers.baseAddress)?.assumingMemoryBound(to: UnsafePointer<Float>?.self)
    }
}

extension ConvolutionKernel {
    /// True if the choice of algorithm is automatic, and a chain is the fastest algorithm.
    ///
    /// Lanes are output channels in matrix products, and images in chains. So chains win where there are few channels
    /// and enough images, as long as a group of 16 images stays in the cache. Measured with 16 lanes: chains win up to
    /// 8 channels if every lane has an image.
    func suitsChain(batch: Int) -> Bool {
        let convolution = descriptor
        let depth = convolution.channels * Int64(convolution.activation.member_count)
        let images = Int64(batch), group: Int64 = 16
        let groups = (images + group - 1) / group
        guard isAutomatic, convolution.out_channels * group * groups <= 8 * images else { return false }
        let groupBytes = group * 4 * convolution.height * convolution.width * (depth + 2 * convolution.out_channels)
        return groupBytes <= 3 << 20
    }

    /// True if the convolution has a stride above 1.
    var hasStride: Bool { descriptor.stride_h != 1 || descriptor.stride_w != 1 }
}
