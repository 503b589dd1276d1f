/// Settings that differ from the settings of the saved run, so that the run would not go on in the same way.
public struct RunMismatch: Error, Equatable, CustomStringConvertible {
    /// A setting that differs.
    public struct Difference: Sendable, Equatable, CustomStringConvertible {
        /// The name of the setting: `optimizer.learningRate`.
        public let setting: String
        /// The saved run's value; `nil` if the saved run has no setting of this name.
        public let saved: String?
        /// The given value; `nil` if no setting of this name was given.
        public let given: String?

        /// False for a setting that no run can change, because the weights belong to the setting.
        public var isAcceptable: Bool { !RunSettingTexts.isBound(setting) }

        /// Advice for the user.
        public var cure: String {
            guard isAcceptable else { return "give what the run was begun with, or begin a run in another directory" }
            return "give what the run was begun with, or go on with the other by accepting: [\"\(setting)\"]"
        }

        public var description: String {
            "\(setting.printable(longest: 100)): saved \(Self.shown(saved)), given \(Self.shown(given)) (\(cure))"
        }

        /// Eight digits are enough to tell two fingerprints apart.
        private static func shown(_ text: String?) -> String {
            guard let text else { return "none" }
            let isFingerprint = text.count == 64 && text.allSatisfy(\.isHexDigit)
            return isFingerprint ? "fingerprint \(text.prefix(8))" : text.printable(longest: 200)
        }
    }

    /// The run's directory.
    public let directory: String
    /// Every setting that differs, by name.
    public let differences: [Difference]

    public var description: String {
        "\(directory.printable()): expected the settings of the saved run, found others; "
            + differences.map(\.description).joined(separator: "; ")
    }
}
