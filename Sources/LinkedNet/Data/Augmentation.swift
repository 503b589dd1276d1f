/// Random changes that make more of the training images. What an image gets depends on seed, epoch and its number
/// only, not on order, batch size or thread.
public struct Augmentation: SelfDescribing, Hashable, Sendable {
    /// True mirrors every other image (on average) left to right.
    public var horizontalFlip: Bool
    /// The farthest an image moves, as a fraction of its height and width. Each axis is uniform between minus and plus
    /// this, in fractions of pixels; what comes into view repeats the edge. Less than 0 counts as 0, more than 1 as 1.
    public var shift: Double

    /// Random changes.
    public init(horizontalFlip: Bool, shift: Double) {
        self.horizontalFlip = horizontalFlip
        self.shift = shift
    }

    /// Images as they are.
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
        // All three are drawn always, so that switching one off leaves the others as they were.
        let flip = random.next() & 1 == 1
        let limit = shift > 0 ? min(shift, 1) : 0
        let shiftY = (2 * random.uniform() - 1) * limit * Double(imageShape[0])
        let shiftX = (2 * random.uniform() - 1) * limit * Double(imageShape[1])
        return ImageAugmentation(shiftY: Float(shiftY), shiftX: Float(shiftX), flip: flip && horizontalFlip)
    }
}
