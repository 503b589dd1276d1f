import Benchmark
import CKernels
import CPeak

/// Every kernel on every layer shape of the paper's networks with mirrored ReLU, and the machine's roofs beside them.
let benchmarks: @Sendable () -> Void = {
    Roof.register()
    for shape in ConvolutionShape.all {
        shape.register()
        shape.registerPointwise()
        shape.registerOneDNN()
    }
    for shape in ChainShape.all { shape.register() }
    for shape in ConvolutionDenseShape.all { shape.register() }
    for shape in DenseShape.all { shape.register() }
    registerPooling()
    registerActivations()
    registerBatchNorms()
    registerOptimizers()
}

/// What one kernel does when it is called once.
struct KernelCall {
    /// Its name: kernel, shape, pass and algorithm.
    let name: String
    /// The operations of the direct algorithm: a multiplication and an addition count two.
    let operations: Double
    /// Floats that must be read or written at least once.
    let floats: Int

    /// - Parameter prepare: allocates memory for the kernel and gives the call.
    func register(_ prepare: @escaping () -> () -> Void) {
        let operations = operations
        let bytes = Double(floats) * 4
        Benchmark(name, configuration: Metric.configuration) { benchmark, call in
            let peak = peak_gflops(ck_threads(), 0.003)
            benchmark.startMeasurement()
            let start = ContinuousClock.now
            call()
            let nanoseconds = (ContinuousClock.now - start) / .nanoseconds(1)
            benchmark.stopMeasurement()
            benchmark.measurement(Metric.speed, Int((operations / nanoseconds).rounded()))
            benchmark.measurement(Metric.share, Int((operations / nanoseconds / peak * 100).rounded()))
            benchmark.measurement(Metric.bandwidth, Int((bytes / nanoseconds).rounded()))
            benchmark.measurement(Metric.operations, Int(operations))
            benchmark.measurement(Metric.bytes, Int(bytes))
        } setup: {
            prepare()
        }
    }
}

/// What is printed and exported for each kernel.
enum Metric {
    /// Effective: more than the peak is possible where an algorithm saves multiplications.
    static let speed = custom("GFLOP/s")
    /// Of the fused multiply-adds per second measured just before each call.
    static let share = custom("% of FMA peak")
    static let bandwidth = custom("GB/s")
    static let operations = custom("FLOP")
    static let bytes = custom("bytes")

    /// The formatters of files ask for a throughput.
    static var configuration: Benchmark.Configuration {
        Benchmark.Configuration(
            metrics: [.wallClock, .throughput, speed, share, bandwidth, operations, bytes], warmupIterations: 2,
            maxDuration: .milliseconds(500), maxIterations: 15)
    }

    private static func custom(_ name: String) -> BenchmarkMetric {
        .custom(name, polarity: .prefersLarger, useScalingFactor: false)
    }
}
