/// The first images of another data set. The prefix shares the memory of the other data set.
public struct DatasetPrefix: Dataset {
    /// The whole data set.
    let base: any Dataset
    public let count: Int

    init(base: any Dataset, count: Int) {
        self.base = base
        self.count = count
    }

    public var name: String { count == base.count ? base.name : "\(base.name) (first \(count))" }
    public var imageShape: Shape { base.imageShape }
    public var classCount: Int { base.classCount }
    public var classNames: [String] { base.classNames }
    public var pixelScaling: PixelScaling? { base.pixelScaling }

    /// The base's fingerprint if the prefix has all images. Otherwise the prefix has a fingerprint made from the base's
    /// fingerprint and the number of images.
    public var fingerprint: String {
        guard count < base.count else { return base.fingerprint }
        var hash = SHA256()
        hash.update("first \(count) of \(base.fingerprint)".utf8)
        return hash.finalize()
    }

    public func load(
        _ indices: Span<Int64>, augmentations: Span<ImageAugmentation>, pixels: inout MutableSpan<Float>,
        labels: inout MutableSpan<Int32>
    ) throws {
        try base.load(indices, augmentations: augmentations, pixels: &pixels, labels: &labels)
    }
}
