import Foundation
import LinkedNet

/// Settings are encoded as an object with a member for each setting, by ``Setting/key``.
extension RunSettings: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: SettingKey.self)
        self.init()
        for setting in Settings.stored { try setting.decode(container, into: &self) }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: SettingKey.self)
        for setting in Settings.stored { try setting.encode(self, into: &container) }
    }

    /// These settings after a checkpoint's encoding and decoding.
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
        let key = path.first?.stringValue ?? ""
        let name = Settings.stored.first { $0.key == key }?.name ?? key
        return SettingsError(setting: name, expected: expected, found: found)
    }
}
