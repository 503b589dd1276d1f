import Foundation
import Testing

@testable import LinkedNet
@testable import PaperNetworks

#if canImport(Glibc)
import Glibc
#endif

/// Hostile numbers, shapes and texts. Each was a trap, or could have been.
@Suite struct HostileValueTests {
    /// A file that claims the largest length.
    private final class EndlessFile: ByteStream {
        let path = "endless"
        let largestContent = Int.max
        func read(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int { 0 }
    }

    @Test func contentThatNoMemoryHolds() {
        let error = DataError(path: "endless", expected: "content that fits in memory", found: "\(1 << 50) bytes")
        #expect(throws: error) { try EndlessFile().read(1 << 50) }
    }

    @Test func numbersOfRecordsThatOverflow() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("test_batch.bin", [1, 2, 3])
        #expect(throws: DataError.self) { try CIFAR10.test(in: directory.path, imagesPerFile: .max) }
        #expect(
            throws: DataError(
                path: path, offset: 3, expected: "3073 bytes, 1 records of 3073", found: "3 bytes")
        ) { try CIFAR10.test(in: directory.path, imagesPerFile: .min) }
    }

    @Test(arguments: [0, 1, 35, 37, 8 * 36 + 1, 9 * 36])
    func passesOfAnotherSize(elements: Int) throws {
        let network = try TinyTraining.network(batch: 8)
        let pixels = [Float](repeating: 0, count: elements)
        let error = ShapeError(
            subject: "pass", expected: "1 to 8 samples, the network's micro-batch size, of 36 elements each",
            found: "\(elements) elements")
        #expect(throws: error) { try network.forward(input: pixels.span, mode: .inference) }
        #expect(throws: error) { try network.backward(input: pixels.span, step: 0) }
    }

    @Test(arguments: [Int.min, -1, 0, 1 << 60, .max], [false, true])
    func widthsThatNoNetworkHas(units: Int, widened: Bool) {
        #expect(throws: ShapeError.self) {
            try Network(WidthNetwork(ModelOptions(widened: widened), units: units), input: [2, 2, 1])
        }
    }

    /// Each parameter fits, but all together don't.
    @Test func parametersWhoseSumOverflows() {
        #expect(throws: ShapeError.self) {
            try Network(
                Sequential {
                    Dense(1 << 46)
                    Dense(1 << 13)
                    Dense(1 << 46)
                    Dense(1 << 13)
                }, input: [1], batch: 1)
        }
    }

    /// A small checkpoint that describes a network of many gigabytes gets no memory for the network.
    @Test func aCheckpointWithoutTheWeightsItAsksFor() throws {
        let directory = try TemporaryDirectory()
        var options = RunOptions()
        options.model = .width(3_000_000)
        let settings = try options.settings()
        let small = try TinyTraining.network()
        let data = try ImageDataset(
            name: "one", imageShape: [50, 50, 1], classNames: ["a", "b", "c"],
            pixels: Array(repeating: 0, count: 2500), labels: [0])
        let record = RunRecord(
            trainer: try Trainer(small, optimizer: SGD()), dataset: data, dataSettings: [:], best: BestScore(),
            computation: [], observerStates: [:], metadata: try RunText.of(settings))
        try small.saveWeights(to: directory.path + "/file", metadata: record.texts())
        #expect(throws: WeightsMismatch.self) { try SavedPaperRun(directory.path + "/file") }
    }

    @Test func figuresOfAnotherNumberOfLayers() throws {
        let directory = try TemporaryDirectory()
        let header = #"{"parameterLayers":["a","b"],"activationLayers":["c"]}"# + "\n"
        let path = try directory.write(
            "diagnostics", Array((header + #"{"step":1,"gradientNorms":[1],"means":[1],"variances":[1]}"# + "\n").utf8))
        #expect(
            throws: CheckpointError.content(
                path: path, offset: 55, expected: "figures of 2 layers and 1 activations",
                found: "another number of them")
        ) { try DiagnosticsHistory(path) }
    }

    @Test func picturesOfFiguresThatAreFarApart() {
        let map = HeatMap(
            title: "", layers: ["a", "b", "c"], columns: .steps([1, 2], perEpoch: 0),
            values: [[-.greatestFiniteMagnitude, .greatestFiniteMagnitude], [.nan]])
        #expect(map.svg.contains("#313695") && map.svg.contains("#a50026"))
    }

    @Test func anythingButAFileInPlaceOfASmallFile() throws {
        let directory = try TemporaryDirectory()
        #expect(mkfifo(directory.path + "/fifo", 0o600) == 0)
        for (path, found) in [
            (directory.path, "a directory"), (directory.path + "/fifo", "a FIFO"), ("/dev/zero", "a device"),
        ] {
            #expect(throws: CheckpointError.content(path: path, offset: nil, expected: "a record", found: found)) {
                try WholeFile.read(path, expectation: "a record")
            }
        }
    }

    @Test func textsOfOthersAreShownAndNotObeyed() {
        #expect("a\u{1B}[2J\u{202E}\n\u{2028}é😀".printable() == "a\\u{1b}[2J\\u{202e}\\u{a}\\u{2028}é😀")
        #expect(String(repeating: "x", count: 1_000_000).printable(longest: 5) == "xxxxx…")
        let error = DataError(path: "a\nb", expected: "c", found: "d\r")
        #expect(error.description == "a\\u{a}b: expected c, found d\\u{d}")
        for error in [
            CheckpointError.system(operation: .open, path: "a\u{1B}", code: 2),
            .space(path: "a\u{1B}", needed: 2, free: 1),
            .readBack(path: "a\u{1B}", offset: 0),
        ] {
            #expect(error.description.hasPrefix("a\\u{1b}"))
        }
        let mismatch = TrainingError.mismatch(subject: "\u{1B}", expected: "\u{1B}", found: "\u{1B}")
        #expect(!mismatch.description.contains("\u{1B}"))
    }

    /// More samples than a micro-batch are shown in several micro-batches.
    @Test func aProbeTakesAnyNumberOfSamples() throws {
        func distributions(batch: Int) throws -> [ActivationProbe.Distribution] {
            let model = Sequential {
                Conv2D(4, kernel: 3)
                LinkedActivation(.mirrored(.elu()))
                Flatten()
                Dense(3)
            }
            let network = try Network(model, input: [6, 6, 1], batch: batch, seed: 2)
            let pixels = (0..<20 * 36).map { Float($0 * $0 % 97) / 97 }
            return try ActivationProbe(model, of: network).distributions(of: network, pixels: pixels, count: 20)
        }
        let (whole, parts) = (try distributions(batch: 20), try distributions(batch: 8))
        for (whole, parts) in zip(whole, parts) {
            #expect(abs(whole.mean - parts.mean) < 1e-12)
            #expect(abs(whole.variance - parts.variance) < 1e-12)
            #expect(whole.variance > 0)
        }
    }
}
