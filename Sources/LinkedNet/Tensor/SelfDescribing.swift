/// A value that decides the results of a training, and that can name its settings: an optimizer, a loss, an
/// augmentation.
///
/// A ``Run`` saves the names and texts of the settings, and refuses to resume with other settings. The default is the
/// names and texts of the stored properties. A type of your own needs nothing more if its stored properties are all its
/// settings. A type with a closure or a reference among its properties implements ``describedSettings``, because Swift
/// prints the same text for all closures. So does a type whose dictionary or set lies inside another property, because
/// each process prints such a dictionary in another order.
public protocol SelfDescribing {
    /// The settings by name. Two texts of a setting are the same exactly if the settings are the same.
    var describedSettings: [String: String] { get }
}

extension SelfDescribing {
    /// Every stored property, inherited ones included, as Swift prints the property's value.
    public var describedSettings: [String: String] {
        var texts: [String: String] = [:]
        var mirror: Mirror? = Mirror(reflecting: self)
        while let current = mirror {
            for (name, value) in current.children {
                if let name { texts[name] = Self.text(value) }
            }
            mirror = current.superclassMirror
        }
        return texts
    }

    /// A dictionary and a set have another order in each process, so their elements are sorted.
    private static func text(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .dictionary || mirror.displayStyle == .set else {
            return String(describing: value)
        }
        return "[" + mirror.children.map { String(describing: $0.value) }.sorted().joined(separator: ", ") + "]"
    }
}
