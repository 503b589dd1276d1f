import CKernels
import Testing

extension ck_plan {
    var all: [ck_loop] {
        withUnsafeBytes(of: loops) { Array($0.bindMemory(to: ck_loop.self).prefix(Int(loop_count))) }
    }
}

/// The loops of some plans that run more than once and end with a remainder in one of the plans.
private struct Coverage {
    private var isCovered: [String: Bool] = [:]

    mutating func add(_ plan: ck_plan, _ name: String = "") {
        for loop in plan.all {
            let key = name + String(cString: loop.name)
            isCovered[key] = isCovered[key] == true || loop.passes > 1 && loop.has_remainder
        }
    }

    mutating func add(_ convolution: ck_convolution, _ plan: (UnsafePointer<ck_convolution>, ck_pass) -> ck_plan) {
        withUnsafePointer(to: convolution) {
            add(plan($0, CK_FORWARD), "forward, ")
            add(plan($0, CK_BACKWARD), "backward, ")
        }
    }

    /// The loops that no plan covers.
    var missing: [String] { isCovered.filter { !$0.value }.keys.sorted() }
    var isEmpty: Bool { isCovered.isEmpty }
}

/// Shapes chosen from the kernels' own plans: each loop of each plan runs more than once, and ends with a remainder, in
/// one of the shapes below. Where a change of a plan leaves a loop without such a shape, `everyLoopIsCovered` names the
/// loop, and the author has to add a shape.
@Suite struct PlanTests {
    private static func activation(_ name: String) -> ActivationCase { ActivationCase.all.first { $0.name == name }! }

    private static let identity = activation("identity"), mirrored = activation("mirrored relu")
    private static let perChannel = activation("prelu per channel")
    private static let perPosition = activation("mirrored prelu per position")
    private static let threeMembers = activation("prelu, leaky relu, prelu")

    /// With a number for which the kernels cut finest.
    private static let threadCounts = CKernelsTests.threadCounts + [40]

    struct Convolution: CustomStringConvertible, Sendable {
        let shape: ck_convolution
        let activation: ActivationCase

        init(
            _ batch: Int, _ size: (Int, Int), _ channels: Int, out: (Int, Int), _ filters: Int, kernel: Int = 3,
            stride: Int = 1, pad: Int = 1, _ activation: ActivationCase, _ algorithm: ck_algorithm = CK_DIRECT,
            singleThreaded: Bool = false
        ) {
            self.activation = activation
            shape = ck_convolution(
                batch: batch, height: size.0, width: size.1, channels: channels, out: (out.0, out.1, filters),
                kernel: (kernel, kernel), stride: (stride, stride), pad: (pad, pad), activation: activation.activation,
                algorithm: algorithm, singleThreaded: singleThreaded)
        }

        var description: String {
            "\(shape.batch)×\(shape.height)×\(shape.width)×\(shape.channels), \(shape.out_channels) filters, "
                + "stride \(shape.stride_h), \(activation)"
        }

        func reference(seed: UInt64) -> ReferenceConvolution {
            ReferenceConvolution(
                shape: shape, activation: activation, integers: shape.algorithm == CK_DIRECT && activation.isExact,
                misaligned: true, seed: seed)
        }
    }

    static let direct = [
        Convolution(2, (23, 40), 5, out: (23, 40), 60, mirrored),
        Convolution(13, (64, 65), 3, out: (32, 33), 7, stride: 2, perPosition),
        Convolution(2, (30, 130), 18, out: (30, 130), 2, mirrored),
        Convolution(133, (12, 11), 5, out: (12, 11), 20, perChannel),
        Convolution(1, (3, 3), 301, out: (3, 3), 5, kernel: 1, pad: 0, identity),
    ]

