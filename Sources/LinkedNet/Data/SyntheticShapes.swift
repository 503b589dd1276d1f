/// A generated data set: 32×32×3 images of ten shapes, of any place, size, turn and colours, over a background with
/// noise.
///
/// The data set needs no files. For a convolutional network the classes take little work, but are not trivial.
public enum SyntheticShapes {
    /// The part of the data: training and test images are drawn independently.
    public enum Split: UInt64, Hashable, Sendable, CaseIterable {
        /// Images to train on.
        case train
        /// Images to test on.
        case test
    }

    /// The classes in the order of their labels.
    public static let classNames = [
        "disc", "ring", "square", "frame", "triangle", "cross", "star", "crescent", "stripes", "checkers",
    ]

    /// The training images.
    public static func train(count: Int = 10_000, seed: UInt64 = 0) throws(DataError) -> ImageDataset {
        try dataset(count: count, seed: seed, split: .train)
    }

    /// The test images.
    public static func test(count: Int = 2_000, seed: UInt64 = 0) throws(DataError) -> ImageDataset {
        try dataset(count: count, seed: seed, split: .test)
    }

    /// `count` images. Image i depends on seed, split and i only; its class is i mod 10.
    ///
    /// - Throws: ``DataError`` if `count` is negative.
    public static func dataset(count: Int, seed: UInt64, split: Split) throws(DataError) -> ImageDataset {
        guard count >= 0 else {
            throw DataError(path: "shapes", expected: "a number of images of at least 0", found: "\(count)")
        }
        let imageSize = ShapePainter.size * ShapePainter.size * 3
        let (bytes, overflow) = count.multipliedReportingOverflow(by: imageSize)
        guard !overflow, !OutOfMemory.awaits(bytes, of: UInt8.self) else {
            throw DataError(path: "shapes", expected: "images that fit in memory", found: "\(count) images")
        }
        let pixels = [UInt8](unsafeUninitializedCapacity: bytes) { buffer, initialized in
            var index = 0
            while index < count, let start = buffer.baseAddress {
                var random = CounterRandom(
                    seed: seed, epoch: split.rawValue, sample: UInt64(index), use: .generatedData)
                ShapePainter(shape: index % classNames.count, random: &random).paint(into: start + index * imageSize)
                index += 1
            }
            initialized = bytes
        }
        return try ImageDataset(
            name: "shapes \(split)", imageShape: [ShapePainter.size, ShapePainter.size, 3], classNames: classNames,
            pixels: pixels, labels: (0..<count).map { Int32($0 % classNames.count) })
    }
}
