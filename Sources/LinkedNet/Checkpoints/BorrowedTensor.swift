/// A named array that another object owns, for writing without a copy.
///
/// Valid as long as the owner keeps the memory.
public struct BorrowedTensor {
    /// The name, unique among the tensors of a file.
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

    /// A tensor whose memory the caller keeps. The caller doesn't change the memory while the tensor is in use.
    public init(name: String, shape: Shape, elements: UnsafeMutableBufferPointer<Float>) {
        self.init(name: name, shape: shape, elements: UnsafeBufferPointer(elements))
    }
}

extension BorrowedTensor {
    /// Tensors with the same names and shapes, one after the other in `memory`, which has room for all elements.
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
