/// Fashion-MNIST (H. Xiao et al., 2017): 60,000 training and 10,000 test images of clothes, 28×28×1, ten classes.
public enum FashionMNIST {
    /// The classes in the order of their labels.
    public static let classNames = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]

    /// The directory of Debian's package dataset-fashion-mnist, or nil if the package isn't installed.
    public static var installed: String? {
        let directory = "/usr/share/datasets/fashion-mnist"
        return RegularFile.isDirectory(directory) ? directory : nil
    }

    /// The training images in a directory of IDX files.
    ///
    /// - Throws: ``DataError``.
    public static func train(in directory: String) throws(DataError) -> ImageDataset {
        try IDX.train(in: directory, name: "Fashion-MNIST", classNames: classNames)
    }

    /// The test images in a directory of IDX files.
    ///
    /// - Throws: ``DataError``.
    public static func test(in directory: String) throws(DataError) -> ImageDataset {
        try IDX.test(in: directory, name: "Fashion-MNIST", classNames: classNames)
    }
}
