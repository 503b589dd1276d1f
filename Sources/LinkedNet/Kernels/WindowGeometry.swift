/// The treatment of an image's edges under a convolution or pooling window.
public enum Padding: Sendable, Hashable {
    /// Zeros around the image, so that the output has ⌈size / stride⌉ positions. TensorFlow's rule holds: of an odd
    /// total, the extra row and column go to the bottom and the right.
    case same
    /// As ``same``, but of an odd total, the extra row and column go to the top and the left: ONNX's SAME_LOWER.
    case sameLower
    /// No padding: only windows that lie inside the image.
    case valid
    /// So many rows and columns of zeros on each side. Each number is less than the window's size. The output has
    /// ⌊(size + padding − window) / stride⌋ + 1 positions.
    case explicit(top: Int, left: Int, bottom: Int, right: Int)

    /// So many rows and columns of zeros on all four sides, as PyTorch's `padding=`.
    public static func explicit(_ size: Int) -> Padding {
        .explicit(top: size, left: size, bottom: size, right: size)
    }
}

extension Padding: CustomStringConvertible {
    /// `same`, `sameLower`, `valid`, `padding 1` or `padding 0,1,2,3` (top, left, bottom, right).
    public var description: String {
        switch self {
        case .same: "same"
        case .sameLower: "sameLower"
        case .valid: "valid"
        case .explicit(let top, let left, let bottom, let right):
            Set([top, left, bottom, right]).count == 1 ? "padding \(top)" : "padding \(top),\(left),\(bottom),\(right)"
        }
    }
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
    let outputHeight, outputWidth: Int
    let padTop, padLeft, padBottom, padRight: Int

    /// Products of two sizes up to this limit don't overflow.
    private static let largestSize = Int(Int32.max)

    /// - Parameter ceilMode: true if there is one more position where windows leave a rest of the padded image. The
    ///   position must begin in the image or before the image.
    /// - Throws: ``ShapeError`` naming `subject` if the window has a size or stride below 1, padding that the window
    ///   can't have, or no position on the image.
    init(_ window: Window2D, imageHeight: Int, imageWidth: Int, ceilMode: Bool = false, subject: String)
        throws(ShapeError)
    {
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
        if case .explicit(let top, let left, let bottom, let right) = window.padding {
            guard min(top, left, bottom, right) >= 0, max(top, bottom) < window.height,
                max(left, right) < window.width
            else {
                throw ShapeError(
                    subject: subject,
                    expected: "padding from 0 to less than the window of \(window.height)×\(window.width)",
                    found: "\(window.padding)")
            }
        }
        let rows = WindowAxis(size: imageHeight, window: window.height, stride: window.strideHeight)
        let columns = WindowAxis(size: imageWidth, window: window.width, stride: window.strideWidth)
        let (top, left, bottom, right) =
            switch window.padding {
            case .same: (rows.zeros / 2, columns.zeros / 2, (rows.zeros + 1) / 2, (columns.zeros + 1) / 2)
            case .sameLower: ((rows.zeros + 1) / 2, (columns.zeros + 1) / 2, rows.zeros / 2, columns.zeros / 2)
            case .valid: (0, 0, 0, 0)
            case .explicit(let top, let left, let bottom, let right): (top, left, bottom, right)
            }
        let height = imageHeight + top + bottom, width = imageWidth + left + right
        guard window.height <= height, window.width <= width else {
            throw ShapeError(
                subject: subject,
                expected: "an input of at least \(window.height - top - bottom)×\(window.width - left - right)",
                found: "\(imageHeight)×\(imageWidth)")
        }
        (padTop, padLeft, padBottom, padRight) = (top, left, bottom, right)
        outputHeight = rows.positions(before: top, behind: bottom, ceilMode: ceilMode)
        outputWidth = columns.positions(before: left, behind: right, ceilMode: ceilMode)
    }
}

/// One axis of a window on an image.
private struct WindowAxis {
    let size, window, stride: Int

    /// The zeros before and behind the image that give ⌈size / stride⌉ positions.
    var zeros: Int { max((size - 1) / stride * stride + window - size, 0) }

    /// The positions with so many zeros before and behind the image.
    func positions(before: Int, behind: Int, ceilMode: Bool) -> Int {
        let way = before + size + behind - window
        let whole = way / stride + 1
        let hasRest = way % stride > 0 && whole * stride < size + before
        return ceilMode && hasRest ? whole + 1 : whole
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
