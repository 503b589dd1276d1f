/// Labelled images that can be read by number, in any order.
///
/// Make your own by conforming to it; ``load(_:augmentations:pixels:labels:)`` may be called from several threads at
/// once, since loaders prepare training and test images at the same time, and is called beside training, so it should
/// not start threads of its own.
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
    /// How pixels are made of the bytes of pictures; `nil`, the default, if they aren't or nobody needs to know. A
    /// ``Run`` keeps it for who uses the network.
    var pixelScaling: PixelScaling? { get }

    /// Writes images and labels into memory the caller owns.
    ///
    /// - Parameters:
    ///   - indices: which images, each of `0 ..< count`.
    ///   - augmentations: how to change each of them; none leave them as they are.
    ///     ``ImageAugmentation/apply(to:shape:into:)`` does it for an image in floats.
    ///   - pixels: room for `indices.count` images, [image][height][width][channel]; uninitialised on entry.
    ///   - labels: room for `indices.count` labels.
    /// - Throws: any error; the loader passes it on to whoever asks for the batch.
    func load(
        _ indices: Span<Int64>, augmentations: Span<ImageAugmentation>, pixels: inout MutableSpan<Float>,
        labels: inout MutableSpan<Int32>
    ) throws
}

extension Dataset {
    public var pixelScaling: PixelScaling? { nil }

    /// The first `limit` images of this data set, or all if there are fewer. Shares its memory.
    public func prefix(_ limit: Int) -> DatasetPrefix {
        DatasetPrefix(base: self, count: min(max(limit, 0), count))
    }
}
