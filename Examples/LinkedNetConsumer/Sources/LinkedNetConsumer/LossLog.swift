import LinkedNet

/// Prints each epoch's figures and keeps its loss.
final class LossLog: TrainingObserver {
    private(set) var losses: [Double] = []

    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        losses.append(event.training.loss)
        print("epoch \(event.epoch + 1): loss \(event.training.loss), accuracy \(event.training.accuracy)")
        return .proceed
    }
}
