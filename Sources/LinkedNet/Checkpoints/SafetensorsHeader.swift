/// The header of a safetensors file: a JSON object. The format uses a small part of JSON.
struct SafetensorsHeader {
    let metadata: [String: String]
    /// The tensors, in the order of the tensors' bytes.
    let entries: [SafetensorsFile.Entry]

    /// Reads and checks the header of a file.
    ///
    /// Memory is bounded by a few times the header's length, and by limits on the numbers of tensors, texts and
    /// dimensions. The header's length is at most the file's size and the format's limit of 100 MB. Every number is
    /// checked before use.
    init(_ file: DiskFile) throws(CheckpointError) {
        try self.init(path: file.path, fileSize: file.size) { offset, count throws(CheckpointError) in
            try file.bytes(at: offset, count: count)
        }
    }

    /// As ``init(_:)``, with bytes from any source.
    init(
        path: String, fileSize: Int, bytes: (_ offset: Int, _ count: Int) throws(CheckpointError) -> [UInt8]
    ) throws(CheckpointError) {
        guard fileSize >= 8 else {
            throw .content(
                path: path, offset: 0, expected: "the header's length in 8 bytes",
                found: "a file of \(fileSize) bytes")
        }
        let length = try bytes(0, 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let limit = min(Safetensors.longestHeader, fileSize - 8)
        guard length <= UInt64(limit) else {
            throw .content(
                path: path, offset: 0, expected: "a header of at most \(limit) bytes", found: "a length of \(length)")
        }
        let text = try bytes(8, Int(length))
        var parser = SafetensorsHeaderParser(text, path: path, textOffset: 8)
        try parser.parse()
        metadata = parser.metadata
        entries = try Self.placed(
            parser.tensors, dataStart: 8 + text.count, dataEnd: fileSize, path: path)
    }

    /// Checks that the tensors fill the data from start to end, without holes and overlaps.
    private static func placed(
        _ tensors: [SafetensorsHeaderParser.TensorDescription], dataStart: Int, dataEnd: Int, path: String
    ) throws(CheckpointError) -> [SafetensorsFile.Entry] {
        var entries: [SafetensorsFile.Entry] = []
        var position = 0
        for tensor in tensors.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
            guard tensor.begin == position else {
                throw .content(
                    path: path, offset: tensor.textOffset,
                    expected: "tensor \(tensor.name) to begin where the one before it ends, at data byte \(position)",
                    found: "data byte \(tensor.begin)")
            }
            guard tensor.end <= dataEnd - dataStart else {
                throw .content(
                    path: path, offset: tensor.textOffset,
                    expected: "tensor \(tensor.name) to end within the file's \(dataEnd - dataStart) bytes of data",
                    found: "an end at data byte \(tensor.end)")
            }
            entries.append(
                SafetensorsFile.Entry(
                    name: tensor.name, type: tensor.type, shape: tensor.shape, offset: dataStart + tensor.begin,
                    byteCount: tensor.end - tensor.begin))
            position = tensor.end
        }
        guard position == dataEnd - dataStart else {
            throw .content(
                path: path, offset: dataStart + position, expected: "the end of the file after the last tensor",
                found: "\(dataEnd - dataStart - position) more bytes")
        }
        return entries
    }

    /// The header for some tensors, including the 8 bytes of the length, padded with spaces to a multiple of 64 bytes.
    ///
    /// - Parameters:
    ///   - path: the file of the header, for errors.
    ///   - longest: the largest number of bytes of the header, without the 8 bytes of the length.
    static func encode(
        _ tensors: [BorrowedTensor], metadata: [String: String], path: String,
        longest: Int = Safetensors.longestHeader
    ) throws(CheckpointError) -> [UInt8] {
        guard tensors.count <= Safetensors.mostEntries, metadata.count <= Safetensors.mostEntries else {
            throw .content(
                path: path, offset: nil, expected: "at most \(Safetensors.mostEntries) tensors and as many texts",
                found: "\(tensors.count) and \(metadata.count)")
        }
        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                .map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"\(SafetensorsHeaderParser.metadataKey)\":{\(texts.joined(separator: ","))}")
        }
        var names: Set<ByteName> = [ByteName(SafetensorsHeaderParser.metadataKey)]
        var position = 0
        for tensor in tensors {
            guard names.insert(ByteName(tensor.name)).inserted else {
                throw .content(
                    path: path, offset: nil, expected: "names that are not reserved and occur once", found: tensor.name)
            }
            guard tensor.shape.rank <= Safetensors.highestRank else {
                throw .content(
                    path: path, offset: nil,
                    expected: "at most \(Safetensors.highestRank) dimensions of tensor \(tensor.name)",
                    found: "\(tensor.shape.rank)")
            }
            guard let shape = try? tensor.shape.validated(as: tensor.name),
                shape.elementCount == tensor.elements.count
            else {
                throw .content(
                    path: path, offset: nil,
                    expected: "tensor \(tensor.name) to have as many elements as its shape \(tensor.shape)",
                    found: "\(tensor.elements.count)")
            }
            let end = position + tensor.elements.count * MemoryLayout<Float>.stride
            let sizes = shape.dimensions.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(tensor.name)):{\"dtype\":\"F32\",\"shape\":[\(sizes)],\"data_offsets\":[\(position),\(end)]}")
            position = end
        }
        var text = Array("{\(members.joined(separator: ","))}".utf8)
        text += Array(repeating: UInt8(ascii: " "), count: (64 - (8 + text.count) % 64) % 64)
        guard text.count <= longest else {
            throw .content(
                path: path, offset: nil, expected: "a header of at most \(longest) bytes",
                found: "\(text.count) bytes for \(tensors.count) tensors and their metadata")
        }
        return withUnsafeBytes(of: UInt64(text.count)) { Array($0) } + text
    }

    /// The text as a JSON string.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
