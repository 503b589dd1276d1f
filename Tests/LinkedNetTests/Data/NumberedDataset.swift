import LinkedNet
import Synchronization

/// A data set as a user would write. Every pixel tells its image and its augmentation.
final class NumberedDataset: Dataset {
    struct Failure: Error, Equatable {
        let image: Int64
    }

    let name = "numbered"
    let count: Int
    let imageShape: Shape = [2, 2, 1]
    let classCount = 3
    let classNames = ["a", "b", "c"]
    let fingerprint = "numbered"
    /// Loading this image throws this many times.
    private let failures: Mutex<(image: Int64, count: Int)>
    private let started = Mutex(0)
    /// The image whose label is no class.
    private let mislabelled: Int64

    /// The number of batches that were requested.
    var loads: Int { started.withLock { $0 } }

    init(count: Int, failing: Int64 = -1, times: Int = 0, mislabelled: Int64 = -1) {
        self.count = count
        self.mislabelled = mislabelled
        failures = Mutex((failing, times))
    }

    func load(
        _ indices: Span<Int64>, augmentations: Span<ImageAugmentation>, pixels: inout MutableSpan<Float>,
        labels: inout MutableSpan<Int32>
    ) throws {
        started.withLock { $0 += 1 }
        for slot in indices.indices {
            let index = indices[slot]
            try failures.withLock { failures in
                guard index == failures.image, failures.count > 0 else { return }
                failures.count -= 1
                throw Failure(image: index)
            }
            let change = augmentations.isEmpty ? nil : augmentations[slot]
            pixels[4 * slot] = Float(index)
            pixels[4 * slot + 1] = change?.shiftY ?? 1000
            pixels[4 * slot + 2] = change?.shiftX ?? 1000
            pixels[4 * slot + 3] = change?.flip == true ? 1 : 0
            labels[slot] = index == mislabelled ? 3 : Int32(index % 3)
        }
    }
}

/// A copy of a batch's content.
struct SeenBatch: Equatable {
    let epoch: Int
    let index: Int
    let pixels: [Float]
    let labels: [Int32]

    init(_ batch: Batch, imageSize: Int = 4) {
        epoch = batch.epoch
        index = batch.index
        pixels = Array(UnsafeBufferPointer(start: batch.pixels, count: batch.count * imageSize))
        labels = Array(UnsafeBufferPointer(start: batch.labels, count: batch.count))
    }

    /// The numbers of the images, from a ``NumberedDataset``.
    var images: [Int] { stride(from: 0, to: pixels.count, by: 4).map { Int(pixels[$0]) } }
}
