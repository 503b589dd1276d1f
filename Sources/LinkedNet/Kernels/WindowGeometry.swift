/// The treatment of an image's edges under a convolution or pooling window.
public enum Padding: String, Sendable, Hashable, CaseIterable {
    /// Zeros around the image, so that the output has ⌈size / stride⌉ positions. TensorFlow's rule holds: of an odd
    /// total, the extra row and column go to the bottom and the right.
    case same
    /// No padding: only windows that lie inside the image.
    case valid
}

/// A two-dimensional window: its size, its stride, and its padding.
public struct Window2D: Sendable, Hashable {
    /// The number of rows.
    public var height: Int
    /// The number of columns.
    public var width: Int
    /// Rows from one window to the next.
    public var strideHeight: Int
    /// Columns from one window to the next.
    public var strideWidth: Int
    /// The treatment of the edges.
    public var padding: Padding

    /// A `height` × `width` window.
    public init(height: Int, width: Int, strideHeight: Int, strideWidth: Int, padding: Padding) {
        self.height = height
        self.width = width
        self.strideHeight = strideHeight
        self.strideWidth = strideWidth
        self.padding = padding
    }
}

/// The positions of a window on an image of a known size.
struct WindowGeometry: Sendable, Hashable {
    var outputHeight, outputWidth: Int
    var padTop, padLeft: Int

    /// Products of two sizes up to this limit don't overflow.
    private static let largestSize = Int(Int32.max)

    /// - Throws: ``ShapeError`` naming `subject` if the window has a size or stride below 1, or no position on the
    ///   image.
    init(_ window: Window2D, imageHeight: Int, imageWidth: Int, subject: String) throws(ShapeError) {
        guard window.height >= 1, window.width >= 1 else {
            throw ShapeError(
                subject: subject, expected: "a window of at least 1×1", found: "\(window.height)×\(window.width)")
        }
        guard window.strideHeight >= 1, window.strideWidth >= 1 else {
            throw ShapeError(
                subject: subject, expected: "strides of at least 1",
                found: "\(window.strideHeight)×\(window.strideWidth)")
        }
        guard max(window.height, window.width, window.strideHeight, window.strideWidth) <= Self.largestSize,
            max(imageHeight, imageWidth) <= Self.largestSize
        else {
            throw ShapeError(
                subject: subject, expected: "images, windows and strides of at most \(Self.largestSize)",
                found: "a window of \(window.height)×\(window.width), strides of "
                    + "\(window.strideHeight)×\(window.strideWidth) and an image of \(imageHeight)×\(imageWidth)")
        }
        switch window.padding {
        case .valid:
            guard window.height <= imageHeight, window.width <= imageWidth else {
                throw ShapeError(
                    subject: subject, expected: "an input of at least \(window.height)×\(window.width)",
                    found: "\(imageHeight)×\(imageWidth)")
            }
            outputHeight = (imageHeight - window.height) / window.strideHeight + 1
            outputWidth = (imageWidth - window.width) / window.strideWidth + 1
            padTop = 0
            padLeft = 0
        case .same:
            outputHeight = (imageHeight - 1) / window.strideHeight + 1
            outputWidth = (imageWidth - 1) / window.strideWidth + 1
            padTop = max((outputHeight - 1) * window.strideHeight + window.height - imageHeight, 0) / 2
            padLeft = max((outputWidth - 1) * window.strideWidth + window.width - imageWidth, 0) / 2
        }
    }
}

extension Window2D {
    /// Size, strides and padding: `3×3 /1×1 same`.
    var identity: String { "\(height)×\(width) /\(strideHeight)×\(strideWidth) \(padding)" }

    /// A summary's text for strides: ` /2`, ` /2×1`, empty for 1.
    var strideLabel: String {
        if strideHeight == 1, strideWidth == 1 { return "" }
        return strideHeight == strideWidth ? " /\(strideHeight)" : " /\(strideHeight)×\(strideWidth)"
    }
}
