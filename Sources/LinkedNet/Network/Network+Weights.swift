extension Network {
    /// Every parameter and state by name, parameters first, in the order in which the layers declared them.
    public var weightInfos: [ParameterInfo] { parameterLayout.entries + stateLayout.entries }

    /// Calls `body` with the elements of each parameter and state, in the order of ``weightInfos``.
    public func forEachWeight(_ body: (ParameterInfo, UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
        for (layout, memory) in [(parameterLayout, parameters), (stateLayout, states)] {
            for (index, info) in layout.entries.enumerated() {
                try body(info, UnsafeMutableBufferPointer(rebasing: memory[layout.range(of: index)]))
            }
        }
    }

    /// A copy of a parameter or state.
    ///
    /// - Throws: ``WeightError`` if no parameter or state has this name.
    public func weight(named name: String) throws -> Tensor {
        let (info, elements) = try find(name)
        return try Tensor(shape: info.shape, elements: Array(elements))
    }

    /// A copy of the gradient of a parameter after the last backward pass.
    ///
    /// - Throws: ``WeightError`` if no parameter has this name.
    public func gradient(named name: String) throws -> Tensor {
        guard let index = parameterLayout.index(of: name) else { throw WeightError.unknown(name: name) }
        return try Tensor(
            shape: parameterLayout.entries[index].shape,
            elements: Array(parameterGradients[parameterLayout.range(of: index)]))
    }

    /// Sets a parameter or state.
    ///
    /// - Throws: ``WeightError`` if no parameter or state has this name, or the shape differs.
    public func setWeight(named name: String, to tensor: Tensor) throws(WeightError) {
        let (info, elements) = try find(name)
        guard info.shape == tensor.shape else {
            throw .shape(name: name, expected: info.shape, found: tensor.shape)
        }
        _ = elements.update(fromContentsOf: tensor.elements)
    }

    private func find(_ name: String) throws(WeightError) -> (ParameterInfo, UnsafeMutableBufferPointer<Float>) {
        for (layout, memory) in [(parameterLayout, parameters), (stateLayout, states)] {
            if let index = layout.index(of: name) {
                return (layout.entries[index], UnsafeMutableBufferPointer(rebasing: memory[layout.range(of: index)]))
            }
        }
        throw .unknown(name: name)
    }

    /// The outputs for some samples, in evaluation mode.
    ///
    /// - Parameter input: [samples] + ``inputShape``; any number of samples.
    /// - Returns: [samples] + ``outputShape``.
    /// - Throws: ``ShapeError`` if the input's shape differs.
    public func predict(_ input: Tensor) throws(ShapeError) -> Tensor {
        guard input.shape.rank == inputShape.rank + 1,
            Array(input.shape.dimensions.dropFirst()) == inputShape.dimensions
        else {
            throw ShapeError(
                subject: "prediction", expected: "samples × \(inputShape)", found: input.shape.description)
        }
        let count = input.shape[0]
        var result = try Tensor(shape: Shape([count] + outputShape.dimensions))
        use.begin()
        defer { use.end() }
        let passes = InferenceMicroBatches(self), classes = outputShape.elementCount
        result.withUnsafeMutableElements { results in
            input.elements.withUnsafeBufferPointer { inputs in
                for start in stride(from: 0, to: count, by: passes.mostSamples) {
                    passes.run(
                        pixels: inputs.baseAddress.unsafelyUnwrapped + start * inputShape.elementCount,
                        count: min(passes.mostSamples, count - start))
                    for pass in 0..<passes.ranges.count {
                        let samples = passes.ranges[pass], first = (start + samples.lowerBound) * classes
                        let output = passes.output(of: pass)
                        for index in 0..<samples.count * classes { results[first + index] = output[index] }
                    }
                }
            }
        }
        return result
    }
}

/// A weight that a network doesn't have.
public enum WeightError: Error, Equatable, CustomStringConvertible {
    /// No parameter or state has this name.
    case unknown(name: String)
    /// The parameter or state has another shape.
    case shape(name: String, expected: Shape, found: Shape)

    public var description: String {
        switch self {
        case .unknown(let name): "weight \(name): expected a parameter or state of the network, found none of this name"
        case .shape(let name, let expected, let found): "weight \(name): expected shape \(expected), found \(found)"
        }
    }
}
