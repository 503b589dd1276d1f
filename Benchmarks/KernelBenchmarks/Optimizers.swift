import CKernels

/// Each network's optimizer on as many parameters as it has with mirrored ReLU.
func registerOptimizers() {
    let nesterov = ck_sgd(learning_rate: 1e-2, momentum: 0.9, nesterov: true)
    register(
        "allcnn SGD-Nesterov", parameters: 2_237_962, operations: 6, slots: 1,
        rule: ck_update_rule(kind: CK_SGD, settings: ck_rule_settings(sgd: nesterov)))
    let plain = ck_sgd(learning_rate: 1e-2, momentum: 0, nesterov: false)
    register(
        "width400 SGD", parameters: 7_211_210, operations: 2, slots: 0,
        rule: ck_update_rule(kind: CK_SGD, settings: ck_rule_settings(sgd: plain)))
    let adam = ck_adam(step_size: 1e-3, first_share: 0.1, second_share: 0.001, epsilon: 1e-8)
    for (name, parameters) in [("depth", 35_682), ("resnet50", 379_978)] {
        register(
            "\(name) Adam", parameters: parameters, operations: 11, slots: 2,
            rule: ck_update_rule(kind: CK_ADAM, settings: ck_rule_settings(adam: adam)))
    }
    let rmsprop = ck_rmsprop(learning_rate: 1e-4, share: 0.1, epsilon: 1e-8)
    register(
        "extended RMSProp", parameters: 2_500_138, operations: 8, slots: 1,
        rule: ck_update_rule(kind: CK_RMSPROP, settings: ck_rule_settings(rmsprop: rmsprop)))
}

private func register(
    _ name: String, parameters count: Int, operations: Int, slots: Int, rule: ck_update_rule
) {
    let terms = ck_gradient_terms(gradient_scale: 1, weight_decay: 0)
    // Gradients are read; slots and parameters are read and written.
    let floats = count * (1 + 2 * slots + 2)
    KernelCall(name: "\(name), \(count) parameters", operations: Double(operations * count), floats: floats).register {
        let gradients = Floats(count), slot = Floats(count), otherSlot = Floats(count), parameters = Floats(count)
        // Means of squares aren't negative.
        for tensor in [slot, otherSlot] {
            for index in 0..<count { tensor.pointer[index] = abs(tensor.pointer[index]) }
        }
        let memory = ck_slots(
            first: slots > 0 ? slot.pointer : nil, second: slots > 1 ? otherSlot.pointer : nil)
        return { ck_update(Int64(count), terms, rule, gradients.pointer, memory, parameters.pointer) }
    }
}
