import Foundation
import Testing

@testable import LinkedNet

/// After any fault of a save, the run has a whole checkpoint that can be loaded: the old checkpoint or the new one.
@Suite struct SaveFaultTests {
    /// A run with three saves on its disk, so that one more save also appends to the metrics, moves the pointer and
    /// removes an old checkpoint.
    private func run(seed: UInt64 = 0) throws -> SimulatedRun {
        let run = SimulatedRun(SimulatedDisk(seed: seed))
        try run.open()
        for _ in 0..<3 { try #require(run.save() == nil) }
        return run
    }

    @Test func theFilesOfASave() throws {
        let run = try run()
        try run.open()
        let count = run.disk.operationCount
        #expect(run.save() == nil)
        // Metrics: open, write, synchronise, close. Free space. Checkpoint: create, two writes, synchronise, close,
        // open, status, two reads, close, rename, synchronise the directory. Pointer: the same with one write and one
        // read. List, remove.
        #expect(run.disk.operationCount - count == 4 + 1 + 12 + 10 + 2)
        #expect(run.disk.openFileCount == 0)
        #expect(
            try run.disk.names(in: "run").sorted() == [
                "checkpoint-000000003.safetensors", "checkpoint-000000004.safetensors", "latest", "metrics.jsonl",
            ])
        #expect(run.disk.contents("run/latest") == Array("checkpoint-000000004.safetensors\n".utf8))
    }

