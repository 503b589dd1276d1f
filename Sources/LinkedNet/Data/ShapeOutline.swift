/// The outlines of the generated data set's ten shapes, as signed distances.
///
/// Conditional expressions stand for `min`, `max` and `abs`, which are function calls in unoptimised builds.
enum ShapeOutline {
    /// The distance of a point from a shape's outline, in pixels; negative inside. The distance is approximately right
    /// near the outline.
    ///
    /// - Parameters:
    ///   - shape: a label of ``SyntheticShapes/classNames``.
    ///   - u: the point's first coordinate, relative to the shape's centre and turned with the shape; `v` is the second
    ///     coordinate.
    ///   - radius: the reach of the shape, in pixels.
    static func distance(_ shape: Int, _ u: Float, _ v: Float, radius: Float) -> Float {
        let absU = u < 0 ? -u : u
        let absV = v < 0 ? -v : v
        let box = absU > absV ? absU : absV
        switch shape {
        case 0: return (u * u + v * v).squareRoot() - radius
        case 1:
            let fromMiddle = (u * u + v * v).squareRoot() - 0.78 * radius
            return (fromMiddle < 0 ? -fromMiddle : fromMiddle) - 0.2 * radius
        case 2: return box - 0.8 * radius
        case 3:
            let fromMiddle = box - 0.68 * radius
            return (fromMiddle < 0 ? -fromMiddle : fromMiddle) - 0.17 * radius
        case 4:
            let slanted = 0.866 * absU + 0.5 * v
            return (slanted > -v ? slanted : -v) - 0.55 * radius
        case 5:
            // The union of two bars: a point is inside if the smaller coordinate lies within half a bar's width and the
            // larger coordinate lies within half a bar's length.
            let narrow = (absU < absV ? absU : absV) - 0.28 * radius
            let long = box - 0.95 * radius
            return narrow > long ? narrow : long
        case 6: return pentagram(u, v, radius: radius)
        case 7:
            let disc = (u * u + v * v).squareRoot() - radius
            let shifted = u - 0.55 * radius
            let bite = 0.8 * radius - (shifted * shifted + v * v).squareRoot()
            return disc > bite ? disc : bite
        case 8:
            let edge = box - 0.85 * radius
            let period = 0.6 * radius
            let bar = 0.5 * period * wave(u / period)
            return edge > bar ? edge : bar
        default:
            let edge = box - 0.85 * radius
            let period = 0.85 * radius
            let field = period * wave(u / period) * wave(v / period)
            return edge > field ? edge : field
        }
    }

    /// A triangle wave of period 1 between −½ and ½.
    private static func wave(_ phase: Float) -> Float {
        let fraction = phase - phase.rounded(.down) - 0.5
        return 2 * (fraction < 0 ? -fraction : fraction) - 0.5
    }

    /// The interior of a five-pointed star lies on the inner side of at least four of the star's five lines. So the
    /// second largest distance from the lines decides.
    private static func pentagram(_ u: Float, _ v: Float, radius: Float) -> Float {
        var largest = -Float.infinity
        var second = -Float.infinity
        var line = 0
        while line < 5 {
            // The lines' normals point to 36°, 108°, …; in a star of radius 1 the lines lie cos 72° from the centre.
            let x: Float
            let y: Float
            switch line {
            case 0: (x, y) = (0.809017, 0.587785)
            case 1: (x, y) = (-0.309017, 0.951057)
            case 2: (x, y) = (-1, 0)
            case 3: (x, y) = (-0.309017, -0.951057)
            default: (x, y) = (0.809017, -0.587785)
            }
            let distance = x * u + y * v - 0.309017 * radius
            if distance > largest {
                second = largest
                largest = distance
            } else if distance > second {
                second = distance
            }
            line += 1
        }
        return second
    }
}
