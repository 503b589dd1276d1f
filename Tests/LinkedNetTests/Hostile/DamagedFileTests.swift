import Foundation
import Testing

@testable import LinkedNet
@testable import PaperNetworks

/// Every truncation and every flipped bit of one good file per format, and random flips in the content. The library
/// refuses the file with an error, or reads the changed content, in bounded time and memory.
@Suite struct DamagedFileTests {
    @Test func weights() async {
        await #expect(processExitsWith: .success) {
            Self.recordingErrors { directory in
                let network = try TinyTraining.network()
                try network.saveWeights(to: directory.path + "/good", metadata: ["note": "é\n"])
                let bytes = try Self.bytes(directory.path + "/good")
                try DamagedFile(bytes: bytes, headers: [0..<Self.headerEnd(bytes)]).check(at: directory.path + "/bad") {
                    path in
                    try network.loadWeights(from: path)
                    _ = try SavedRun.digest(path)
                }
            }
        }
    }

    @Test func checkpoint() async {
        await #expect(processExitsWith: .success) {
            Self.recordingErrors { directory in
                // The network is compiled once, because compiling takes longer than reading.
                let trainer = try Self.writeCheckpoint(to: directory.path + "/good")
                let bytes = try Self.bytes(directory.path + "/good")
                let file = DamagedFile(bytes: bytes, headers: [0..<Self.headerEnd(bytes)])
                try file.check(at: directory.path + "/bad") { path in
                    let file = try SafetensorsFile(path)
                    _ = try RunRecord(file)
                    try trainer.resume(from: file)
                }
            }
        }
    }

    @Test func cifar10() async {
        await #expect(processExitsWith: .success) {
            Self.recordingErrors { directory in
                let record = [7] + (0..<3072).map { UInt8(truncatingIfNeeded: $0) }
                try DamagedFile(bytes: record + record, headers: [0..<1, 3073..<3074])
                    .check(at: directory.path + "/test_batch.bin") { _ in
                        _ = try CIFAR10.test(in: directory.path, imagesPerFile: 2)
                    }
            }
        }
    }

    @Test func cifar100() async {
        await #expect(processExitsWith: .success) {
            Self.recordingErrors { directory in
                let record = [19, 99] + (0..<3072).map { UInt8(truncatingIfNeeded: $0) }
                try DamagedFile(bytes: record + record, headers: [0..<2, 3074..<3076])
                    .check(at: directory.path + "/test.bin") { _ in
                        _ = try CIFAR100.test(in: directory.path, labels: .fine, imageCount: 2)
                    }
            }
        }
    }

    @Test func idx() async {
        await #expect(processExitsWith: .success) {
            Self.recordingErrors { directory in
                let labels = try directory.write("labels", IDXTests.labels(9))
                try DamagedFile(bytes: IDXTests.images(9), headers: [0..<16]).check(at: directory.path + "/images") {
                    path in
                    _ = try IDX.read(images: path, labels: labels, name: "bad")
                }
                let images = try directory.write("images", IDXTests.images(9))
                try DamagedFile(bytes: IDXTests.labels(9), headers: [0..<17]).check(at: labels) { path in
                    _ = try IDX.read(images: images, labels: path, name: "bad")
                }
            }
        }
    }

    @Test func packedIDX() async {
        await #expect(processExitsWith: .success) {
            Self.recordingErrors { directory in
                let labels = try directory.write("labels", IDXTests.labels(20))
                let packed = try directory.gzip(IDXTests.images(20))
                // The header of gzip, the first block of deflate with the header of IDX in it, the checksum and the
                // size.
                try DamagedFile(bytes: packed, headers: [0..<40, packed.count - 8..<packed.count])
                    .check(at: directory.path + "/images.gz") { path in
                        _ = try IDX.read(images: path, labels: labels, name: "bad")
                    }
            }
        }
    }

    @Test func runRecord() async {
        await #expect(processExitsWith: .success) {
            Self.recordingErrors { directory in
                _ = try Self.writeCheckpoint(to: directory.path + "/good")
                let texts = try SafetensorsFile(directory.path + "/good").metadata
                let bytes = try Array(#require(texts["linkednet.run"]).utf8)
                try DamagedFile(bytes: bytes, headers: [bytes.indices]).check(at: directory.path + "/bad") { path in
                    let text = String(decoding: try Self.bytes(path), as: UTF8.self)
                    _ = try RunRecord(metadata: ["linkednet.run": text], path: path)
                }
            }
        }
    }

    @Test func runSettings() async {
        await #expect(processExitsWith: .success) {
            Self.recordingErrors { directory in
                _ = try Self.writeCheckpoint(to: directory.path + "/good")
                let texts = try SafetensorsFile(directory.path + "/good").metadata
                let record = try RunRecord(metadata: texts, path: "good")
                let bytes = try Array(#require(texts["paper.settings"]).utf8)
                try DamagedFile(bytes: bytes, headers: [bytes.indices]).check(at: directory.path + "/bad") { path in
                    let text = String(decoding: try Self.bytes(path), as: UTF8.self)
                    _ = try RunText.settings(of: ["paper.settings": text], record: record, path: path)
                }
            }
        }
    }

    @Test func diagnostics() async {
        await #expect(processExitsWith: .success) {
            Self.recordingErrors { directory in
                let text = """
                    {"activationLayers":["conv2d","dense"],"parameterLayers":["conv2d"]}
                    {"gradientNorms":[0.5],"means":[1,null],"step":2,"variances":[1e300,0]}
                    {"deadShares":[0,1],"gradientNorms":[null],"means":[-1,2],"step":4,"variances":[1,2]}

                    """
                let bytes = Array(text.utf8)
                try DamagedFile(bytes: bytes, headers: [bytes.indices]).check(
                    everyTruncationIsAnError: false, at: directory.path + "/bad"
                ) { path in
                    for map in try DiagnosticsHistory(path).heatMaps { _ = map.svg }
                }
            }
        }
    }

    /// An error that leaves the closure of an exit test is a trap without a text.
    private static func recordingErrors(_ body: (TemporaryDirectory) throws -> Void) {
        do {
            try body(TemporaryDirectory())
        } catch {
            Issue.record(error)
        }
    }

    // MARK: Good files

    private static func bytes(_ path: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// The end of a safetensors file's header.
    private static func headerEnd(_ bytes: [UInt8]) -> Int {
        8 + bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// Writes the checkpoint of a small run, with an optimizer's slots; returns its trainer.
    private static func writeCheckpoint(to path: String) throws -> Trainer {
        var options = RunOptions()
        options.model = .width(1)
        options.optimizer = .adam
        options.batchSize = 4
        options.schedule = "warm-up:5+steps:1=0.5,2=0.1"
        let settings = try options.settings()
        let network = try settings.network(imageShape: [8, 8, 1], classCount: 3)
        let trainer = try settings.trainer(network)
        let data = try TinyTraining.dataset(3)
        let record = RunRecord(
            trainer: trainer, dataset: data, dataSettings: ["dataset": data.fingerprint], best: BestScore(),
            computation: ["avx512"], observerStates: [:], metadata: try RunText.of(settings))
        try trainer.save(to: path, metadata: record.texts().filter { $0.key != "linkednet.seed" })
        return trainer
    }
}
