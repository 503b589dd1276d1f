import LinkedNet

/// The settings that somebody asks for at the start or the resumption of a run. `nil` leaves a setting at the value of
/// the ``Preset`` or of the resumed run. ``Settings`` declares the settings: `options.batchSize = 16`.
@dynamicMemberLookup
public struct RunOptions: Sendable, Hashable {
    var values = SettingValues()

    /// The schedule as a text for ``LinkedNet/LearningRateSchedule/init(text:epochs:)``. Beside more epochs for a
    /// resumed run: the schedule of the added epochs, as if training began with these epochs.
    public var schedule: String?

    /// Options that ask for nothing.
    public init() {}

    /// The value that is asked for; `nil` for none.
    public subscript<Value>(dynamicMember path: KeyPath<Settings, Setting<Value>>) -> Value? {
        get { self[Settings.declared[keyPath: path]] }
        set { self[Settings.declared[keyPath: path]] = newValue }
    }

    subscript<Value>(setting: Setting<Value>) -> Value? {
        get { values[setting.key] }
        set { values[setting.key] = newValue }
    }

    /// The number of epochs of a run with the paper's settings if nobody asks for a number. The number is enough for a
    /// first look; the paper's experiments have more epochs.
    public static let paperEpochs = 10
    /// The largest number of epochs of a run. No product of this number with an epoch's steps overflows.
    public static let mostEpochs = Int(Int32.max)

    static let standardModel = ModelName.allCNN
    static let standardActivation = ModelActivation.linkedReLU

    /// The settings of a new run: AllCNN with LK-ReLU unless asked otherwise, with the preset's settings for the model.
    ///
    /// With another optimizer than the preset's, the preset's learning rate, decay, momentum and schedule don't apply.
    /// The learning rate is then Keras' default for the optimizer, and constant.
    ///
    /// - Throws: ``SettingsError`` naming the option that makes no sense, alone or beside the others.
    public func settings() throws(SettingsError) -> RunSettings {
        let preset = self.preset ?? .recipe
        let experiment = preset.experiment(
            self.model ?? Self.standardModel, linked: (self.activation ?? Self.standardActivation).isLinked,
            // The checks below refuse a number outside this range.
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

    /// The options that ask for other values than a run has. Each error names both values. More epochs, a schedule for
    /// the added epochs, and the place of the data are no contradiction.
    ///
    /// - Throws: ``SettingsError`` for a text that is no schedule, or a number of epochs that no run can have.
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

    /// The schedule of the epochs that these options add to a run; `nil` if the run's own schedule goes on.
    ///
    /// - Throws: ``SettingsError`` for a text that is no schedule.
    public func addedSchedule(to settings: RunSettings) throws(SettingsError) -> LearningRateSchedule? {
        guard let schedule, let epochs = self.epochs, epochs > settings.epochs else { return nil }
        let wanted = try LearningRateSchedule(text: schedule, epochs: epochs - settings.epochs)
        // The run's schedule, given again, changes nothing, unless the run has come to the schedule's end.
        if settings.schedule.end.map({ $0.epoch > settings.epochs }) ?? true, wanted == settings.schedule { return nil }
        return wanted
    }

    /// True if a text stands for the schedule of a run, or for the schedule of the epochs that were added last.
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
