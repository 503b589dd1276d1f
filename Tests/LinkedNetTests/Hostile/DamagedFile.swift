import AllocationCounter
import Foundation
import LinkedNet
import PaperNetworks
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// A good file that the test damages in many ways, and reads each time.
///
/// The test runs in a process of its own, so that a trap is a failure of the test, and the process's memory can be
/// measured.
struct DamagedFile {
    /// The good file's bytes.
    let bytes: [UInt8]
    /// The ranges in which the test flips every bit: all bytes except the content. In the content the test flips
    /// ``contentFlips`` bits.
    let headers: [Range<Int>]
    private static let contentFlips = 10_000
    /// The longest time of a reading, in seconds of this thread's CPU time. The wall clock also runs while other
    /// processes have the CPU.
    private static let longestReading = 1.0
    /// The most memory that a reading may use, beyond the size of the file.
    private static let largestMemory = 64 << 20

    /// The result of a reading.
    private enum Outcome { case accepted, refused }

    /// Truncates the file to every length, flips every bit of the headers and random bits elsewhere, and calls `read`
    /// with the path of each result.
    ///
    /// - Parameter everyTruncationIsAnError: false if the beginning of a good file may be a good file.
    func check(everyTruncationIsAnError: Bool = true, at path: String, _ read: (String) throws -> Void) throws {
        let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        try #require(bytes.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) } == bytes.count)
        // Code that runs for the first time may allocate memory once.
        try #require(outcome("unchanged", path, read) == .accepted)
        forgetLargestMemory()
        let memoryBefore = try memory("VmRSS")

        var refusals = 0
        let inHeaders = Set(headers.joined())
        for offset in inHeaders.sorted() {
            for bit in 0..<8 where flipped(bit, of: offset, in: file, path, read) == .refused { refusals += 1 }
        }
        // Some bits only change a name or a text.
        #expect(refusals > inHeaders.count, "few flipped bits of the headers were noticed")
        let content = bytes.indices.filter { !inHeaders.contains($0) }
        var random = CounterRandom(seed: UInt64(bytes.count), use: RandomUse(rawValue: 2005))
        for _ in 0..<(content.isEmpty ? 0 : Self.contentFlips) {
            let offset = content[Int(random.next(below: UInt64(content.count)))]
            _ = flipped(Int(random.next(below: 8)), of: offset, in: file, path, read)
        }
        for size in bytes.indices.reversed() {
            try #require(ftruncate(file, off_t(size)) == 0)
            let outcome = outcome("truncated to \(size) bytes", path, read)
            if everyTruncationIsAnError { #expect(outcome == .refused, "truncated to \(size) bytes") }
        }
        if allocations_are_counted() {
            let growth = try memory("VmHWM") - memoryBefore
            #expect(growth <= bytes.count + Self.largestMemory, "\(growth) bytes of memory")
        }
    }

    private func flipped(
        _ bit: Int, of offset: Int, in file: Int32, _ path: String, _ read: (String) throws -> Void
    ) -> Outcome {
        func put(_ byte: UInt8) { withUnsafeBytes(of: byte) { _ = pwrite(file, $0.baseAddress, 1, off_t(offset)) } }
        put(bytes[offset] ^ 1 << UInt8(bit))
        defer { put(bytes[offset]) }
        return outcome("bit \(bit) of byte \(offset) flipped", path, read)
    }

    private func outcome(_ damage: String, _ path: String, _ read: (String) throws -> Void) -> Outcome {
        let start = nanoseconds()
        defer {
            let seconds = Double(nanoseconds() - start) * 1e-9
            #expect(seconds < Self.longestReading, "\(damage): \(seconds) s")
        }
        do {
            try read(path)
            return .accepted
        } catch {
            #expect(Self.isOurs(error), "\(damage): \(type(of: error)): \(error)")
            #expect("\(error)".utf8.count < 2000, "\(damage): an error of \("\(error)".utf8.count) bytes")
            return .refused
        }
    }

    /// This thread's CPU time.
    private func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func isOurs(_ error: any Error) -> Bool {
        switch error {
        case is DataError, is CheckpointError, is WeightsMismatch, is ShapeError, is SettingsError, is OptimizerError,
            is TrainingError:
            true
        default: false
        }
    }

    /// A line of the process's status, in bytes.
    private func memory(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name) })
        return try #require(line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }) * 1024
    }

    /// Resets the system's measure of the largest memory.
    private func forgetLargestMemory() {
        let file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
        _ = write(file, "5", 1)
        close(file)
    }
}
