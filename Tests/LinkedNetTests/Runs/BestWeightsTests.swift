import Foundation
import Testing

@testable import LinkedNet

/// The saved best weights belong to the best score of the checkpoint that is found, after any fault.
@Suite struct BestWeightsTests {
    /// A run whose weights are the number of the epoch. Every epoch is the best so far.
    private final class Life {
        let disk: SimulatedDisk
        let trainer: Trainer
        let data: ImageDataset
        private let weights: BestWeights
        private let generations: Generations

        init(_ disk: SimulatedDisk) throws {
            self.disk = disk
            data = try TinyTraining.dataset(3)
            trainer = try Trainer(TinyTraining.network(), optimizer: SGD())
            generations = Generations("run", on: disk)
            if generations.exist {
                _ = try generations.open()
            } else {
                try RunDirectory.make("run", on: disk)
            }
            weights = try BestWeights(trainer.network.storedWeights)
        }

        /// Saves an epoch.
        func save(_ epoch: Int) throws {
            for index in trainer.network.parameters.indices { trainer.network.parameters[index] = Float(epoch) }
            var best = BestScore(.loss)
            let result = LossResult(lossSum: -Double(epoch), sampleCount: 1)
            best.consider(
                EpochResult(epoch: epoch, step: epoch, training: result, test: nil, seconds: 1, testSeconds: 0))
            let record = RunRecord(
                trainer: trainer, dataset: data, dataSettings: [:], best: best, computation: [], observerStates: [:],
                metadata: [:])
            let texts = try record.texts()
            weights.keep(trainer.network.storedWeights, epoch: epoch, texts: texts)
            try generations.save(trainer.network.storedWeights, metadata: texts, companion: weights.companion)
        }

        /// Finishes another process's save, as a training does.
        func recover() throws {
            let record = try RunRecord(Generations("run", on: disk).open().file)
            try BestWeights.recover(in: "run", best: record.best, on: disk)
        }
    }

    /// The epoch of the checkpoint that is found. Checks that the best weights are of the same epoch.
    private func check(_ disk: SimulatedDisk) throws -> Int {
        let record = try RunRecord(Generations("run", on: disk).open().file)
        let epoch = try #require(record.best.epoch)
        let path = try #require(BestWeights.find(in: "run", best: record.best, on: disk))
        let file = try SafetensorsFile(path, on: disk)
        for info in try TinyTraining.network().parameterLayout.entries {
            #expect(try file.tensor(named: info.name).elements.allSatisfy { $0 == Float(epoch) })
        }
        return epoch
    }

    /// A process is killed, or the power fails, at each moment of a save.
    @Test(arguments: [false, true])
    func theBestWeightsAreThoseOfTheBestScore(powerFails: Bool) throws {
        var found: Set<Int> = []
        for seed in 0..<4 as Range<UInt64> {
            var index = 0
            while true {
                let disk = SimulatedDisk(seed: seed)
                let first = try Life(disk)
                try first.save(1)
                disk.plan = .init(index: disk.operationCount + index, fault: .crashAfter)
                try? first.save(2)
                let isLast = !disk.hasFailed
                if powerFails { disk.cutPower() } else { disk.restart() }
                disk.plan = .init()
                let epoch = try check(disk)
                found.insert(epoch)
                // The next process repairs the directory.
                let next = try Life(disk)
                try next.recover()
                #expect(try check(disk) == epoch)
                let names = try disk.names(in: "run").filter { $0.hasPrefix("best") }
                #expect(names == ["best.safetensors"])
                try next.save(3)
                #expect(try check(disk) == 3)
                if isLast { break }
                index += 1
            }
        }
        #expect(found == [1, 2])
    }

