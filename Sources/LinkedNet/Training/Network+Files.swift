extension Network {
    /// What the names of tensors begin with that lie in a file beside the weights and aren't weights: the optimizer's
    /// slots.
    ///
    /// It contains a colon so that no ordinary layer's name begins with it.
    public static let optimizerTensorPrefix = "optimizer:"

    /// Every parameter and state by name, in the order of ``weightInfos``, without a copy.
    ///
    /// Valid while the network lives; what they hold changes with it.
    public var borrowedWeights: [BorrowedTensor] {
        var tensors: [BorrowedTensor] = []
        forEachWeight { tensors.append(BorrowedTensor(name: $0.name, shape: $0.shape, elements: $1)) }
        return tensors
    }

    /// Writes all parameters and states to a safetensors file, durably: see ``DurableFile``.
    ///
    /// - Parameters:
    ///   - metadata: texts to be kept with them.
    ///   - allowsNonFinite: true to write NaN and infinite weights as well, for example to look for their cause.
    /// - Throws: ``CheckpointError``; also if a weight is NaN or infinite, so that a training that failed doesn't
    ///   replace good weights: what was at `path` stays.
    public func saveWeights(
        to path: String, metadata: [String: String] = [:], allowsNonFinite: Bool = false
    ) throws(CheckpointError) {
        if !allowsNonFinite, let info = firstNonFiniteWeight() {
            throw .content(
                path: path, offset: nil, expected: "finite weights (allowsNonFinite: true writes any)",
                found: "NaN or infinite values in \(info.name)")
        }
        try Safetensors.write(borrowedWeights, metadata: metadata, to: path)
    }

    /// Reads all parameters and states from a safetensors file. See ``loadWeights(from:)-(SafetensorsFile)``.
    public func loadWeights(from path: String) throws {
        try loadWeights(from: SafetensorsFile(path))
    }

    /// Reads all parameters and states from a safetensors file; an optimizer's tensors in it are passed over.
    ///
    /// The network is unchanged if the file can't be read or isn't this network's. Only a disk that fails after the
    /// file was opened leaves some weights new and others old.
    ///
    /// - Throws: ``WeightsMismatch`` if the file lacks weights of the network, has others, or has some in other shapes;
    ///   ``CheckpointError``.
    public func loadWeights(from file: SafetensorsFile) throws {
        let mismatch = WeightsMismatch(file, weightInfos)
        guard mismatch.isEmpty else { throw mismatch }
        try forEachWeight { try file.read($0.name, into: $1) }
    }
}

/// A file whose weights aren't those of the network: every one that is missing, surplus or of another shape.
public struct WeightsMismatch: Error, Equatable, CustomStringConvertible {
    /// A weight with another shape.
    public struct Misshapen: Sendable, Equatable {
        /// The weight.
        public let name: String
        /// Its shape in the network.
        public let expected: Shape
        /// Its shape in the file.
        public let found: Shape
    }

    /// The file.
    public let path: String
    /// The network's weights that the file lacks.
    public private(set) var missing: [String] = []
    /// The file's tensors that the network lacks.
    public let surplus: [String]
    /// The weights that both have, in different shapes.
    public private(set) var misshapen: [Misshapen] = []

    init(_ file: SafetensorsFile, _ infos: [ParameterInfo]) {
        path = file.path
        let names = Set(infos.map(\.name))
        surplus = file.entries.map(\.name).filter {
            !names.contains($0) && !$0.hasPrefix(Network.optimizerTensorPrefix)
        }
        for info in infos {
            guard let entry = file[info.name] else {
                missing.append(info.name)
                continue
            }
            if entry.shape != info.shape {
                misshapen.append(Misshapen(name: info.name, expected: info.shape, found: entry.shape))
            }
        }
    }

    var isEmpty: Bool { missing.isEmpty && surplus.isEmpty && misshapen.isEmpty }

    public var description: String {
        var parts: [String] = []
        if !missing.isEmpty { parts.append("missing: \(Self.list(missing, ", "))") }
        if !surplus.isEmpty { parts.append("not in the network: \(Self.list(surplus, ", "))") }
        if !misshapen.isEmpty {
            parts.append(
                Self.list(misshapen.map { "\($0.name): expected shape \($0.expected), found \($0.found)" }, "; "))
        }
        return "\(path.printable()): expected the network's weights, found others; \(parts.joined(separator: "; "))"
    }

    /// The first few: a network has hundreds of weights, and a file may have millions.
    private static func list(_ texts: [String], _ separator: String) -> String {
        let shown = 6
        let more = texts.count > shown ? "\(separator)and \(texts.count - shown) more" : ""
        return texts.prefix(shown).map { $0.printable(longest: 100) }.joined(separator: separator) + more
    }
}
