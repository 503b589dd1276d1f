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
        let down = Displacement(by: shiftY, count: height), across = Displacement(by: shiftX, count: width)
        for y in 0..<height {
            let (top, bottom) = down.neighbours(of: y)
            for x in 0..<width {
                var (left, right) = across.neighbours(of: x)
                if flip { (left, right) = (width - 1 - left, width - 1 - right) }
                for channel in 0..<channels {
                    func pixel(_ y: Int, _ x: Int) -> Float { image[(y * width + x) * channels + channel] }
                    let upper = pixel(top, left) + across.fraction * (pixel(top, right) - pixel(top, left))
                    let lower = pixel(bottom, left) + across.fraction * (pixel(bottom, right) - pixel(bottom, left))
                    output[(y * width + x) * channels + channel] = upper + down.fraction * (lower - upper)
                }
            }
        }
    }

    /// Where the pixels of an axis come from. The fraction is the same for all pixels: formed from a pixel's position,
    /// it would lose digits in large images.
    private struct Displacement {
        /// The distance from a position to the pixel before the position's source.
        let base: Int
        /// The source's share of the way from that pixel to the next one.
        let fraction: Float
        private let count: Int

        init(by shift: Float, count: Int) {
            self.count = count
            // NaN must not become an index, but must show in the result.
            guard !shift.isNaN else {
                base = 0
                fraction = shift
                return
            }
            // From farther away, every position reads the edge.
            let source = min(max(-Double(shift), -Double(count)), Double(count))
            base = Int(source.rounded(.down))
            fraction = Float(source - source.rounded(.down))
        }

        /// The pixels before and after the source of a position, moved into the image.
        func neighbours(of position: Int) -> (Int, Int) {
            func inside(_ position: Int) -> Int { min(max(position, 0), count - 1) }
            return (inside(position + base), inside(position + base + 1))
        }
    }
}
