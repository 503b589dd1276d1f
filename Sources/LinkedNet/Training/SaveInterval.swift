/// How often a run is saved in the course of its training.
public enum SaveInterval: Sendable, Hashable {
    /// After every so many steps.
    case steps(Int)
    /// When this much time has passed, at the end of the running step.
    case minutes(Double)

    /// Reads what commands take: `500` or `500steps`, `10min`.
    ///
    /// - Throws: ``SettingsError`` naming `--save-every`.
    public init(text: String) throws(SettingsError) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        switch text.dropFirst(digits.count) {
        case "", "steps":
            if let steps = Int(digits), steps >= 1 { self = .steps(steps); return }
        case "min":
            if let minutes = Double(digits), minutes > 0, minutes.isFinite { self = .minutes(minutes); return }
        default: break
        }
        throw SettingsError(
            option: "--save-every", expected: "at least one step (500 or 500steps), or minutes (10min)", found: text)
    }
}
