import Benchmark
import CKernels
import CPeak

let benchmarks: @Sendable () -> Void = {
    Benchmark("peak", configuration: .init(metrics: [.throughput, .custom("GFLOP/s", polarity: .prefersLarger)], maxIterations: 3)) { benchmark in
        benchmark.measurement(.custom("GFLOP/s", polarity: .prefersLarger), Int(peak_gflops(2, 0.02)))
    }
}
