import Foundation
import LinkedNet
import Testing

@Suite struct CIFARTests {
    /// Records of CIFAR-10: label i mod 10, planes of red, green and blue.
    static func records(_ count: Int, labels: [UInt8]? = nil, first: Int = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        for image in first..<first + count {
            bytes += labels ?? [UInt8(image % 10)]
            for byte in 0..<3072 {
                let plane = byte / 1024
                bytes.append(UInt8((byte * 7 + image * 31 + plane * 50) % 256))
            }
        }
        return bytes
    }

    private func directory(test: [UInt8]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.write("test_batch.bin", test)
        return directory
    }

    @Test func readsBatchesInOrderAndInterleavesChannels() throws {
        let directory = try TemporaryDirectory()
        for file in 0..<5 { try directory.write("data_batch_\(file + 1).bin", Self.records(2, first: 2 * file)) }
        let dataset = try CIFAR10.train(in: directory.path, imagesPerFile: 2)
        #expect(dataset.count == 10)
        #expect(dataset.imageShape == [32, 32, 3])
        #expect(dataset.labels == Array(0..<10))
        #expect(dataset.classNames == CIFAR10.classNames)
        let file = Self.records(10)
        for image in [0, 3, 9] {
            for pixel in [0, 1, 31, 32, 1023] {
                for channel in 0..<3 {
                    #expect(
                        dataset.pixels[(image * 1024 + pixel) * 3 + channel]
                            == file[image * 3073 + 1 + channel * 1024 + pixel])
                }
            }
        }
    }

    @Test func readsClassNames() throws {
        let directory = try directory(test: Self.records(1))
        let names = (0..<10).map { "class \($0)" }
        try directory.write("batches.meta.txt", Array((names.joined(separator: "\n") + "\n\n").utf8))
        #expect(try CIFAR10.test(in: directory.path, imagesPerFile: 1).classNames == names)
        let meta = try directory.write("batches.meta.txt", Array("cat\ndog\n".utf8))
        #expect(throws: DataError(path: meta, expected: "10 class names, one a line", found: "2 names")) {
            try CIFAR10.test(in: directory.path, imagesPerFile: 1)
        }
    }

    @Test(arguments: [
        (0, 0, "an empty file"), (1, 1, "1 bytes"), (3073, 3073, "3073 bytes"), (6145, 6145, "6145 bytes"),
        (6147, 6146, "6147 bytes"), (9219, 6146, "9219 bytes"),
    ])
    func wrongSize(size: Int, offset: Int, found: String) throws {
        let directory = try directory(test: Array(Self.records(3).prefix(size)))
        #expect(
            throws: DataError(
                path: "\(directory.path)/test_batch.bin", offset: offset, expected: "6146 bytes, 2 records of 3073",
                found: found)
        ) { try CIFAR10.test(in: directory.path, imagesPerFile: 2) }
    }

    @Test func wrongLabel() throws {
        var bytes = Self.records(3)
        bytes[2 * 3073] = 10
        let directory = try directory(test: bytes)
        #expect(
            throws: DataError(
                path: "\(directory.path)/test_batch.bin", offset: 6146, expected: "a label of 0 ..< 10", found: "10")
        ) { try CIFAR10.test(in: directory.path, imagesPerFile: 3) }
    }

    @Test func missingFileOfSeveral() throws {
        let directory = try TemporaryDirectory()
        for file in [1, 2, 4, 5] { try directory.write("data_batch_\(file).bin", Self.records(1)) }
        #expect(
            throws: DataError(
                path: "\(directory.path)/data_batch_3.bin", expected: "a file of 3073 bytes, 1 records of 3073",
                found: "no such file or directory")
        ) { try CIFAR10.train(in: directory.path, imagesPerFile: 1) }
    }

    @Test func readsFineAndCoarseLabels() throws {
        let directory = try TemporaryDirectory()
        let bytes = Self.records(1, labels: [19, 99]) + Self.records(1, labels: [3, 42])
        try directory.write("train.bin", bytes)
        try directory.write("test.bin", Self.records(1, labels: [0, 1]))
        try directory.write("coarse_label_names.txt", Array((0..<20).map { "super \($0)\n" }.joined().utf8))
        let fine = try CIFAR100.train(in: directory.path, imageCount: 2)
        #expect(fine.labels == [99, 42])
        #expect(fine.classCount == 100)
        let coarse = try CIFAR100.train(in: directory.path, labels: .coarse, imageCount: 2)
        #expect(coarse.labels == [19, 3])
        #expect(coarse.classNames.last == "super 19")
        #expect(coarse.pixels == fine.pixels)
        #expect(coarse.pixels[1] == bytes[2 + 1024])
        #expect(try CIFAR100.test(in: directory.path, imageCount: 1).labels == [1])
    }

    @Test(arguments: [(0, UInt8(20), "a label of 0 ..< 20"), (1, UInt8(100), "a label of 0 ..< 100")])
    func wrongLabelOfEitherKind(byte: Int, label: UInt8, expected: String) throws {
        let directory = try TemporaryDirectory()
        var bytes = Self.records(2, labels: [0, 0])
        bytes[3074 + byte] = label
        let path = try directory.write("train.bin", bytes)
        #expect(throws: DataError(path: path, offset: 3074 + byte, expected: expected, found: "\(label)")) {
            try CIFAR100.train(in: directory.path, imageCount: 2)
        }
    }
}
