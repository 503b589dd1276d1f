/// The change of one image as the loader reads the image: first the image is mirrored left to right, then moved.
public struct ImageAugmentation: Hashable, Sendable, BitwiseCopyable {
    /// The distance down that the image moves, in pixels and fractions of pixels.
    public var shiftY: Float
    /// The distance right that the image moves, in pixels and fractions of pixels.
    public var shiftX: Float
    /// True mirrors left to right.
    public var flip: Bool

    /// A change; the default changes nothing.
    public init(shiftY: Float = 0, shiftX: Float = 0, flip: Bool = false) {
        self.shiftY = shiftY
        self.shiftX = shiftX
        self.flip = flip
    }
}

extension ImageAugmentation {
    /// Writes the changed copy of an image in floats, for data sets that don't keep bytes.
    ///
    /// `output[y] = image[y − shift]`, bilinear between pixels. The edge is repeated outside the image. Takes
    /// O(elements) time.
    ///
    /// - Parameters:
    ///   - image: [height][width][channel].
    ///   - shape: height, width and channels.
    ///   - output: as large as `image`, in other memory.
    public func apply(
        to image: UnsafePointer<Float>, shape: Shape, into output: UnsafeMutablePointer<Float>
    ) {
        let (height, width, channels) = (shape[0], shape[1], shape[2])
        for y in 0..<height {
            let (top, bottom, down) = Self.neighbours(of: Float(y) - shiftY, count: height)
            for x in 0..<width {
                var (left, right, across) = Self.neighbours(of: Float(x) - shiftX, count: width)
                if flip { (left, right) = (width - 1 - left, width - 1 - right) }
                for channel in 0..<channels {
                    func pixel(_ y: Int, _ x: Int) -> Float { image[(y * width + x) * channels + channel] }
                    let upper = pixel(top, left) + across * (pixel(top, right) - pixel(top, left))
                    let lower = pixel(bottom, left) + across * (pixel(bottom, right) - pixel(bottom, left))
                    output[(y * width + x) * channels + channel] = upper + down * (lower - upper)
                }
            }
        }
    }

    /// The pixels before and after a position, moved into the image, and the position's share of the way between the
    /// two pixels.
    private static func neighbours(of position: Float, count: Int) -> (Int, Int, Float) {
        // NaN must not become an index, but must show in the result.
        guard !position.isNaN else { return (0, 0, position) }
        let inside = min(max(position, 0), Float(count - 1))
        let before = Int(inside)
        return (before, min(before + 1, count - 1), inside - Float(before))
    }
}
