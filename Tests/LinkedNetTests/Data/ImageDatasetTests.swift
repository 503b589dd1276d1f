import LinkedNet
import Testing

@Suite struct ImageDatasetTests {
    private static let shape: Shape = [5, 4, 3]

    static func dataset(
        count: Int = 40, labels: [Int32]? = nil, classes: Int = 4, scale: [Float]? = nil, offset: [Float]? = nil
    ) throws -> ImageDataset {
        var random = CounterRandom(seed: 1, use: .generatedData)
        return try ImageDataset(
            name: "test", imageShape: shape, classNames: (0..<classes).map { "class \($0)" },
            pixels: (0..<count * 60).map { _ in UInt8(random.next(below: 256)) },
            labels: labels ?? (0..<count).map { Int32($0 % classes) }, scale: scale, offset: offset)
    }

    /// Loads images into poisoned memory.
    private func load(
        _ dataset: some Dataset, _ indices: [Int64], _ augmentations: [ImageAugmentation] = []
    ) throws -> ([Float], [Int32]) {
        var pixels = [Float](repeating: .nan, count: indices.count * 60)
        var labels = [Int32](repeating: -1, count: indices.count)
        var pixelSpan = pixels.mutableSpan, labelSpan = labels.mutableSpan
        try dataset.load(
            indices.span, augmentations: augmentations.span, pixels: &pixelSpan, labels: &labelSpan)
        return (pixels, labels)
    }

    @Test func pixelsAreDividedBy255() throws {
        let dataset = try Self.dataset()
        let (pixels, labels) = try load(dataset, [7, 0, 39, 7])
        #expect(labels == [3, 0, 3, 3])
        var expected: [Float] = []
        for image in [7, 0, 39, 7] { expected += dataset.pixels[image * 60..<image * 60 + 60].map { Float($0) / 255 } }
        #expect(zip(pixels, expected).allSatisfy { abs($0 - $1) <= 1e-7 })
    }

    @Test func scaleAndOffsetAreForEachChannel() throws {
        let dataset = try Self.dataset(scale: [1, 2, 0.5], offset: [0, -3, 100])
        let (pixels, _) = try load(dataset, [5])
        let (scale, offset): ([Float], [Float]) = ([1, 2, 0.5], [0, -3, 100])
        let expected = (0..<60).map { Float(dataset.pixels[300 + $0]) * scale[$0 % 3] + offset[$0 % 3] }
        #expect(pixels == expected)
    }

    /// There are more images than one kernel call takes.
    @Test func augmentsLikeTheReference() throws {
        let dataset = try Self.dataset(count: 70, scale: [1, 1, 1])
        let indices = (0..<70).map { Int64(69 - $0) }
        let changes = indices.map {
            Augmentation(horizontalFlip: true, shift: 0.5).draw(
                seed: 3, epoch: 0, sample: Int($0), imageShape: Self.shape)
        }
        let (pixels, _) = try load(dataset, indices, changes)
        for (slot, index) in indices.enumerated() {
            let image = dataset.pixels[Int(index) * 60..<Int(index) * 60 + 60].map(Float.init)
            var expected = [Float](repeating: .nan, count: 60)
            changes[slot].apply(to: image, shape: Self.shape, into: &expected)
            // Three interpolations of values up to 255, and a weight from a subtraction, each round by half an ulp.
            #expect(zip(pixels[slot * 60..<slot * 60 + 60], expected).allSatisfy { abs($0 - $1) <= 1e-3 })
        }
    }

    @Test(arguments: [-1, 40, .max, .min] as [Int64])
    func indexWithoutImage(index: Int64) throws {
        let dataset = try Self.dataset()
        #expect(throws: DataError(path: "test", expected: "an image of 0 ..< 40", found: "\(index)")) {
            try load(dataset, [0, index])
        }
    }

    @Test func numbersThatDoNotFitTogether() throws {
        func make(_ shape: Shape, pixels: Int, labels: [Int32], scale: [Float]? = nil) throws -> ImageDataset {
            try ImageDataset(
                name: "test", imageShape: shape, classNames: ["a", "b"], pixels: Array(repeating: 0, count: pixels),
                labels: labels, scale: scale)
        }
        #expect(throws: DataError(path: "test", expected: "images of height×width×channels", found: "2×2")) {
            try make([2, 2], pixels: 4, labels: [0])
        }
        #expect(throws: DataError(path: "test", expected: "images of height×width×channels", found: "2×0×1")) {
            try make([2, 0, 1], pixels: 0, labels: [0])
        }
        #expect(
            throws: DataError(
                path: "test", expected: "2 images of 2×2×1, one for each label", found: "7 bytes of pixels")
        ) { try make([2, 2, 1], pixels: 7, labels: [0, 1]) }
        #expect(throws: DataError(path: "test", expected: "a label of 0 ..< 2 for image 1", found: "2")) {
            try make([2, 2, 1], pixels: 8, labels: [0, 2])
        }
        #expect(throws: DataError(path: "test", expected: "a label of 0 ..< 2 for image 0", found: "-1")) {
            try make([2, 2, 1], pixels: 8, labels: [-1, 2])
        }
        #expect(
            throws: DataError(
                path: "test", expected: "1 factors and summands, one for each channel", found: "2 and 1")
        ) { try make([2, 2, 1], pixels: 4, labels: [0], scale: [1, 1]) }
    }

    @Test func fingerprintTellsDataApart() throws {
        let dataset = try Self.dataset()
        var labels = dataset.labels
        labels[3] = 0
        #expect(dataset.fingerprint.count == 64)
        #expect(try Self.dataset().fingerprint == dataset.fingerprint)
        #expect(try Self.dataset(labels: labels).fingerprint != dataset.fingerprint)
        #expect(try Self.dataset(count: 39).fingerprint != dataset.fingerprint)
        #expect(try Self.dataset(scale: [1, 2, 0.5]).fingerprint != dataset.fingerprint)
        #expect(try Self.dataset(offset: [0, -3, 100]).fingerprint != dataset.fingerprint)
        #expect(try Self.dataset(offset: [0, -3, 100]).fingerprint != Self.dataset(offset: [0, -3, 99]).fingerprint)
    }

    /// The digest of "1×1×1 1", the byte 7 and a label of four bytes.
    @Test func fingerprintIsSHA256() throws {
        let dataset = try ImageDataset(
            name: "test", imageShape: [1, 1, 1], classNames: ["a", "b"], pixels: [7], labels: [1])
        #expect(dataset.fingerprint == "3037ecf9f78bdb678cb3b826f74ce8d17e384544fbec3e43b7bbad10ff5228df")
    }

    @Test func prefixIsTheFirstImages() throws {
        let dataset = try Self.dataset()
        let prefix = dataset.prefix(10)
        #expect(prefix.count == 10)
        #expect(prefix.name == "test (first 10)")
        #expect(prefix.imageShape == dataset.imageShape)
        #expect(prefix.classNames == dataset.classNames && prefix.classCount == 4)
        #expect(try load(prefix, [0, 9]) == load(dataset, [0, 9]))
        #expect(prefix.fingerprint != dataset.fingerprint)
        #expect(prefix.fingerprint != dataset.prefix(11).fingerprint)
    }

    @Test(arguments: [(40, 40), (100, 40), (0, 0), (-5, 0)])
    func prefixStaysInside(limit: Int, count: Int) throws {
        let dataset = try Self.dataset()
        #expect(dataset.prefix(limit).count == count)
        #expect((dataset.prefix(limit).fingerprint == dataset.fingerprint) == (count == 40))
    }
}
