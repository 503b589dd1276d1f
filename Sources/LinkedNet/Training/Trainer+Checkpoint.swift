import Foundation

extension Trainer {
    private enum Key {
        static let format = "linkednet.format"
        static let seed = "linkednet.seed"
        static let position = "linkednet.position"
    }

    /// The version of a checkpoint's content. A file of an unknown version is refused with an error that names the
    /// version, so that no file is misread. Version 1 had no checksum.
    private static let formatVersion = "2"
    private static let readableVersions = ["1", formatVersion]

    /// Saves everything that a run needs to go on with the same bits: weights, states, the optimizer's slots (as
    /// `optimizer:slot/parameter`), position and seed. All lie in one safetensors file with a checksum, written
    /// durably: see ``DurableFile``.
    ///
    /// - Parameters:
    ///   - path: the file to make or to replace.
    ///   - metadata: texts of your own that the file keeps as well; keys that begin with `linkednet.` are the
    ///     library's.
    /// - Throws: ``TrainingError/nonFinite(layer:cause:step:epoch:)`` if a weight is NaN or infinite: no training could
    ///   continue from such weights, so the file at `path` stays; ``CheckpointError``, also for a key that the library
    ///   writes itself.
    public func save(to path: String, metadata: [String: String] = [:]) throws {
        try checkWeights()
        if let key = [Key.format, Key.seed, Key.position, Checksum.key].first(where: { metadata[$0] != nil }) {
            throw CheckpointError.content(
                path: path, offset: nil, expected: "texts under keys that don't begin with linkednet.", found: key)
        }
        try Safetensors.writeChecked(
            checkpointTensors, metadata: checkpointMetadata(metadata), to: path, on: SystemDisk())
    }

    /// The size of a checkpoint's tensors, in bytes.
    public var checkpointBytes: Int {
        checkpointTensors.reduce(0) { $0 + $1.elements.count } * MemoryLayout<Float>.stride
    }

    /// The size of the copies that a ``Run`` holds during training, in bytes: of a checkpoint, and of the best weights.
    public var savingBytes: Int {
        checkpointBytes + network.storedWeights.reduce(0) { $0 + $1.elements.count } * MemoryLayout<Float>.stride
    }

    /// The tensors of a checkpoint, without a copy: the next step changes the elements.
    var checkpointTensors: [BorrowedTensor] {
        network.storedWeights
            + borrowedSlots.map { BorrowedTensor(name: $0.names[0], shape: $0.shape, elements: .init($0.elements)) }
    }

    /// The texts of a checkpoint.
    func checkpointMetadata(_ own: [String: String]) throws -> [String: String] {
        var metadata = own
        metadata[Key.format] = Self.formatVersion
        metadata[Key.seed] = String(network.seed)
        metadata[Key.position] = String(decoding: try JSONEncoder().encode(position), as: UTF8.self)
        return metadata
    }

    /// Puts the network and this trainer into the state that a file holds. Both were made with the settings of the
    /// saved run.
    ///
    /// Everything is checked before anything is changed; only a disk that fails in between leaves a mixture.
    ///
    /// - Throws: ``CheckpointError`` if the file can't be read, is damaged, isn't from ``save(to:metadata:)``, or
    ///   belongs to another seed or optimizer; ``WeightsMismatch`` if the file belongs to another network.
    public func resume(from path: String) throws {
        let file = try SafetensorsFile(path)
        try file.verifyChecksum(isRequired: file.metadata[Key.format] == Self.formatVersion)
        try resume(from: file)
    }

    /// As ``resume(from:)-(String)``, from an open file whose checksum was verified.
    func resume(from file: SafetensorsFile) throws {
        func expect(_ isRight: Bool, _ expected: String, _ found: String) throws(CheckpointError) {
            if !isRight { throw .content(path: file.path, offset: nil, expected: expected, found: found) }
        }
        let format = file.metadata[Key.format]
        try expect(
            Self.readableVersions.contains(format ?? ""),
            "a training checkpoint of format \(Self.readableVersions.joined(separator: " or "))",
            format.map { "format \($0)" } ?? "a file without training state")
        let seed = file.metadata[Key.seed] ?? "none"
        try expect(seed == String(network.seed), "seed \(network.seed), the network's", seed)
        let text = file.metadata[Key.position] ?? ""
        let position = try? JSONDecoder().decode(TrainingPosition.self, from: Data(text.utf8))
        guard let position else {
            throw CheckpointError.content(
                path: file.path, offset: nil, expected: "a training position", found: text.isEmpty ? "none" : text)
        }
        let slots = borrowedSlots
        var names = Set(
            network.weightInfos.compactMap { file.first(of: CheckpointName.names(ofWeight: $0.name))?.name }
                .map(ByteName.init))
        for slot in slots {
            let entry = file.first(of: slot.names)
            try expect(
                entry?.shape == slot.shape && entry?.type.isReadable == true,
                "tensor \(slot.names[0]) of shape \(slot.shape)",
                entry.map { "shape \($0.shape) of \($0.type)" } ?? "none, so another optimizer's state")
            if let entry { names.insert(ByteName(entry.name)) }
        }
        let surplus = file.entries.first { CheckpointName.isSlot($0.name) && !names.contains(ByteName($0.name)) }
        try expect(surplus == nil, "the state of this optimizer", "tensor \(surplus?.name ?? "") of another")
        for slot in slots { try file.checkReadable(file.first(of: slot.names)?.name ?? slot.names[0]) }
        try network.loadWeights(from: file)
        for slot in slots { try file.read(file.first(of: slot.names)?.name ?? slot.names[0], into: slot.elements) }
        self.position = position
    }

    /// A parameter's part of a slot.
    private struct BorrowedSlot {
        /// The names that the part may have in a file. The first name is the name that is written.
        let names: [String]
        let shape: Shape
        let elements: UnsafeMutableBufferPointer<Float>
    }

    /// Every parameter's part of every slot.
    private var borrowedSlots: [BorrowedSlot] {
        let layout = network.parameterLayout
        return zip(optimizer.slotNames, slots).flatMap { slotName, memory in
            layout.entries.indices.map { index in
                BorrowedSlot(
                    names: CheckpointName.names(ofSlot: slotName, weight: layout.entries[index].name),
                    shape: layout.entries[index].shape,
                    elements: UnsafeMutableBufferPointer(rebasing: memory.buffer[layout.range(of: index)]))
            }
        }
    }
}
