/// The sizes of a tensor's dimensions, outermost first, for example `[28, 28, 1]` for a grey image (height, width,
/// channels).
///
/// A shape is a list of numbers without checks; functions that take a shape check the shape (see ``validated(as:)``).
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The size of each dimension.
    public var dimensions: [Int]

    /// A shape of the given sizes.
    public init(_ dimensions: [Int]) {
        self.dimensions = dimensions
    }

    public init(arrayLiteral elements: Int...) {
        dimensions = elements
    }

    /// The number of dimensions.
    public var rank: Int { dimensions.count }

    /// The size of dimension `index`; negative indices count from the end, so `shape[-1]` is the number of channels.
    public subscript(index: Int) -> Int {
        dimensions[index < 0 ? dimensions.count + index : index]
    }

    /// The number of elements: the product of all sizes, 1 for the empty shape.
    ///
    /// The number is meaningful for a validated shape only; ``validated(as:)`` reports a product that overflows.
    public var elementCount: Int {
        // The loop counts by index, because `reduce` allocates in unoptimised builds, and every step runs this code.
        var product = 1
        for index in dimensions.indices { product = product &* dimensions[index] }
        return product
    }

    /// `28×28×1`.
    public var description: String {
        dimensions.isEmpty ? "scalar" : dimensions.map(String.init).joined(separator: "×")
    }

    /// This shape, if every size is at least 1 and the elements can be addressed as 32-bit floats.
    ///
    /// - Parameter what: the owner of the shape, for the error's text.
    /// - Throws: ``ShapeError``.
    public func validated(as what: String) throws(ShapeError) -> Shape {
        var product = MemoryLayout<Float>.stride
        for size in dimensions {
            guard size >= 1 else {
                throw ShapeError(subject: what, expected: "sizes of at least 1", found: description)
            }
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            guard !overflow else {
                throw ShapeError(subject: what, expected: "a size that fits in memory", found: description)
            }
            product = next
        }
        return self
    }
}

/// A shape that doesn't fit its use.
public struct ShapeError: Error, Equatable, CustomStringConvertible {
    /// The subject of the error, for example the layer's name.
    public let subject: String
    /// A description of a correct shape.
    public let expected: String
    /// The shape that was found.
    public let found: String

    /// An error about `subject`.
    public init(subject: String, expected: String, found: String) {
        self.subject = subject
        self.expected = expected
        self.found = found
    }

    public var description: String { "\(subject): expected \(expected), found \(found)" }
}
