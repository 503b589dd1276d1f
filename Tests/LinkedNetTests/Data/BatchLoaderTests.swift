import LinkedNet
import PaperNetworks
import Testing

@Suite struct BatchLoaderTests {
    private func loader(
        _ dataset: any Dataset = NumberedDataset(count: 23), batchSize: Int = 5, sampler: Sampler = .shuffled,
        augmentation: Augmentation = .paper, seed: UInt64 = 7, prefetching: Int = 2
    ) throws -> BatchLoader {
        try BatchLoader(
            dataset: dataset, batchSize: batchSize, sampler: sampler, augmentation: augmentation, seed: seed,
            prefetching: prefetching)
    }

    /// The batches up to the end of the epoch.
    private func epoch(of loader: BatchLoader) throws -> [SeenBatch] {
        var batches: [SeenBatch] = []
        while let batch = try loader.next() { batches.append(SeenBatch(batch)) }
        return batches
    }

    /// The content of the next batch; nil at the end of the epoch.
    private func next(of loader: BatchLoader) throws -> SeenBatch? {
        guard let batch = try loader.next() else { return nil }
        return SeenBatch(batch)
    }

    @Test(arguments: [0, 1, 2, 5], [1, 5, 23, 100])
    func everyImageOnceInAnEpoch(prefetching: Int, batchSize: Int) throws {
        let loader = try loader(batchSize: batchSize, prefetching: prefetching)
        #expect(loader.batchesPerEpoch == (23 + batchSize - 1) / batchSize)
        for number in 0..<3 {
            let batches = try epoch(of: loader)
            #expect(batches.map(\.index) == Array(0..<loader.batchesPerEpoch))
            #expect(batches.allSatisfy { $0.epoch == number })
            #expect(batches.dropLast().allSatisfy { $0.images.count == batchSize })
            let images = batches.flatMap(\.images)
            #expect(images == Sampler.shuffled.order(count: 23, seed: 7, epoch: number).map(Int.init))
            #expect(images.sorted() == Array(0..<23))
            #expect(batches.flatMap(\.labels) == images.map { Int32($0 % 3) })
        }
    }

    @Test func imagesAreChangedAsDrawn() throws {
        let loader = try loader()
        for number in 0..<2 {
            for batch in try epoch(of: loader) {
                for (slot, image) in batch.images.enumerated() {
                    let change = Augmentation.paper.draw(seed: 7, epoch: number, sample: image, imageShape: [2, 2, 1])
                    #expect(batch.pixels[4 * slot + 1] == change.shiftY)
                    #expect(batch.pixels[4 * slot + 2] == change.shiftX)
                    #expect(batch.pixels[4 * slot + 3] == (change.flip ? 1 : 0))
                }
            }
        }
    }

    @Test func withoutAugmentationNoneIsPassed() throws {
        for batch in try epoch(of: loader(augmentation: .none)) {
            #expect(batch.pixels[1] == 1000)
        }
    }

