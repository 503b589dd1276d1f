import CKernels
import Foundation
import Testing

/// The floating-point mode of a kernel's caller. The kernels' own mode rounds to nearest and keeps denormals.
enum CallerMode: CaseIterable, Sendable {
    case nearest, downward, upward, towardZero, flushingDenormals

    /// Runs `body` in this mode. The second result is true if arithmetic in `body`, outside of the kernels' own mode,
    /// was rounded, overflowed or met a denormal. The kernels leave their own mode together with its flags.
    func run<Result>(_ body: () -> Result) -> (result: Result, raisesFlags: Bool) {
        var before = fenv_t(), inside = fenv_t(), after = fenv_t()
        fegetenv(&before)
        inside = before
        #if arch(x86_64)
        let masked: UInt32 = 0x1F80
        let bits: [CallerMode: UInt32] = [
            .nearest: 0, .downward: 0x2000, .upward: 0x4000, .towardZero: 0x6000, .flushingDenormals: 0x8040,
        ]
        inside.__mxcsr = masked | bits[self]!
        #elseif arch(arm64)
        let bits: [CallerMode: UInt32] = [
            .nearest: 0, .upward: 1 << 22, .downward: 2 << 22, .towardZero: 3 << 22, .flushingDenormals: 1 << 24,
        ]
        inside.__fpcr = bits[self]!
        inside.__fpsr = 0
        #endif
        fesetenv(&inside)
        let result = body()
        fegetenv(&after)
        fesetenv(&before)
        #if arch(x86_64)
        return (result, after.__mxcsr & 0x3F != 0)
        #elseif arch(arm64)
        return (result, after.__fpsr & 0x9F != 0)
        #endif
    }
}

/// About 1e-40.
private let denormal = Float.leastNonzeroMagnitude * 70_000

/// A call of kernels. The tests compare the call's results bit for bit.
private struct Call {
    let functions: [String]
    let run: () -> [UInt64]

    init(_ functions: [String], _ run: @escaping () -> [UInt64]) {
        self.functions = functions
        self.run = run
    }

    /// A call whose results are in buffers.
    init(_ functions: [String], buffers run: @escaping () -> [Buffer]) {
        self.init(functions) { Self.bits(run()) }
    }

    private static func bits(_ buffers: [Buffer]) -> [UInt64] {
        var bits: [UInt64] = []
        for buffer in buffers { for value in buffer.values { bits.append(UInt64(value.bitPattern)) } }
        return bits
    }

    private static func activation(_ name: String) -> ActivationCase {
        ActivationCase.all.first { $0.name == name }!
    }

    /// Numbers, of which some are denormal.
    private static func numbers(_ count: Int, seed: UInt64) -> Buffer {
        var generator = Generator(seed: seed)
        let numbers = Buffer(uniform: count, &generator)
        for index in stride(from: 0, to: count, by: 5) { numbers.pointer[index] *= denormal }
        return numbers
    }

    private static func convolution(
        channels: Int, kernel: Int, stride: Int, algorithm: ck_algorithm, activation: ActivationCase
    ) -> ck_convolution {
        ck_convolution(
            batch: 5, height: 13, width: 11, channels: channels, out: ((13 - 1) / stride + 1, (11 - 1) / stride + 1, 9),
            kernel: (kernel, kernel), stride: (stride, stride), pad: (kernel / 2, kernel / 2),
            activation: activation.activation, algorithm: algorithm)
    }

    private static func linear() -> [ReferenceConvolution] {
        let sloped = activation("mirrored prelu per channel"), swish = activation("mirrored swish")
        let shapes = [
            convolution(channels: 18, kernel: 3, stride: 1, algorithm: CK_DIRECT, activation: sloped),
            convolution(channels: 6, kernel: 3, stride: 2, algorithm: CK_DIRECT, activation: swish),
            convolution(channels: 18, kernel: 3, stride: 1, algorithm: CK_WINOGRAD, activation: sloped),
            convolution(channels: 18, kernel: 3, stride: 2, algorithm: CK_WINOGRAD, activation: swish),
        ]
        let convolutions = shapes.map {
            ReferenceConvolution(shape: $0, activation: sloped, integers: false, misaligned: false, seed: 21)
        }
        let dense = ck_dense(batch: 50, positions: 6, channels: 40, out_features: 70, activation: sloped.activation)
        return convolutions + [
            ReferenceConvolution(dense: dense, activation: sloped, integers: false, misaligned: false, seed: 22)
        ]
    }

