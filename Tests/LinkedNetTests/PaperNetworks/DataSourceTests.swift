import LinkedNet
import PaperNetworks
import Testing

@Suite struct DataSourceTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func writeIDX(_ folder: String) throws {
        for (split, count) in [("train", 12), ("t10k", 3)] {
            try directory.write("\(folder)/\(split)-images-idx3-ubyte", IDXTests.images(count))
            try directory.write("\(folder)/\(split)-labels-idx1-ubyte", IDXTests.labels(count))
        }
    }

    /// The files are empty, and the error shows the reader that took the files.
    private func expectReader(_ argument: String?, file: String, expected: String) {
        #expect(
            throws: DataError(path: "\(directory.path)/\(file)", offset: 0, expected: expected, found: "an empty file")
        ) { try DataSource.resolve(argument, workingDirectory: directory.path) }
    }

    @Test func shapes() throws {
        let data = try DataSource.resolve("shapes", workingDirectory: directory.path)
        #expect(data.train.name == "shapes train" && data.train.count == 10_000)
        #expect(data.test.name == "shapes test" && data.test.count == 2_000)
        #expect(data.note == "Generated shapes: 10000 training and 2000 test images of 32×32×3.")
        #expect(!data.note.contains("\n"))
        #expect(data.argument == "shapes")
    }

    @Test func directoryOfIDXFiles() throws {
        try writeIDX("digits")
        for argument in ["digits", "./digits", "\(directory.path)/digits"] {
            let data = try DataSource.resolve(argument, workingDirectory: directory.path)
            #expect(data.train.count == 12 && data.test.count == 3)
            #expect(data.note.contains("12 training and 3 test images of 3×2×1"))
            #expect(data.argument == "\(directory.path)/digits")
        }
    }

    private static let cifar10 = "30730000 bytes, 10000 records of 3073"
    private static let cifar100 = "153700000 bytes, 50000 records of 3074"

    @Test func directoryOfCIFAR10() throws {
        try directory.write("a/cifar-10-batches-bin/data_batch_1.bin", [])
        expectReader("a", file: "a/cifar-10-batches-bin/data_batch_1.bin", expected: Self.cifar10)
        expectReader(
            "a/cifar-10-batches-bin", file: "a/cifar-10-batches-bin/data_batch_1.bin", expected: Self.cifar10)
    }

    @Test func directoryOfCIFAR100() throws {
        try directory.write("a/cifar-100-binary/train.bin", [])
        expectReader("a", file: "a/cifar-100-binary/train.bin", expected: Self.cifar100)
        expectReader("a/cifar-100-binary", file: "a/cifar-100-binary/train.bin", expected: Self.cifar100)
    }

    /// A damaged CIFAR-10 is an error, and not a reason to train on other data.
    @Test func defaultIsCIFAR10IfThere() throws {
        try directory.write("data/cifar-10-batches-bin/data_batch_1.bin", [])
        expectReader(nil, file: "data/cifar-10-batches-bin/data_batch_1.bin", expected: Self.cifar10)
    }

    @Test func defaultWithoutCIFAR10() throws {
        let data = try DataSource.resolve(nil, workingDirectory: directory.path)
        #expect(data.argument == (FashionMNIST.installed == nil ? "shapes" : "fashion-mnist"))
        #expect(data.train.name == (FashionMNIST.installed == nil ? "shapes train" : "Fashion-MNIST train"))
        #expect(data.note.contains("cifar-10-binary.tar.gz"))
    }

    @Test func whatIsNoData() throws {
        let file = try directory.write("file", [1])
        try directory.write("folder/file", [1])
        for (argument, found) in [
            ("cifar", "no such file or directory"), ("", "an empty name"), (file, "something that is no directory"),
            ("folder", "a directory with none of their files"),
        ] {
            #expect(throws: DataError(path: argument, expected: DataSource.options, found: found)) {
                try DataSource.resolve(argument, workingDirectory: directory.path)
            }
        }
    }

    @Test(.enabled(if: FashionMNIST.installed == nil, "Fashion-MNIST is installed"))
    func fashionMNISTThatIsNotInstalled() {
        #expect(
            throws: DataError(
                path: "fashion-mnist", expected: "Debian's package dataset-fashion-mnist", found: "it is not installed")
        ) { try DataSource.resolve("fashion-mnist") }
    }

    @Test(.enabled(if: FashionMNIST.installed != nil, "Fashion-MNIST is not installed"))
    func fashionMNIST() throws {
        let data = try DataSource.resolve("fashion-mnist")
        let train = try #require(data.train as? ImageDataset)
        #expect(train.count == 60_000 && data.test.count == 10_000)
        #expect(train.imageShape == [28, 28, 1])
        // Known facts of the data: the same number of images for each class, and the first three labels.
        #expect((0..<10).allSatisfy { label in train.labels.count { $0 == Int32(label) } == 6_000 })
        #expect(train.labels.prefix(3) == [9, 0, 0])
        #expect(train.classNames[9] == "Ankle boot")
    }
}
