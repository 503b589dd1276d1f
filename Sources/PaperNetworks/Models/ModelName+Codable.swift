import LinkedNet

/// A model is encoded as the name that commands take.
extension ModelName: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let name = try container.decode(String.self)
        guard let model = ModelName(name) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "expected \(ModelName.options), found \(name)")
        }
        self = model
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
