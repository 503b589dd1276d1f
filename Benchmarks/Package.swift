// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Debian's libdnnl-dev. Without it the kernel benchmarks leave its column out.
let hasOneDNN = FileManager.default.fileExists(atPath: "/usr/include/oneapi/dnnl/dnnl.h")

// A package of its own, so that users of the library never resolve what only measuring needs.
let package = Package(
    name: "Benchmarks",
    dependencies: [
        .package(name: "linkednet", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // Without its traits it needs no library for counting allocations: the library's own tests do that.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(
            name: "CPeak", cSettings: [.unsafeFlags(["-O3", "-fopenmp"])], linkerSettings: [.linkedLibrary("omp5")]),
        .target(
            name: "COneDNN", cSettings: [.unsafeFlags(["-O3"])],
            linkerSettings: hasOneDNN ? [.linkedLibrary("dnnl")] : []),
        .target(
            name: "StepOptions",
            dependencies: [
                .product(name: "LinkedNet", package: "linkednet"),
                .product(name: "PaperNetworks", package: "linkednet"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .target(
            name: "ThreadSimulation",
            dependencies: [
                .product(name: "CKernels", package: "linkednet"), .product(name: "LinkedNet", package: "linkednet"),
            ]),
        .executableTarget(name: "step-time", dependencies: ["StepOptions", "ThreadSimulation"]),
        .executableTarget(name: "save-stall", dependencies: ["StepOptions"]),
        // The plugin finds benchmarks by their place: in a folder of a folder called Benchmarks.
        .executableTarget(
            name: "KernelBenchmarks",
            dependencies: [
                "CPeak", "COneDNN",
                .product(name: "CKernels", package: "linkednet"),
                .product(name: "LinkedNet", package: "linkednet"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "KernelBenchmarks",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
        .testTarget(
            name: "ThreadSimulationTests",
            dependencies: [
                "StepOptions", "ThreadSimulation", .product(name: "CKernels", package: "linkednet"),
                .product(name: "LinkedNet", package: "linkednet"),
                .product(name: "PaperNetworks", package: "linkednet"),
            ]
        ),
    ]
)
