/// Floats that another object owns. Every access is checked against the bounds. A view is valid during the call that
/// gives the view.
///
/// A view is copyable, so that several views fit in an array. In all other ways a view is used like a `Span`.
public struct ElementView {
    let start: UnsafePointer<Float>
    /// The number of elements.
    public let count: Int

    init(start: UnsafePointer<Float>, count: Int) {
        self.start = start
        self.count = count
    }

    /// The elements of a buffer.
    public init(_ buffer: UnsafeBufferPointer<Float>) {
        // An empty buffer may have no address. No access of an empty view passes the check of bounds.
        self.init(start: buffer.baseAddress ?? .noElements, count: buffer.count)
    }

    /// Element `index` of `0 ..< count`.
    public subscript(index: Int) -> Float {
        precondition(index >= 0 && index < count, "element out of bounds")
        return start[index]
    }

    /// Calls `body` with the elements.
    public func withUnsafeBufferPointer<Result>(
        _ body: (UnsafeBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        try body(UnsafeBufferPointer(start: start, count: count))
    }
}

/// Floats that another object owns and that the caller may change. The rules of ``ElementView`` hold.
public struct MutableElementView {
    let start: UnsafeMutablePointer<Float>
    /// The number of elements.
    public let count: Int

    init(start: UnsafeMutablePointer<Float>, count: Int) {
        self.start = start
        self.count = count
    }

    /// The elements of a buffer.
    public init(_ buffer: UnsafeMutableBufferPointer<Float>) {
        // An empty buffer may have no address. No access of an empty view passes the check of bounds.
        self.init(start: buffer.baseAddress ?? .noElements, count: buffer.count)
    }

    /// Element `index` of `0 ..< count`.
    public subscript(index: Int) -> Float {
        get {
            precondition(index >= 0 && index < count, "element out of bounds")
            return start[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "element out of bounds")
            start[index] = newValue
        }
    }

    /// Calls `body` with the elements.
    public func withUnsafeMutableBufferPointer<Result>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
    ) rethrows -> Result {
        try body(UnsafeMutableBufferPointer(start: start, count: count))
    }
}

extension UnsafePointer<Float> {
    /// An address that nothing reads.
    fileprivate static var noElements: UnsafePointer<Float> { UnsafePointer(UnsafeMutablePointer.noElements) }
}

extension UnsafeMutablePointer<Float> {
    /// An address that nothing reads or writes.
    fileprivate static var noElements: UnsafeMutablePointer<Float> {
        UnsafeMutablePointer(bitPattern: MemoryLayout<Float>.alignment).unsafelyUnwrapped
    }
}
