import LinkedNet

extension RunSettings {
    /// A warning if the schedule ends before the run; otherwise `nil`.
    public var scheduleWarning: String? {
        guard let end = self.schedule.end, end.epoch < self.epochs else { return nil }
        let text = self.schedule.text ?? "\(self.schedule)"
        let rest = end.epoch + 1 == self.epochs ? "epoch \(self.epochs)" : "epochs \(end.epoch + 1) to \(self.epochs)"
        return end.factor == 0
            ? "the schedule \(text) ends with epoch \(end.epoch) at a learning rate of 0: \(rest) will change no weight"
            : "the schedule \(text) ends with epoch \(end.epoch): "
                + "\(rest) will have its final learning rate, \(self.learningRate * end.factor)"
    }

    /// Warnings about the settings that ask for more than the data has.
    public func warnings(about source: DataSource) -> [String] {
        let images = trainingImages(of: source).count
        var warnings: [String] = []
        func warn(_ option: String, _ wanted: Int?, _ count: Int, _ text: String) {
            guard let wanted, wanted > count else { return }
            warnings.append("\(option) \(wanted): \(text)")
        }
        warn(
            "--limit", self.limit, source.train.count,
            "there are \(source.train.count) training images, and all are used")
        warn(
            "--limit-test", self.testLimit, source.test.count,
            "there are \(source.test.count) test images, and all are used"
        )
        warn("--batch-size", self.batchSize, images, "an epoch is one step, with all \(images) images that there are")
        return warnings
    }

    /// A warning if a warm-up lasts longer than the run; otherwise `nil`.
    public func warmUpWarning(about source: DataSource) -> String? {
        guard case .warmUp(let warmUp, _) = self.schedule else { return nil }
        let perEpoch = max(trainingImages(of: source).count - 1, 0) / max(self.batchSize, 1) + 1
        let (steps, overflows) = self.epochs.multipliedReportingOverflow(by: perEpoch)
        guard !overflows, steps < warmUp else { return nil }
        return "the warm-up takes \(warmUp) steps, and the run has \(steps): the learning rate stays below "
            + "\(self.learningRate * Double(steps) / Double(warmUp))"
    }
}
