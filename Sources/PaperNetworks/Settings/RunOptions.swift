import LinkedNet

/// The wishes of someone who starts or resumes a run. `nil` leaves a setting as the ``Preset``, or the resumed run, has
/// it. ``Settings`` declares the settings: `options.batchSize = 16`.
@dynamicMemberLookup
public struct RunOptions: Sendable, Hashable {
    var values = SettingValues()

    /// The schedule, as ``LinkedNet/LearningRateSchedule/init(text:epochs:)`` takes it. Beside more epochs for a
    /// resumed run: the schedule of the epochs that are added, as if training began with them.
    public var schedule: String?

    /// Nothing in particular.
    public init() {}

    /// The value that is asked for.
    public subscript<Value>(dynamicMember path: KeyPath<Settings, Setting<Value>>) -> Value? {
        get { self[Settings.declared[keyPath: path]] }
        set { self[Settings.declared[keyPath: path]] = newValue }
    }

    subscript<Value>(setting: Setting<Value>) -> Value? {
        get { values[setting.key] }
        set { values[setting.key] = newValue }
    }

    /// The epochs of a run with the paper's settings that nobody gave a number: a first look, not the paper's length.
    public static let paperEpochs = 10
    /// The most epochs that a run may have: no product with an epoch's steps overflows.
    public static let mostEpochs = Int(Int32.max)

    static let standardModel = ModelName.allCNN
    static let standardActivation = ModelActivation.linkedReLU

    /// The settings of a new run: AllCNN with LK-ReLU unless asked otherwise, with the preset's settings for it.
    ///
    /// With an optimizer that isn't the preset's, its rate, decay, momentum and schedule don't apply: the rate is then
    /// Keras' default for the optimizer, and constant.
    ///
    /// - Throws: ``SettingsError`` naming the option that makes no sense, alone or beside the others.
    public func settings() throws(SettingsError) -> RunSettings {
        let preset = self.preset ?? .recipe
        let experiment = preset.experiment(
            self.model ?? Self.standardModel, linked: (self.activation ?? Self.standardActivation).isLinked,
            // Another number is refused below.
            epochs: self.epochs.map { min(max($0, 1), Self.mostEpochs) })
        let defaults = SettingDefaults(
            preset: preset, experiment: experiment, optimizer: self.optimizer ?? experiment.optimizer)
        var settings = RunSettings()
        for setting in Settings.stored { setting.resolve(self, defaults, into: &settings) }
        for setting in Settings.stored { try setting.check(self, settings) }
        if let schedule {
            settings.schedule = try LearningRateSchedule(text: schedule, epochs: settings.epochs)
        }
        do throws(OptimizerError) {
            _ = try settings.makeOptimizer()
        } catch {
            throw SettingsError(
                setting: error.setting.replacing(" ", with: "-"), expected: error.expected, found: error.found)
        }
        return settings
    }

    /// The options that ask for something else than a run has, with both values. More epochs, a schedule for these, and
    /// the place of the data are no contradiction.
    ///
    /// - Throws: ``SettingsError`` for a schedule that is none, or a number of epochs that no run can have.
    public func contradictions(to settings: RunSettings) throws(SettingsError) -> [SettingsError] {
        var found = Settings.stored.filter { $0.whenResumed == .same }.compactMap { $0.contradiction(self, settings) }
        if let schedule, self.epochs ?? 0 <= settings.epochs, try !isSchedule(of: settings, schedule) {
            found.append(
                SettingsError(
                    setting: Settings.declared.schedule.name,
                    expected:
                        "\(settings.schedule.text ?? "none") as in the resumed run, or another one for added epochs "
                        + "beside more --epochs than its \(settings.epochs)",
                    found: schedule))
        }
        try Settings.declared.epochs.check(self, settings)
        if let epochs = self.epochs, epochs < settings.epochs {
            found.append(
                SettingsError(
                    setting: Settings.declared.epochs.name,
                    expected: "at least the \(settings.epochs) of the resumed run", found: "\(epochs)"))
        }
        return found
    }

    /// The schedule that these options give to the epochs that they add to a run; `nil` if the run's own goes on.
    ///
    /// - Throws: ``SettingsError`` for a schedule that is none.
    public func addedSchedule(to settings: RunSettings) throws(SettingsError) -> LearningRateSchedule? {
        guard let schedule, let epochs = self.epochs, epochs > settings.epochs else { return nil }
        let wanted = try LearningRateSchedule(text: schedule, epochs: epochs - settings.epochs)
        // Said again it is no other one, unless there is nothing left of it.
        if settings.schedule.end.map({ $0.epoch > settings.epochs }) ?? true, wanted == settings.schedule { return nil }
        return wanted
    }

    /// True if a text says the schedule of a run, or of the epochs that were added to it last.
    private func isSchedule(of settings: RunSettings, _ text: String) throws(SettingsError) -> Bool {
        if try LearningRateSchedule(text: text, epochs: settings.epochs) == settings.schedule { return true }
        guard case .sequence(let stages) = settings.schedule else { return false }
        for first in stages.indices.dropFirst() {
            let start = stages[first].epoch
            let added = stages[first...].map { stage in
                LearningRateSchedule.Stage(fromEpoch: stage.epoch - start, schedule: stage.schedule)
            }
            let schedule = added.count == 1 ? added[0].schedule : LearningRateSchedule.sequence(added)
            if try LearningRateSchedule(text: text, epochs: max(settings.epochs - start, 1)) == schedule { return true }
        }
        return false
    }
}
