import CKernels

private let batch = ConvolutionShape.batch

/// The extended network's max-poolings, which form the linked ReLU, and AllCNN's global average.
func registerPooling() {
    for (size, channels) in [(30, 32), (13, 64)] { registerMaxPooling(size: size, channels: channels) }
    registerGlobalAverage(positions: 64, channels: 10)
}

private func registerMaxPooling(size: Int, channels: Int) {
    let outputSize = size / 2, kind = ActivationKind.linked
    var pooling = ck_pooling()
    pooling.batch = Int64(batch)
    (pooling.height, pooling.width, pooling.channels) = (Int64(size), Int64(size), Int64(channels))
    (pooling.out_height, pooling.out_width) = (Int64(outputSize), Int64(outputSize))
    (pooling.window_h, pooling.window_w, pooling.stride_h, pooling.stride_w) = (2, 2, 2, 2)
    let descriptor = pooling
    let inputs = batch * size * size * channels, outputs = batch * outputSize * outputSize * channels * kind.members
    let name = "extended max-pool linked \(channels) @\(size)"
    // The place of a maximum takes a byte.
    let floats = inputs + outputs + outputs / 4
    KernelCall(name: "\(name) forward", operations: Double(inputs * kind.members), floats: floats).register {
        var descriptor = descriptor
        var activation = kind.descriptor
        let z = Floats(inputs), y = Floats(outputs), places = Floats(bytes: outputs)
        return { ck_max_pool_forward(&descriptor, &activation, z.pointer, y.pointer, places.bytes) }
    }
    KernelCall(name: "\(name) backward", operations: Double(inputs * kind.members), floats: floats + inputs).register {
        var descriptor = descriptor
        var activation = kind.descriptor
        let z = Floats(inputs), y = Floats(outputs), dz = Floats(inputs), places = Floats(bytes: outputs)
        ck_max_pool_forward(&descriptor, &activation, z.pointer, y.pointer, places.bytes)
        return {
            ck_max_pool_backward(&descriptor, &activation, places.bytes, z.pointer, y.pointer, dz.pointer, false)
        }
    }
}

private func registerGlobalAverage(positions: Int, channels: Int) {
    let inputs = batch * positions * channels, outputs = batch * channels
    let name = "allcnn global-average \(channels) @\(positions)"
    KernelCall(name: "\(name) forward", operations: Double(inputs), floats: inputs + outputs).register {
        let x = Floats(inputs), y = Floats(outputs)
        return {
            ck_global_average_pool_forward(Int64(batch), Int64(positions), Int64(channels), x.pointer, y.pointer)
        }
    }
    KernelCall(name: "\(name) backward", operations: Double(inputs), floats: inputs + outputs).register {
        let dx = Floats(inputs), dy = Floats(outputs)
        return {
            ck_global_average_pool_backward(
                Int64(batch), Int64(positions), Int64(channels), dy.pointer, dx.pointer, false)
        }
    }
}
