import CKernels

/// A convolution of one of the networks, with its input activation, at batch 32.
struct ConvolutionShape {
    let network: String
    let channels: Int
    let activation: ActivationKind
    let filters, size, kernel, stride: Int
    let padded: Bool

    init(
        _ network: String, _ channels: Int, _ activation: ActivationKind, to filters: Int, at size: Int,
        kernel: Int = 3,
        stride: Int = 1, padded: Bool = true
    ) {
        self.network = network
        self.channels = channels
        self.activation = activation
        self.filters = filters
        self.size = size
        self.kernel = kernel
        self.stride = stride
        self.padded = padded
    }

    /// Each shape that occurs, once.
    static let all = [
        ConvolutionShape("allcnn", 3, .none, to: 96, at: 32),
        ConvolutionShape("allcnn", 96, .linked, to: 96, at: 32),
        ConvolutionShape("allcnn", 96, .linked, to: 96, at: 32, stride: 2),
        ConvolutionShape("allcnn", 96, .none, to: 192, at: 16),
        ConvolutionShape("allcnn", 192, .linked, to: 192, at: 16),
        ConvolutionShape("allcnn", 192, .linked, to: 192, at: 16, stride: 2),
        ConvolutionShape("allcnn", 192, .none, to: 192, at: 8),
        ConvolutionShape("allcnn", 192, .linked, to: 192, at: 8, kernel: 1),
        ConvolutionShape("allcnn", 192, .linked, to: 10, at: 8, kernel: 1),
        ConvolutionShape("depth", 3, .none, to: 4, at: 32, kernel: 7, stride: 2),
        ConvolutionShape("depth", 4, .linked, to: 4, at: 16),
        ConvolutionShape("width50", 3, .none, to: 50, at: 32, padded: false),
        ConvolutionShape("width400", 3, .none, to: 400, at: 32, padded: false),
        ConvolutionShape("extended", 3, .none, to: 32, at: 32),
        ConvolutionShape("extended", 32, .linked, to: 32, at: 32, padded: false),
        ConvolutionShape("extended", 64, .none, to: 64, at: 15),
        ConvolutionShape("extended", 64, .linked, to: 64, at: 15, padded: false),
        ConvolutionShape("resnet50", 3, .none, to: 8, at: 32),
        ConvolutionShape("resnet50", 8, .relu, to: 16, at: 32, kernel: 1),
        ConvolutionShape("resnet50", 8, .relu, to: 64, at: 32, kernel: 1),
        ConvolutionShape("resnet50", 64, .relu, to: 16, at: 32, kernel: 1),
        ConvolutionShape("resnet50", 16, .linked, to: 16, at: 32),
        ConvolutionShape("resnet50", 16, .linked, to: 64, at: 32, kernel: 1),
        ConvolutionShape("resnet50", 64, .relu, to: 16, at: 32, kernel: 1, stride: 2),
        ConvolutionShape("resnet50", 64, .relu, to: 64, at: 32, kernel: 1, stride: 2),
        ConvolutionShape("resnet50", 64, .relu, to: 16, at: 16, kernel: 1),
        ConvolutionShape("resnet50", 16, .linked, to: 16, at: 16),
        ConvolutionShape("resnet50", 16, .linked, to: 64, at: 16, kernel: 1),
        ConvolutionShape("resnet50", 64, .relu, to: 32, at: 16, kernel: 1, stride: 2),
        ConvolutionShape("resnet50", 64, .relu, to: 128, at: 16, kernel: 1, stride: 2),
        ConvolutionShape("resnet50", 128, .relu, to: 32, at: 8, kernel: 1),
        ConvolutionShape("resnet50", 32, .linked, to: 32, at: 8),
        ConvolutionShape("resnet50", 32, .linked, to: 128, at: 8, kernel: 1),
        ConvolutionShape("resnet50", 128, .relu, to: 32, at: 8, kernel: 1, stride: 2),
        ConvolutionShape("resnet50", 128, .relu, to: 128, at: 8, kernel: 1, stride: 2),
        ConvolutionShape("resnet50", 128, .relu, to: 32, at: 4, kernel: 1),
        ConvolutionShape("resnet50", 32, .linked, to: 32, at: 4),
        ConvolutionShape("resnet50", 32, .linked, to: 128, at: 4, kernel: 1),
    ]

