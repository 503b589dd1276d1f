/// Data sets of grey images in MNIST's IDX format (Y. LeCun), plain or packed with gzip: MNIST, Fashion-MNIST, KMNIST
/// and similar sets.
public enum IDX {
    /// The classes "0" to "9".
    public static let digits = (0..<10).map(String.init)

    /// The training images: `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` of a directory, also with `.idx`
    /// instead of `-idx`, and with `.gz` at the end.
    ///
    /// - Parameters:
    ///   - directory: the directory of the files.
    ///   - name: the data's name, without "train"; default "IDX".
    ///   - classNames: a name for each class, in the order of the labels.
    /// - Throws: ``DataError``.
    public static func train(
        in directory: String, name: String = "IDX", classNames: [String] = digits
    ) throws(DataError) -> ImageDataset {
        try read(split: "train", in: directory, name: "\(name) train", classNames: classNames)
    }

    /// The test images: `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, with the same variations of the names.
    ///
    /// - Parameters:
    ///   - directory: the directory of the files.
    ///   - name: the data's name, without "test"; default "IDX".
    ///   - classNames: a name for each class, in the order of the labels.
    /// - Throws: ``DataError``.
    public static func test(
        in directory: String, name: String = "IDX", classNames: [String] = digits
    ) throws(DataError) -> ImageDataset {
        try read(split: "t10k", in: directory, name: "\(name) test", classNames: classNames)
    }

    /// The images of one file with the labels of another file.
    ///
    /// - Throws: ``DataError``.
    public static func read(
        images: String, labels: String, name: String, classNames: [String] = digits
    ) throws(DataError) -> ImageDataset {
        try dataset(
            images: { () throws(DataError) in try IDXFile(images, dimensions: 3, what: "images") },
            labels: IDXFile(labels, dimensions: 1, what: "labels"), name: name, classNames: classNames)
    }

    /// The images of one file with the labels of another file. The images are read only after the labels were found to
    /// be right.
    static func dataset(
        images: () throws(DataError) -> IDXFile, labels labelFile: IDXFile, name: String, classNames: [String]
    ) throws(DataError) -> ImageDataset {
        for (index, label) in labelFile.content.enumerated() where label >= classNames.count {
            throw DataError(
                path: labelFile.path, offset: IDXFile.headerSize(dimensions: 1) + index,
                expected: "a label of 0 ..< \(classNames.count)", found: "\(label)")
        }
        let imageFile = try images()
        guard imageFile.sizes[0] == labelFile.sizes[0] else {
            throw DataError(
                path: imageFile.path, offset: 4, expected: "\(labelFile.sizes[0]) images, one for each label",
                found: "\(imageFile.sizes[0])")
        }
        let count = labelFile.content.count
        if OutOfMemory.awaits(count, of: Int32.self) {
            throw DataError(path: labelFile.path, expected: "labels that fit in memory", found: "\(count) labels")
        }
        return try ImageDataset(
            name: name, imageShape: [imageFile.sizes[1], imageFile.sizes[2], 1], classNames: classNames,
            pixels: imageFile.content, labels: labelFile.content.map(Int32.init))
    }

    private static func read(
        split: String, in directory: String, name: String, classNames: [String]
    ) throws(DataError) -> ImageDataset {
        try read(
            images: path(of: "\(split)-images", dimensions: 3, in: directory),
            labels: path(of: "\(split)-labels", dimensions: 1, in: directory), name: name, classNames: classNames)
    }

    /// The first of the usual spellings that exists; the plainest spelling if no file exists.
    private static func path(of stem: String, dimensions: Int, in directory: String) -> String {
        let spellings = ["-idx\(dimensions)-ubyte", ".idx\(dimensions)-ubyte"]
            .flatMap { [$0, $0 + ".gz"] }.map { "\(directory)/\(stem)\($0)" }
        return spellings.first(where: RegularFile.exists) ?? spellings[0]
    }

    /// True if a directory has training images in one of the usual spellings.
    public static func isPresent(in directory: String) -> Bool {
        RegularFile.exists(path(of: "train-images", dimensions: 3, in: directory))
    }
}
