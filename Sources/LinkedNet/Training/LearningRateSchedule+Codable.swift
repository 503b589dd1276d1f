/// Encoded as ``text``.
extension LearningRateSchedule: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do throws(SettingsError) {
            // What encoding wrote doesn't depend on the number of epochs.
            self = try LearningRateSchedule(text: text, epochs: 1)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        guard let text else {
            throw EncodingError.invalidValue(
                self, .init(codingPath: encoder.codingPath, debugDescription: "a sequence of schedules in another"))
        }
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