    @Test(arguments: [1, 2, 7])
    func sameBatchesWithAndWithoutThread(prefetching: Int) throws {
        let (threaded, direct) = try (loader(prefetching: prefetching), loader(prefetching: 0))
        for _ in 0..<3 { #expect(try epoch(of: threaded) == epoch(of: direct)) }
    }

    @Test func batchesStayValidUntilTheNextCall() throws {
        let loader = try loader(NumberedDataset(count: 200), batchSize: 3)
        while let batch = try loader.next() {
            let before = SeenBatch(batch)
            // The loop gives the thread time to fill every place.
            for _ in 0..<200 { _ = Sampler.shuffled.order(count: 20, seed: 0, epoch: 0) }
            #expect(SeenBatch(batch) == before)
        }
    }

    @Test(arguments: [0, 2])
    func continuesInTheMiddle(prefetching: Int) throws {
        let whole = try loader(prefetching: 0)
        let batches = try epoch(of: whole) + epoch(of: whole) + epoch(of: whole)
        let resumed = try loader(prefetching: prefetching)
        _ = try resumed.next()
        resumed.seek(epoch: 1, batch: 3)
        #expect(resumed.epoch == 1 && resumed.batchIndex == 3)
        #expect(try epoch(of: resumed) + epoch(of: resumed) == Array(batches[8...]))
        resumed.seek(epoch: 1, batch: 5)
        #expect(try next(of: resumed) == nil)
        #expect(try epoch(of: resumed) == Array(batches[10...]))
        resumed.seek(epoch: 0, batch: 0)
        #expect(try epoch(of: resumed) == Array(batches[..<5]))
    }

    @Test(arguments: [0, 2])
    func knowsItsPosition(prefetching: Int) throws {
        let loader = try loader(prefetching: prefetching)
        var positions: [[Int]] = []
        for _ in 0..<8 {
            positions.append([loader.epoch, loader.batchIndex])
            _ = try loader.next()
        }
        #expect(positions == [[0, 0], [0, 1], [0, 2], [0, 3], [0, 4], [0, 5], [1, 0], [1, 1]])
    }

    @Test(arguments: [0, 2])
    func stoppedLoaderGoesOnWhereItWas(prefetching: Int) throws {
        let direct = try loader(prefetching: 0)
        let stopped = try loader(prefetching: prefetching)
        stopped.stop()
        for _ in 0..<12 {
            #expect(try next(of: stopped) == next(of: direct))
            stopped.stop()
            stopped.stop()
        }
    }

    @Test func loadersAreDroppedAtAnyTime() throws {
        for number in 0..<60 {
            let dataset = NumberedDataset(count: 50)
            do {
                let loader = try loader(dataset, batchSize: 4)
                for _ in 0..<number % 6 { _ = try loader.next() }
            }
            // The loader has waited for its thread, so that no further batch is loaded.
            let loads = dataset.loads
            for _ in 0..<50 { _ = Sampler.shuffled.order(count: 20, seed: 0, epoch: 0) }
            #expect(dataset.loads == loads)
            #expect(loads >= number % 6 && loads <= number % 6 + 3)
        }
    }

    @Test(arguments: [0, 1, 3])
    func anErrorComesInItsTurnAndMayBeRetried(prefetching: Int) throws {
        let direct = try epoch(of: loader(NumberedDataset(count: 20), sampler: .fileOrder, prefetching: 0))
        let loader = try loader(
            NumberedDataset(count: 20, failing: 11, times: 2), sampler: .fileOrder, prefetching: prefetching)
        #expect(try next(of: loader) == direct[0])
        #expect(try next(of: loader) == direct[1])
        for _ in 0..<2 {
            #expect(throws: NumberedDataset.Failure(image: 11)) { try loader.next() }
            #expect(loader.epoch == 0 && loader.batchIndex == 2)
        }
        #expect(try epoch(of: loader) == Array(direct[2...]))
    }

    @Test(arguments: [0, 2])
    func aLabelThatIsNoClass(prefetching: Int) throws {
        let loader = try loader(
            NumberedDataset(count: 20, mislabelled: 7), sampler: .fileOrder, prefetching: prefetching)
        _ = try loader.next()
        #expect(throws: DataError(path: "numbered", expected: "a label of 0 ..< 3 for image 7", found: "3")) {
            try loader.next()
        }
    }

    @Test(arguments: [0, 2])
    func emptyDataset(prefetching: Int) throws {
        let loader = try loader(NumberedDataset(count: 0), prefetching: prefetching)
        #expect(loader.batchesPerEpoch == 0)
        for _ in 0..<3 { #expect(try epoch(of: loader).isEmpty) }
    }

    @Test(arguments: [0, -1])
    func batchSizeOutOfRange(batchSize: Int) {
        #expect(
            throws: ShapeError(
                subject: "batch of images", expected: "sizes of at least 1", found: "\(batchSize)×2×2×1")
        ) { try loader(batchSize: batchSize) }
    }

    @Test func batchesAreAligned() throws {
        let loader = try loader()
        while let batch = try loader.next() {
            let address = UInt(bitPattern: batch.pixels)
            #expect(address % 64 == 0)
        }
    }

    /// A real data set goes through the kernel: its batches have the same content as one load of the whole data set.
    @Test func imagesOfBytes() throws {
        let dataset = try ImageDatasetTests.dataset(count: 13)
        let loader = try loader(dataset, batchSize: 4, augmentation: .none)
        let (scale, order) = (Float(1) / 255, Sampler.shuffled.order(count: 13, seed: 7, epoch: 0))
        var pixels: [Float] = []
        while let batch = try loader.next() { pixels += SeenBatch(batch, imageSize: 60).pixels }
        var expected: [Float] = []
        for image in order.map(Int.init) {
            expected += dataset.pixels[image * 60..<image * 60 + 60].map { Float($0) * scale }
        }
        #expect(pixels == expected)
    }
}
