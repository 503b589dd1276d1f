/// A named array that someone else owns, for writing it without a copy.
///
/// Valid as long as its owner keeps the memory.
public struct BorrowedTensor {
    /// Unique among those written together.
    public let name: String
    /// The sizes of the dimensions.
    public let shape: Shape
    /// The elements in row-major order.
    public let elements: UnsafeBufferPointer<Float>

    /// A tensor whose memory the caller keeps.
    public init(name: String, shape: Shape, elements: UnsafeBufferPointer<Float>) {
        self.name = name
        self.shape = shape
        self.elements = elements
    }

    /// A tensor whose memory the caller keeps, and does not change while it is in use here.
    public init(name: String, shape: Shape, elements: UnsafeMutableBufferPointer<Float>) {
        self.init(name: name, shape: shape, elements: UnsafeBufferPointer(elements))
    }
}
