import CKernels

/// A dense layer of one of the networks, at batch 32.
struct DenseShape {
    let network: String
    let positions, channels: Int
    let activation: ActivationKind
    let units: Int

    static let all = [
        DenseShape(network: "depth", positions: 256, channels: 4, activation: .linked, units: 10),
        DenseShape(network: "width50", positions: 900, channels: 50, activation: .linked, units: 10),
        DenseShape(network: "width400", positions: 900, channels: 400, activation: .linked, units: 10),
        DenseShape(network: "extended", positions: 36, channels: 128, activation: .none, units: 512),
        DenseShape(network: "extended", positions: 1, channels: 512, activation: .linked, units: 10),
        DenseShape(network: "resnet50", positions: 16, channels: 128, activation: .relu, units: 10),
    ]

    private var batch: Int { ConvolutionShape.batch }
    private var inputs: Int { positions * channels * activation.members }
    private var zCount: Int { batch * positions * channels }
    private var weightCount: Int { inputs * units }
    private var yCount: Int { batch * units }
    private var descriptor: ck_dense {
        ck_dense(
            batch: Int64(batch), positions: Int64(positions), channels: Int64(channels), out_features: Int64(units),
            activation: activation.descriptor)
    }

    func register() {
        let name = "\(network) dense \(inputs)→\(units)"
        let operations = 2 * Double(batch * inputs * units)
        KernelCall(name: "\(name) forward", operations: operations, floats: zCount + weightCount + yCount).register {
            forward()
        }
        KernelCall(
            name: "\(name) backward", operations: 2 * operations, floats: 2 * zCount + 2 * weightCount + yCount
        ).register { backward() }
    }

    private func forward() -> () -> Void {
        var descriptor = descriptor
        let z = Floats(zCount), weights = Floats(weightCount), bias = Floats(units), y = Floats(yCount)
        let scratch = Floats(bytes: ck_dense_scratch(&descriptor, CK_FORWARD))
        return {
            ck_dense_forward(&descriptor, z.pointer, nil, weights.pointer, bias.pointer, y.pointer, scratch.pointer)
        }
    }

    private func backward() -> () -> Void {
        var descriptor = descriptor
        let z = Floats(zCount), weights = Floats(weightCount), dy = Floats(yCount)
        let dz = Floats(zCount), dweights = Floats(weightCount), dbias = Floats(units)
        let scratch = Floats(bytes: ck_dense_scratch(&descriptor, CK_BACKWARD))
        return {
            ck_dense_backward(
                &descriptor, z.pointer, nil, weights.pointer, dy.pointer, dz.pointer, false, nil, dweights.pointer,
                dbias.pointer, scratch.pointer)
        }
    }
}
