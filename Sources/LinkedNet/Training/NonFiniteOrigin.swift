/// Where NaN or infinite values first appear.
struct NonFiniteOrigin {
    let layer: String
    let cause: NonFiniteCause
}

extension Trainer {
    /// Finds what made the loss of a pass NaN or infinite, by repeating the pass. A training pass changes states; the
    /// caller restores them, and has taken the network.
    func firstNonFinite(
        pixels: UnsafePointer<Float>, count: Int, mode: Network.Mode
    ) -> NonFiniteOrigin {
        if Elementwise.firstNonFinite(count: count * network.inputShape.elementCount, pixels) != nil {
            return NonFiniteOrigin(layer: "input", cause: .output)
        }
        var found: Int?
        network.forward(
            input: pixels, count: count, mode: mode, in: network.passMemories[0]
        ) { operation, output in
            guard found == nil, let start = output.baseAddress else { return }
            if Elementwise.firstNonFinite(count: output.count, start) != nil { found = operation }
        }
        guard let found else { return NonFiniteOrigin(layer: "loss", cause: .output) }
        let layer = network.operations[found].name
        return firstNonFiniteWeight { $0.hasPrefix(layer + "/") } ?? NonFiniteOrigin(layer: layer, cause: .output)
    }

    /// Throws if a parameter or a state is NaN or infinite, which the last step's update then made so. One pass over
    /// all of them.
    ///
    /// - Throws: ``TrainingError/nonFinite(layer:cause:step:epoch:)``.
    func checkWeights() throws(TrainingError) {
        guard let origin = firstNonFiniteWeight(where: { _ in true }) else { return }
        // Between two epochs the position is already the next one's.
        let isBetweenEpochs = position.batch == 0 && position.epoch > 0
        throw .nonFinite(
            layer: origin.layer, cause: origin.cause, step: position.step,
            epoch: isBetweenEpochs ? position.epoch : position.epoch + 1)
    }

    /// The first parameter, or else the first state, that isn't finite.
    private func firstNonFiniteWeight(where isIncluded: (String) -> Bool) -> NonFiniteOrigin? {
        if let entry = firstNonFiniteEntry(of: network.parameters, network.parameterLayout, where: isIncluded) {
            return NonFiniteOrigin(layer: entry.layer, cause: .parameter(name: entry.name))
        }
        if let entry = firstNonFiniteEntry(of: network.states, network.stateLayout, where: isIncluded) {
            return NonFiniteOrigin(layer: entry.layer, cause: .state(name: entry.name))
        }
        return nil
    }

    /// The first parameter, from the network's end, whose gradient isn't finite: gradients flow backwards.
    func firstNonFiniteGradient() -> NonFiniteOrigin {
        let entry = firstNonFiniteEntry(of: network.parameterGradients, network.parameterLayout, fromEnd: true) { _ in
            true
        }
        return NonFiniteOrigin(layer: entry?.layer ?? "", cause: .gradient(name: entry?.name ?? ""))
    }

    private func firstNonFiniteEntry(
        of memory: UnsafeMutableBufferPointer<Float>, _ layout: ParameterLayout, fromEnd: Bool = false,
        where isIncluded: (String) -> Bool
    ) -> ParameterInfo? {
        let indices = Array(layout.entries.indices)
        for index in fromEnd ? indices.reversed() : indices where isIncluded(layout.entries[index].name) {
            let range = layout.range(of: index)
            guard let start = memory.baseAddress else { continue }
            if Elementwise.firstNonFinite(count: range.count, start + range.lowerBound) != nil {
                return layout.entries[index]
            }
        }
        return nil
    }
}
