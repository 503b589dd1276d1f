/// Reads the JSON of a safetensors header, strictly: exactly the members that the format knows, each once.
///
/// No value nests deeper than the format's three levels, so the parser needs no recursion that a hostile file could
/// deepen.
struct SafetensorsHeaderParser {
    static let metadataKey = "__metadata__"

    /// A tensor as the header describes it.
    struct TensorDescription {
        let name: String
        let shape: Shape
        /// Its bytes, counted from the start of the data; as many as the shape needs.
        let begin, end: Int
        /// Where in the file its description starts.
        let textOffset: Int
    }

    private(set) var metadata: [String: String] = [:]
    private(set) var tensors: [TensorDescription] = []
    private var reader: JSONReader

    /// - Parameter textOffset: where in the file the text starts, for errors.
    init(_ text: [UInt8], path: String, textOffset: Int) {
        reader = JSONReader(text, path: path, textOffset: textOffset)
    }

    mutating func parse() throws(CheckpointError) {
        // The format wants the brace first, with no space before it.
        guard reader.next == UInt8(ascii: "{") else { throw reader.unexpected("the header's opening brace") }
        var names: Set<String> = []
        var more = try reader.beginList("{", "}")
        while more {
            let (name, textOffset) = (try reader.key(notIn: &names), reader.offset)
            if name == Self.metadataKey {
                try parseMetadata()
            } else {
                guard tensors.count < Safetensors.mostEntries else {
                    throw reader.error(
                        at: textOffset, expected: "at most \(Safetensors.mostEntries) tensors", found: "more")
                }
                try parseTensor(name, textOffset: textOffset)
            }
            more = try reader.continueList("}")
        }
        try reader.end()
    }

    private mutating func parseMetadata() throws(CheckpointError) {
        var keys: Set<String> = []
        var more = try reader.beginList("{", "}")
        while more {
            guard metadata.count < Safetensors.mostEntries else {
                throw reader.error(
                    at: reader.offset, expected: "at most \(Safetensors.mostEntries) texts", found: "more")
            }
            let key = try reader.key(notIn: &keys)
            metadata[key] = try reader.string()
            more = try reader.continueList("}")
        }
    }

    private mutating func parseTensor(_ name: String, textOffset: Int) throws(CheckpointError) {
        var isFloat = false
        var sizes: [Int]?
        var offsets: [Int]?
        var keys: Set<String> = []
        var more = try reader.beginList("{", "}")
        while more {
            let key = try reader.key(notIn: &keys)
            reader.skipSpace()
            let valueOffset = reader.offset
            switch key {
            case "dtype":
                let type = try reader.string()
                guard type == "F32" else {
                    throw reader.error(at: valueOffset, expected: "dtype F32 for tensor \(name)", found: type)
                }
                isFloat = true
            case "shape":
                sizes = try integers()
            case "data_offsets":
                offsets = try integers()
            default:
                throw reader.error(
                    at: valueOffset, expected: "dtype, shape or data_offsets for tensor \(name)", found: key)
            }
            more = try reader.continueList("}")
        }
        guard isFloat, let sizes, let offsets else {
            throw reader.error(
                at: textOffset, expected: "dtype, shape and data_offsets for tensor \(name)",
                found: keys.isEmpty ? "none of them" : "only \(keys.sorted().joined(separator: " and "))")
        }
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw reader.error(
                at: textOffset, expected: "a first and a last data offset for tensor \(name)", found: "\(offsets)")
        }
        guard let shape = try? Shape(sizes).validated(as: name) else {
            throw reader.error(
                at: textOffset, expected: "sizes of at least 1 that fit in memory for tensor \(name)",
                found: "shape \(sizes)")
        }
        let bytes = shape.elementCount * MemoryLayout<Float>.stride
        guard offsets[1] - offsets[0] == bytes else {
            throw reader.error(
                at: textOffset, expected: "\(bytes) bytes for tensor \(name) of shape \(shape)",
                found: "data offsets \(offsets[0]) to \(offsets[1])")
        }
        tensors.append(
            TensorDescription(name: name, shape: shape, begin: offsets[0], end: offsets[1], textOffset: textOffset))
    }

    private mutating func integers() throws(CheckpointError) -> [Int] {
        var result: [Int] = []
        var more = try reader.beginList("[", "]")
        while more {
            guard result.count < Safetensors.highestRank else {
                throw reader.error(
                    at: reader.offset, expected: "at most \(Safetensors.highestRank) numbers", found: "more")
            }
            result.append(try reader.integer())
            more = try reader.continueList("]")
        }
        return result
    }
}
