public import ArgumentParser
public import PaperNetworks

/// What is trained.
public struct StepOptions: ParsableArguments {
    @Option(help: "\(ModelName.options)")
    public var model: ModelName = .allCNN
    @Option(help: "As train's --activation.")
    public var activation: ModelActivation = .linkedReLU
    @Option(help: "Images in a step.")
    public var batchSize = 32

    public init() {}

    public func validate() throws {
        // Random images of a batch are made in memory.
        guard (1...65_536).contains(batchSize) else {
            throw ValidationError("--batch-size: expected 1 to 65536, found \(batchSize)")
        }
    }
}

extension ModelName: @retroactive ExpressibleByArgument {}
extension ModelActivation: @retroactive ExpressibleByArgument {}
