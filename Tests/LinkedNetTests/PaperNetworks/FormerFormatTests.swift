import Foundation
import LinkedNet
import PaperNetworks
import Testing

/// A run of a version before 0.1.0: settings among the library's texts, no best weights, no description of network and
/// data.
///
/// `train --model width:1 --data data --epochs 3 --batch-size 8` made the run, stopped after 5 steps and after 2 more.
@Suite struct FormerFormatTests {
    private let directory: TemporaryDirectory
    private var path: String { "\(directory.path)/run" }

    init() throws {
        directory = try TemporaryDirectory()
        let fixture = try #require(Bundle.module.url(forResource: "RunOfFormat2", withExtension: nil))
        try FileManager.default.copyItem(atPath: fixture.path, toPath: "\(directory.path)/run")
    }

    private static let digest = "97de9eb15c7f05d9dca16d47ece41590a2e6c96f06f1a5603fce375d642e5b4c"

    @Test func isOpened() throws {
        let saved = try SavedPaperRun(path)
        var options = RunOptions()
        (options.model, options.epochs, options.batchSize) = (.width(1), 3, 8)
        options.data = "/tmp/example/data"
        #expect(try saved.settings == options.settings())
        #expect(saved.record.graphDigest == nil && saved.record.libraryVersion == nil)
        #expect(saved.record.best.epoch == 0 && saved.record.best.value == 0)
        #expect(saved.record.imageShape == [4, 4, 1] && saved.record.classNames == IDX.digits)
        #expect(try SavedRun.digest(path) == Self.digest)
        #expect(WeightsDigest.sha256(of: saved.network.borrowedWeights) == Self.digest)
    }

    @Test func goesOn() throws {
        let run = try PaperRun(resuming: path)
        #expect(run.run.digest == Self.digest)
        #expect(run.run.trainer.position.step == 7 && run.run.trainer.position.epoch == 2)
        #expect(run.run.damage.isEmpty && run.run.metricsDamage == nil)
        let data = try run.data("\(path)/data")
        let result = try run.train(on: data)
        #expect(result.epochs.map(\.epoch) == [2])
        let lines = try String(contentsOfFile: "\(path)/metrics.jsonl", encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 3)
        // The run is now like any other run.
        let saved = try SavedPaperRun(path)
        #expect(saved.settings == run.settings && saved.record.graphDigest == saved.network.graphDigest)
        #expect(saved.record.pixelScaling == data.train.pixelScaling)
    }

    @Test func otherImagesAreRefusedByARunOfAnyModelToo() throws {
        let saved = try SavedPaperRun(path)
        let run = try Run(path, saved.settings.trainer(saved.network))
        let others = try TinyTraining.writeIDX(to: directory)
        let train = try IDX.train(in: others)
        let error = try #require(throws: RunMismatch.self) { try run.fit(train, epochs: 3) }
        #expect(error.differences.map(\.setting) == ["dataset"])
    }
}
