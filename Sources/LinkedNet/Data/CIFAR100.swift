/// CIFAR-100 (A. Krizhevsky, 2009) in its binary version: 50,000 training and 10,000 test images of 32×32×3, with a
/// hundred classes or twenty superclasses of five classes each.
///
/// The directory is `cifar-100-binary` of `cifar-100-binary.tar.gz`, from
/// <https://www.cs.toronto.edu/~kriz/cifar.html>.
public enum CIFAR100 {
    /// The two labels of an image, of which one is learned.
    public enum Labels: String, Hashable, Sendable, CaseIterable {
        /// One of a hundred classes.
        case fine
        /// One of twenty superclasses.
        case coarse
    }

    /// The training images, `train.bin`.
    ///
    /// - Parameters:
    ///   - directory: the directory of the file.
    ///   - labels: the label to learn, of the two labels of each image.
    ///   - imageCount: the number of images that the file must hold; other numbers are for cut-down copies.
    /// - Throws: ``DataError``.
    public static func train(
        in directory: String, labels: Labels = .fine, imageCount: Int = 50_000
    ) throws(DataError) -> ImageDataset {
        try read("train", directory, labels, imageCount)
    }

    /// The test images, `test.bin`.
    ///
    /// - Parameters:
    ///   - directory: the directory of the file.
    ///   - labels: the label to learn, of the two labels of each image.
    ///   - imageCount: the number of images that the file must hold.
    /// - Throws: ``DataError``.
    public static func test(
        in directory: String, labels: Labels = .fine, imageCount: Int = 10_000
    ) throws(DataError) -> ImageDataset {
        try read("test", directory, labels, imageCount)
    }

    private static func read(
        _ split: String, _ directory: String, _ labels: Labels, _ imageCount: Int
    ) throws(DataError) -> ImageDataset {
        let classes = labels == .fine ? 100 : 20
        let names = try ClassNames.read(
            "\(directory)/\(labels.rawValue)_label_names.txt", standard: (0..<classes).map(String.init))
        let format = CIFARRecords(
            labelClasses: [20, 100], labelByte: labels == .fine ? 1 : 0, recordsPerFile: max(imageCount, 1))
        return try format.read(
            ["\(directory)/\(split).bin"], name: "CIFAR-100 \(split) (\(labels.rawValue) labels)", classNames: names)
    }
}
