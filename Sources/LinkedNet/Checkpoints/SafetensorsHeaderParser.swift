/// Reads the JSON of a safetensors header, strictly: exactly the members that the format knows, each once.
///
/// No value nests deeper than the format's three levels, so the parser needs no recursion that a hostile file could
/// deepen.
struct SafetensorsHeaderParser {
    static let metadataKey = "__metadata__"

    /// A tensor as the header describes it.
    struct TensorDescription {
        let name: String
        let type: SafetensorsFile.ElementType
        let shape: Shape
        /// The tensor's bytes, counted from the start of the data; as many as type and shape need, if the type is
        /// known.
        let begin, end: Int
        /// The offset of the description in the file.
        let textOffset: Int
    }

    private(set) var metadata: [String: String] = [:]
    private(set) var tensors: [TensorDescription] = []
    private var reader: JSONReader

    /// - Parameter textOffset: the offset of the text in the file, for errors.
    init(_ text: [UInt8], path: String, textOffset: Int) {
        reader = JSONReader(text, path: path, textOffset: textOffset)
    }

    mutating func parse() throws(CheckpointError) {
        // The format wants the brace as the first byte, without space before the brace.
        guard reader.next == UInt8(ascii: "{") else { throw reader.unexpected("the header's opening brace") }
        var names: Set<ByteName> = []
        var more = try reader.beginList("{", "}")
        while more {
            let (name, textOffset) = (try reader.key(notIn: &names), reader.offset)
            if name == Self.metadataKey {
                // Some writers write `null` if there are no texts.
                if !reader.skipNull() { try parseMetadata() }
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
        var keys: Set<ByteName> = []
        var more = try reader.beginList("{", "}")
        while more {
            guard keys.count < Safetensors.mostEntries else {
                throw reader.error(
                    at: reader.offset, expected: "at most \(Safetensors.mostEntries) texts", found: "more")
            }
            let key = try reader.key(notIn: &keys)
            let text = try reader.string()
            if metadata[key] == nil { metadata[key] = text }
            more = try reader.continueList("}")
        }
    }

    private mutating func parseTensor(_ name: String, textOffset: Int) throws(CheckpointError) {
        var type: SafetensorsFile.ElementType?
        var sizes: [Int]?
        var offsets: [Int]?
        var (keys, found) = (Set<ByteName>(), [String]())
        var more = try reader.beginList("{", "}")
        while more {
            let key = try reader.key(notIn: &keys)
            found.append(key)
            reader.skipSpace()
            let valueOffset = reader.offset
            switch key {
            case "dtype":
                type = .init(name: try reader.string())
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
        guard let type, let sizes, let offsets else {
            throw reader.error(
                at: textOffset, expected: "dtype, shape and data_offsets for tensor \(name)",
                found: found.isEmpty ? "none of them" : "only \(found.sorted().joined(separator: " and "))")
        }
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw reader.error(
                at: textOffset, expected: "a first and a last data offset for tensor \(name)", found: "\(offsets)")
        }
        let shape = Shape(sizes)
        let byteCount = offsets[1] - offsets[0]
        if let needed = try byteCountNeeded(name, type, shape, textOffset: textOffset), byteCount != needed {
            throw reader.error(
                at: textOffset, expected: "\(needed) bytes for tensor \(name) of shape \(shape), \(type)",
                found: "data offsets \(offsets[0]) to \(offsets[1])")
        }
        tensors.append(
            TensorDescription(
                name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1], textOffset: textOffset))
    }

    /// The size of a tensor's elements in bytes; `nil` for an unknown type.
    private func byteCountNeeded(
        _ name: String, _ type: SafetensorsFile.ElementType, _ shape: Shape, textOffset: Int
    ) throws(CheckpointError) -> Int? {
        // An unknown type is checked, too, so that the number of elements can be computed.
        let bitCount = type.bitCount ?? 1
        guard let bits = Self.product(shape.dimensions, times: bitCount) else {
            throw reader.error(
                at: textOffset, expected: "sizes that fit in memory for tensor \(name)",
                found: "shape \(shape.dimensions)")
        }
        guard type.bitCount != nil else { return nil }
        guard bits % 8 == 0 else {
            throw reader.error(
                at: textOffset, expected: "whole bytes for tensor \(name) of shape \(shape), \(type)",
                found: "\(bits) bits")
        }
        return bits / 8
    }

    /// `nil` on overflow. A product with a factor 0 never overflows.
    private static func product(_ sizes: [Int], times factor: Int) -> Int? {
        if sizes.contains(0) { return 0 }
        var product = factor
        for size in sizes {
            let (next, overflow) = product.multipliedReportingOverflow(by: size)
            if overflow { return nil }
            product = next
        }
        return product
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
