import LinkedNet

/// A setting of a run that makes no sense, alone or beside the others.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// The setting, by the name of its option without dashes: `momentum`.
    public let setting: String
    /// The values that would have been right.
    public let expected: String
    /// The value that was found.
    public let found: String
    /// The value that was probably meant: a right value near the found value, or `nil` if there is none.
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
