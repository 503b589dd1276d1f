import CKernels
import Foundation
import Testing

/// Every instruction set of this machine.
let availableISAs: [ck_isa] = [CK_ISA_PORTABLE, CK_ISA_NEON, CK_ISA_AVX2, CK_ISA_AVX512].filter(ck_isa_available)

/// The numbers of threads whose bits are compared. The variable `LINKEDNET_KERNEL_THREADS` names others, such as `2,7`:
/// sanitizers are slow where many threads share few processors.
let threadCounts: [Int32] =
    ProcessInfo.processInfo.environment["LINKEDNET_KERNEL_THREADS"].map {
        $0.split(separator: ",").compactMap { Int32($0) }
    }
    ?? [1, 2, 3, 7, 16, 64]

/// Runs `body` with an instruction set and a number of threads, and restores both. Tests on other threads keep their
/// own.
func with<Result>(isa: ck_isa, threads: Int32 = 2, _ body: () throws -> Result) rethrows -> Result {
    let isaBefore = ck_isa_current()
    let threadsBefore = ck_set_own_threads(threads)
    defer {
        ck_isa_select(isaBefore)
        ck_set_own_threads(threadsBefore)
    }
    ck_isa_select(isa)
    return try body()
}

/// SplitMix64: a short deterministic generator for shapes and inputs.
struct Generator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Uniform in `range`.
    mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    /// Uniform in -1 ..< 1.
    mutating func unit() -> Float { Float(Int64(next() >> 40)) / 8_388_608 - 1 }
}

/// Floats between two guard regions, aligned to 64 bytes, or on request to 4 bytes only.
final class Buffer {
    static let guardCount = 64
    private static let guardBits: UInt32 = 0x7FA5_A5A5

    let count: Int
    let pointer: UnsafeMutablePointer<Float>
    private let base: UnsafeMutableRawPointer
    private let words: UnsafeMutablePointer<UInt32>

    /// A buffer of NaN, so that a read before the first write shows.
    init(_ count: Int, misaligned: Bool = false) {
        self.count = count
        let total = count + 2 * Buffer.guardCount + 1
        base = .allocate(byteCount: total * 4, alignment: 64)
        words = (base + (misaligned ? 4 : 0)).assumingMemoryBound(to: UInt32.self)
        for index in 0..<(count + 2 * Buffer.guardCount) { words[index] = Buffer.guardBits }
        pointer = UnsafeMutableRawPointer(words + Buffer.guardCount).assumingMemoryBound(to: Float.self)
        poison()
    }

    deinit { Buffer.retire(base) }

    /// The optimiser may release a buffer after its last mention, while the kernel that got the buffer's pointer still
    /// runs. So the memory of released buffers stays in a queue of the thread. The queue is longer than any call's list
    /// of operands.
    private final class Retired {
        private static let most = 64
        private var memory: [UnsafeMutableRawPointer] = []

        func append(_ retiring: UnsafeMutableRawPointer) {
            memory.append(retiring)
            if memory.count > Self.most { memory.removeFirst().deallocate() }
        }

        deinit { for block in memory { block.deallocate() } }
    }

    private static func retire(_ memory: UnsafeMutableRawPointer) {
        let own = Thread.current.threadDictionary
        let retired = own["retired"] as? Retired ?? Retired()
        own["retired"] = retired
        retired.append(memory)
    }

    convenience init(_ values: [Float], misaligned: Bool = false) {
        self.init(values.count, misaligned: misaligned)
        for index in 0..<count { pointer[index] = values[index] }
    }

    /// Scratch of a size in bytes, which may not depend on the number of threads: a network's scratch is measured once.
    convenience init(scratchBytes: @autoclosure () -> Int) {
        let sizes = [1, 3, 64].map { with(isa: ck_isa_current(), threads: $0) { scratchBytes() } }
        #expect(Set(sizes).count == 1, "scratch of \(sizes) bytes on 1, 3 and 64 threads")
        self.init((sizes[0] + 3) / 4)
    }

    /// Uniform in -1 ..< 1.
    convenience init(uniform count: Int, _ generator: inout Generator, misaligned: Bool = false) {
        self.init(count, misaligned: misaligned)
        for index in 0..<count { pointer[index] = generator.unit() }
    }

    /// Integers in -bound ... bound, whose products and sums are exact in a float however they are ordered.
    convenience init(integers count: Int, bound: Int = 3, _ generator: inout Generator, misaligned: Bool = false) {
        self.init(count, misaligned: misaligned)
        for index in 0..<count { pointer[index] = Float(generator.integer(-bound...bound)) }
    }

    func poison() { for index in 0..<count { pointer[index] = .nan } }

    /// True if no call wrote outside the buffer.
    var guardsIntact: Bool {
        for index in 0..<Buffer.guardCount
        where words[index] != Buffer.guardBits || words[Buffer.guardCount + count + index] != Buffer.guardBits {
            return false
        }
        return true
    }

    var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    func copy() -> Buffer { Buffer(values) }
}

/// The first element with other bits (any NaN equals any NaN), or nil.
func firstDifference(_ a: Buffer, _ b: Buffer, _ what: String) -> String? {
    for index in 0..<a.count where a.pointer[index].bitPattern != b.pointer[index].bitPattern {
        if a.pointer[index].isNaN && b.pointer[index].isNaN { continue }
        return "\(what)[\(index)] is \(a.pointer[index]), \(b.pointer[index]) elsewhere"
    }
    return nil
}

/// The first element that differs from a reference by more than the element's bound, or nil. A bound of 0 allows no
/// difference except the sign of zero. An infinity and a NaN allow no other value, whatever the bound.
func firstError(_ result: Buffer, _ expected: [Double], bound: (Int) -> Double, _ what: String) -> String? {
    for index in 0..<result.count {
        let found = Double(result.pointer[index])
        let limit = bound(index)
        if found == expected[index] || expected[index].isFinite && abs(found - expected[index]) <= limit { continue }
        if found.isNaN && expected[index].isNaN { continue }
        return "\(what)[\(index)] is \(found), expected \(expected[index]) ± \(limit)"
    }
    return nil
}
