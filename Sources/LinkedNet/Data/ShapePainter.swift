#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Paints one image of the generated data set.
struct ShapePainter {
    /// Height and width of an image.
    static let size = 32

    private let shape: Int
    private let centreX: Float
    private let centreY: Float
    private let radius: Float
    private let cosine: Float
    private let sine: Float
    /// Red, green and blue of the shape and of the background, 0 to 255.
    private let foreground: (Float, Float, Float)
    private let background: (Float, Float, Float)
    /// The change of the background's brightness from one pixel to the next.
    private let slopeX: Float
    private let slopeY: Float
    /// The largest noise of a pixel.
    private let noise: Float
    /// The source of the noise.
    private let noiseSeed: UInt64

    /// Draws all random properties of an image of `shape`.
    init(shape: Int, random: inout CounterRandom) {
        self.shape = shape
        radius = Float(random.uniform(in: 6...11))
        centreX = Float(random.uniform(in: 10...21))
        centreY = Float(random.uniform(in: 10...21))
        let angle = random.uniform(in: 0...(2 * Double.pi))
        cosine = Float(cos(angle))
        sine = Float(sin(angle))
        var (front, back) = (Self.colour(&random), Self.colour(&random))
        while Self.contrast(front, back) < 120 { (front, back) = (Self.colour(&random), Self.colour(&random)) }
        foreground = front
        background = back
        slopeX = Float(random.uniform(in: -2...2))
        slopeY = Float(random.uniform(in: -2...2))
        noise = Float(random.uniform(in: 5...30))
        noiseSeed = random.next()
    }

    private static func colour(_ random: inout CounterRandom) -> (Float, Float, Float) {
        (Float(random.uniform(in: 20...235)), Float(random.uniform(in: 20...235)), Float(random.uniform(in: 20...235)))
    }

    private static func contrast(_ a: (Float, Float, Float), _ b: (Float, Float, Float)) -> Float {
        abs(a.0 - b.0) + abs(a.1 - b.1) + abs(a.2 - b.2)
    }

    /// Writes the image, [row][column][channel].
    func paint(into pixels: UnsafeMutablePointer<UInt8>) {
        let size = Self.size
        // Only background lies beyond this squared distance: the farthest corners, of stripes and checkers, lie 0.85·√2
        // radii from the centre.
        let reach = (1.25 * radius + 1) * (1.25 * radius + 1)
        let step = noise / 32_768
        var bits = noiseSeed
        var pixel = pixels
        var y = 0
        while y < size {
            let fromCentreY = Float(y) - centreY
            var x = 0
            while x < size {
                let fromCentreX = Float(x) - centreX
                var cover: Float = 0
                if fromCentreX * fromCentreX + fromCentreY * fromCentreY < reach {
                    let u = cosine * fromCentreX + sine * fromCentreY
                    let v = cosine * fromCentreY - sine * fromCentreX
                    // A pixel whose centre lies half a pixel or more from the outline is wholly inside or wholly
                    // outside.
                    let depth = 0.5 - ShapeOutline.distance(shape, u, v, radius: radius)
                    cover = depth < 0 ? 0 : depth > 1 ? 1 : depth
                }
                // D. Knuth's linear congruential generator (MMIX): the upper bits are good enough for noise, and the
                // generator is much faster than Philox in unoptimised builds.
                bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let bare = (1 - cover) * (slopeX * fromCentreX + slopeY * fromCentreY)
                let red = background.0 + cover * (foreground.0 - background.0) + bare
                let green = background.1 + cover * (foreground.1 - background.1) + bare
                let blue = background.2 + cover * (foreground.2 - background.2) + bare
                pixel[0] = Self.byte(red + step * (Float(bits &>> 48) - 32_768))
                pixel[1] = Self.byte(green + step * (Float((bits &>> 32) & 65_535) - 32_768))
                pixel[2] = Self.byte(blue + step * (Float((bits &>> 16) & 65_535) - 32_768))
                pixel += 3
                x &+= 1
            }
            y &+= 1
        }
    }

    private static func byte(_ value: Float) -> UInt8 {
        value <= 0 ? 0 : value >= 255 ? 255 : UInt8(value)
    }
}