    static let winograd = [
        Convolution(3, (44, 16), 5, out: (44, 16), 7, perPosition, CK_WINOGRAD, singleThreaded: true),
        Convolution(7, (14, 10), 70, out: (14, 10), 4, mirrored, CK_WINOGRAD),
        Convolution(1, (12, 116), 5, out: (12, 116), 100, identity, CK_WINOGRAD),
        Convolution(1, (12, 116), 36, out: (12, 116), 9, identity, CK_WINOGRAD),
        Convolution(1, (4, 60), 43, out: (4, 60), 4, threeMembers, CK_WINOGRAD),
        Convolution(2, (61, 63), 6, out: (31, 32), 5, stride: 2, perPosition, CK_WINOGRAD, singleThreaded: true),
        Convolution(5, (45, 30), 5, out: (45, 30), 7, perPosition, CK_WINOGRAD),
        Convolution(32, (16, 16), 3, out: (16, 16), 5, perChannel, CK_WINOGRAD),
    ]

    static let pointwise = [
        Convolution(3, (31, 33), 37, out: (31, 33), 53, kernel: 1, pad: 0, mirrored),
        Convolution(11, (39, 19), 20, out: (20, 10), 12, kernel: 1, stride: 2, pad: 0, identity),
        Convolution(4, (61, 61), 3, out: (61, 61), 5, kernel: 1, pad: 0, mirrored),
    ]

    static let chains = [
        Convolution(21, (29, 13), 6, out: (29, 13), 9, mirrored),
        Convolution(21, (37, 13), 3, out: (19, 7), 9, stride: 2, mirrored),
    ]

    /// The numbers of filters of convolutions into dense layers.
    static let pairs = [70, 109]

    private static func pair(filters: Int) -> ck_convolution_dense {
        ck_convolution_dense(
            convolution: ck_convolution(
                batch: 37, height: 11, width: 13, channels: 2, out: (11, 13, filters), kernel: (3, 3), pad: (1, 1),
                activation: identity.activation), activation: mirrored.activation, out_features: 7)
    }

    struct Dense: CustomStringConvertible, Sendable {
        let shape: ck_dense
        let activation: ActivationCase

        init(_ batch: Int64, _ positions: Int64, _ channels: Int64, _ outputs: Int64, _ activation: ActivationCase) {
            self.activation = activation
            shape = ck_dense(
                batch: batch, positions: positions, channels: channels, out_features: outputs,
                activation: activation.activation)
        }

        var description: String {
            "\(shape.batch)×\(shape.positions)×\(shape.channels), \(shape.out_features) outputs, \(activation)"
        }
    }

    static let dense = [
        Dense(87, 1, 300, 109, mirrored), Dense(53, 31, 21, 40, mirrored), Dense(2, 5, 6610, 128, identity),
        Dense(50, 31, 7, 517, perChannel),
    ]

