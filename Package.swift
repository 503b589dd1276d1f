// swift-tools-version: 6.2
import PackageDescription

// Kernels are compiled optimised in debug builds too, so that a bare `swift run` trains at full speed.
let kernelFlags = ["-O3", "-fopenmp", "-fno-math-errno", "-Wall", "-Wextra", "-Werror=pass-failed"]

let package = Package(
    name: "linkednet",
    products: [
        .library(name: "LinkedNet", targets: ["LinkedNet"]),
        // The networks of the paper, and what the commands know of them.
        .library(name: "PaperNetworks", targets: ["PaperNetworks"]),
        // Not public API: for this repository's own benchmarks.
        .library(name: "CKernels", targets: ["CKernels"]),
        .executable(name: "train", targets: ["train"]),
        .executable(name: "evaluate", targets: ["evaluate"]),
        .executable(name: "reproduce", targets: ["reproduce"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // For `swift package generate-documentation`. No target uses the plugin, so packages that import the library
        // don't resolve it.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .target(
            name: "CKernels",
            cSettings: [.headerSearchPath("."), .unsafeFlags(kernelFlags)],
            linkerSettings: [.linkedLibrary("omp5"), .linkedLibrary("m")]
        ),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "LinkedNet",
            dependencies: [
                "CKernels", "CCrypto", "CZlib",
                .product(name: "Logging", package: "swift-log"),
            ],
            // What a file imports stays its own business unless it says `public import`.
            swiftSettings: [.enableUpcomingFeature("InternalImportsByDefault")]
        ),
        // A client of the library like any other: its networks, settings and runs use the public interface.
        .target(name: "PaperNetworks", dependencies: ["LinkedNet"]),
        // The paper's tables: apart, so that who uses the library doesn't build them.
        .target(name: "Reproduction", dependencies: ["LinkedNet", "PaperNetworks"]),
        // What the commands share.
        .target(
            name: "CommandSupport",
            dependencies: [
                "LinkedNet", "PaperNetworks", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "train",
            dependencies: [
                "LinkedNet", "PaperNetworks", "CommandSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "reproduce",
            dependencies: [
                "LinkedNet", "PaperNetworks", "Reproduction", "CommandSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .executableTarget(
            name: "evaluate",
            dependencies: [
                "LinkedNet", "PaperNetworks", "CommandSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        // Optimised in debug builds too: the references these tests compare with are naive loops.
        .testTarget(name: "CKernelsTests", dependencies: ["CKernels"], swiftSettings: [.unsafeFlags(["-O"])]),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(
            name: "LinkedNetTests",
            dependencies: [
                "LinkedNet", "PaperNetworks", "AllocationCounter", .product(name: "Logging", package: "swift-log"),
            ],
            exclude: [
                "Checkpoints/generate_safetensors.py", "Golden/golden.py", "Golden/generate_torch.py",
                "Golden/generate_keras.py", "Parity/generate_torch_curve.py",
                "Parity/generate_torch_models.py", "Parity/parity.py",
            ],
            resources: [
                .copy("Golden/torch.safetensors"), .copy("Golden/keras.safetensors"),
                .copy("Parity/torch_curve.json"), .copy("Parity/torch_models.json"),
                .copy("PaperNetworks/RunOfFormat2"),
            ],
            // Optimised for the same reason: the reference network computes in naive loops.
            swiftSettings: [.unsafeFlags(["-O"])]
        ),
        .testTarget(name: "ReproductionTests", dependencies: ["Reproduction", "PaperNetworks", "LinkedNet"]),
        .testTarget(
            name: "CommandTests",
            dependencies: ["train", "evaluate", "reproduce", "CommandSupport", "PaperNetworks", "LinkedNet"]),
    ]
)
