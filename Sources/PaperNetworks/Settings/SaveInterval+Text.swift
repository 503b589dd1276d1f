import LinkedNet

extension SaveInterval {
    /// Reads the texts that commands take: `500` or `500steps`, `10min`.
    ///
    /// - Throws: ``SettingsError`` naming `save-every`.
    public init(text: String) throws(SettingsError) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count)
        switch unit {
        case "", "steps":
            if let steps = Int(digits), steps >= 1 { self = .steps(steps); return }
        case "min":
            if let minutes = Double(digits), minutes > 0, minutes.isFinite { self = .minutes(minutes); return }
        default: break
        }
        throw SettingsError(
            setting: "save-every", expected: "at least one step (500 or 500steps), or minutes (10min)", found: text,
            meant: Self.meant(digits, unit.lowercased().filter { $0 != " " }))
    }

    /// The text with a known unit for a number with another unit; `nil` if no text fits.
    private static func meant(_ digits: Substring, _ unit: String) -> String? {
        guard let number = Double(digits), number > 0, number < 1e6 else { return nil }
        func text(_ value: Double) -> String { value == value.rounded() ? "\(Int(value))" : "\(value)" }
        switch unit {
        case "m", "mins", "minute", "minutes", "min": return text(number) + "min"
        case "h", "hr", "hour", "hours": return text(number * 60) + "min"
        case "s", "sec", "secs", "second", "seconds": return text(number / 60) + "min"
        case "step": return number == number.rounded() ? text(number) + "steps" : nil
        default: return nil
        }
    }
}
