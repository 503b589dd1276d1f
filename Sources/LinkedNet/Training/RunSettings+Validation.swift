import Foundation

extension RunSettings {
    /// These settings as a checkpoint gives them back.
    ///
    /// - Throws: ``SettingsError`` naming the setting that can't be saved or read again.
    func validated() throws -> RunSettings {
        do {
            return try JSONDecoder().decode(RunSettings.self, from: JSONEncoder().encode(self))
        } catch EncodingError.invalidValue(let value, let context) {
            throw Self.error(
                context.codingPath, "something that can be saved, not \(context.debugDescription)", "\(value)")
        } catch DecodingError.dataCorrupted(let context) {
            throw Self.error(context.codingPath, "something that can be read again", context.debugDescription)
        }
    }

    private static func error(_ path: [any CodingKey], _ expected: String, _ found: String) -> SettingsError {
        let name = path.first?.stringValue ?? "settings"
        let option = name.flatMap { $0.isUppercase ? "-" + $0.lowercased() : String($0) }
        return SettingsError(option: "--" + String(option), expected: expected, found: found)
    }
}
