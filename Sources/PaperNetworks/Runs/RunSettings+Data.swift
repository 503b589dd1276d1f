import LinkedNet

extension RunSettings {
    /// Reads the data that a run was begun with, from the place where the data was then.
    ///
    /// - Parameter run: the run's place, for errors.
    /// - Throws: ``SettingsError`` naming `data` if the data has no name, ``DataError``.
    func ownData(of run: String) throws -> DataSource {
        guard let data = self.data else {
            throw SettingsError(
                setting: "data", expected: "the data that \(run) was begun with, whose place is not saved",
                found: "none")
        }
        return try DataSource.resolve(data)
    }

    /// Throws unless the images to train on have this fingerprint.
    ///
    /// - Parameter run: the run's place, for the error.
    /// - Throws: ``TrainingError`` naming `data` and both data sets.
    func check(_ source: DataSource, fingerprint: String, of run: String) throws(TrainingError) {
        guard trainingImages(of: source).fingerprint != fingerprint else { return }
        throw .mismatch(
            subject: "data",
            expected: "the images that \(run) was begun with"
                + " (\(self.data ?? "data without a name"), fingerprint \(fingerprint.prefix(8)))",
            found: "others (\(source.argument ?? source.train.name),"
                + " fingerprint \(trainingImages(of: source).fingerprint.prefix(8)))")
    }
}
