/// The settings of a run by name. Each type describes its own settings, and ``Run`` knows none of these types.
enum RunSettingTexts {
    static let network = "network"
    static let seed = "seed"
    static let dataset = "dataset"
    static let testDataset = "testDataset"
    /// The names of the optimizer's slots.
    static let slots = "slots"

    /// True for settings that the saved weights belong to.
    static func isBound(_ name: String) -> Bool { name == network || name == seed || name == slots }

    /// The settings of a trainer and its network.
    static func of(_ trainer: Trainer) -> [String: String] {
        var texts = [
            network: trainer.network.graphDigest, seed: "\(trainer.network.seed)",
            slots: trainer.optimizer.slotNames.joined(separator: ", "),
            "schedule": "\(trainer.schedule)",
            "gradientClipNorm": trainer.gradientClipNorm.map { "\($0)" } ?? "none",
        ]
        add("optimizer", trainer.optimizer, to: &texts)
        add("loss", trainer.loss, to: &texts)
        return texts
    }

    /// The settings of a training's images and batches.
    static func of(
        _ train: any Dataset, test: (any Dataset)?, batchSize: Int, sampler: Sampler, augmentation: Augmentation,
        seed: UInt64
    ) -> [String: String] {
        var texts = [
            dataset: train.fingerprint, "batchSize": "\(batchSize)", "sampler": sampler.rawValue,
            "dataSeed": "\(seed)",
        ]
        texts[testDataset] = test?.fingerprint
        add("augmentation", augmentation, to: &texts)
        return texts
    }

    private static func add(_ name: String, _ value: some SelfDescribing, to texts: inout [String: String]) {
        texts[name] = "\(type(of: value))"
        for (setting, text) in value.describedSettings { texts["\(name).\(setting)"] = text }
    }

    /// The settings that differ, without the accepted settings. A setting is accepted by name, or by the part of the
    /// name before the point. A bound setting can't be accepted.
    static func differences(
        saved: [String: String], given: [String: String], accepting accepted: Set<String>
    ) -> [RunMismatch.Difference] {
        Set(saved.keys).union(given.keys).sorted().compactMap { name in
            let whole = name.prefix { $0 != "." }
            let isAccepted = !isBound(name) && (accepted.contains(name) || accepted.contains(String(whole)))
            guard saved[name] != given[name], !isAccepted else { return nil }
            return RunMismatch.Difference(setting: name, saved: saved[name], given: given[name])
        }
    }
}
