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
    /// Red, green and blue of shape and background, 0 to 255.
    private let foreground: (Float, Float, Float)
    private let background: (Float, Float, Float)
    /// How much brighter the background becomes from one pixel to the next.
    private let slopeX: Float
    private let slopeY: Float
    /// The largest noise of a pixel, in 1/128.
    private let noise: Float
    private var random: CounterRandom

    /// Draws everything but the noise from `random`.
    init(shape: Int, random: CounterRandom) {
        var random = random
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
        noise = Float(random.uniform(in: 10...50) / 128)
        self.random = random
    }

    private static func colour(_ random: inout CounterRandom) -> (Float, Float, Float) {
        (Float(random.uniform(in: 20...235)), Float(random.uniform(in: 20...235)), Float(random.uniform(in: 20...235)))
    }

    private static func contrast(_ a: (Float, Float, Float), _ b: (Float, Float, Float)) -> Float {
        abs(a.0 - b.0) + abs(a.1 - b.1) + abs(a.2 - b.2)
    }

    /// Writes the image, [row][column][channel].
    mutating func paint(into pixels: UnsafeMutablePointer<UInt8>) {
        let size = Self.size
        var pixel = pixels
        var y = 0
        while y < size {
            let fromCentreY = Float(y) - centreY
            var x = 0
            while x < size {
                let fromCentreX = Float(x) - centreX
                let u = cosine * fromCentreX + sine * fromCentreY
                let v = cosine * fromCentreY - sine * fromCentreX
                // A pixel whose centre is half a pixel from the outline is all in or all out.
                let depth = 0.5 - ShapeOutline.distance(shape, u, v, radius: radius)
                let cover = depth < 0 ? 0 : depth > 1 ? 1 : depth
                let light = slopeX * fromCentreX + slopeY * fromCentreY
                let bits = random.next()
                let red = background.0 + light, green = background.1 + light, blue = background.2 + light
                pixel[0] = byte(red + cover * (foreground.0 - red), bits)
                pixel[1] = byte(green + cover * (foreground.1 - green), bits &>> 16)
                pixel[2] = byte(blue + cover * (foreground.2 - blue), bits &>> 32)
                pixel += 3
                x &+= 1
            }
            y &+= 1
        }
    }

    /// A value with noise (the sum of two uniform numbers, from 16 bits), as a byte.
    private func byte(_ value: Float, _ bits: UInt64) -> UInt8 {
        let sum = Int32(truncatingIfNeeded: (bits & 255) &+ ((bits &>> 8) & 255)) &- 255
        let noisy = value + 0.5 * noise * Float(sum)
        return noisy <= 0 ? 0 : noisy >= 255 ? 255 : UInt8(noisy)
    }
}
