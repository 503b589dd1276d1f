/// Where NaN or infinite values first appear.
struct NonFiniteOrigin {
    let layer: String
    let cause: NonFiniteCause
}

extension Trainer {
    /// Finds what made the loss of a training pass NaN or infinite, by repeating the pass. Changes states; the caller restores them.
    func firstNonFinite(pixels: UnsafePointer<Float>, count: Int, step: UInt64) -> NonFiniteOrigin {
        if Elementwise.firstNonFinite(count: count * network.inputShape.elementCount, pixels) != nil {
            return NonFiniteOrigin(layer: "input", cause: .output)
        }
        var found: Int?
        network.forward(input: pixels, count: count, mode: .training(step: step)) { operation, output in
            guard found == nil, let start = output.baseAddress else { return }
            if Elementwise.firstNonFinite(count: output.count, start) != nil { found = operation }
        }
        guard let found else { return NonFiniteOrigin(layer: "loss", cause: .output) }
        let layer = network.operations[found].name
        let parameter = firstNonFiniteEntry(of: network.parameters) { $0.hasPrefix(layer + "/") }
        return NonFiniteOrigin(layer: layer, cause: parameter.map { .parameter(name: $0) } ?? .output)
    }

    /// The first parameter, from the network's end, whose gradient isn't finite: gradients flow backwards.
    func firstNonFiniteGradient() -> NonFiniteOrigin {
        let name = firstNonFiniteEntry(of: network.parameterGradients, fromEnd: true) { _ in true } ?? ""
        let layer = name.split(separator: "/").dropLast().joined(separator: "/")
        return NonFiniteOrigin(layer: layer, cause: .gradient(name: name))
    }

    private func firstNonFiniteEntry(
        of memory: UnsafeMutableBufferPointer<Float>, fromEnd: Bool = false, where isIncluded: (String) -> Bool
    ) -> String? {
        let layout = network.parameterLayout
        let indices = Array(layout.entries.indices)
        for index in fromEnd ? indices.reversed() : indices where isIncluded(layout.entries[index].name) {
            let range = layout.range(of: index)
            guard let start = memory.baseAddress else { continue }
            if Elementwise.firstNonFinite(count: range.count, start + range.lowerBound) != nil {
                return layout.entries[index].name
            }
        }
        return nil
    }
}
