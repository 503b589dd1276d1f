import Foundation
import LinkedNet

/// Training and test images: the data that a command's `--data` stands for, or data of your own.
public struct DataSource: Sendable {
    /// The images to train on.
    public let train: any Dataset
    /// The images to test on.
    public let test: any Dataset
    /// One line that names the data. If nobody asked for this data and the data isn't CIFAR-10, the line also tells how
    /// to get CIFAR-10.
    public let note: String
    /// The argument by which ``resolve(_:workingDirectory:)`` finds this data again, from any directory: `shapes`,
    /// `fashion-mnist` or an absolute path. `nil` for data of your own.
    public let argument: String?

    /// The values of `--data`, in a few words.
    public static let options = "fashion-mnist, shapes, or a directory of CIFAR-10, CIFAR-100 or IDX files"
    /// The values of `--data`, and its default.
    package static let help = """
        \(options). (default: CIFAR-10 in data/cifar-10-batches-bin if it is there, else Fashion-MNIST if it is \
        installed, else shapes)
        """

    /// Reads the data that an argument stands for.
    ///
    /// - Parameters:
    ///   - argument: `fashion-mnist` (as installed), `shapes`, or a directory. The directory's files decide the format:
    ///     CIFAR-10's or CIFAR-100's binary files, in the directory or in the usual subdirectory, or IDX files. nil
    ///     takes CIFAR-10 in `data/cifar-10-batches-bin` if this directory exists, else an installed Fashion-MNIST,
    ///     else shapes.
    ///   - workingDirectory: the directory from which relative paths begin.
    /// - Throws: ``DataError`` naming the argument or the file.
    public static func resolve(_ argument: String?, workingDirectory: String = ".") throws(DataError) -> DataSource {
        switch argument {
        case "shapes": return try shapes()
        case "fashion-mnist":
            guard let directory = FashionMNIST.installed else {
                throw DataError(
                    path: "fashion-mnist", expected: "Debian's package dataset-fashion-mnist",
                    found: "it is not installed")
            }
            return try fashionMNIST(directory)
        case "":
            throw DataError(path: "", expected: options, found: "an empty name")
        case let path?:
            return try read(path.hasPrefix("/") ? path : "\(workingDirectory)/\(path)", argument: path)
        case nil:
            let directory = "\(workingDirectory)/data/cifar-10-batches-bin"
            if Place.isDirectory(directory) { return try cifar10(directory, argument: absolute(directory)) }
            let source = if let directory = FashionMNIST.installed { try fashionMNIST(directory) } else { try shapes() }
            return source.withHint("For CIFAR-10, \(DataPlace.howToGetCIFAR10(workingDirectory)).")
        }
    }

    private static func absolute(_ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
        // ".." stays in the path, because ".." leads elsewhere after a symbolic link.
        return "/" + whole.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    private static func read(_ directory: String, argument: String) throws(DataError) -> DataSource {
        guard Place.isDirectory(directory) else {
            throw DataError(path: argument, expected: options, found: DataPlace.description(of: directory, argument))
        }
        for candidate in [directory, "\(directory)/cifar-10-batches-bin"]
        where Place.exists("\(candidate)/data_batch_1.bin") || Place.exists("\(candidate)/test_batch.bin") {
            return try cifar10(candidate, argument: absolute(directory))
        }
        for candidate in [directory, "\(directory)/cifar-100-binary"]
        where Place.exists("\(candidate)/train.bin") {
            return try DataSource(
                train: CIFAR100.train(in: candidate), test: CIFAR100.test(in: candidate), name: "CIFAR-100",
                argument: absolute(directory))
        }
        if IDX.isPresent(in: directory) {
            return try DataSource(
                train: IDX.train(in: directory), test: IDX.test(in: directory), name: "IDX images of \(argument)",
                argument: absolute(directory))
        }
        throw DataError(
            path: argument, expected: options, found: DataPlace.description(ofDirectory: directory, argument))
    }

    private static func cifar10(_ directory: String, argument: String) throws(DataError) -> DataSource {
        try DataSource(
            train: CIFAR10.train(in: directory), test: CIFAR10.test(in: directory), name: "CIFAR-10", argument: argument
        )
    }

    private static func fashionMNIST(_ directory: String) throws(DataError) -> DataSource {
        try DataSource(
            train: FashionMNIST.train(in: directory), test: FashionMNIST.test(in: directory), name: "Fashion-MNIST",
            argument: "fashion-mnist")
    }

    private static func shapes() throws(DataError) -> DataSource {
        try DataSource(
            train: SyntheticShapes.train(), test: SyntheticShapes.test(), name: "Generated shapes", argument: "shapes")
    }

    /// Data of your own, for a ``PaperRun``. No name finds this data again, so a resumed run needs the data as an
    /// argument.
    ///
    /// - Parameters:
    ///   - train: the images to train on.
    ///   - test: the images to test on, of the same shape and classes.
    public init(train: any Dataset, test: any Dataset) {
        self.init(train: train, test: test, note: Self.counts(train, test, name: train.name), argument: nil)
    }

    private static func counts(_ train: any Dataset, _ test: any Dataset, name: String) -> String {
        "\(name.printable()): \(train.count) training and \(test.count) test images of \(train.imageShape)."
    }

    private init(train: any Dataset, test: any Dataset, name: String, argument: String) {
        self.init(
            train: train, test: test, note: Self.counts(train, test, name: name), argument: argument)
    }

    private init(train: any Dataset, test: any Dataset, note: String, argument: String?) {
        (self.train, self.test, self.note, self.argument) = (train, test, note, argument)
    }

    private func withHint(_ hint: String) -> DataSource {
        DataSource(train: train, test: test, note: "\(note) \(hint)", argument: argument)
    }
}
