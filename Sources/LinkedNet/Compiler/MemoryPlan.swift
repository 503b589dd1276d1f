/// Places buffers with known lifetimes in one arena. Two buffers share memory only if no step needs both.
struct MemoryPlan {
    /// A buffer that needs a place.
    struct Request {
        let bytes: Int
        /// The first and the last step that uses the buffer.
        let lifetime: ClosedRange<Int>
    }

    /// The byte at which each request starts, in the order given. Multiples of 64.
    private(set) var offsets: [Int]

    /// The size of the arena.
    private(set) var totalBytes = 0

    /// Greedy by size: the largest buffer comes first, and each buffer gets the lowest place that is free throughout
    /// its lifetime. The placing takes O(n²) time for n requests. Its arena is within a few percent of the optimum on
    /// networks' plans (Pisarchyk and Lee 2020, arXiv:2001.03288).
    init(_ requests: [Request]) {
        offsets = Array(repeating: 0, count: requests.count)
        let order = requests.indices.sorted {
            (requests[$0].bytes, $1) > (requests[$1].bytes, $0)
        }
        var placed: [(start: Int, end: Int, lifetime: ClosedRange<Int>)] = []
        for index in order where requests[index].bytes > 0 {
            let request = requests[index]
            let size = (request.bytes + 63) / 64 * 64
            var start = 0
            // `placed` is sorted by start, so the first gap that is wide enough is the lowest.
            for other in placed where other.lifetime.overlaps(request.lifetime) {
                if other.start >= start + size { break }
                start = max(start, other.end)
            }
            offsets[index] = start
            totalBytes = max(totalBytes, start + size)
            let position = placed.firstIndex { $0.start > start } ?? placed.count
            placed.insert((start, start + size, request.lifetime), at: position)
        }
    }
}
