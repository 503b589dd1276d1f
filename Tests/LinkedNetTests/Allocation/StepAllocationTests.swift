import AllocationCounter
@testable import LinkedNet
import PaperNetworks
import Testing

/// A step of a warm network allocates no memory, because compiling plans all memory.
@Suite struct StepAllocationTests {
    /// The blocks that this thread allocates in some steps after the first two. The steps run on two threads, so that
    /// OpenMP's team, which allocates memory, too, never grows.
    private func allocationsOfWarmSteps(_ count: Int = 3, _ step: (Int) -> Void) -> UInt64 {
        Runtime.withThreadCount(2) {
            for index in 0..<2 { step(index) }
            let before = allocation_count()
            for index in 2..<2 + count { step(index) }
            return allocation_count() - before
        }
    }

    @Test func theCounterCounts() {
        guard allocations_are_counted() else { return }
        // The test frees the blocks by hand, so that the optimiser can't remove the allocations.
        var kept: [UnsafeMutableRawPointer] = []
        kept.reserveCapacity(10)
        let counted = allocationsOfWarmSteps(10) { index in
            if index >= 2 { kept.append(.allocate(byteCount: index, alignment: 1)) }
        }
        for block in kept { block.deallocate() }
        #expect(counted == 10)
    }

    @Test(arguments: ["lk-relu", "lk-prelu", "swish"])
    func aWarmPassAllocatesNothing(activation name: String) throws {
        let activation = try #require(ModelActivation(rawValue: name))
        let model = try Sequential {
            Conv2D(6, kernel: 3, padding: .same)
            try activation.layer()
            Residual {
                Conv2D(6 * (activation.isLinked ? 2 : 1), kernel: 3, padding: .same)
                BatchNorm()
            }
            MaxPool2D(2)
            Concat {
                Conv2D(4, kernel: 1)
                AveragePool2D(3, stride: 1, padding: .same)
            }
            Dropout(0.25)
            try activation.layer()
            Flatten()
            Dense(10)
        }
        let network = try Network(model, input: [8, 8, 3], batch: 4, seed: 1)
        let pixels = [Float](repeating: 0.5, count: 4 * 8 * 8 * 3)
        let labels: [Int32] = [0, 1, 2, 3]
        let optimizer = try Adam()
        let slots = try optimizer.slotNames.map { _ in try AlignedStorage<Float>(count: network.parameterLayout.count) }
        let slotViews = slots.map { MutableElementView($0.buffer) }
        let loss = SoftmaxCrossEntropy()

        func pass(_ step: Int) {
            try! network.forward(input: pixels.span, mode: .training(step: UInt64(step)))
            _ = labels.withUnsafeBufferPointer { labels in
                loss.evaluate(
                    output: network.output, labels: labels.baseAddress!, count: 4, classes: 10,
                    gradient: network.outputGradient)
            }
            try! network.backward(input: pixels.span, step: UInt64(step))
            optimizer.update(
                ParameterUpdate(
                    parameters: MutableElementView(network.parameters),
                    gradients: ElementView(UnsafeBufferPointer(network.parameterGradients)), slots: slotViews,
                    step: step, learningRate: 1e-3))
        }

        let counted = withExtendedLifetime(slots) { allocationsOfWarmSteps { pass($0) } }
        if allocations_are_counted() { #expect(counted == 0) }
        let stayedFinite = network.parameters.allSatisfy { $0.isFinite }
        #expect(stayedFinite)
    }

    /// The networks compute several layers as one operation, and batches have fewer samples than planned.
    private func expectWarmPassesAllocateNothing(_ network: Network, batch: Int) {
        let pixels = [Float](repeating: 0.5, count: batch * network.inputShape.elementCount)
        func pass(_ step: UInt64, count: Int) {
            let samples = pixels.span.extracting(first: count * network.inputShape.elementCount)
            try! network.forward(input: samples, mode: .training(step: step))
            network.outputGradient.update(repeating: 1, count: count * 10)
            try! network.backward(input: samples, step: step)
        }

        let counted = allocationsOfWarmSteps { pass(UInt64($0), count: $0 < 2 ? batch : batch - $0) }
        if allocations_are_counted() { #expect(counted == 0) }
        #expect(network.parameterGradients.contains { $0 != 0 })
    }

    @Test(arguments: [ModelActivation.linkedReLU, .linkedPReLU])
    func aWarmPassOfAChainAllocatesNothing(activation: ModelActivation) throws {
        let network = try Network(
            DepthNetwork(ModelOptions(activation: activation), depth: 3), input: [8, 8, 3], batch: 9)
        #expect(network.operations.count { $0.algorithm == "chain of 4" } == 4)
        expectWarmPassesAllocateNothing(network, batch: 9)
    }

    @Test func aWarmPassOfAFusedDenseLayerAllocatesNothing() throws {
        let network = try Network(WidthNetwork(units: 20), input: [8, 8, 3], batch: 16)
        #expect(network.operations[0].algorithm == "fused with dense")
        expectWarmPassesAllocateNothing(network, batch: 16)
    }

    /// The steps include a trainer's work: the schedule, clipping, the optimizer, the copy of the states.
    @Test(arguments: [
        LearningRateSchedule.allCNN, .warmUp(steps: 10, then: .cosine(epochs: 3)),
        .sequence([.init(fromEpoch: 0, schedule: .warmUp(steps: 10, then: .cosine(epochs: 3)))]),
    ])
    func aWarmStepOfATrainerAllocatesNothing(schedule: LearningRateSchedule) throws {
        let trainer = try Trainer(
            TinyTraining.network(), optimizer: RMSProp(), schedule: schedule, gradientClipNorm: 0.1)
        let pixels = [Float](repeating: 0.5, count: 8 * 36)
        let labels: [Int32] = [0, 1, 2, 0, 1, 2, 0, 1]
        var failure: (any Error)?
        func step() {
            do {
                try trainer.step(pixels: pixels.span, labels: labels.span, stepsPerEpoch: 5)
            } catch {
                failure = error
            }
        }

        let counted = allocationsOfWarmSteps(5) { _ in step() }
        #expect(failure == nil)
        #expect(trainer.position.step == 7)
        if allocations_are_counted() { #expect(counted == 0) }
    }
}