    static let batch = 32

    var inputs: Int { channels * activation.members }

    var name: String {
        let window = kernel == 3 ? "" : " \(kernel)×\(kernel)"
        return "\(network) \(inputs)→\(filters) @\(size)\(window)\(stride == 2 ? " /2" : "")\(padded ? "" : " valid")"
    }

    var outputSize: Int { padded ? (size - 1) / stride + 1 : (size - kernel) / stride + 1 }

    /// The kernels' description of it.
    func descriptor(_ algorithm: ck_algorithm = CK_DIRECT) -> ck_convolution {
        let padding = padded ? max((outputSize - 1) * stride + kernel - size, 0) / 2 : 0
        var convolution = ck_convolution()
        convolution.batch = Int64(Self.batch)
        (convolution.height, convolution.width) = (Int64(size), Int64(size))
        (convolution.out_height, convolution.out_width) = (Int64(outputSize), Int64(outputSize))
        (convolution.channels, convolution.out_channels) = (Int64(channels), Int64(filters))
        (convolution.kernel_h, convolution.kernel_w) = (Int64(kernel), Int64(kernel))
        (convolution.stride_h, convolution.stride_w) = (Int64(stride), Int64(stride))
        (convolution.pad_top, convolution.pad_left) = (Int64(padding), Int64(padding))
        convolution.activation = activation.descriptor
        convolution.algorithm = algorithm
        return convolution
    }

    var zCount: Int { Self.batch * size * size * channels }
    var weightCount: Int { kernel * kernel * inputs * filters }
    var yCount: Int { Self.batch * outputSize * outputSize * filters }

    /// The operations of one product: forward, backward-data or backward-weights.
    var operations: Double { 2 * Double(yCount) * Double(kernel * kernel * inputs) }

    func register() {
        for (algorithm, label) in [(CK_DIRECT, "direct"), (CK_WINOGRAD, "winograd")] {
            let descriptor = descriptor(algorithm)
            // Winograd's algorithms take some kernels only.
            guard withUnsafePointer(to: descriptor, { ck_convolution_check($0) }) == nil else { continue }
            KernelCall(
                name: "\(name) forward \(label)", operations: operations, floats: zCount + weightCount + yCount
            ).register { forward(descriptor) }
            // Nobody needs the gradient of an image.
            if channels > 3 {
                KernelCall(
                    name: "\(name) backward-data \(label)", operations: operations,
                    floats: 2 * zCount + weightCount + yCount
                ).register { backward(descriptor, data: true, weights: false) }
            }
            KernelCall(
                name: "\(name) backward-weights \(label)", operations: operations, floats: zCount + weightCount + yCount
            ).register { backward(descriptor, data: false, weights: true) }
            if channels > 3 {
                KernelCall(
                    name: "\(name) backward \(label)", operations: 2 * operations,
                    floats: 2 * zCount + 2 * weightCount + yCount
                ).register { backward(descriptor, data: true, weights: true) }
            }
        }
    }

    private func forward(_ descriptor: ck_convolution) -> () -> Void {
        var descriptor = descriptor
        let z = Floats(zCount), weights = Floats(weightCount), bias = Floats(filters), y = Floats(yCount)
        let scratch = Floats(bytes: ck_convolution_scratch(&descriptor, CK_FORWARD))
        return {
            ck_convolution_forward(
                &descriptor, z.pointer, nil, weights.pointer, bias.pointer, y.pointer, scratch.pointer)
        }
    }

    private func backward(_ descriptor: ck_convolution, data: Bool, weights: Bool) -> () -> Void {
        var descriptor = descriptor
        let z = Floats(zCount), kernel = Floats(weightCount), dy = Floats(yCount)
        let dz = data ? Floats(zCount) : nil
        let dweights = weights ? Floats(weightCount) : nil, dbias = weights ? Floats(filters) : nil
        let scratch = Floats(bytes: ck_convolution_scratch(&descriptor, CK_BACKWARD))
        return {
            ck_convolution_backward(
                &descriptor, z.pointer, nil, kernel.pointer, dy.pointer, dz?.pointer, false, nil, dweights?.pointer,
                dbias?.pointer, scratch.pointer)
        }
    }
}
