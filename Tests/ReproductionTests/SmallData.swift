import Foundation
import LinkedNet
import PaperNetworks
import Reproduction

/// Images of 8×8 in ten classes that a network learns quickly.
enum SmallData {
    static func images(_ count: Int, channels: Int, name: String = "rows") throws -> ImageDataset {
        var random = CounterRandom(seed: UInt64(count), use: RandomUse(rawValue: 3000))
        let labels = (0..<count).map { Int32($0 % 10) }
        let pixels = labels.flatMap { label in
            (0..<64 * channels).map { UInt8(random.next(below: 100)) + ($0 / channels % 10 == Int(label) ? 150 : 0) }
        }
        return try ImageDataset(
            name: name, imageShape: [8, 8, channels], classNames: (0..<10).map(String.init), pixels: pixels,
            labels: labels)
    }

    static func make(channels: Int = 3) throws -> ReproductionData {
        ReproductionData(
            DataSource(train: try images(80, channels: channels), test: try images(40, channels: channels)))
    }
}

/// A directory for a reproduction. The directory goes with the last reference.
final class Place {
    let path = NSTemporaryDirectory() + "linkednet-reproduction-\(UUID().uuidString)"
    var output: OutputDirectory { OutputDirectory(path) }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }

    /// The pages' names and texts, without times.
    func pages() throws -> [String: String] {
        let time = /\b\d+(\.\d)? (s|min|h|days)\b/
        let names = try FileManager.default.subpathsOfDirectory(atPath: path).filter {
            !$0.hasPrefix("runs") && ($0.hasSuffix(".md") || $0.hasSuffix(".html") || $0.hasSuffix(".svg"))
        }
        return try Dictionary(uniqueKeysWithValues: names.map { ($0, try text($0).replacing(time, with: "TIME")) })
    }
}
