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

extension BorrowedTensor {
    /// Tensors like these, one after the other in `memory`, which has room for all of their elements.
    static func places(for tensors: [BorrowedTensor], in memory: AlignedStorage<Float>) -> [BorrowedTensor] {
        var places: [BorrowedTensor] = []
        var end = 0
        for tensor in tensors {
            let range = end..<end + tensor.elements.count
            places.append(
                BorrowedTensor(
                    name: tensor.name, shape: tensor.shape,
                    elements: UnsafeMutableBufferPointer(rebasing: memory.buffer[range])))
            end = range.upperBound
        }
        return places
    }

    /// Copies elements into places that ``places(for:in:)`` made.
    static func copy(_ tensors: [BorrowedTensor], to places: [BorrowedTensor]) {
        for (tensor, place) in zip(tensors, places) {
            _ = UnsafeMutableBufferPointer(mutating: place.elements).update(fromContentsOf: tensor.elements)
        }
    }
}
