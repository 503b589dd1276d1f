import LinkedNet

/// Readers of options' values, for `transform` of the argument parser. A reader's error names the expected values.
///
/// Options with such values are parsed `unconditional`, so that `-1` is a value and no option.
package enum OptionValue {
    /// A value that can't be used.
    package struct Problem: Error, CustomStringConvertible {
        package let description: String

        init(expected: String, meant: String?) {
            description = "expected \(expected)" + (meant.map { "; did you mean \($0)?" } ?? "")
        }
    }

    /// A number without a fraction, at least `least`.
    package static func wholeNumber<Number: FixedWidthInteger & Sendable>(
        from least: Number, of type: Number.Type = Number.self
    ) -> @Sendable (String) throws -> Number {
        { text in
            if let number = Number(text), number >= least { return number }
            // 1e3, 1,000, 1_000 and 64.0 mean a whole number, 2.5 doesn't.
            let digits = text.filter { !",_' ".contains($0) }
            let meant = Double(digits).flatMap { Number(exactly: $0) }.flatMap {
                $0 >= least && $0 < 1 << 53 ? $0 : nil
            }
            let isTooLarge = Number(text) == nil && !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber }
            throw Problem(
                expected: isTooLarge
                    ? "a whole number from \(least) to \(Number.max)" : "a whole number, at least \(least)",
                meant: meant.flatMap { "\($0)" == text ? nil : "\($0)" })
        }
    }

    /// A number.
    package static let number: @Sendable (String) throws -> Double = { text in
        if let number = Double(text) { return number }
        let withPoint = text.replacing(",", with: ".")
        throw Problem(expected: "a number such as 0.01", meant: Double(withPoint) == nil ? nil : withPoint)
    }

    /// One of the names of a type.
    package static func name<Value: RawRepresentable & CaseIterable & Sendable>(
        of type: Value.Type
    ) -> @Sendable (String) throws -> Value where Value.RawValue == String {
        let values = Array(Value.allCases), names = values.map(\.rawValue)
        return { text in
            if let index = names.firstIndex(of: text) { return values[index] }
            throw Problem(expected: list(names), meant: text.nearest(in: names))
        }
    }

    /// A model's name.
    package static let model: @Sendable (String) throws -> ModelName = { text in
        if let model = ModelName(text) { return model }
        throw Problem(
            expected: "\(ModelName.options), with N of at least 1",
            meant: text.contains(":") ? nil : text.nearest(in: ModelName.names))
    }

    /// The interval between the saves of a run. A number without a unit is a number of steps.
    package static let saveInterval: @Sendable (String) throws -> SaveInterval = { text in
        do throws(SettingsError) {
            return try SaveInterval(text: text)
        } catch {
            throw Problem(expected: error.expected, meant: error.meant)
        }
    }

    /// `sgd, adam or rmsprop`
    package static func list(_ names: [String]) -> String {
        names.count < 2
            ? names.joined() : names.dropLast().joined(separator: ", ") + " or \(names[names.count - 1])"
    }

    /// The names of a type, for an option's help.
    package static func names<Value: RawRepresentable & CaseIterable>(_ type: Value.Type) -> String
    where Value.RawValue == String {
        list(Value.allCases.map(\.rawValue))
    }
}
