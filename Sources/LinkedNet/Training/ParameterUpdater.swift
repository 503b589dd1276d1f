/// Applies the optimizer during a step. A large stretch of the parameters is updated as soon as the stretch's gradients
/// are complete, while gradients and weights are still in the cache. The rest is updated at the end.
///
/// The cut into stretches changes no result: an optimizer that isn't elementwise gets all parameters as one stretch.
final class ParameterUpdater {
    private struct Stretch {
        let range: Range<Int>
        let slots: [MutableElementView]
    }

    /// Below this number of elements (1 MiB), a call costs more than the cache saves.
    private static let leastElements = 1 << 18

    private let network: Network
    private let optimizer: any Optimizer
    /// From the end of the layout to the beginning; the last stretch waits for ``finish(gradientScale:)``.
    private let stretches: [Stretch]
    private var applied = 0
    private var step = 0, learningRate = 0.0

    /// - Parameters:
    ///   - slots: the optimizer's slots, each laid out as the parameters.
    ///   - early: false if computed gradients may still change, by clipping or by further passes.
    init(_ network: Network, optimizer: any Optimizer, slots: [UnsafeMutablePointer<Float>], early: Bool) {
        self.network = network
        self.optimizer = optimizer
        var starts: [Int] = []
        if early, optimizer.isElementwise {
            for start in network.plan.completeFrom[(network.plan.loss + 1)...]
            where (starts.last ?? network.parameterLayout.count) - start >= Self.leastElements {
                starts.append(start)
            }
        }
        if starts.last != 0 { starts.append(0) }
        stretches = zip(starts, [network.parameterLayout.count] + starts).map { start, end in
            Stretch(
                range: start..<end, slots: slots.map { MutableElementView(start: $0 + start, count: end - start) })
        }
    }

    /// Begins a step.
    func begin(step: Int, learningRate: Double) {
        self.step = step
        self.learningRate = learningRate
        applied = 0
    }

    /// Updates the stretches that may be updated before the step's end. The gradients of all elements from `start` on
    /// are complete.
    func update(completeFrom start: Int) {
        while applied < stretches.count - 1, stretches[applied].range.lowerBound >= start {
            updateNext(gradientScale: 1)
        }
    }

    /// Updates the rest: all gradients are complete.
    ///
    /// - Parameter gradientScale: the factor for the gradients; 1 without clipping.
    func finish(gradientScale: Float) {
        while applied < stretches.count { updateNext(gradientScale: gradientScale) }
    }

    private func updateNext(gradientScale: Float) {
        let range = stretches[applied].range
        network.stepBegins?(network.plan.steps.count)
        optimizer.update(
            ParameterUpdate(
                parameters: MutableElementView(
                    start: network.parameters.baseAddress.unsafelyUnwrapped + range.lowerBound, count: range.count),
                gradients: ElementView(
                    start: network.parameterGradients.baseAddress.unsafelyUnwrapped + range.lowerBound,
                    count: range.count),
                slots: stretches[applied].slots, step: step, learningRate: learningRate, gradientScale: gradientScale))
        applied += 1
    }
}
