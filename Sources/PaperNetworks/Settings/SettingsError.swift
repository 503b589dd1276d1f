import LinkedNet

/// A setting of a run that makes no sense, or not with the others.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// The setting, by the name of its option without dashes: `momentum`.
    public let setting: String
    /// What would have been right.
    public let expected: String
    /// What was found.
    public let found: String
    /// What was probably meant, if something near it would have been right.
    public let meant: String?

    /// An error about a setting.
    public init(setting: String, expected: String, found: String, meant: String? = nil) {
        self.setting = setting
        self.expected = expected
        self.found = found
        self.meant = meant
    }

    public var description: String {
        "\(setting): expected \(expected.printable()), found \(found.printable())"
            + (meant.map { "; did you mean \($0.printable())?" } ?? "")
    }
}
