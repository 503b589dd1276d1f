/// A value that decides what a training computes, and that can name its settings: an optimizer, a loss, an
/// augmentation.
///
/// A ``Run`` saves these names and texts, and refuses to go on with others. A type of your own needs nothing for that
/// if its stored properties tell all: their names and texts are the default. A type with a closure or a reference among
/// its properties implements ``describedSettings``, for Swift prints the same text for all closures.
public protocol SelfDescribing {
    /// The settings by name, each as a text that is the same exactly if the setting is the same.
    var describedSettings: [String: String] { get }
}

extension SelfDescribing {
    /// Every stored property, inherited ones included, as Swift prints the property's value.
    public var describedSettings: [String: String] {
        var texts: [String: String] = [:]
        var mirror: Mirror? = Mirror(reflecting: self)
        while let current = mirror {
            for (name, value) in current.children {
                if let name { texts[name] = String(describing: value) }
            }
            mirror = current.superclassMirror
        }
        return texts
    }
}
