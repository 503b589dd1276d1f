import Benchmark
import CKernels
import CPeak

/// What the machine can do at best.
enum Roof {
    /// Memory of each thread that its L2 cache holds, and memory that no cache holds.
    private static let levels = [("L2", 512 << 10), ("DRAM", 128 << 20)]

    static func register() {
        Benchmark("roof FMA", configuration: configuration) { benchmark in
            benchmark.measurement(Metric.speed, Int(peak_gflops(ck_threads(), 0.05).rounded()))
        }
        for (name, bytes) in levels {
            Benchmark("roof \(name)", configuration: configuration) { benchmark in
                benchmark.measurement(Metric.bandwidth, Int(peak_bandwidth(ck_threads(), bytes, 0.05).rounded()))
            }
        }
    }

    private static var configuration: Benchmark.Configuration {
        var configuration = Metric.configuration
        configuration.metrics = [.wallClock, .throughput, Metric.speed, Metric.bandwidth]
        configuration.maxIterations = 5
        return configuration
    }
}
