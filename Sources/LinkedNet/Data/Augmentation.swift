/// Random changes that give each training image many variants. The changes of an image depend on the seed, the epoch
/// and the image's number only, not on order, batch size or thread.
public struct Augmentation: SelfDescribing, Hashable, Sendable {
    /// True mirrors half of the images, on average, left to right.
    public var horizontalFlip: Bool
    /// The largest distance that an image moves, as a fraction of the image's height and width. The distance along each
    /// axis is uniform between minus and plus this value, and may have fractions of pixels. The image's edge is
    /// repeated where the image moved away. A value below 0 counts as 0, and a value above 1 as 1.
    public var shift: Double

    /// Random changes.
    public init(horizontalFlip: Bool, shift: Double) {
        self.horizontalFlip = horizontalFlip
        self.shift = shift
    }

    /// No changes.
    public static let none = Augmentation(horizontalFlip: false, shift: 0)

    /// The changes of one image.
    ///
    /// - Parameters:
    ///   - seed: the training's seed.
    ///   - epoch: the epoch, counted from 0.
    ///   - sample: the image's number in the data set.
    ///   - imageShape: height, width, channels.
    public func draw(seed: UInt64, epoch: Int, sample: Int, imageShape: Shape) -> ImageAugmentation {
        var random = CounterRandom(
            seed: seed, epoch: UInt64(truncatingIfNeeded: epoch), sample: UInt64(truncatingIfNeeded: sample),
            use: .augmentation)
        // Every call draws all three values, so that the other changes stay the same if one change is switched off.
        let flip = random.next() & 1 == 1
        let limit = shift > 0 ? min(shift, 1) : 0
        let shiftY = (2 * random.uniform() - 1) * limit * Double(imageShape[0])
        let shiftX = (2 * random.uniform() - 1) * limit * Double(imageShape[1])
        return ImageAugmentation(shiftY: Float(shiftY), shiftX: Float(shiftX), flip: flip && horizontalFlip)
    }
}
