import ArgumentParser
import PaperNetworks

/// The options of a group of settings, made from the settings' own declarations.
///
/// The argument parser looks for options among a value's children, and decodes each option by the child's name. So this
/// type shows the declared settings as children.
struct SettingOptions<Group: SettingOptionGroup>: ParsableArguments, CustomReflectable {
    /// The texts of the given options, by the settings' names.
    private(set) var given: [String: String] = [:]

    init() {}

    private static var settings: [any AnySetting] { Settings.all.filter { $0.group == Group.group } }

    var customMirror: Mirror {
        Mirror(
            self,
            children: Self.settings.map { setting in
                (label: setting.name, value: setting.valueName == nil ? Self.flag(setting) : Self.option(setting))
            })
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        for setting in Self.settings {
            let key = Name(stringValue: setting.name)
            if setting.valueName == nil {
                given[setting.name] = try container.decode(Flag<Bool?>.self, forKey: key).wrappedValue.map { "\($0)" }
            } else {
                given[setting.name] = try container.decode(Option<String?>.self, forKey: key).wrappedValue
            }
        }
    }

    /// Asks for the settings that were given.
    func ask(_ options: inout RunOptions) throws {
        for setting in Self.settings {
            if let text = given[setting.name] { try setting.read(text, into: &options) }
        }
    }

    private static func flag(_ setting: any AnySetting) -> Any {
        Flag<Bool?>(
            name: .customLong(setting.name), inversion: .prefixedNo, exclusivity: .exclusive,
            help: ArgumentHelp(stringLiteral: setting.help))
    }

    private static func option(_ setting: any AnySetting) -> Any {
        Option<String?>(
            name: .customLong(setting.name), parsing: .unconditional,
            help: ArgumentHelp(setting.help, valueName: setting.valueName ?? ""),
            transform: { text in
                // The text is read here as well, so that the parser names the option with the wrong value.
                var options = RunOptions()
                try setting.read(text, into: &options)
                return text
            })
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// The group of settings that a ``SettingOptions`` has.
protocol SettingOptionGroup {
    static var group: SettingGroup { get }
}

enum NetworkSettings: SettingOptionGroup {
    static let group = SettingGroup.network
}

enum DataSettings: SettingOptionGroup {
    static let group = SettingGroup.data
}

enum TrainingSettings: SettingOptionGroup {
    static let group = SettingGroup.training
}
