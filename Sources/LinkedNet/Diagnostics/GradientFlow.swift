extension Network {
    /// The paths of the layers that have parameters, in the order in which the layers declared the parameters.
    public var parameterLayers: [String] {
        parameterLayout.entries.reduce(into: []) { layers, entry in
            if !layers.contains(entry.layer) { layers.append(entry.layer) }
        }
    }

    /// The Euclidean norm of the last backward pass's gradients of each of ``parameterLayers``: a measure of the
    /// gradient that reaches a layer.
    public func gradientNorms() -> [Double] {
        var squares: [String: Double] = [:]
        for (index, entry) in parameterLayout.entries.enumerated() {
            let gradient = parameterGradients[parameterLayout.range(of: index)]
            squares[entry.layer, default: 0] += gradient.reduce(0) { $0 + Double($1) * Double($1) }
        }
        return parameterLayers.map { squares[$0, default: 0].squareRoot() }
    }
}
