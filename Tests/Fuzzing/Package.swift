// swift-tools-version: 6.2
import PackageDescription

// A package of its own, because all its code and the library are compiled with a fuzzer's instrumentation. `run` has
// the command.
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
