import LinkedNet

/// The bytes that a step moves between the caches and the memory.
///
/// The caches hold what was used last. A plan tells what each of its steps reads and writes. A call's scratch is not
/// counted: drivers keep scratch within the caches.
struct MemoryTraffic {
    /// A range of addresses that a step of the plan uses.
    private struct Use {
        let chunks: Range<Int>
        let writes: Bool
    }

    /// The unit of the caches' contents. Smaller units give the same sums and take longer.
    private static let chunkBytes = 1 << 14

    /// For each step of the plan, and for the optimizer after them.
    private let uses: [[Use]]
    /// Chunks from one workspace to the next.
    private let workspaceChunks: Int
    /// The first chunk of the memory that is not in workspaces.
    private let sharedStart: Int

    init(_ network: Network, slots: Int) {
        let plan = network.planDescription
        func chunks(_ start: Int, _ bytes: Int) -> Range<Int> {
            start / Self.chunkBytes..<(start + max(bytes, 1) + Self.chunkBytes - 1) / Self.chunkBytes
        }
        var ranges: [String: Range<Int>] = [:]
        var end = 0
        for buffer in plan.buffers {
            ranges[buffer.name] = chunks(buffer.offset, buffer.bytes)
            end = max(end, ranges[buffer.name]?.upperBound ?? 0)
        }
        let parameterBytes = network.parameterLayout.count * MemoryLayout<Float>.stride
        // Gradients of parameters belong to a workspace.
        for (index, entry) in network.parameterLayout.entries.enumerated() {
            let offset = network.parameterLayout.offsets[index] * MemoryLayout<Float>.stride
            ranges["∂" + entry.name] = chunks(
                end * Self.chunkBytes + offset, entry.shape.elementCount * MemoryLayout<Float>.stride)
        }
        let gradients = chunks(end * Self.chunkBytes, parameterBytes)
        workspaceChunks = gradients.upperBound
        sharedStart = 1 << 40
        let parameterStart = sharedStart * Self.chunkBytes
        for (index, entry) in network.parameterLayout.entries.enumerated() {
            let offset = network.parameterLayout.offsets[index] * MemoryLayout<Float>.stride
            ranges[entry.name] = chunks(
                parameterStart + offset, entry.shape.elementCount * MemoryLayout<Float>.stride)
        }
        let optimizer = [
            Use(chunks: gradients, writes: false),
            Use(chunks: chunks(parameterStart, parameterBytes * (1 + slots)), writes: true),
        ]
        uses =
            plan.steps.map { step in
                let read = step.reads.compactMap { ranges[$0] }.map { Use(chunks: $0, writes: false) }
                let written = (step.writes + step.accumulates + step.updates).compactMap { ranges[$0] }
                return read + written.map { Use(chunks: $0, writes: true) }
            } + [optimizer]
    }

    /// The bytes that each of `planSteps` moves, in a training that repeats these steps.
    ///
    /// - Parameters:
    ///   - planSteps: indices of steps of the plan, in the order in which they run; others move nothing.
    ///   - workspaces: the workspace of each of `planSteps`.
    ///   - cacheBytes: the size of the caches.
    func bytes(of planSteps: [Int], workspaces: [Int], cacheBytes: Int) -> [Double] {
        var cache = LeastRecentlyUsed(capacity: max(cacheBytes / Self.chunkBytes, 1))
        var moved = Array(repeating: 0.0, count: planSteps.count)
        // The first round fills the caches.
        for round in 0..<2 {
            for (index, planStep) in planSteps.enumerated() where uses.indices.contains(planStep) {
                var count = 0
                for use in uses[planStep] {
                    let offset = use.chunks.lowerBound >= sharedStart ? 0 : workspaces[index] * workspaceChunks
                    for chunk in use.chunks { count += cache.use(chunk + offset, writes: use.writes) }
                }
                if round == 1 { moved[index] = Double(count * Self.chunkBytes) }
            }
        }
        return moved
    }
}

/// A cache of chunks that drops the chunk whose last use is the longest ago.
private struct LeastRecentlyUsed {
    private struct Entry {
        var chunk: Int
        var isDirty: Bool
        var previous, next: Int
    }

    private let capacity: Int
    private var entries: [Entry] = []
    private var places: [Int: Int] = [:]
    /// The entries that were used last and the longest ago, or -1.
    private var first = -1, last = -1

    init(capacity: Int) { self.capacity = capacity }

    /// Uses a chunk. Returns the number of chunks that are moved for the use: the chunk, if it wasn't here, and a
    /// changed chunk that makes room for it.
    mutating func use(_ chunk: Int, writes: Bool) -> Int {
        if let place = places[chunk] {
            entries[place].isDirty = entries[place].isDirty || writes
            if place != first {
                unlink(place)
                linkFirst(place)
            }
            return 0
        }
        var moved = 1
        let place: Int
        if entries.count < capacity {
            place = entries.count
            entries.append(Entry(chunk: chunk, isDirty: writes, previous: -1, next: -1))
        } else {
            place = last
            if entries[place].isDirty { moved += 1 }
            places[entries[place].chunk] = nil
            unlink(place)
            (entries[place].chunk, entries[place].isDirty) = (chunk, writes)
        }
        places[chunk] = place
        linkFirst(place)
        return moved
    }

    private mutating func unlink(_ place: Int) {
        let (previous, next) = (entries[place].previous, entries[place].next)
        if previous >= 0 { entries[previous].next = next } else { first = next }
        if next >= 0 { entries[next].previous = previous } else { last = previous }
    }

    private mutating func linkFirst(_ place: Int) {
        (entries[place].previous, entries[place].next) = (-1, first)
        if first >= 0 { entries[first].previous = place } else { last = place }
        first = place
    }
}