    /// A file of an epoch whose score was never saved is removed.
    @Test func whatNoCheckpointKnowsIsRemoved() throws {
        let disk = SimulatedDisk()
        let life = try Life(disk)
        try life.save(1)
        let pending = try BestWeights(life.trainer.network.storedWeights)
        pending.keep(life.trainer.network.storedWeights, epoch: 7, texts: [:])
        var leftovers = Leftovers()
        let companion = pending.companion
        try companion.write("run/\(companion.draft)", disk, &leftovers)
        // A file of somebody else, and names that no epoch has.
        let strangers = [
            "best-by-hand.safetensors", "best-0.safetensors", "best-08.safetensors", "best-7.safetensors.txt",
        ]
        for name in strangers { try companion.write("run/\(name)", disk, &leftovers) }
        #expect(try check(disk) == 1)
        try life.recover()
        let names = try disk.names(in: "run").filter { $0.hasPrefix("best") }
        #expect(Set(names) == Set(["best.safetensors"] + strangers))
        #expect(try check(disk) == 1)
    }

    /// Another training of the same epoch, which no checkpoint knows, left a file.
    @Test func anotherScoreOfTheSameEpochDoesNotCount() throws {
        let disk = SimulatedDisk()
        let life = try Life(disk)
        try life.save(1)
        try life.save(2)
        var other = BestScore(.loss)
        other.consider(
            EpochResult(
                epoch: 2, step: 2, training: LossResult(lossSum: -9, sampleCount: 1), test: nil, seconds: 1,
                testSeconds: 0))
        let record = RunRecord(
            trainer: life.trainer, dataset: life.data, dataSettings: [:], best: other, computation: [],
            observerStates: [:], metadata: [:])
        life.trainer.network.parameters.update(repeating: 9)
        let pending = try BestWeights(life.trainer.network.storedWeights)
        pending.keep(life.trainer.network.storedWeights, epoch: 2, texts: try record.texts())
        var leftovers = Leftovers()
        try pending.companion.write("run/\(pending.companion.draft)", disk, &leftovers)
        #expect(try check(disk) == 2)
        try life.recover()
        #expect(try check(disk) == 2)
        #expect(try disk.names(in: "run").filter { $0.hasPrefix("best") } == ["best.safetensors"])
    }

    /// Saves that fail leave no more than one file of best weights besides `best.safetensors`.
    @Test(arguments: [["latest"], ["best.safetensors"], (2...7).map(Generations.name)])
    func nothingPilesUpWhileSavesFail(names: [String]) throws {
        let disk = SimulatedDisk()
        let life = try Life(disk)
        try life.save(1)
        disk.fixedPaths = Set(names.map { "run/\($0)" })
        for epoch in 2...6 {
            #expect(throws: CheckpointError.self) { try life.save(epoch) }
            let names = try disk.names(in: "run").filter { $0.hasPrefix("best") }
            #expect(names.count <= 2 && names.contains("best.safetensors"))
            // The weights of a checkpoint that is whole are there.
            _ = try check(disk)
        }
        disk.fixedPaths = []
        try life.save(7)
        #expect(try check(disk) == 7)
        let next = try Life(disk)
        try next.recover()
        #expect(try disk.names(in: "run").filter { $0.hasPrefix("best") } == ["best.safetensors"])
    }

    /// The file has the weights at the end of the best epoch, and the weights can be evaluated.
    @Test func theFileHasTheWeightsOfTheBestEpoch() throws {
        let directory = try TemporaryDirectory()
        let trainer = try Trainer(TinyTraining.network(), optimizer: SGD(learningRate: 0.3))
        let run = try Run("\(directory.path)/run", trainer)
        #expect(run.bestWeights == nil)
        let watch = DigestWatch()
        try run.fit(TinyTraining.dataset(40), test: TinyTraining.dataset(30, seed: 2), epochs: 8, observers: [watch])
        let epoch = try #require(run.best.epoch)
        let path = try #require(run.bestWeights)
        #expect(path == "\(directory.path)/run/best.safetensors")
        #expect(try SavedRun.digest(path) == watch.digests[epoch])
        #expect(try SavedRun(path).record.best == run.best)
        let names = try FileManager.default.contentsOfDirectory(atPath: run.directory).filter { $0.hasPrefix("best") }
        #expect(names == ["best.safetensors"])
    }
}

/// Remembers the digest of the weights after each epoch.
private final class DigestWatch: TrainingObserver {
    private(set) var digests: [String] = []

    func epochEnded(_ event: EpochResult, _ trainer: Trainer) throws -> Directive {
        digests.append(trainer.network.digest)
        return .proceed
    }
}
