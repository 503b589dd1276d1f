public import ArgumentParser
public import LinkedNet

/// What is trained.
public struct StepOptions: ParsableArguments {
    @Option(help: "\(ModelName.options)")
    public var model: ModelName = .allCNN
    @Option(help: "As train's --activation.")
    public var activation: ModelActivation = .linkedReLU
    @Option(help: "Images in a step.")
    public var batchSize = 32

    public init() {}
}

extension ModelName: @retroactive ExpressibleByArgument {}
extension ModelActivation: @retroactive ExpressibleByArgument {}
