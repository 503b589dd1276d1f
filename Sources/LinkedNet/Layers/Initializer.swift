/// The first values of a layer's weights.
///
/// `fanIn` and `fanOut` count the inputs and outputs of one weight position: for a convolution, kernel height × kernel
/// width × channels. Normal distributions are cut off at two standard deviations, and corrected to the stated
/// deviation, as in Keras.
public enum Initializer: Sendable, Hashable {
    /// Uniform in ±√(6 / (fanIn + fanOut)) (Glorot and Bengio 2010).
    case glorotUniform
    /// Normal with variance 2 / (fanIn + fanOut) (Glorot and Bengio 2010).
    case glorotNormal
    /// Uniform in ±√(6 / fanIn) (He et al. 2015).
    case heUniform
    /// Normal with variance 2 / fanIn (He et al. 2015).
    case heNormal
    /// Uniform in ±√(3 / fanIn) (LeCun et al. 1998).
    case lecunUniform
    /// Normal with variance 1 / fanIn (LeCun et al. 1998).
    case lecunNormal
    /// The same value for every weight.
    case constant(Float)
    /// All zeros.
    public static let zeros = constant(0)
    /// All ones.
    public static let ones = constant(1)

    /// The closure that fills a parameter of the given fans.
    func initialization(fanIn: Int, fanOut: Int) -> GraphBuilder.Initialization {
        let fanIn = Double(fanIn)
        let fanOut = Double(fanOut)
        switch self {
        case .glorotUniform: return Self.uniform(limit: (6 / (fanIn + fanOut)).squareRoot())
        case .glorotNormal: return Self.truncatedNormal(deviation: (2 / (fanIn + fanOut)).squareRoot())
        case .heUniform: return Self.uniform(limit: (6 / fanIn).squareRoot())
        case .heNormal: return Self.truncatedNormal(deviation: (2 / fanIn).squareRoot())
        case .lecunUniform: return Self.uniform(limit: (3 / fanIn).squareRoot())
        case .lecunNormal: return Self.truncatedNormal(deviation: (1 / fanIn).squareRoot())
        case .constant(let value): return { weights, _ in weights.update(repeating: value) }
        }
    }

    private static func uniform(limit: Double) -> GraphBuilder.Initialization {
        { weights, random in
            for index in weights.indices { weights[index] = Float(random.uniform(in: -limit...limit)) }
        }
    }

    /// The deviation of a standard normal distribution cut off at ±2.
    private static let truncatedDeviation = 0.87962566103423978

    private static func truncatedNormal(deviation: Double) -> GraphBuilder.Initialization {
        { weights, random in
            for index in weights.indices {
                var sample = random.normal()
                while abs(sample) > 2 { sample = random.normal() }
                weights[index] = Float(sample * deviation / truncatedDeviation)
            }
        }
    }
}