    /// Fails every operation of a save in turn, up to the first number without an operation.
    @Test(arguments: SimulatedDisk.Fault.allCases, [false, true])
    func everyFault(fault: SimulatedDisk.Fault, forGood: Bool) throws {
        var index = 0
        for hasEffect in [false, true] {
            index = 0
            while true {
                let run = try run(seed: UInt64(index))
                run.disk.plan = .init(
                    index: run.disk.operationCount + index, fault: fault, forGood: forGood, hasEffect: hasEffect)
                let error = run.save()
                guard run.disk.hasFailed else { break }
                if !run.disk.hasCrashed {
                    if !hasEffect { #expect(run.disk.openFileCount == 0) }
                    if fault == .shortTransfer || (fault == .interruption && !forGood) { #expect(error == nil) }
                    // Training goes on, and saving works again as soon as the disk works.
                    run.disk.plan = .init()
                    if !forGood { #expect(try !run.disk.names(in: "run").contains { $0.hasSuffix(".tmp") }) }
                    // Another process meanwhile finds the old checkpoint or the new one.
                    let found = try run.find()
                    #expect(found == run.saved || error != nil && found == run.current)
                    if index % 2 == 0 { #expect(run.save() == nil) }
                }
                if index % 3 == 0 { run.disk.restart() } else { run.disk.cutPower() }
                // Throws unless the checkpoint is the last saved attempt, or a later attempt.
                try run.open()
                #expect(run.save() == nil)
                try run.open()
                #expect(run.current == run.saved)
                index += 1
            }
        }
        #expect(index >= 29)
    }

    /// Cuts the power at random moments of random lives. LINKEDNET_POWER_CUTS sets the number of cuts.
    @Test func powerCuts() throws {
        let environment = ProcessInfo.processInfo.environment
        let cuts = Int(environment["LINKEDNET_POWER_CUTS"] ?? "") ?? 2_000
        let seed = UInt64(environment["LINKEDNET_POWER_CUT_SEED"] ?? "") ?? 1
        let lives = try SimulatedRun.lives(cuts: cuts, seed: seed)
        #expect(lives.cuts >= cuts && lives.saves > cuts && lives.failures > 0 && lives.kills > 0)
        if environment["LINKEDNET_POWER_CUTS"] != nil { print("\(lives): nothing lost") }
    }

    /// Makes a run's directory, or a directory with a free name.
    private func directory(_ path: String?, on disk: SimulatedDisk) throws -> String {
        guard let path else { return try RunDirectory.create(base: "runs/base", on: disk) }
        try RunDirectory.begin(path, on: disk)
        return path
    }

    /// A process is killed at any moment while it makes the run's directory. Another process makes the directory and
    /// saves. The power fails. The directory is still there.
    @Test(arguments: ["run", "run/", "runs/one", "a/b/c", nil])
    func theDirectorysNameLasts(path: String?) throws {
        for seed in 0..<20 as Range<UInt64> {
            var index = 0
            while true {
                let disk = SimulatedDisk(seed: seed)
                disk.plan = .init(index: index, fault: .crashAfter)
                _ = try? directory(path, on: disk)
                let isLast = !disk.hasFailed
                disk.restart()
                let made = try directory(path, on: disk)
                let generations = Generations(made, on: disk)
                try withBorrowed([("weights", Tensor(shape: [1], elements: [1]))]) {
                    try generations.save($0, metadata: [:])
                }
                disk.cutPower()
                let found = try Generations(made, on: disk).open()
                #expect(found.damage.isEmpty)
                if isLast { break }
                index += 1
            }
            #expect(index >= 3)
        }
    }

    @Test func whatIsInTheWayOfADirectoryIsNamed() throws {
        let disk = SimulatedDisk()
        try disk.close(disk.create("file"))
        for path in ["file", "file/", "file/run", "file/a/b"] {
            let named = path.hasSuffix("/") ? path : "file"
            #expect(throws: CheckpointError.system(operation: .create, path: named, code: ENOTDIR)) {
                try RunDirectory.make(path, on: disk)
            }
        }
    }

    // MARK: Leftovers

    private func checkpoints(_ disk: SimulatedDisk) throws -> [String] {
        try disk.names(in: "run").filter { $0.hasPrefix("checkpoint") }.sorted()
    }

    /// The pointer can't be replaced in several saves. No save counts, but each save writes its file. Older files and
    /// temporary files are removed.
    @Test(arguments: [0, 1, 3]) func aPointerThatStaysPilesUpNothing(saved: Int) throws {
        let run = SimulatedRun(SimulatedDisk())
        try run.open()
        for _ in 0..<saved { try #require(run.save() == nil) }
        run.disk.fixedPaths = ["run/latest"]
        for attempt in 1...20 {
            guard case .system(.rename, "run/latest", EACCES) = run.save() else {
                Issue.record("the pointer was replaced")
                return
            }
            // Two whole checkpoints stay, and the checkpoint that the pointer names.
            let expected = Set([saved, saved + attempt - 1, saved + attempt].filter { $0 > 0 })
            #expect(try checkpoints(run.disk) == expected.sorted().map(Generations.name))
            #expect(try run.find() == run.current)
            let others = try run.disk.names(in: "run").filter { !$0.hasPrefix("checkpoint") }.sorted()
            #expect(others == (saved > 0 ? ["latest", "metrics.jsonl"] : ["metrics.jsonl"]))
        }
        // A power failure and another process lose no written checkpoint.
        run.disk.cutPower()
        #expect(try run.find() == run.current)
        try run.open()
        run.disk.fixedPaths = []
        #expect(run.save() == nil)
        #expect(try checkpoints(run.disk) == [saved + 20, saved + 21].map(Generations.name))
    }

    /// Half of the operations fail, removals included. No leftover stays as soon as the disk works again.
    @Test(arguments: [false, true], 0..<5 as Range<UInt64>)
    func nothingStaysOfFailedSaves(hasEffect: Bool, seed: UInt64) throws {
        let run = try run(seed: seed)
        var failures = 0
        for failuresPerThousand in [50, 200, 500] {
            run.disk.plan = .init(hasEffect: hasEffect, failuresPerThousand: failuresPerThousand)
            for _ in 0..<50 where run.save() != nil { failures += 1 }
            run.disk.plan = .init()
            #expect(run.save() == nil)
            #expect(try checkpoints(run.disk).count == 2)
            let others = try run.disk.names(in: "run").filter { !$0.hasPrefix("checkpoint") }.sorted()
            #expect(others == ["latest", "metrics.jsonl"])
            #expect(try run.find() == run.current)
        }
        #expect(failures > 50)
    }

    /// The last operation of writing a checkpoint fails. The checkpoint's file is in its place already, but is not
    /// durable.
    @Test func aFailedSavesFileIsRemoved() throws {
        let run = try run()
        let before = try run.disk.names(in: "run").sorted()
        // Metrics, free space, and the checkpoint's operations except the last: `theFilesOfASave`.
        run.disk.plan = .init(index: run.disk.operationCount + 4 + 1 + 11)
        guard case .system(.synchronizeDirectory, "run/", EIO) = run.save() else {
            Issue.record("another operation failed")
            return
        }
        #expect(try run.disk.names(in: "run").sorted() == before)
        #expect(try run.find() == run.saved)
    }

    // MARK: Damage

    @Test func aDamagedCheckpointIsAnnouncedAndTheOneBeforeUsed() throws {
        let path = "run/checkpoint-000000003.safetensors"
        let count = try #require(run().disk.contents(path)?.count)
        for offset in 0..<count {
            let disk = try run().disk
            disk.damage(path, at: offset)
            let (file, damage) = try Generations("run", on: disk).open()
            #expect(file.metadata["attempt"] == "2")
            #expect(damage.map(\.path) == [path])
        }
    }

    @Test func aCheckpointThatVanishedIsAnnounced() throws {
        let disk = try run().disk
        try disk.remove("run/checkpoint-000000003.safetensors")
        let (file, damage) = try Generations("run", on: disk).open()
        #expect(file.metadata["attempt"] == "2")
        #expect(damage == [.system(operation: .open, path: "run/checkpoint-000000003.safetensors", code: ENOENT)])
    }

    /// A damaged checkpoint doesn't count as one of the two whole checkpoints that stay.
    @Test func aDamagedCheckpointDoesNotCount() throws {
        let disk = try run().disk
        disk.damage("run/checkpoint-000000003.safetensors", at: 100)
        let generations = Generations("run", on: disk)
        _ = try generations.open()
        try withBorrowed([("weights", Tensor(shape: [1], elements: [1]))]) { try generations.save($0, metadata: [:]) }
        #expect(
            try disk.names(in: "run").filter { $0.hasPrefix("checkpoint") }.sorted() == [
                "checkpoint-000000002.safetensors", "checkpoint-000000004.safetensors",
            ])
    }

    @Test func whenAllAreDamagedTheNewestIsNamed() throws {
        let disk = try run().disk
        for number in 2...3 { disk.damage("run/checkpoint-00000000\(number).safetensors", at: 0) }
        let error = #expect(throws: CheckpointError.self) { try Generations("run", on: disk).open() }
        #expect(error?.path == "run/checkpoint-000000003.safetensors")
    }

    /// A checkpoint that can't be read now may be whole. Resuming from an older checkpoint would end in the removal of
    /// the newer one.
    @Test(arguments: [EACCES, EMFILE, ENFILE, ESTALE, EIO])
    func onlyDamageIsPassedOver(code: Int32) throws {
        let directory = try TemporaryDirectory()
        let generations = Generations(directory.path)
        for epoch in 1...2 {
            try withBorrowed([("weights", Tensor(shape: [1], elements: [1]))]) {
                try generations.save($0, metadata: ["epoch": "\(epoch)"])
            }
        }
        var (index, passedOver, failures) = (0, 0, 0)
        while true {
            let disk = FaultyDisk(.failure(index: index, code: code, forGood: false))
            do {
                let (file, damage) = try Generations(directory.path, on: disk).open()
                if file.metadata["epoch"] == "1" {
                    passedOver += 1
                    #expect(
                        damage == [
                            .system(operation: .read, path: "\(directory.path)/\(Generations.name(2))", code: code)
                        ])
                }
            } catch {
                failures += 1
                guard case .system(_, _, code) = error else {
                    Issue.record(error)
                    return
                }
            }
            guard disk.hasFailed else { break }
            index += 1
        }
        #expect(failures >= 3)
        #expect((passedOver > 0) == (code == EIO))
    }

    // MARK: Space and strangers

    /// Before training, the disk must have room for two complete checkpoints and for one that is being written, less
    /// the existing checkpoints.
    @Test(arguments: [(0, 3), (1, 2), (2, 1), (3, 1)])
    func theSpaceForARunIsAskedForFirst(saved: Int, times: Int) throws {
        let disk = SimulatedDisk()
        let generations = Generations("run", on: disk)
        try RunDirectory.make("run", on: disk)
        try withBorrowed([("weights", Tensor(shape: [1], elements: [1]))]) { tensors in
            for _ in 0..<saved { try generations.save(tensors, metadata: [:]) }
            try generations.requireSpace(for: tensors, metadata: [:])
            disk.freeBytes = 0
            guard
                case .space("run", let one, 0) = #expect(
                    throws: CheckpointError.self,
                    performing: {
                        try generations.save(tensors, metadata: [:])
                    })
            else { return }
            let needed = times * one
            disk.freeBytes = needed - 1
            #expect(throws: CheckpointError.space(path: "run", needed: needed, free: needed - 1)) {
                try generations.requireSpace(for: tensors, metadata: [:])
            }
            disk.freeBytes = needed
            try generations.requireSpace(for: tensors, metadata: [:])
        }
    }

