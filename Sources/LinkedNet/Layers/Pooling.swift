/// The largest element of each window of [height, width, channels].
///
/// The compiler fuses the activation before, if the activation has no learned slopes, and is piecewise linear or formed
/// once for each element.
public struct MaxPool2D: Layer {
    /// The window's size, its strides and padding.
    public var window: Window2D
    public var name: String?

    /// - Parameters:
    ///   - size: the window's height and width.
    ///   - stride: the step between windows; the window's size if not given.
    ///   - padding: the treatment of the edges.
    ///   - name: the name in paths; `nil` for a name from the type.
    public init(_ size: Int, stride: Int? = nil, padding: Padding = .valid, name: String? = nil) {
        window = .square(size, stride: stride ?? size, padding)
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let isFused = input.activation.map { MaxPoolOperation.suits($0, window) } ?? true
        let input = isFused ? input : try graph.materialized(input)
        let operation = try MaxPoolOperation(pooling: input, window: window, name: graph.currentName)
        return try graph.addFusing(operation, input: input, parameters: [], outputShape: operation.kernel.outputShape)
    }
}

/// The mean of each window of [height, width, channels]. Padding doesn't count towards the mean.
public struct AveragePool2D: Layer {
    /// The window's size, its strides and padding.
    public var window: Window2D
    public var name: String?

    /// - Parameters:
    ///   - size: the window's height and width.
    ///   - stride: the step between windows; the window's size if not given.
    ///   - padding: the treatment of the edges.
    ///   - name: the name in paths; `nil` for a name from the type.
    public init(_ size: Int, stride: Int? = nil, padding: Padding = .valid, name: String? = nil) {
        window = .square(size, stride: stride ?? size, padding)
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let kernel = try PoolingKernel(input, window, graph)
        return try graph.add(
            AveragePoolOperation(kernel: kernel, window: window), inputs: [input], outputShape: kernel.outputShape)
    }
}

/// The mean of each channel of [height, width, channels] over all positions.
public struct GlobalAveragePool2D: Layer {
    public var name: String?

    /// A layer that averages over all positions; it has no parameters.
    public init(name: String? = nil) {
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        try input.expectImage(for: graph.currentName)
        return try graph.add(
            GlobalAveragePoolOperation(positions: input.shape[0] * input.shape[1], channels: input.shape[2]),
            inputs: [input], outputShape: [input.shape[2]])
    }
}

extension Window2D {
    fileprivate static func square(_ size: Int, stride: Int, _ padding: Padding) -> Window2D {
        Window2D(height: size, width: size, strideHeight: stride, strideWidth: stride, padding: padding)
    }
}

extension PoolingKernel {
    fileprivate init(_ input: Value, _ window: Window2D, _ graph: GraphBuilder) throws(ShapeError) {
        try input.expectImage(for: graph.currentName)
        try self.init(
            height: input.shape[0], width: input.shape[1], channels: input.shape[2], window: window,
            subject: graph.currentName)
    }
}
