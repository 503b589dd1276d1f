import LinkedNet

/// The format of a setting's values in an option, in texts for people, and in a saved run.
struct SettingFormat<Value: Hashable & Sendable>: Sendable {
    /// The word for a value in help: `N`. `nil` for a flag, which takes no value.
    let valueName: String?
    /// Reads an option's value; throws an ``OptionValue/Problem``.
    let read: @Sendable (String) throws -> Value
    /// The text of a value, in the form that ``read`` takes.
    let text: @Sendable (Value) -> String
    /// Reads a value from a saved run; `nil` if the run has no value.
    let decode: @Sendable (KeyedDecodingContainer<SettingKey>, SettingKey) throws -> Value?
    /// Writes a value into a saved run.
    let encode: @Sendable (Value, inout KeyedEncodingContainer<SettingKey>, SettingKey) throws -> Void
}

/// The name of a setting in a saved run.
struct SettingKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension SettingFormat where Value: Codable {
    /// Values that a saved run keeps in the encoding of the type `Value`.
    init(
        _ valueName: String?, read: @escaping @Sendable (String) throws -> Value,
        text: @escaping @Sendable (Value) -> String = { "\($0)" }
    ) {
        self.init(
            valueName: valueName, read: read, text: text, decode: { try $0.decodeIfPresent(Value.self, forKey: $1) },
            encode: { try $1.encode($0, forKey: $2) })
    }
}

extension SettingFormat {
    /// Values that may be missing: a saved run doesn't keep `nil`.
    static func optional<Wrapped: Codable>(
        _ valueName: String, read: @escaping @Sendable (String) throws -> Wrapped
    ) -> SettingFormat where Value == Wrapped? {
        SettingFormat(
            valueName: valueName, read: { try read($0) }, text: { $0.map { "\($0)" } ?? "none" },
            decode: { try $0.decodeIfPresent(Wrapped.self, forKey: $1) },
            encode: { try $1.encodeIfPresent($0, forKey: $2) })
    }
}

extension SettingFormat where Value == Bool {
    /// True or false: an option and its opposite, without a value.
    static var flag: SettingFormat { SettingFormat(nil, read: { $0 == "true" }) }
}

extension SettingFormat where Value == Double {
    /// A number.
    static func number(_ valueName: String) -> SettingFormat { SettingFormat(valueName, read: OptionValue.number) }
}

extension SettingFormat where Value: FixedWidthInteger & Codable {
    /// A whole number of at least `least`.
    static func wholeNumber(from least: Value) -> SettingFormat {
        SettingFormat("N", read: OptionValue.wholeNumber(from: least))
    }
}

extension SettingFormat where Value == Int? {
    /// A whole number of at least `least`, or none.
    static func wholeNumberOrNone(from least: Int) -> SettingFormat {
        .optional("N", read: OptionValue.wholeNumber(from: least))
    }
}

extension SettingFormat
where Value: RawRepresentable & CaseIterable & Codable, Value.RawValue == String {
    /// One of the names of a type.
    static var name: SettingFormat {
        SettingFormat("name", read: OptionValue.name(of: Value.self), text: \.rawValue)
    }
}

extension SettingFormat where Value == ModelName {
    /// The name of a model.
    static var model: SettingFormat { SettingFormat("name", read: OptionValue.model) }
}

extension SettingFormat where Value == LearningRateSchedule {
    /// A schedule as text. The texts in saved runs don't depend on the number of epochs.
    static var schedule: SettingFormat {
        SettingFormat(
            valueName: "schedule", read: { try LearningRateSchedule(text: $0, epochs: 1) },
            text: { $0.text ?? "\($0)" },
            decode: { container, key in
                guard let text = try container.decodeIfPresent(String.self, forKey: key) else { return nil }
                do throws(SettingsError) {
                    return try LearningRateSchedule(text: text, epochs: 1)
                } catch {
                    throw DecodingError.dataCorruptedError(
                        forKey: key, in: container, debugDescription: error.description)
                }
            },
            encode: { schedule, container, key in
                guard let text = schedule.text else {
                    throw EncodingError.invalidValue(
                        schedule,
                        .init(
                            codingPath: container.codingPath + [key],
                            debugDescription: "a sequence of schedules in another"))
                }
                try container.encode(text, forKey: key)
            })
    }
}
