/// The largest element of each window of [height, width, channels].
///
/// The compiler fuses the activation before, if the activation has no learned slopes, and is piecewise linear or formed
/// once for each element.
public struct MaxPool2D: Layer {
    /// The window's size, its strides and padding.
    public var window: Window2D
    /// True if a last window may reach beyond the image and its padding, so that no row and no column is left out.
    public var ceilMode: Bool
    public var name: String?

    /// - Parameters:
    ///   - size: the window's height and width.
    ///   - stride: the step between windows; the window's size if not given.
    ///   - padding: the treatment of the edges.
    ///   - ceilMode: true if a last window may reach beyond the image and its padding, as in PyTorch.
    ///   - name: the name in paths; `nil` for a name from the type.
    public init(
        _ size: Int, stride: Int? = nil, padding: Padding = .valid, ceilMode: Bool = false, name: String? = nil
    ) {
        self.init(window: .square(size, stride: stride ?? size, padding), ceilMode: ceilMode, name: name)
    }

    /// A maximum over any window.
    public init(window: Window2D, ceilMode: Bool = false, name: String? = nil) {
        self.window = window
        self.ceilMode = ceilMode
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let isFused = input.activation.map { MaxPoolOperation.suits($0, window) } ?? true
        let input = isFused ? input : try graph.materialized(input)
        let operation = try MaxPoolOperation(
            pooling: input, window: window, ceilMode: ceilMode, name: graph.currentName)
        return try graph.addFusing(operation, input: input, parameters: [], outputShape: operation.kernel.outputShape)
    }
}

/// The mean of each window of [height, width, channels]. Padding doesn't count towards the mean, as in Keras, unless
/// asked for.
public struct AveragePool2D: Layer {
    /// The window's size, its strides and padding.
    public var window: Window2D
    /// True if a last window may reach beyond the image and its padding, so that no row and no column is left out.
    public var ceilMode: Bool
    /// True if the mean divides by the window's positions in the padding, too: PyTorch's `count_include_pad`.
    public var countsPadding: Bool
    public var name: String?

    /// - Parameters:
    ///   - size: the window's height and width.
    ///   - stride: the step between windows; the window's size if not given.
    ///   - padding: the treatment of the edges.
    ///   - ceilMode: true if a last window may reach beyond the image and its padding, as in PyTorch.
    ///   - countsPadding: true if zeros of the padding count towards the mean. Positions beyond the padding never do.
    ///   - name: the name in paths; `nil` for a name from the type.
    public init(
        _ size: Int, stride: Int? = nil, padding: Padding = .valid, ceilMode: Bool = false,
        countsPadding: Bool = false, name: String? = nil
    ) {
        self.init(
            window: .square(size, stride: stride ?? size, padding), ceilMode: ceilMode, countsPadding: countsPadding,
            name: name)
    }

    /// A mean over any window.
    public init(window: Window2D, ceilMode: Bool = false, countsPadding: Bool = false, name: String? = nil) {
        self.window = window
        self.ceilMode = ceilMode
        self.countsPadding = countsPadding
        self.name = name
    }

    public func build(_ input: Value, in graph: GraphBuilder) throws -> Value {
        let operation = try AveragePoolOperation(
            pooling: input, window: window, ceilMode: ceilMode, countsPadding: countsPadding, name: graph.currentName)
        return try graph.add(operation, inputs: [input], outputShape: operation.kernel.outputShape)
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
