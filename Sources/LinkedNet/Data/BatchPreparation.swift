/// Makes any batch of a data set from the epoch and the batch's index, in one of a few slots. The slots' memory is
/// allocated once.
///
/// One thread at a time uses the preparation. Meanwhile another thread may read a slot that was written before.
final class BatchPreparation {
    let batchesPerEpoch: Int
    let slotCount: Int
    private let dataset: any Dataset
    private let batchSize: Int
    private let sampler: Sampler
    private let augmentation: Augmentation
    private let seed: UInt64
    private let imageShape: Shape
    private let pixels: [AlignedStorage<Float>]
    private let labels: [AlignedStorage<Int32>]
    private let order: AlignedStorage<Int64>
    private let augmentations: AlignedStorage<ImageAugmentation>
    /// The epoch whose order is in `order`.
    private var orderedEpoch: Int?

    init(
        dataset: any Dataset, batchSize: Int, sampler: Sampler, augmentation: Augmentation, seed: UInt64, slots: Int
    ) throws {
        self.dataset = dataset
        self.batchSize = batchSize
        self.sampler = sampler
        self.augmentation = augmentation
        self.seed = seed
        imageShape = dataset.imageShape
        batchesPerEpoch = dataset.count / batchSize + (dataset.count % batchSize == 0 ? 0 : 1)
        slotCount = slots
        let largest = min(batchSize, dataset.count)
        let imageSize = imageShape.elementCount
        pixels = try (0..<slots).map { _ in try AlignedStorage(count: largest * imageSize) }
        labels = try (0..<slots).map { _ in try AlignedStorage(count: largest) }
        order = try AlignedStorage(count: dataset.count)
        augmentations = try AlignedStorage(count: largest)
    }

    /// Loads a batch, which must exist, into a slot. O(dataset.count) for the first batch of an epoch.
    func prepare(epoch: Int, batch: Int, slot: Int) throws -> Batch {
        if orderedEpoch != epoch {
            sampler.fill(order.buffer, seed: seed, epoch: epoch)
            orderedEpoch = epoch
        }
        let first = batch * batchSize
        let count = min(batchSize, order.count - first)
        let indices = UnsafeBufferPointer(start: order.pointer + first, count: count)
        let changes = draw(indices, epoch: epoch)
        let labels = labels[slot].pointer
        var pixelSpan = UnsafeMutableBufferPointer(start: pixels[slot].pointer, count: count * imageShape.elementCount)
            .mutableSpan
        var labelSpan = UnsafeMutableBufferPointer(start: labels, count: count).mutableSpan
        try dataset.load(indices.span, augmentations: changes.span, pixels: &pixelSpan, labels: &labelSpan)
        let classCount = dataset.classCount
        var image = 0
        while image < count {
            guard labels[image] >= 0, Int(labels[image]) < classCount else {
                throw DataError(
                    path: dataset.name, expected: "a label of 0 ..< \(classCount) for image \(indices[image])",
                    found: "\(labels[image])")
            }
            image += 1
        }
        return Batch(
            pixels: UnsafePointer(pixels[slot].pointer), labels: UnsafePointer(labels), imageShape: imageShape,
            count: count, epoch: epoch, index: batch)
    }

    /// The augmentation of each image; empty if the images don't change.
    private func draw(_ indices: UnsafeBufferPointer<Int64>, epoch: Int) -> UnsafeBufferPointer<ImageAugmentation> {
        guard augmentation != .none else { return UnsafeBufferPointer(start: nil, count: 0) }
        var image = 0
        while image < indices.count {
            augmentations.pointer[image] = augmentation.draw(
                seed: seed, epoch: epoch, sample: Int(indices[image]), imageShape: imageShape)
            image += 1
        }
        return UnsafeBufferPointer(start: augmentations.pointer, count: indices.count)
    }
}
