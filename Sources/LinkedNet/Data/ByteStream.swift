/// Bytes that are read once, front to back.
protocol ByteStream: AnyObject {
    /// The file of the bytes.
    var path: String { get }
    /// The largest number of bytes that the stream can have.
    var largestContent: Int { get }
    /// Fills `buffer` with the next bytes, and returns the number of bytes: less than the buffer's size only at the
    /// end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int
}

extension ByteStream {
    /// The next `count` bytes, or fewer at the end. Only memory that receives bytes becomes resident, so a `count` that
    /// is too large costs nothing.
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
