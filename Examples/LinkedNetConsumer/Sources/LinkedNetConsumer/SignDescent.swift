import LinkedNet

/// An optimizer that LinkedNet doesn't have: every weight goes a step of the same length, against the sign of a moving
/// mean of its gradients.
///
/// Its stored properties are its settings in a saved run; nothing more is to be done for that.
struct SignDescent: Optimizer {
    var learningRate = 1e-3
    var memory: Float = 0.9

    var decay: Double { 0 }
    var slotNames: [String] { ["mean"] }

    func update(_ update: ParameterUpdate) {
        let length = Float(update.learningRate)
        for index in 0..<update.count {
            let gradient = update.gradients[index] * update.gradientScale
            let mean = memory * update.slots[0][index] + (1 - memory) * gradient
            update.slots[0][index] = mean
            update.parameters[index] -= mean > 0 ? length : mean < 0 ? -length : 0
        }
    }
}