    @Test(arguments: direct + winograd)
    func convolutions(_ convolution: Convolution) {
        withUnsafePointer(to: convolution.shape) { #expect(ck_convolution_check($0) == nil) }
        LinearResults.verify(convolution.reference(seed: 8000))
    }

    @Test(arguments: pointwise)
    func pointwiseConvolutions(_ convolution: Convolution) {
        PointwiseTests.verify(convolution.shape, convolution.activation, seed: 6, threadCounts: Self.threadCounts)
    }

    @Test(arguments: chains)
    func convolutionChains(_ convolution: Convolution) {
        ConvolutionChainTests.verify(convolution.reference(seed: 8001))
    }

    @Test(arguments: pairs)
    func convolutionIntoDense(filters: Int) {
        ConvolutionDenseTests.verify(
            ReferenceConvolutionDense(
                shape: Self.pair(filters: filters), activation: Self.mirrored, integers: true, misaligned: true,
                seed: UInt64(filters)))
    }

    @Test(arguments: dense)
    func denseLayers(_ dense: Dense) {
        DenseTests.verify(dense.shape, dense.activation, seed: 2, threadCounts: Self.threadCounts)
    }

    /// Every loop is covered on every instruction set of this machine, with the cuts for few threads and for many.
    @Test(arguments: availableISAs)
    func everyLoopIsCovered(isa: ck_isa) {
        func check(_ name: String, _ fill: (inout Coverage) -> Void) {
            var coverage = Coverage()
            for threads: Int32 in [2, 7] { with(isa: isa, threads: threads) { fill(&coverage) } }
            #expect(coverage.missing == [], "\(name), \(String(cString: ck_isa_name(isa)))")
            #expect(!coverage.isEmpty)
        }
        check("direct convolution") {
            for convolution in Self.direct { $0.add(convolution.shape, ck_convolution_plan) }
        }
        check("Winograd's algorithms") {
            for convolution in Self.winograd { $0.add(convolution.shape, ck_convolution_plan) }
        }
        check("pointwise convolution") {
            for convolution in Self.pointwise { $0.add(convolution.shape, ck_pointwise_plan) }
        }
        check("chain") {
            for convolution in Self.chains {
                var chain = ck_convolution_chain(
                    batch: convolution.shape.batch, layer_count: 1, layers: nil,
                    gives_input_gradient: convolution.shape.stride_h == 1)
                let plan = withUnsafePointer(to: ck_chain_layer(convolution: convolution.shape, has_bias: true)) {
                    chain.layers = $0
                    return ck_convolution_chain_plan(&chain)
                }
                $0.add(plan, "stride \(convolution.shape.stride_h), ")
            }
        }
        check("convolution into dense") {
            for filters in Self.pairs {
                var shape = Self.pair(filters: filters)
                $0.add(ck_convolution_dense_plan(&shape, CK_FORWARD), "forward, ")
                $0.add(ck_convolution_dense_plan(&shape, CK_BACKWARD), "backward, ")
            }
        }
        check("dense layer") {
            for var dense in Self.dense.map(\.shape) {
                $0.add(ck_dense_plan(&dense, CK_FORWARD), "forward, ")
                $0.add(ck_dense_plan(&dense, CK_BACKWARD), "backward, ")
            }
        }
        check("activation") {
            for size in ActivationTests.sizes {
                var shape = ck_activation_shape(
                    batch: Int64(size.0), positions: Int64(size.1), channels: Int64(size.2),
                    activation: Self.perChannel.activation)
                $0.add(ck_activation_plan(&shape))
            }
        }
        check("normalisation") {
            for (rows, channels) in NormalizationTests.large {
                var norm = ck_batch_norm(rows: Int64(rows), channels: Int64(channels), epsilon: 1e-3)
                $0.add(ck_batch_norm_plan(&norm))
            }
        }
        check("pooling") {
            var pooling = PoolingTests.large, activation = Self.mirrored.activation
            $0.add(ck_pooling_plan(&pooling, nil))
            $0.add(ck_pooling_plan(&pooling, &activation), "of members, ")
            for size in PoolingTests.global {
                $0.add(ck_global_average_pool_plan(Int64(size.0), Int64(size.1), Int64(size.2)), "global, ")
            }
        }
        check("element by element") {
            for count in ElementwiseTests.sumCounts { $0.add(ck_elementwise_plan(Int64(count))) }
            for sizes in ElementwiseTests.concatenations {
                $0.add(ck_concat_plan(Int64(sizes.0), Int64(sizes.1)), "concatenation, ")
            }
        }
        check("optimizers") { for count in OptimizerTests.counts { $0.add(ck_update_plan(Int64(count))) } }
        check("loss") {
            for classes in LossTests.classes {
                for batch in LossTests.batches { $0.add(ck_loss_plan(Int64(batch), Int64(classes))) }
            }
            $0.add(ck_loss_plan(Int64(LossTests.large.batch), Int64(LossTests.large.classes)))
        }
        check("images") {
            for size in InputTests.sizes { $0.add(ck_images_plan(Int64(size.1), Int64(size.2))) }
        }
    }
}
