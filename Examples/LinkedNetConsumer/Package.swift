// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "LinkedNetConsumer",
    dependencies: [
        .package(url: "https://github.com/linkednet/linkednet", from: "0.1.0")
    ],
    targets: [
        .executableTarget(
            name: "LinkedNetConsumer",
            dependencies: [.product(name: "LinkedNet", package: "linkednet")]
        )
    ]
)
