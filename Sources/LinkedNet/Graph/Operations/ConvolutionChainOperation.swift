/// Consecutive convolutions of few channels, computed as one chain. Parameters: the parameters of all convolutions, in
/// order.
struct ConvolutionChainOperation: NodeOperation {
    private let kernel: ConvolutionChainKernel
    private let layers: [ComputedLayer]
    /// The number of elements of the largest output in between, of one sample.
    private let largestOutput: Int

    /// - Parameters:
    ///   - layers: the convolutions, in order.
    ///   - largestOutput: the number of elements of the largest output in between, of one sample.
    init(kernel: ConvolutionChainKernel, layers: [ComputedLayer], largestOutput: Int) {
        self.kernel = kernel
        self.layers = layers.map { layer in
            var layer = layer
            layer.algorithm = "chain of \(layers.count)"
            return layer
        }
        self.largestOutput = largestOutput
    }

    var label: String { "Conv2D chain" }
    var isSamplewise: Bool { true }

    func layers(of node: Graph.Node) -> [ComputedLayer] { layers }

    func scratchBytes(batch: Int) -> Int {
        max(kernel.scratchBytes(batch: batch), batch * largestOutput * MemoryLayout<Float>.stride)
    }

    /// The role of the saved inputs of the layers, for the backward pass.
    private static let saved = "saved"

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let z = step.readInput(), parameters = step.readParameters(), y = step.writeOutput()
            let saved: Writable<UInt8> = step.writeSaved(Self.saved, bytes: kernel.savedBytes(batch: step.batch))
            step.show = { [kernel] layer, call, body in
                guard layer < kernel.layerCount - 1 else { return body(call[y]) }
                let copy = call.scratch.assumingMemoryBound(to: Float.self)
                kernel.copyOutput(ofLayer: layer, batch: call.batch, saved: call[saved], to: copy)
                body(copy)
            }
            return { [kernel] call in
                kernel.forward(
                    batch: call.batch, z: call[z], parameters: call[parameters], y: call[y], saved: call[saved],
                    scratch: call.scratch)
            }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            let parameters = step.readParameters(), yGradient = step.readOutputGradient()
            let saved: Readable<UInt8> = step.readSaved(Self.saved)
            let zGradient = step.writeInputGradient(), gradients = step.writeParameterGradients()
            return { [kernel] call in
                kernel.backward(
                    batch: call.batch, parameters: call[parameters], yGradient: call[yGradient], saved: call[saved],
                    zGradient: call[ifAny: zGradient], accumulate: zGradient.accumulates, gradients: call[gradients],
                    scratch: call.scratch)
            }
        }
    }
}
