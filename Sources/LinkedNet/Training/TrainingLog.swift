public import Logging

/// Writes the events of training to a swift-log logger: epochs at level `info`, steps at `debug`, each number as
/// metadata.
public final class TrainingLog: TrainingObserver {
    private let logger: Logger
    private let stepInterval: Int

    /// - Parameters:
    ///   - logger: the logger that gets the messages.
    ///   - stepInterval: the number of steps from one logged step to the next logged step; at least 1.
    public init(_ logger: Logger, stepInterval: Int = 100) {
        self.logger = logger
        self.stepInterval = max(stepInterval, 1)
    }

    public func trainingBegan(_ event: TrainingBegin, _ trainer: Trainer) throws -> Directive {
        logger.info(
            "training began",
            metadata: [
                "epoch": "\(event.position.epoch + 1)", "epochs": "\(event.epochs)", "step": "\(event.position.step)",
                "batches_per_epoch": "\(event.batchesPerEpoch)",
            ])
        return .proceed
    }

    public func stepEnded(_ event: StepEvent, _ trainer: Trainer) throws -> Directive {
        guard event.step % stepInterval == 0 else { return .proceed }
        logger.debug(
            "step",
            metadata: [
                "step": "\(event.step)", "epoch": "\(event.epoch + 1)", "loss": "\(event.result.loss)",
                "accuracy": "\(event.result.accuracy)",
            ])
        return .proceed
    }

    public func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        var metadata: Logger.Metadata = [
            "epoch": "\(event.epoch + 1)", "step": "\(event.step)", "loss": "\(event.training.loss)",
            "accuracy": "\(event.training.accuracy)", "images_per_s": "\(event.imagesPerSecond)",
        ]
        if let test = event.test {
            metadata["test_loss"] = "\(test.loss)"
            metadata["test_accuracy"] = "\(test.accuracy)"
        }
        logger.info("epoch ended", metadata: metadata)
        return .proceed
    }

    public func savingChanged(_ event: SavingEvent, _ trainer: Trainer) throws {
        logger.log(
            level: event.error != nil ? .error : event.warning != nil ? .warning : .info, "\(event)",
            metadata: ["step": "\(event.step)", "saved_step": "\(event.savedStep)"])
    }

    public func trainingEnded(_ result: TrainingResult, _ trainer: Trainer) throws {
        logger.info("training ended", metadata: ["reason": "\(result.end)", "epochs": "\(result.epochs.count)"])
    }
}
