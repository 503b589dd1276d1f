import LinkedNet

/// A setting of a run, declared once: the option, the help, the key in saved runs, the default, and the setting's part
/// of the line that states all settings. ``Settings`` has all settings.
public struct Setting<Value: Hashable & Sendable>: Sendable {
    /// The option, without dashes: `batch-norm`.
    public let name: String
    /// The key in saved runs, which convert `batchNorm` to `batch_norm`.
    let key: String
    /// The section of the command's help.
    public let group: SettingGroup
    /// The option's help.
    public let help: String
    let format: SettingFormat<Value>
    /// The value where nobody asks for a value.
    let standard: @Sendable (SettingDefaults) -> Value
    /// The value in runs from before the setting existed. This value therefore isn't saved. `nil` if all saved runs
    /// have the setting.
    let whenAbsent: Value?
    /// The rule for another value in a resumed run.
    let whenResumed: ResumeRule
    /// The reason why a value that was asked for makes no sense, alone or beside the others; `nil` if the value makes
    /// sense.
    let problem: @Sendable (Value, RunSettings) -> SettingProblem?
    /// The setting's part of the line that states all settings; `nil` for no part.
    let phrase: @Sendable (Value, RunSettings) -> String?

    /// Reads an option's text into the options that are asked for.
    let ask: @Sendable (String, inout RunOptions) throws -> Void

    /// - Parameter ask: `nil` to ask for the value that the text stands for.
    init(
        _ name: String, key: String, _ group: SettingGroup, _ format: SettingFormat<Value>, help: String,
        whenAbsent: Value? = nil, whenResumed: ResumeRule = .same,
        ask: (@Sendable (String, inout RunOptions) throws -> Void)? = nil,
        problem: @escaping @Sendable (Value, RunSettings) -> SettingProblem? = { _, _ in nil },
        phrase: @escaping @Sendable (Value, RunSettings) -> String? = { _, _ in nil },
        default standard: @escaping @Sendable (SettingDefaults) -> Value
    ) {
        (self.name, self.key, self.group, self.help, self.format) = (name, key, group, help, format)
        (self.standard, self.whenAbsent, self.whenResumed) = (standard, whenAbsent, whenResumed)
        (self.problem, self.phrase) = (problem, phrase)
        self.ask = ask ?? { $1.values[key] = try format.read($0) }
    }
}

/// The sections of `train --help` that have settings.
public enum SettingGroup: Sendable {
    /// The network.
    case network
    /// The images.
    case data
    /// The course of the training.
    case training
}

/// The rule for another value of a setting in a resumed run.
enum ResumeRule: Sendable {
    /// No other value: the run would be another run.
    case same
    /// Any value.
    case any
    /// ``RunOptions/contradictions(to:)`` has a rule for this setting alone.
    case special
}

/// The reason why a value makes no sense.
struct SettingProblem: Sendable {
    let expected, found: String
}

/// The source of defaults: the model's experiment, by recipe or paper.
struct SettingDefaults: Sendable {
    let preset: Preset
    let experiment: Experiment
    /// The optimizer of the run.
    let optimizer: OptimizerName
    /// False if the optimizer isn't the experiment's optimizer. The experiment's learning rate, decay, momentum and
    /// schedule then don't apply.
    var isExperiments: Bool { optimizer == experiment.optimizer }
}

/// A setting of any type.
public protocol AnySetting: Sendable {
    /// The option, without dashes.
    var name: String { get }
    /// The section of the command's help.
    var group: SettingGroup { get }
    /// The option's help.
    var help: String { get }
    /// The word for a value in help; `nil` for a flag.
    var valueName: String? { get }
    /// Reads an option's value.
    ///
    /// - Throws: an error whose text names the expected values.
    func read(_ text: String, into options: inout RunOptions) throws
}

/// The operations of settings and options on each setting.
protocol StoredSetting: AnySetting {
    var key: String { get }
    var whenResumed: ResumeRule { get }
    func resolve(_ options: RunOptions, _ defaults: SettingDefaults, into settings: inout RunSettings)
    func check(_ options: RunOptions, _ settings: RunSettings) throws(SettingsError)
    func contradiction(_ options: RunOptions, _ settings: RunSettings) -> SettingsError?
    func phrase(_ settings: RunSettings) -> String?
    func decode(_ container: KeyedDecodingContainer<SettingKey>, into settings: inout RunSettings) throws
    func encode(_ settings: RunSettings, into container: inout KeyedEncodingContainer<SettingKey>) throws
}

extension Setting: StoredSetting {
    public var valueName: String? { format.valueName }

    public func read(_ text: String, into options: inout RunOptions) throws {
        try ask(text, &options)
    }

    func resolve(_ options: RunOptions, _ defaults: SettingDefaults, into settings: inout RunSettings) {
        settings[self] = options[self] ?? standard(defaults)
    }

    func check(_ options: RunOptions, _ settings: RunSettings) throws(SettingsError) {
        guard let value = options[self], let problem = problem(value, settings) else { return }
        throw SettingsError(setting: name, expected: problem.expected, found: problem.found)
    }

    func contradiction(_ options: RunOptions, _ settings: RunSettings) -> SettingsError? {
        guard let wanted = options[self], wanted != settings[self] else { return nil }
        return SettingsError(
            setting: name, expected: format.text(settings[self]) + " as in the resumed run", found: format.text(wanted))
    }

    func phrase(_ settings: RunSettings) -> String? { phrase(settings[self], settings) }

    func decode(_ container: KeyedDecodingContainer<SettingKey>, into settings: inout RunSettings) throws {
        let key = SettingKey(stringValue: key)
        guard let value = try format.decode(container, key) ?? whenAbsent else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: container.codingPath, debugDescription: "expected \(name), found none"))
        }
        settings[self] = value
    }

    func encode(_ settings: RunSettings, into container: inout KeyedEncodingContainer<SettingKey>) throws {
        guard settings[self] != whenAbsent else { return }
        try format.encode(settings[self], &container, SettingKey(stringValue: key))
    }
}
