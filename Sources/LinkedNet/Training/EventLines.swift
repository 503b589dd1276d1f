/// One JSON object in one line, with the members in the order of the calls.
struct JSONLine {
    private var members: [String] = []

    mutating func add(_ name: String, _ value: Int) { members.append("\"\(name)\":\(value)") }

    /// JSON has no NaN and no infinity: such numbers become `null`, like a missing number.
    mutating func add(_ name: String, _ value: Double?) {
        members.append("\"\(name)\":\(value.flatMap { $0.isFinite ? "\($0)" : nil } ?? "null")")
    }

    /// - Parameter value: plain text that needs no escaping.
    mutating func add(_ name: String, plain value: String) { members.append("\"\(name)\":\"\(value)\"") }

    var text: String { "{\(members.joined(separator: ","))}" }
}

extension StepEvent {
    /// `{"event":"step","step":…,"epoch":…,"loss":…,"accuracy":…}`: step and epoch counted from 1, loss and accuracy of
    /// this batch.
    public var jsonLine: String {
        var line = JSONLine()
        line.add("event", plain: "step")
        line.add("step", step)
        line.add("epoch", epoch + 1)
        line.add("loss", result.loss)
        line.add("accuracy", result.accuracy)
        return line.text
    }
}

extension EpochResult {
    /// An object with the keys `event` (`"epoch"`), `epoch`, `step`, `loss`, `accuracy`, `test_loss`, `test_accuracy`,
    /// `seconds`, `test_seconds` and `images_per_s`.
    ///
    /// The epoch is counted from 1. `seconds` and `images_per_s` are of training without the test. A figure that the
    /// epoch doesn't have is `null`.
    public var jsonLine: String {
        var line = JSONLine()
        line.add("event", plain: "epoch")
        line.add("epoch", epoch + 1)
        line.add("step", step)
        line.add("loss", training.loss)
        line.add("accuracy", training.accuracy)
        line.add("test_loss", test?.loss)
        line.add("test_accuracy", test?.accuracy)
        line.add("seconds", seconds)
        line.add("test_seconds", testSeconds)
        line.add("images_per_s", imagesPerSecond)
        return line.text
    }
}
