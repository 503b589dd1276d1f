// swift-tools-version: 6.2
import PackageDescription

// A package of its own: everything in it, the library too, is compiled with a fuzzer's instrumentation. `run` says how.
let package = Package(
    name: "Fuzzing",
    dependencies: [.package(name: "linkednet", path: "../..")],
    targets: [
        .target(name: "CLibFuzzer"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CLibFuzzer", .product(name: "LinkedNet", package: "linkednet"),
                .product(name: "PaperNetworks", package: "linkednet"),
            ]),
    ]
)
