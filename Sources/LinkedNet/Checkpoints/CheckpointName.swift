/// The names of weights and of an optimizer's slots in a file.
///
/// Layers and slots may be called anything, and still no two tensors of a file get the same name:
///
/// - A slot's part for a weight is `optimizer:slot/weight`, with `%25` and `%2F` for `%` and `/` in the slot's name.
/// - A weight keeps its name, unless the name begins with `optimizer:` or `weight:`, or is the one that the format
///   reserves. Then `weight:` stands before it.
///
/// Older versions wrote all names as they are. Their files have no two tensors of one name either, so a tensor that
/// isn't found under the name above is looked for under its plain name.
enum CheckpointName {
    static let slotPrefix = "optimizer:"
    private static let weightPrefix = "weight:"

    /// The names that a weight may have, the one that is written first.
    static func names(ofWeight name: String) -> [String] {
        let isTaken =
            isSlot(name) || begins(name, weightPrefix)
            || ByteName(name) == ByteName(SafetensorsHeaderParser.metadataKey)
        return isTaken ? [weightPrefix + name, name] : [name]
    }

    /// The names that a weight's part of a slot may have, the one that is written first.
    static func names(ofSlot slot: String, weight: String) -> [String] {
        let escaped = slot.replacing("%", with: "%25").replacing("/", with: "%2F")
        let names = ["\(slotPrefix)\(escaped)/\(weight)"]
        return escaped == slot ? names : names + ["\(slotPrefix)\(slot)/\(weight)"]
    }

    /// True for a slot's name.
    static func isSlot(_ name: String) -> Bool { begins(name, slotPrefix) }

    /// The weight that is written under `name`, which is no slot's.
    static func weight(_ name: String) -> String {
        begins(name, weightPrefix)
            ? String(decoding: name.utf8.dropFirst(weightPrefix.utf8.count), as: UTF8.self) : name
    }

    /// By bytes: to Swift, an accent that follows the colon is part of it.
    private static func begins(_ name: String, _ prefix: String) -> Bool { name.utf8.starts(with: prefix.utf8) }
}

extension SafetensorsFile.Entry {
    /// False for what no network has: a slot, a tensor of no floats, a tensor without elements.
    var canBeWeight: Bool { !CheckpointName.isSlot(name) && type.isReadable && byteCount > 0 }
}

extension SafetensorsFile {
    /// The first of `names` that a tensor has.
    func first(of names: [String]) -> Entry? { names.lazy.compactMap { self[$0] }.first }
}
