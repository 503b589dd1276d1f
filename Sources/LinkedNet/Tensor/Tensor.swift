/// A dense array of 32-bit floats with a shape, in row-major order: the last dimension is contiguous.
///
/// A tensor is a value: copies share memory until one copy is changed. Weights, inputs and results pass between the
/// library and its user as tensors; training itself works in a planned arena.
public struct Tensor: Sendable, Equatable {
    /// The sizes of the dimensions.
    public let shape: Shape
    /// The elements in row-major order; always `shape.elementCount` of them.
    public private(set) var elements: [Float]

    /// A tensor of `shape` holding `elements`.
    ///
    /// - Throws: ``ShapeError`` if the number of elements isn't the shape's, or the shape isn't valid.
    public init(shape: Shape, elements: [Float]) throws(ShapeError) {
        self.shape = try shape.validated(as: "tensor")
        guard elements.count == shape.elementCount else {
            throw ShapeError(
                subject: "tensor", expected: "\(shape.elementCount) elements for shape \(shape)",
                found: "\(elements.count)")
        }
        self.elements = elements
    }

    /// A tensor of `shape` with every element `value`.
    ///
    /// - Throws: ``ShapeError`` if the shape isn't valid.
    public init(shape: Shape, repeating value: Float = 0) throws(ShapeError) {
        self.shape = try shape.validated(as: "tensor")
        elements = Array(repeating: value, count: shape.elementCount)
    }

    /// Calls `body` with the elements, which `body` may change in place.
    public mutating func withUnsafeMutableElements<Result, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try elements.withUnsafeMutableBufferPointer { elements throws(Failure) in try body(elements) }
    }
}
