/// The names of weights and of an optimizer's slots in a file.
///
/// Layers and slots may have any names, and still no two tensors of a file get the same name:
///
/// - A slot's part for a weight is `optimizer:slot/weight`, with `%25` and `%2F` for `%` and `/` in the slot's name.
/// - A weight keeps its name, unless the name begins with `optimizer:` or `weight:`, or is reserved by the format. Then
///   the name gets `weight:` as a prefix.
///
/// Older versions wrote all names without changes. The files of older versions also have no two tensors of the same
/// name. So a tensor that isn't found under the name above is looked up under the plain name.
enum CheckpointName {
    static let slotPrefix = "optimizer:"
    private static let weightPrefix = "weight:"

    /// The names that a weight may have in a file. The first name is the name that is written.
    static func names(ofWeight name: String) -> [String] {
        let isTaken =
            isSlot(name) || begins(name, weightPrefix)
            || ByteName(name) == ByteName(SafetensorsHeaderParser.metadataKey)
        return isTaken ? [weightPrefix + name, name] : [name]
    }

    /// The names that a weight's part of a slot may have in a file. The first name is the name that is written.
    static func names(ofSlot slot: String, weight: String) -> [String] {
        let escaped = slot.replacing("%", with: "%25").replacing("/", with: "%2F")
        let names = ["\(slotPrefix)\(escaped)/\(weight)"]
        return escaped == slot ? names : names + ["\(slotPrefix)\(slot)/\(weight)"]
    }

    /// True for a slot's name.
    static func isSlot(_ name: String) -> Bool { begins(name, slotPrefix) }

    /// The name of the weight that is written under `name`, which isn't a slot's name.
    static func weight(_ name: String) -> String {
        begins(name, weightPrefix)
            ? String(decoding: name.utf8.dropFirst(weightPrefix.utf8.count), as: UTF8.self) : name
    }

    /// Compares bytes: to Swift, an accent after the colon makes one character with the colon.
    private static func begins(_ name: String, _ prefix: String) -> Bool { name.utf8.starts(with: prefix.utf8) }
}

extension SafetensorsFile.Entry {
    /// False for a tensor that no network has as a weight: a slot, a tensor that isn't floats, a tensor without
    /// elements.
    var canBeWeight: Bool { !CheckpointName.isSlot(name) && type.isReadable && byteCount > 0 }
}

extension SafetensorsFile {
    /// The tensor with the first of `names` that the file has.
    func first(of names: [String]) -> Entry? { names.lazy.compactMap { self[$0] }.first }
}
