/// Bytes that are read once, front to back.
protocol ByteStream: AnyObject {
    /// The file they come from.
    var path: String { get }
    /// More bytes than this can't come.
    var largestContent: Int { get }
    /// Reads the next bytes into all of `buffer`, and returns how many there were; fewer only at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int
}

extension ByteStream {
    /// The next `count` bytes, or fewer at the end. Only what is read becomes resident, so a size that promises too
    /// much costs nothing.
    func read(_ count: Int) throws(DataError) -> [UInt8] {
        if OutOfMemory.awaits(count, of: UInt8.self) {
            throw DataError(path: path, expected: "content that fits in memory", found: "\(count) bytes")
        }
        var failure: DataError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(DataError) {
                initialized = try read(
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
