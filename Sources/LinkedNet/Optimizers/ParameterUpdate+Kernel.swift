import CKernels

extension ParameterUpdate {
    /// Makes the update by a rule of the kernels. The rule's slots are the optimizer's slots, in the same order.
    ///
    /// - Parameters:
    ///   - kind: the rule; `ck_optimizer.h` has the formulas.
    ///   - settings: the settings of this rule.
    ///   - slotCount: the number of the rule's slots.
    ///   - weightDecay: the factor of the parameter that is added to its gradient.
    func apply(_ kind: ck_rule_kind, _ settings: ck_rule_settings, slotCount: Int, weightDecay: Double) {
        precondition(slots.count == slotCount, "as many slots as the optimizer has names")
        // Every step runs this code, and `slots.first` allocates in unoptimised builds.
        let first = slots.count > 0 ? slots[0].start : nil
        let second = slots.count > 1 ? slots[1].start : nil
        ck_update(
            Int64(count), ck_gradient_terms(gradient_scale: gradientScale, weight_decay: Float(weightDecay)),
            ck_update_rule(kind: kind, settings: settings), gradients.start,
            ck_slots(first: first, second: second), parameters.start)
    }
}
