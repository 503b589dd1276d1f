#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The weights of a run's best epoch on their way to `best.safetensors`.
///
/// The file and the best score of the checkpoint must agree wherever a process is killed. The weights are written to a
/// file that names the epoch. The checkpoint with the score follows. Then the file is renamed to `best.safetensors`. A
/// file that still names an epoch counts only if the checkpoint has the score of this epoch.
///
/// Why `@unchecked Sendable` holds: the trainer's thread changes the object only while no save reads the best weights;
/// ``CheckpointWriter`` makes the trainer's thread wait. The saving thread reads the object during a save.
final class BestWeights: @unchecked Sendable {
    /// The file of the best weights in a run's directory.
    static let fileName = "best.safetensors"

    private let memory: AlignedStorage<Float>
    private let copies: [BorrowedTensor]
    /// The epoch of the kept weights, counted from 0.
    private(set) var epoch = 0
    private var texts: [String: String] = [:]

    /// - Parameter tensors: tensors with the names and shapes of the weights that will be kept.
    /// - Throws: ``OutOfMemory`` if the system has no memory for a copy.
    init(_ tensors: [BorrowedTensor]) throws {
        memory = try AlignedStorage(count: tensors.reduce(0) { $0 + $1.elements.count })
        copies = BorrowedTensor.places(for: tensors, in: memory)
    }

    /// Keeps a copy of the weights of an epoch.
    func keep(_ tensors: [BorrowedTensor], epoch: Int, texts: [String: String]) {
        BorrowedTensor.copy(tensors, to: copies)
        (self.epoch, self.texts) = (epoch, texts)
    }

    /// The file of the copy, for the checkpoint with its score.
    var companion: Generations.Companion {
        Generations.Companion(draft: Self.name(epoch), name: Self.fileName) {
            [copies, texts] path, disk, leftovers throws(CheckpointError) in
            try Safetensors.writeChecked(copies, metadata: texts, to: path, on: disk, leftovers: &leftovers)
        }
    }

    // MARK: Files

    private static let prefix = "best-", suffix = ".safetensors"

    private static func name(_ epoch: Int) -> String { "\(prefix)\(epoch + 1)\(suffix)" }

    /// The epoch that a file's name tells; `nil` for any other file.
    private static func epoch(_ name: String) -> Int? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix),
            let number = Int(name.dropFirst(prefix.count).dropLast(suffix.count)), number >= 1,
            Self.name(number - 1) == name
        else { return nil }
        return number - 1
    }

    /// Finishes the work of a killed process: renames the file of the checkpoint's best epoch to `best.safetensors`,
    /// and removes all other files that name an epoch, for example an epoch whose score was never saved. The caller has
    /// locked the run.
    static func recover(in directory: String, best: BestScore, on disk: any Disk) throws(CheckpointError) {
        let names = try disk.attempt(.list, directory) { () throws(DiskError) in try disk.names(in: directory) }
        for name in names {
            guard let epoch = Self.epoch(name) else { continue }
            if epoch == best.epoch, holds(best, "\(directory)/\(name)", on: disk) {
                try disk.settle(name, as: fileName, in: directory)
            } else {
                // A file that can't be removed does no harm.
                try? disk.remove("\(directory)/\(name)")
            }
        }
    }

    /// The file with the weights of the best epoch; `nil` if there is no such file or the file isn't whole.
    static func find(in directory: String, best: BestScore, on disk: any Disk = SystemDisk()) -> String? {
        guard let epoch = best.epoch else { return nil }
        return [name(epoch), fileName].map { "\(directory)/\($0)" }.first { holds(best, $0, on: disk) }
    }

    private static func holds(_ best: BestScore, _ path: String, on disk: any Disk) -> Bool {
        do {
            let file = try SafetensorsFile(path, on: disk)
            try file.verifyChecksum(isRequired: true)
            return try RunRecord(file).best == best
        } catch {
            return false
        }
    }
}
