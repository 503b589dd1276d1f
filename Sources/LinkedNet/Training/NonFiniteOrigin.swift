/// The place where NaN or infinite values first appear.
struct NonFiniteOrigin {
    let layer: String
    let cause: NonFiniteCause
}

extension NonFiniteOrigin {
    /// A parameter or a state that isn't finite.
    init(weight info: ParameterInfo) {
        self.init(
            layer: info.layer, cause: info.isTrainable ? .parameter(name: info.name) : .state(name: info.name))
    }
}

extension Trainer {
    /// Finds the origin of a pass's NaN or infinite loss, by repeating the pass. A training pass changes states. The
    /// caller restores the states, and has taken the network.
    func firstNonFinite(
        pixels: UnsafePointer<Float>, count: Int, mode: Network.Mode
    ) -> NonFiniteOrigin {
        if Elementwise.firstNonFinite(count: count * network.inputShape.elementCount, pixels) != nil {
            return NonFiniteOrigin(layer: "input", cause: .output)
        }
        var found: Int?
        network.forward(
            input: pixels, count: count, mode: mode, in: network.workspaces[0]
        ) { operation, output in
            guard found == nil, let start = output.baseAddress else { return }
            if Elementwise.firstNonFinite(count: output.count, start) != nil { found = operation }
        }
        guard let found else { return NonFiniteOrigin(layer: "loss", cause: .output) }
        let layer = network.operations[found].name
        let weight = network.firstNonFiniteWeight { $0.utf8.starts(with: (layer + "/").utf8) }
        return weight.map { NonFiniteOrigin(weight: $0) } ?? NonFiniteOrigin(layer: layer, cause: .output)
    }

    /// Throws if a parameter or a state is NaN or infinite. The check is one pass over all parameters and states.
    ///
    /// A step's loss is computed before the step's update, so a finite loss says nothing of the weights after the step.
    /// ``fit(_:test:epochs:batchSize:sampler:augmentation:seed:maxSteps:)`` calls this method after each epoch and at
    /// the end, and every save calls this method. A loop of your own calls this method after the last
    /// `step(pixels:labels:stepsPerEpoch:)`.
    ///
    /// - Throws: ``TrainingError/nonFinite(layer:cause:step:epoch:)``, which names the first parameter, or else the
    ///   first state, that isn't finite.
    public func checkWeights() throws(TrainingError) {
        guard let info = network.firstNonFiniteWeight() else { return }
        let origin = NonFiniteOrigin(weight: info)
        // Between two epochs the position already belongs to the next epoch.
        let isBetweenEpochs = position.batch == 0 && position.epoch > 0
        throw .nonFinite(
            layer: origin.layer, cause: origin.cause, step: position.step,
            epoch: isBetweenEpochs ? position.epoch : position.epoch + 1)
    }

    /// The first parameter, from the network's end, whose gradient isn't finite: gradients flow backwards.
    func firstNonFiniteGradient() -> NonFiniteOrigin {
        let layout = network.parameterLayout
        let index = layout.entries.indices.last { index in
            network.parameterGradients.hasNonFinite(in: layout.range(of: index))
        }
        let entry = index.map { layout.entries[$0] }
        return NonFiniteOrigin(layer: entry?.layer ?? "", cause: .gradient(name: entry?.name ?? ""))
    }
}

extension Network {
    /// The first parameter, or else the first state, that isn't finite.
    func firstNonFiniteWeight(where isIncluded: (String) -> Bool = { _ in true }) -> ParameterInfo? {
        for (layout, memory) in [(parameterLayout, parameters), (stateLayout, states)] {
            for (index, info) in layout.entries.enumerated()
            where isIncluded(info.name) && memory.hasNonFinite(in: layout.range(of: index)) {
                return info
            }
        }
        return nil
    }
}

extension UnsafeMutableBufferPointer<Float> {
    fileprivate func hasNonFinite(in range: Range<Int>) -> Bool {
        guard let baseAddress else { return false }
        return Elementwise.firstNonFinite(count: range.count, baseAddress + range.lowerBound) != nil
    }
}
