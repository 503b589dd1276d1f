extension RunSettings {
    /// Says that the schedule comes to its end before the run does; `nil` if it doesn't.
    public var scheduleWarning: String? {
        guard let end = schedule.end, end.epoch < epochs else { return nil }
        let text = schedule.text ?? "\(schedule)"
        let rest = end.epoch + 1 == epochs ? "epoch \(epochs)" : "epochs \(end.epoch + 1) to \(epochs)"
        return end.factor == 0
            ? "the schedule \(text) ends with epoch \(end.epoch) at a learning rate of 0: \(rest) will change no weight"
            : "the schedule \(text) ends with epoch \(end.epoch): "
                + "\(rest) will have its final learning rate, \(learningRate * end.factor)"
    }
}
