import CKernels

/// Each network's optimizer on as many parameters as it has with mirrored ReLU.
func registerOptimizers() {
    let terms = ck_gradient_terms(gradient_scale: 1, weight_decay: 0)
    register("allcnn SGD-Nesterov", parameters: 2_237_962, operations: 6, slots: 1) { count, g, v, _, p in
        ck_sgd(count, terms, 1e-2, 0.9, true, g, v, p)
    }
    register("width400 SGD", parameters: 7_211_210, operations: 2, slots: 0) { count, g, _, _, p in
        ck_sgd(count, terms, 1e-2, 0, false, g, nil, p)
    }
    register("depth Adam", parameters: 35_682, operations: 11, slots: 2) { count, g, m, v, p in
        ck_adam(count, terms, 1e-3, 0.9, 0.999, 1e-8, g, m, v, p)
    }
    register("resnet50 Adam", parameters: 379_978, operations: 11, slots: 2) { count, g, m, v, p in
        ck_adam(count, terms, 1e-3, 0.9, 0.999, 1e-8, g, m, v, p)
    }
    register("extended RMSProp", parameters: 2_500_138, operations: 8, slots: 1) { count, g, v, _, p in
        ck_rmsprop(count, terms, 1e-4, 0.9, 1e-8, g, v, p)
    }
}

private typealias Update = (
    _ count: Int64, _ gradients: UnsafeMutablePointer<Float>, _ slot: UnsafeMutablePointer<Float>,
    _ otherSlot: UnsafeMutablePointer<Float>, _ parameters: UnsafeMutablePointer<Float>
) -> Void

private func register(
    _ name: String, parameters count: Int, operations: Int, slots: Int, update: @escaping Update
) {
    // Gradients are read; slots and parameters are read and written.
    let floats = count * (1 + 2 * slots + 2)
    KernelCall(name: "\(name), \(count) parameters", operations: Double(operations * count), floats: floats).register {
        let gradients = Floats(count), slot = Floats(count), otherSlot = Floats(count), parameters = Floats(count)
        // Means of squares aren't negative.
        for tensor in [slot, otherSlot] {
            for index in 0..<count { tensor.pointer[index] = abs(tensor.pointer[index]) }
        }
        return { update(Int64(count), gradients.pointer, slot.pointer, otherSlot.pointer, parameters.pointer) }
    }
}