    @Test func aFullDiskIsFoundBeforeWriting() throws {
        let run = try run()
        run.disk.freeBytes = 1000
        guard case .space("run", let needed, 1000) = run.save() else {
            Issue.record("saved on a full disk")
            return
        }
        #expect(needed > 1000)
        run.disk.freeBytes = .max
        #expect(run.save() == nil)
        #expect(try !run.disk.names(in: "run").contains { $0.hasSuffix(".tmp") })
    }

    @Test func anotherProcessesCheckpointIsNoticed() throws {
        let disk = try run().disk
        let (first, second) = (Generations("run", on: disk), Generations("run", on: disk))
        _ = (try first.open(), try second.open())
        try first.requireUnchanged()
        try withBorrowed([("weights", Tensor(shape: [1], elements: [1]))]) { try first.save($0, metadata: [:]) }
        try first.requireUnchanged()
        #expect(throws: CheckpointError.self) { try second.requireUnchanged() }
    }

    @Test(arguments: [
        ("checkpoint.safetensors", 0), ("checkpoint-000000001.safetensors", 1),
        ("checkpoint-123456789.safetensors", 123_456_789),
        ("checkpoint-1234567890.safetensors", 1_234_567_890),
        ("checkpoint-1000000000000000.safetensors", 1_000_000_000_000_000),
        ("checkpoint-9223372036854775806.safetensors", .max - 1),
    ])
    func namesAreNumbers(name: String, number: Int) {
        #expect(Generations.name(number) == name)
        #expect(Generations.number(name) == number)
    }

