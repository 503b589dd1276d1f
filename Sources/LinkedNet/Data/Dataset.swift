/// Labelled images that can be read by number, in any order.
///
/// A data set of your own conforms to this protocol. Several threads may call ``load(_:augmentations:pixels:labels:)``
/// at once, because loaders prepare training and test images at the same time. The calls run beside training, so the
/// method should start no threads.
public protocol Dataset: Sendable {
    /// The name for people, for example "CIFAR-10 train".
    var name: String { get }
    /// The number of images.
    var count: Int { get }
    /// Height, width and channels of every image.
    var imageShape: Shape { get }
    /// The number of classes; labels are `0 ..< classCount`.
    var classCount: Int { get }
    /// A name for each class.
    var classNames: [String] { get }
    /// SHA-256 of pixels and labels in hexadecimal: two data sets with the same fingerprint train the same network.
    var fingerprint: String { get }
    /// The way from the bytes of pictures to pixels. `nil`, the default, stands for pixels of another origin, or for a
    /// scaling that nobody needs to know. A ``Run`` keeps the scaling for users of the network.
    var pixelScaling: PixelScaling? { get }

    /// Writes images and labels into memory that the caller owns.
    ///
    /// - Parameters:
    ///   - indices: the numbers of the images, each of `0 ..< count`.
    ///   - augmentations: the change of each image; an empty span changes no image.
    ///     ``ImageAugmentation/apply(to:shape:into:)`` changes an image of floats.
    ///   - pixels: room for `indices.count` images, [image][height][width][channel]; uninitialised on entry.
    ///   - labels: room for `indices.count` labels.
    /// - Throws: any error; the loader passes the error on to the caller that asks for the batch.
    func load(
        _ indices: Span<Int64>, augmentations: Span<ImageAugmentation>, pixels: inout MutableSpan<Float>,
        labels: inout MutableSpan<Int32>
    ) throws
}

extension Dataset {
    public var pixelScaling: PixelScaling? { nil }

    /// The first `limit` images of this data set, or all images if there are fewer. The prefix shares the memory of
    /// this data set.
    public func prefix(_ limit: Int) -> DatasetPrefix {
        DatasetPrefix(base: self, count: min(max(limit, 0), count))
    }
}