    static func all() -> [Call] {
        let names = [
            "ck_convolution_scratch", "ck_convolution_forward", "ck_convolution_backward", "ck_dense_scratch",
            "ck_dense_forward", "ck_dense_backward",
        ]
        return linear().map { reference in Call(names, buffers: { LinearResults(reference).all }) }
            + [chain(), convolutionIntoDense(), pointwise(), activations(), normalization(), inference()]
            + pooling() + elementwise() + [loss(), images()] + optimizers() + [tasks(), sizes()]
    }

    private static func chain() -> Call {
        var generator = Generator(seed: 31)
        let swish = activation("mirrored swish"), sloped = activation("prelu per position")
        let layers = zip([(3, 6), (6, 5)], [swish, sloped]).map { channels, activation in
            let shape = ck_convolution(
                batch: 19, height: 9, width: 7, channels: channels.0, out: (9, 7, channels.1), kernel: (3, 3),
                pad: (1, 1), activation: activation.activation)
            return ChainInputs.Layer(
                shape: shape, activation: activation,
                weights: Buffer(uniform: 9 * channels.0 * activation.members.count * channels.1, &generator),
                slopes: Buffer(uniform: activation.slopeCount(positions: 63, channels: channels.0), &generator),
                bias: Buffer(uniform: channels.1, &generator))
        }
        let inputs = ChainInputs(
            batch: 19, layers: layers, z: numbers(19 * 63 * 3, seed: 1), dy: numbers(19 * 63 * 5, seed: 2),
            dzBefore: numbers(19 * 63 * 3, seed: 3), givesInputGradient: true)
        let names = ["saved", "scratch", "forward", "output", "backward"].map { "ck_convolution_chain_" + $0 }
        return Call(names, buffers: { ChainResults(inputs).all })
    }

    private static func convolutionIntoDense() -> Call {
        let swish = activation("mirrored swish")
        let shape = ck_convolution_dense(
            convolution: ck_convolution(
                batch: 37, height: 10, width: 9, channels: 2, out: (10, 9, 37), kernel: (3, 3), pad: (1, 1),
                activation: activation("identity").activation), activation: swish.activation, out_features: 7)
        let reference = ReferenceConvolutionDense(
            shape: shape, activation: swish, integers: false, misaligned: false, seed: 41)
        let names = ["scratch", "forward", "backward"].map { "ck_convolution_dense_" + $0 }
        return Call(names, buffers: { ConvolutionDenseResults(reference).all.map(\.buffer) })
    }

    private static func pointwise() -> Call {
        let swish = activation("mirrored swish")
        let shape = ck_convolution(
            batch: 5, height: 13, width: 11, channels: 10, out: (13, 11, 40), kernel: (1, 1),
            activation: swish.activation)
        let reference = ReferenceConvolution(
            shape: shape, activation: swish, integers: false, misaligned: false, seed: 51)
        let addend = numbers(reference.dy.count, seed: 52), shared = numbers(2 * reference.z.count, seed: 53)
        let names = [
            "ck_pointwise_scratch", "ck_pointwise_forward", "ck_pointwise_backward", "ck_pointwise_moments_count",
            "ck_pointwise_moments_rows",
        ]
        return Call(names) {
            var shape = shape
            let found = PointwiseResults(reference, addend: addend, addendActivation: swish, shared: shared)
            let count = ck_pointwise_moments_count(&shape), parts = Buffer(2 * count), y = Buffer(reference.dy.count)
            for index in 0..<parts.count { parts.pointer[index] = 0 }
            let scratch = Buffer(scratchBytes: ck_pointwise_scratch(&shape))
            parts.pointer.withMemoryRebound(to: Double.self, capacity: count) {
                ck_pointwise_forward(
                    &shape, reference.z.pointer, reference.weights.pointer, nil, nil, y.pointer, $0, scratch.pointer)
            }
            return bits(found.all + [parts, y]) + [UInt64(ck_pointwise_moments_rows(&shape))]
        }
    }

