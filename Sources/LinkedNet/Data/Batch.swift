/// Some images and labels, ready for the network.
///
/// The memory is the loader's: it is valid until the loader's next call, and while the loader lives.
public struct Batch {
    /// [image][height][width][channel], 64-byte aligned.
    public let pixels: UnsafePointer<Float>
    /// One for each image, each of `0 ..< classCount`.
    public let labels: UnsafePointer<Int32>
    /// Height, width, channels.
    public let imageShape: Shape
    /// The number of images: the batch size, or less in the last batch of an epoch.
    public let count: Int
    /// Which epoch, from 0.
    public let epoch: Int
    /// Which batch of its epoch, from 0.
    public let index: Int
}
