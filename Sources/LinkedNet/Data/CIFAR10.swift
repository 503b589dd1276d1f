/// CIFAR-10 (A. Krizhevsky, 2009) in its binary version: 50,000 training and 10,000 test images of 32×32×3, ten
/// classes.
///
/// The directory is `cifar-10-batches-bin` of `cifar-10-binary.tar.gz`, from
/// <https://www.cs.toronto.edu/~kriz/cifar.html>.
public enum CIFAR10 {
    /// The classes in the order of their labels.
    public static let classNames = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]

    /// The training images, `data_batch_1.bin` to `data_batch_5.bin`, in the order of the files.
    ///
    /// - Parameters:
    ///   - directory: the directory of the files.
    ///   - imagesPerFile: the number of images that each file must hold; other numbers are for cut-down copies.
    /// - Throws: ``DataError``.
    public static func train(in directory: String, imagesPerFile: Int = 10_000) throws(DataError) -> ImageDataset {
        try read((1...5).map { "data_batch_\($0).bin" }, "CIFAR-10 train", directory, imagesPerFile)
    }

    /// The test images, `test_batch.bin`.
    ///
    /// - Parameters:
    ///   - directory: the directory of the file.
    ///   - imagesPerFile: the number of images that the file must hold.
    /// - Throws: ``DataError``.
    public static func test(in directory: String, imagesPerFile: Int = 10_000) throws(DataError) -> ImageDataset {
        try read(["test_batch.bin"], "CIFAR-10 test", directory, imagesPerFile)
    }

    private static func read(
        _ files: [String], _ name: String, _ directory: String, _ imagesPerFile: Int
    ) throws(DataError) -> ImageDataset {
        let names = try ClassNames.read("\(directory)/batches.meta.txt", standard: classNames)
        let format = CIFARRecords(labelClasses: [10], labelByte: 0, recordsPerFile: max(imagesPerFile, 1))
        return try format.read(files.map { "\(directory)/\($0)" }, name: name, classNames: names)
    }
}