    private static func activations() -> Call {
        let names = ["ck_activation_forward", "ck_activation_backward_scratch", "ck_activation_backward"]
        let cases = ["prelu, leaky relu, prelu", "mirrored elu", "three swishes", "prelu per channel"].map(activation)
        let z = numbers(30 * 6 * 50, seed: 61), dout = numbers(3 * z.count, seed: 62), slopes = numbers(600, seed: 63)
        return Call(
            names,
            buffers: {
                cases.flatMap { activation -> [Buffer] in
                    var shape = ck_activation_shape(
                        batch: 30, positions: 6, channels: 50, activation: activation.activation)
                    let learns = activation.slopeCount(positions: 6, channels: 50) > 0
                    let out = Buffer(z.count * activation.members.count), dz = Buffer(z.count)
                    let dslopes = Buffer(activation.slopeCount(positions: 6, channels: 50))
                    let scratch = Buffer(scratchBytes: ck_activation_backward_scratch(&shape))
                    ck_activation_forward(&shape, z.pointer, slopes.pointer, out.pointer)
                    ck_activation_backward(
                        &shape, z.pointer, slopes.pointer, dout.pointer, dz.pointer, false,
                        learns ? dslopes.pointer : nil, scratch.pointer)
                    return [out, dz, dslopes]
                }
            })
    }

    private static func normalization() -> Call {
        let cases = [7, 70].map { BatchNormCase(rows: 3001, channels: $0, mean: 0.3, deviation: 1) }
        let names = [
            "ck_batch_norm_scratch", "ck_batch_norm_forward_training", "ck_batch_norm_backward",
            "ck_batch_norm_backward_terms",
        ]
        return Call(
            names,
            buffers: {
                cases.flatMap { test -> [Buffer] in
                    let results = BatchNormResult(test, unbiased: true)
                    var norm = test.norm
                    let terms = Buffer(3 * test.channels), scales = [Buffer(test.channels), Buffer(test.channels)]
                    let scratch = Buffer(scratchBytes: ck_batch_norm_scratch(&norm))
                    ck_batch_norm_backward_terms(
                        &norm, test.x.pointer, test.gamma.pointer, results.mean.pointer, results.inverse.pointer,
                        test.dy.pointer, terms.pointer, scales[0].pointer, scales[1].pointer, scratch.pointer)
                    return results.all + [terms] + scales
                }
            })
    }

