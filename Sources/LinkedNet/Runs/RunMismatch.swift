/// Settings that differ from those of the saved run, so that the run would not go on as it began.
public struct RunMismatch: Error, Equatable, CustomStringConvertible {
    /// A setting that differs.
    public struct Difference: Sendable, Equatable, CustomStringConvertible {
        /// Which it is: `optimizer.learningRate`.
        public let setting: String
        /// The saved run's; `nil` if the run has none of this name.
        public let saved: String?
        /// The value that was given; `nil` if nothing of this name was.
        public let given: String?

        /// False for what no run can change: the weights belong to it.
        public var isAcceptable: Bool { !RunSettingTexts.isBound(setting) }

        /// The way out.
        public var cure: String {
            guard isAcceptable else { return "give what the run was begun with, or begin a run in another directory" }
            return "give what the run was begun with, or go on with the other by accepting: [\"\(setting)\"]"
        }

        public var description: String {
            "\(setting.printable(longest: 100)): saved \(Self.shown(saved)), given \(Self.shown(given)) (\(cure))"
        }

        /// Of a fingerprint, eight digits are enough to see that it is another.
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
