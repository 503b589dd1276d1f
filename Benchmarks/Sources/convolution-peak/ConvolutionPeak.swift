import ArgumentParser
import CKernels
import CPeak
import Foundation

/// Measures the convolutions of AllCNN with mirrored ReLU against the CPU's peak of fused multiply-adds, both in one run.
@main
struct ConvolutionPeak: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convolution-peak",
        abstract: "GFLOP/s of AllCNN's convolutions, pass by pass, and their share of the FMA peak measured beside them.")

    @Option(help: "Images in a batch.")
    var batchSize = 32
    @Option(help: "Threads; the CPUs available if not given.")
    var threads: Int?
    @Option(help: "Timed calls of each pass; the best counts.")
    var repetitions = 15

    /// Height and width, channels, linked or not, filters, kernel, stride.
    private struct LayerShape {
        let name: String
        let size, channels: Int
        let linked: Bool
        let filters, kernel, stride: Int
    }

    private static let layers = [
        LayerShape(name: "3 → 96 @32", size: 32, channels: 3, linked: false, filters: 96, kernel: 3, stride: 1),
        LayerShape(name: "192 → 96 @32", size: 32, channels: 96, linked: true, filters: 96, kernel: 3, stride: 1),
        LayerShape(name: "192 → 96 @32 /2", size: 32, channels: 96, linked: true, filters: 96, kernel: 3, stride: 2),
        LayerShape(name: "96 → 192 @16", size: 16, channels: 96, linked: false, filters: 192, kernel: 3, stride: 1),
        LayerShape(name: "384 → 192 @16", size: 16, channels: 192, linked: true, filters: 192, kernel: 3, stride: 1),
        LayerShape(name: "384 → 192 @16 /2", size: 16, channels: 192, linked: true, filters: 192, kernel: 3, stride: 2),
        LayerShape(name: "192 → 192 @8", size: 8, channels: 192, linked: false, filters: 192, kernel: 3, stride: 1),
        LayerShape(name: "384 → 192 @8 1×1", size: 8, channels: 192, linked: true, filters: 192, kernel: 1, stride: 1),
        LayerShape(name: "384 → 10 @8 1×1", size: 8, channels: 192, linked: true, filters: 10, kernel: 1, stride: 1),
        LayerShape(name: "8 → 4 @16 (depth)", size: 16, channels: 4, linked: true, filters: 4, kernel: 3, stride: 1),
    ]

    func run() throws {
        if let threads { ck_set_threads(Int32(threads)) }
        let threadCount = ck_threads()
        print("\(threadCount) threads, \(String(cString: ck_isa_name(ck_isa_current()))), batch \(batchSize)")
        print("layer                 peak   forward       backward-data  backward-weights   (GFLOP/s and share of the peak)")
        for layer in Self.layers {
            let (peak, passes) = try measure(layer, threads: threadCount)
            let cells = passes.map { String(format: "%6.1f %5.1f %%", $0, $0 / peak * 100) }
            print(
                layer.name.padding(toLength: 20, withPad: " ", startingAt: 0), String(format: "%6.1f ", peak),
                cells.joined(separator: "   "))
        }
    }

    /// The peak, and GFLOP/s of forward, backward-data and backward-weights: the best of rounds that measure all four in turn, because clocks and
    /// neighbours on a shared machine change from second to second.
    private func measure(_ layer: LayerShape, threads: Int32) throws -> (peak: Double, passes: [Double]) {
        let outputSize = (layer.size - 1) / layer.stride + 1
        let padding = max((outputSize - 1) * layer.stride + layer.kernel - layer.size, 0) / 2
        var convolution = ck_convolution()
        convolution.batch = Int64(batchSize)
        (convolution.height, convolution.width) = (Int64(layer.size), Int64(layer.size))
        (convolution.out_height, convolution.out_width) = (Int64(outputSize), Int64(outputSize))
        (convolution.channels, convolution.out_channels) = (Int64(layer.channels), Int64(layer.filters))
        (convolution.kernel_h, convolution.kernel_w) = (Int64(layer.kernel), Int64(layer.kernel))
        (convolution.stride_h, convolution.stride_w) = (Int64(layer.stride), Int64(layer.stride))
        (convolution.pad_top, convolution.pad_left) = (Int64(padding), Int64(padding))
        let members = layer.linked ? 2 : 1
        convolution.activation.member_count = Int32(members)
        let function = layer.linked ? CK_RELU : CK_IDENTITY
        convolution.activation.members.0 = ck_member(function: function, input_scale: 1, output_scale: 1, parameter: 0)
        convolution.activation.members.1 = ck_member(function: function, input_scale: -1, output_scale: 1, parameter: 0)
        if let reason = ck_convolution_check(&convolution) { throw ValidationError(String(cString: reason)) }

        let inputs = layer.channels * members
        let z = Floats(batchSize * layer.size * layer.size * layer.channels)
        let weights = Floats(layer.kernel * layer.kernel * inputs * layer.filters)
        let bias = Floats(layer.filters)
        let y = Floats(batchSize * outputSize * outputSize * layer.filters)
        let zGradient = Floats(z.count)
        let weightsGradient = Floats(weights.count)
        let biasGradient = Floats(bias.count)
        let scratchBytes = max(
            ck_convolution_scratch(&convolution, CK_FORWARD), ck_convolution_scratch(&convolution, CK_BACKWARD))
        let scratch = Floats(scratchBytes / 4 + 1)
        let operations = 2.0 * Double(y.count) * Double(layer.kernel * layer.kernel * inputs)
        let passes: [() -> Void] = [
            {
                ck_convolution_forward(
                    &convolution, z.pointer, nil, weights.pointer, bias.pointer, y.pointer, scratch.pointer)
            },
            {
                ck_convolution_backward(
                    &convolution, z.pointer, nil, weights.pointer, y.pointer, zGradient.pointer, false, nil, nil, nil,
                    scratch.pointer)
            },
            {
                ck_convolution_backward(
                    &convolution, z.pointer, nil, weights.pointer, y.pointer, nil, false, nil,
                    weightsGradient.pointer, biasGradient.pointer, scratch.pointer)
            },
        ]
        var peak = 0.0
        var best = [0.0, 0.0, 0.0]
        for pass in passes { pass() }
        for _ in 0..<repetitions {
            peak = max(peak, peak_gflops(threads, 0.02))
            for (index, pass) in passes.enumerated() {
                let start = ContinuousClock.now
                pass()
                let seconds = (ContinuousClock.now - start) / .seconds(1)
                best[index] = max(best[index], operations / seconds * 1e-9)
            }
        }
        return (peak, best)
    }
}

/// Aligned memory with numbers of −1 … 1 from a linear congruential generator.
private final class Floats {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int

    init(_ count: Int) {
        self.count = count
        let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
        pointer = raw.bindMemory(to: Float.self, capacity: count)
        var state: UInt32 = 1
        for index in 0..<count {
            state = state &* 1_664_525 &+ 1_013_904_223
            pointer[index] = Float(Int32(bitPattern: state)) / Float(Int32.max)
        }
    }

    deinit { pointer.deallocate() }
}