    private static func inference() -> Call {
        let test = BatchNormCase(rows: 3001, channels: 7, mean: 0.3, deviation: 1)
        let variance = Buffer([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
        return Call(
            ["ck_batch_norm_forward_inference"],
            buffers: {
                var norm = test.norm
                let y = Buffer(test.x.count)
                ck_batch_norm_forward_inference(
                    &norm, test.x.pointer, test.gamma.pointer, test.beta.pointer, test.beta.pointer, variance.pointer,
                    nil,
                    y.pointer)
                return [y]
            })
    }

    private static func pooling() -> [Call] {
        let swish = activation("mirrored swish").activation
        let shape = ck_pooling(
            batch: 3, height: 20, width: 21, channels: 20, out_height: 10, out_width: 10, window_h: 3, window_w: 3,
            stride_h: 2, stride_w: 2, pad_top: 0, pad_left: 0)
        let x = numbers(shape.inputCount, seed: 71), dy = numbers(2 * shape.outputCount, seed: 72)
        return [
            Call(["ck_max_pool_forward", "ck_max_pool_backward"]) {
                var shape = shape, activation = swish
                let y = Buffer(2 * shape.outputCount), argmax = Bytes(2 * shape.outputCount), dz = x.copy()
                ck_max_pool_forward(&shape, &activation, x.pointer, y.pointer, argmax.pointer)
                ck_max_pool_backward(
                    &shape, &activation, argmax.pointer, x.pointer, dy.pointer, dz.pointer, true)
                return bits([y, dz]) + argmax.values.map { UInt64($0) }
            },
            Call(
                ["ck_average_pool_forward", "ck_average_pool_backward"],
                buffers: {
                    var shape = shape
                    let y = Buffer(shape.outputCount), dx = x.copy()
                    ck_average_pool_forward(&shape, x.pointer, y.pointer)
                    ck_average_pool_backward(&shape, dy.pointer, dx.pointer, true)
                    return [y, dx]
                }),
            Call(
                ["ck_global_average_pool_forward", "ck_global_average_pool_backward"],
                buffers: {
                    let y = Buffer(3 * 20), dx = x.copy()
                    ck_global_average_pool_forward(3, 420, 20, x.pointer, y.pointer)
                    ck_global_average_pool_backward(3, 420, 20, dy.pointer, dx.pointer, true)
                    return [y, dx]
                }),
        ]
    }

    private static func elementwise() -> [Call] {
        let count = 60_001, n = Int64(count)
        let a = numbers(count, seed: 81), b = numbers(count, seed: 82)
        return [
            Call(
                ["ck_add", "ck_copy", "ck_scale", "ck_concat_forward", "ck_concat_backward"],
                buffers: {
                    let sum = Buffer(count), added = b.copy(), scaled = a.copy(), narrow = a.copy(), wide = b.copy()
                    ck_add(n, a.pointer, b.pointer, sum.pointer)
                    ck_copy(n, a.pointer, added.pointer, true)
                    ck_scale(n, 0.3, scaled.pointer)
                    ck_concat_forward(3000, 7, a.pointer, 20, 5, wide.pointer)
                    ck_concat_backward(3000, 7, b.pointer, 20, 3, narrow.pointer, true)
                    return [sum, added, scaled, wide, narrow]
                }),
            Call(
                ["ck_dropout"],
                buffers: {
                    [Float(0.3), 0.1, 1e-9].map { rate in
                        let out = b.copy()
                        ck_dropout(n, 17, 5, rate, a.pointer, out.pointer, true)
                        return out
                    }
                }),
            Call(["ck_sum_of_squares", "ck_first_nonfinite"]) {
                [ck_sum_of_squares(n, a.pointer).bitPattern, UInt64(bitPattern: ck_first_nonfinite(n, a.pointer))]
            },
        ]
    }

    private static func loss() -> Call {
        let logits = numbers(3000 * 10, seed: 91), labels = (0..<3000).map { Int32($0 % 10) }
        return Call(["ck_softmax_cross_entropy", "ck_softmax"]) {
            let gradient = Buffer(logits.count), probabilities = Buffer(logits.count)
            let result = ck_softmax_cross_entropy(3000, 10, logits.pointer, labels, 0.1, gradient.pointer)
            ck_softmax(3000, 10, logits.pointer, probabilities.pointer)
            return bits([gradient, probabilities]) + [result.loss_sum.bitPattern, UInt64(result.correct_count)]
        }
    }

    private static func images() -> Call {
        let count = 4 * 17 * 15 * 3
        let pixels = (0..<count).map { (index: Int) -> UInt8 in UInt8(index * 7 % 251) }
        let shifts: [(Float, Float)] = [(0.3, -1.7), (0, 0), (2, 0.1), (-0.9, 0)]
        let moves = shifts.map { ck_augmentation(shift_y: $0.0, shift_x: $0.1, flip: $0.0 < 0) }
        let scale: [Float] = [1 / 255, 0.3, denormal], offset: [Float] = [-0.1, 0.7, -denormal]
        return Call(
            ["ck_prepare_images"],
            buffers: {
                let out = Buffer(pixels.count)
                ck_prepare_images(4, 17, 15, 3, pixels, [3, 1, 0, 2], moves, scale, offset, out.pointer)
                return [out]
            })
    }

    private static func optimizers() -> [Call] {
        let count = 70_001, n = Int64(count)
        let gradients = numbers(count, seed: 101), start = numbers(count, seed: 102)
        let squares = Buffer(start.values.map { abs($0) })
        let terms = ck_gradient_terms(gradient_scale: 0.3, weight_decay: 0.01)
        return [
            Call(
                ["ck_update"],
                buffers: {
                    let parameters = start.copy(), velocity = gradients.copy()
                    ck_update(
                        n, terms, .sgd(0.1, momentum: 0.9, nesterov: true), gradients.pointer,
                        ck_slots(first: velocity.pointer, second: nil), parameters.pointer)
                    return [parameters, velocity]
                }),
            Call(
                ["ck_update"],
                buffers: {
                    let parameters = start.copy(), first = gradients.copy(), second = squares.copy()
                    ck_update(
                        n, terms, .adam(0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8), gradients.pointer,
                        ck_slots(first: first.pointer, second: second.pointer), parameters.pointer)
                    return [parameters, first, second]
                }),
            Call(
                ["ck_update"],
                buffers: {
                    let parameters = start.copy(), second = squares.copy()
                    ck_update(
                        n, terms, .rmsprop(0.1, rho: 0.9, epsilon: 1e-8), gradients.pointer,
                        ck_slots(first: second.pointer, second: nil), parameters.pointer)
                    return [parameters, second]
                }),
        ]
    }

    /// A caller's own tasks run in the kernels' mode, too.
    private static func tasks() -> Call {
        Call(
            ["ck_run_tasks"],
            buffers: {
                let thirds = Buffer([Float](repeating: 1, count: 64))
                ck_run_tasks(
                    64, 2, { context, task, _ in context?.assumingMemoryBound(to: Float.self)[Int(task)] /= 3 },
                    { context, task, _ in context?.assumingMemoryBound(to: Float.self)[Int(task)] /= 7 }, thirds.pointer
                )
                return [thirds]
            })
    }

    /// The functions of shapes alone: checks, choices, sizes and plans.
    private static func sizes() -> Call {
        let activations = ["identity", "mirrored swish", "prelu per position"].map { activation($0).activation }
        let names = [
            "ck_activation_check", "ck_activation_slope_count", "ck_activation_plan", "ck_convolution_check",
            "ck_convolution_choose", "ck_convolution_tile", "ck_convolution_plan", "ck_pointwise_check",
            "ck_pointwise_plan", "ck_convolution_chain_check", "ck_convolution_chain_plan",
            "ck_convolution_dense_check", "ck_convolution_dense_plan", "ck_dense_check", "ck_dense_plan",
            "ck_pooling_check", "ck_pooling_plan", "ck_global_average_pool_plan", "ck_batch_norm_plan",
            "ck_elementwise_plan", "ck_concat_plan", "ck_update_plan", "ck_loss_plan", "ck_images_plan",
        ]
        return Call(names) {
            var bits: [UInt64] = []
            func add(_ plan: ck_plan) { bits += plan.all.map { UInt64($0.passes) } }
            func add(_ reason: UnsafePointer<CChar>?) { bits.append(reason == nil ? 0 : 1) }
            for var activation in activations {
                bits.append(ck_activation_check(&activation) ? 1 : 0)
                bits.append(UInt64(ck_activation_slope_count(&activation, 9, 7)))
                for size in 1...40 {
                    var shape = ck_convolution(
                        batch: 1 + size % 7, height: size, width: size, channels: 5 * size, out: (size, size, 40),
                        kernel: (3, 3), pad: (1, 1), activation: activation)
                    for pass in [CK_FORWARD, CK_BACKWARD] {
                        bits.append(UInt64(ck_convolution_choose(&shape, pass).rawValue))
                        for algorithm in [CK_DIRECT, CK_WINOGRAD] {
                            shape.algorithm = algorithm
                            bits.append(UInt64(ck_convolution_tile(&shape, pass)))
                            add(ck_convolution_plan(&shape, pass))
                        }
                    }
                    add(ck_convolution_check(&shape))
                    (shape.kernel_h, shape.kernel_w, shape.pad_top, shape.pad_left) = (1, 1, 0, 0)
                    bits.append(ck_pointwise_check(&shape) ? 1 : 0)
                    for pass in [CK_FORWARD, CK_BACKWARD] { add(ck_pointwise_plan(&shape, pass)) }
                    withUnsafePointer(to: ck_chain_layer(convolution: shape, has_bias: true)) {
                        var chain = ck_convolution_chain(
                            batch: 20, layer_count: 1, layers: $0, gives_input_gradient: true)
                        add(ck_convolution_chain_check(&chain))
                        add(ck_convolution_chain_plan(&chain))
                    }
                    var dense = ck_dense(
                        batch: Int64(size), positions: 9, channels: 70, out_features: 100, activation: activation)
                    add(ck_dense_check(&dense))
                    for pass in [CK_FORWARD, CK_BACKWARD] { add(ck_dense_plan(&dense, pass)) }
                    shape.channels = 3
                    shape.activation = activations[0]
                    var pair = ck_convolution_dense(convolution: shape, activation: activation, out_features: 9)
                    add(ck_convolution_dense_check(&pair))
                    for pass in [CK_FORWARD, CK_BACKWARD] { add(ck_convolution_dense_plan(&pair, pass)) }
                    var stored = ck_activation_shape(
                        batch: Int64(size), positions: 900, channels: 40, activation: activation)
                    add(ck_activation_plan(&stored))
                    var pooling = ck_pooling(
                        batch: 3, height: Int64(size), width: Int64(size), channels: 20, out_height: 1, out_width: 1,
                        window_h: 2, window_w: 2, stride_h: 2, stride_w: 2, pad_top: 0, pad_left: 0)
                    add(ck_pooling_check(&pooling, nil))
                    add(ck_pooling_check(&pooling, &activation))
                    add(ck_pooling_plan(&pooling, &activation))
                    add(ck_global_average_pool_plan(Int64(size), 900, 90))
                    var norm = ck_batch_norm(rows: Int64(size * 1000), channels: Int64(size), epsilon: 1e-3)
                    add(ck_batch_norm_plan(&norm))
                    let count = Int64(size * 50_000)
                    for plan in [
                        ck_elementwise_plan(count), ck_concat_plan(count, 9), ck_update_plan(count),
                        ck_loss_plan(count, 10), ck_images_plan(count, 3),
                    ] { add(plan) }
                }
            }
            return bits
        }
    }
}

@Suite struct FloatModeTests {
    /// Kernels give the same bits in any mode of their caller, and do no arithmetic in the caller's mode.
    @Test(arguments: availableISAs, [Int32(1), 2])
    func callersModeDoesNotCount(isa: ck_isa, threads: Int32) {
        with(isa: isa, threads: threads) {
            for call in Call.all() {
                let expected = call.run()
                for mode in CallerMode.allCases {
                    let (found, raisesFlags) = mode.run(call.run)
                    // The comparison is outside of `#expect`, which would take minutes to describe the difference of
                    // long lists.
                    let isSame = found == expected
                    #expect(isSame, "\(isa), \(threads) threads, \(mode): \(call.functions)")
                    #expect(!raisesFlags, "\(isa), \(threads) threads, \(mode): \(call.functions)")
                }
            }
        }
    }

    /// The modes have an effect on the test's own arithmetic. The operands are in memory, so that the compiler keeps
    /// the arithmetic between the changes of the mode.
    @Test func modesShow() {
        let numbers = Buffer([1, 3, denormal]), results = Buffer(2)
        let found = CallerMode.allCases.map { mode in
            let raisesFlags = mode.run {
                results.pointer[0] = numbers.pointer[0] / numbers.pointer[1]
                results.pointer[1] = numbers.pointer[2] * numbers.pointer[1]
            }.raisesFlags
            return (third: results.pointer[0], isFlushed: results.pointer[1] == 0, raisesFlags: raisesFlags)
        }
        #expect(found.allSatisfy { $0.raisesFlags })
        #expect(Set(found.map { $0.third }).count == 2)
        #expect(found.map { $0.isFlushed } == CallerMode.allCases.map { $0 == .flushingDenormals })
    }

    /// The calls above name each function of the headers, except functions that only set the place of computation.
    @Test func everyFunctionIsCalled() throws {
        let selecting: Set = [
            "ck_isa_available", "ck_isa_current", "ck_isa_select", "ck_isa_name", "ck_isa_rejected_request",
            "ck_set_threads", "ck_set_own_threads", "ck_threads", "ck_fit_threads", "ck_processors",
            "ck_unbind_thread", "ck_set_own_recorder", "ck_own_operations", "ck_most_workers",
        ]
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/CKernels/include").standardized
        var declared: Set<String> = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".h") {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                for match in line.matches(of: /\b(ck_\w+)\(/) { declared.insert(String(match.1)) }
            }
        }
        #expect(declared.count > 60)
        let called = Set(Call.all().flatMap(\.functions))
        #expect(declared.subtracting(selecting).subtracting(called).sorted() == [])
        #expect(called.union(selecting).subtracting(declared).sorted() == [])
    }
}
