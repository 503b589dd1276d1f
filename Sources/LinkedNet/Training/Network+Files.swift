extension Network {
    /// Every parameter and state by name, in the order of ``weightInfos``, without a copy.
    ///
    /// Valid while the network lives. The elements change with the network.
    public var borrowedWeights: [BorrowedTensor] {
        var tensors: [BorrowedTensor] = []
        forEachWeight { tensors.append(BorrowedTensor(name: $0.name, shape: $0.shape, elements: $1)) }
        return tensors
    }

    /// Writes all parameters and states to a safetensors file, durably: see ``DurableFile``, also for file systems that
    /// can't synchronise directories.
    ///
    /// - Parameters:
    ///   - path: the file to make or to replace.
    ///   - metadata: texts that the file keeps with the weights.
    ///   - allowsNonFinite: true to write NaN and infinite weights as well, for example to look for the cause.
    /// - Throws: ``CheckpointError``; also if a weight is NaN or infinite. The file at `path` stays then, so that a
    ///   failed training doesn't replace good weights.
    public func saveWeights(
        to path: String, metadata: [String: String] = [:], allowsNonFinite: Bool = false
    ) throws(CheckpointError) {
        if !allowsNonFinite, let info = firstNonFiniteWeight() {
            throw .content(
                path: path, offset: nil, expected: "finite weights (allowsNonFinite: true writes any)",
                found: "NaN or infinite values in \(info.name)")
        }
        try Safetensors.write(storedWeights, metadata: metadata, to: path)
    }

    /// ``borrowedWeights`` under the weights' names in files.
    var storedWeights: [BorrowedTensor] {
        borrowedWeights.map { weight in
            BorrowedTensor(
                name: CheckpointName.names(ofWeight: weight.name)[0], shape: weight.shape, elements: weight.elements)
        }
    }

    /// Reads all parameters and states from a safetensors file. See ``loadWeights(from:)-(SafetensorsFile)``.
    public func loadWeights(from path: String) throws {
        try loadWeights(from: SafetensorsFile(path))
    }

    /// Reads all parameters and states from a safetensors file. Tensors that can't be weights are skipped: an
    /// optimizer's tensors, integers such as counters, and tensors without elements. Floats of other precision are
    /// converted.
    ///
    /// The network is unchanged if the file can't be read or belongs to another network. Only a disk that fails after
    /// the file was opened leaves some weights new and other weights old.
    ///
    /// - Throws: ``WeightsMismatch`` if the file lacks weights of the network, has other weights, or has weights in
    ///   other shapes or not in floats; ``CheckpointError``.
    public func loadWeights(from file: SafetensorsFile) throws {
        let mismatch = WeightsMismatch(file, weightInfos)
        guard mismatch.isEmpty else { throw mismatch }
        func name(_ info: ParameterInfo) -> String {
            file.first(of: CheckpointName.names(ofWeight: info.name))?.name ?? info.name
        }
        for info in weightInfos { try file.checkReadable(name(info)) }
        try forEachWeight { try file.read(name($0), into: $1) }
    }
}

/// A file whose weights aren't the network's weights: every weight that is missing, surplus, or of another shape or
/// type.
public struct WeightsMismatch: Error, Equatable, CustomStringConvertible {
    /// A weight with another shape.
    public struct Misshapen: Sendable, Equatable {
        /// The weight's name.
        public let name: String
        /// The weight's shape in the network.
        public let expected: Shape
        /// The weight's shape in the file.
        public let found: Shape
    }

    /// A weight that isn't floats in the file.
    public struct Mistyped: Sendable, Equatable {
        /// The weight's name.
        public let name: String
        /// The weight's type in the file.
        public let found: SafetensorsFile.ElementType
    }

    /// The path of the file.
    public let path: String
    /// The network's weights that the file lacks.
    public private(set) var missing: [String] = []
    /// The file's tensors of floats that the network lacks.
    public private(set) var surplus: [String] = []
    /// The weights that network and file have, in different shapes.
    public private(set) var misshapen: [Misshapen] = []
    /// The weights that network and file have, but not as floats in the file.
    public private(set) var mistyped: [Mistyped] = []

    init(_ file: SafetensorsFile, _ infos: [ParameterInfo]) {
        path = file.path
        var found: Set<ByteName> = []
        for info in infos {
            guard let entry = file.first(of: CheckpointName.names(ofWeight: info.name)) else {
                missing.append(info.name)
                continue
            }
            found.insert(ByteName(entry.name))
            if entry.shape != info.shape {
                misshapen.append(Misshapen(name: info.name, expected: info.shape, found: entry.shape))
            }
            if !entry.type.isReadable { mistyped.append(Mistyped(name: info.name, found: entry.type)) }
        }
        for entry in file.entries where entry.canBeWeight && !found.contains(ByteName(entry.name)) {
            surplus.append(entry.name)
        }
    }

    var isEmpty: Bool { missing.isEmpty && surplus.isEmpty && misshapen.isEmpty && mistyped.isEmpty }

    public var description: String {
        var parts: [String] = []
        if !missing.isEmpty { parts.append("missing: \(Self.list(missing, ", "))") }
        if !surplus.isEmpty { parts.append("not in the network: \(Self.list(surplus, ", "))") }
        // Names that differ only in Unicode normalisation look the same.
        if !Set(missing).isDisjoint(with: surplus) { parts.append("some names differ in Unicode normalisation only") }
        if !misshapen.isEmpty {
            parts.append(
                Self.list(misshapen.map { "\($0.name): expected shape \($0.expected), found \($0.found)" }, "; "))
        }
        if !mistyped.isEmpty {
            parts.append(
                Self.list(mistyped.map { "\($0.name): expected F32, F64, F16 or BF16, found \($0.found)" }, "; "))
        }
        return "\(path.printable()): expected the network's weights, found others; \(parts.joined(separator: "; "))"
    }

    /// The first few texts: a network has hundreds of weights, and a file may have millions.
    private static func list(_ texts: [String], _ separator: String) -> String {
        let shown = 6
        let more = texts.count > shown ? "\(separator)and \(texts.count - shown) more" : ""
        return texts.prefix(shown).map { $0.printable(longest: 100) }.joined(separator: separator) + more
    }
}
