import Testing

@testable import LinkedNet

@Suite struct CheckpointWriterTests {
    /// The writer works with a thread, and on a system that gives no thread.
    @Test(arguments: [true, false])
    func aSaveEnds(hasThread: Bool) throws {
        let disk = SimulatedDisk()
        try RunDirectory.make("run", on: disk)
        try withBorrowed([("weights", Tensor(shape: [2], elements: [1, 2]))]) { tensors in
            let writer = try CheckpointWriter(
                Generations("run", on: disk), metrics: LineFile("run/metrics.jsonl", isWritten: true, on: disk),
                tensors: tensors,
                startThread: { body in hasThread && BackgroundThread.start(body) })
            for number in 1...2 {
                writer.begin(
                    tensors,
                    .init(position: TrainingPosition(), metadata: ["number": "\(number)"], lines: ["\(number)"]))
                // Without a thread, waiting for a running save would last for ever.
                if !hasThread { try #require(!writer.isSaving) }
                writer.wait()
                let outcome = try #require(writer.takeOutcome())
                #expect(outcome.error == nil)
            }
        }
        #expect(try Generations("run", on: disk).open().file.metadata["number"] == "2")
        #expect(disk.contents("run/metrics.jsonl") == Array("1\n2\n".utf8))
    }
}
