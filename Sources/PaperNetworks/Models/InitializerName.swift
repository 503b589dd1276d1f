import LinkedNet

/// The initialisers, by the names that commands take.
public enum InitializerName: String, Sendable, Hashable, Codable, CaseIterable {
    /// ``Initializer/glorotUniform``
    case glorotUniform = "glorot-uniform"
    /// ``Initializer/glorotNormal``
    case glorotNormal = "glorot-normal"
    /// ``Initializer/heUniform``
    case heUniform = "he-uniform"
    /// ``Initializer/heNormal``
    case heNormal = "he-normal"
    /// ``Initializer/lecunNormal``
    case lecunNormal = "lecun-normal"

    /// The initialiser of this name.
    public var initializer: Initializer {
        switch self {
        case .glorotUniform: .glorotUniform
        case .glorotNormal: .glorotNormal
        case .heUniform: .heUniform
        case .heNormal: .heNormal
        case .lecunNormal: .lecunNormal
        }
    }
}
