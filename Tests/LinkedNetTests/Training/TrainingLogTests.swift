import LinkedNet
import Logging
import Synchronization
import Testing

@Suite struct TrainingLogTests {
    @Test func epochsAndEveryThirdStepAreLogged() throws {
        let handler = MemoryLog()
        let logger = Logger(label: "training", factory: { _ in handler })
        let trainer = try Trainer(
            TinyTraining.network(), optimizer: SGD(), observers: [TrainingLog(logger, stepInterval: 3)])
        try trainer.fit(TinyTraining.dataset(32), test: TinyTraining.dataset(6), epochs: 2)

        let messages = handler.messages
        #expect(
            messages.map(\.text) == ["training began", "step", "epoch ended", "step", "epoch ended", "training ended"])
        #expect(messages.map(\.level) == [.info, .debug, .info, .debug, .info, .info])
        #expect(messages[1].metadata["step"] == "3")
        #expect(messages[4].metadata["epoch"] == "2")
        #expect(messages[4].metadata.keys.contains("test_accuracy"))
        #expect(messages[5].metadata["reason"] == "completed")
    }
}

/// A log handler that records messages.
private final class MemoryLog: LogHandler {
    struct Message: Sendable {
        let level: Logger.Level
        let text: String
        let metadata: [String: String]
    }

    private let stored = Mutex<[Message]>([])
    var messages: [Message] { stored.withLock { $0 } }

    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let values = (event.metadata ?? [:]).mapValues { "\($0)" }
        stored.withLock { $0.append(Message(level: event.level, text: "\(event.message)", metadata: values)) }
    }
}
