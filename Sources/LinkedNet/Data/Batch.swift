/// Some images and labels, ready for the network.
///
/// The loader owns the memory. The memory is valid until the next call of the loader, and only while the loader lives.
public struct Batch {
    /// [image][height][width][channel], 64-byte aligned.
    public let pixels: UnsafePointer<Float>
    /// A label for each image, each of `0 ..< classCount`.
    public let labels: UnsafePointer<Int32>
    /// Height, width, channels.
    public let imageShape: Shape
    /// The number of images: the batch size, or less in the last batch of an epoch.
    public let count: Int
    /// The batch's epoch, counted from 0.
    public let epoch: Int
    /// The batch's index in the epoch, counted from 0.
    public let index: Int
}