    /// The checkpoint after a high number is found. After the highest number, saving fails and loses nothing.
    @Test(arguments: [999_999_999_999_999, Int.max - 2])
    func highNumbersGoOn(number: Int) throws {
        let disk = SimulatedDisk()
        try RunDirectory.make("run", on: disk)
        try withBorrowed([("weights", Tensor(shape: [1], elements: [1]))]) { tensors in
            try Safetensors.writeChecked(
                tensors, metadata: ["save": "0"], to: "run/\(Generations.name(number))", on: disk)
            let generations = Generations("run", on: disk)
            _ = try generations.open()
            var last = 0
            for save in 1...3 where (try? generations.save(tensors, metadata: ["save": "\(save)"])) != nil {
                last = save
            }
            #expect(last == min(3, Generations.largestNumber - number))
            let (file, damage) = try Generations("run", on: disk).open()
            #expect(file.metadata["save"] == "\(last)")
            #expect(damage.isEmpty)
        }
    }

    @Test(arguments: [
        "checkpoint-1.safetensors", "checkpoint-000000000.safetensors", "checkpoint-000000001.safetensors.tmp",
        "checkpoint-.safetensors",
        "checkpoint-9223372036854775807.safetensors", "checkpoint--00000001.safetensors", "", "latest",
        "checkpoint-٠٠٠٠٠٠٠٠١.safetensors",
    ])
    func otherNamesAreNone(name: String) {
        #expect(Generations.number(name) == nil)
    }

    /// The file system can't synchronise directories, but a run is made, saved and found.
    @Test(arguments: [EINVAL, ENOSYS, ENOTSUP, EOPNOTSUPP])
    func aFileSystemThatCannotSynchronizeDirectories(code: Int32) throws {
        let disk = SimulatedDisk()
        disk.directoryCode = code
        #expect(try directory("a/b", on: disk) == "a/b")
        #expect(try directory(nil, on: disk) == "runs/base-1")
        let run = SimulatedRun(disk)
        try run.open()
        #expect(run.save() == nil)
        #expect(run.save() == nil)
        disk.restart()
        #expect(try run.find() == 2)
        // The run warns that a power failure may undo saves.
        let generations = Generations("run", on: disk)
        #expect(try generations.settle() == false)
        disk.directoryCode = nil
        #expect(try generations.settle())
    }

    /// A failing disk doesn't count as a file system without this ability.
    @Test(arguments: [EIO, ENOSPC, EACCES, EBADF])
    func otherFailuresOfSynchronizingDirectoriesStayErrors(code: Int32) throws {
        let disk = SimulatedDisk()
        try RunDirectory.make("run", on: disk)
        disk.directoryCode = code
        let expected = CheckpointError.system(operation: .synchronizeDirectory, path: "run", code: code)
        #expect(throws: expected) { try Generations("run", on: disk).settle() }
        let bytes = [UInt8](repeating: 1, count: 8)
        #expect(throws: CheckpointError.self) {
            try bytes.withUnsafeBytes { try DurableFile.replace("run/file", contents: [$0], on: disk) }
        }
        #expect(throws: CheckpointError.self) { try RunDirectory.make("run/more", on: disk) }
    }
}
