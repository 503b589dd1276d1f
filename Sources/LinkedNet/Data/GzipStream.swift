import CZlib

/// The unpacked content of a gzip file, read piece by piece in constant memory.
///
/// Several members in a row are one content, as in gzip(1). Checksums are checked. Zeros behind a member are skipped,
/// because tapes and block devices fill files up with zeros. Other bytes that begin no member are an error; gzip(1)
/// only warns.
final class GzipStream: ByteStream {
    private let file: any ByteStream
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawBufferPointer
    private var unpacked = 0
    private var insideMember = true

    /// - Parameter file: the packed file.
    init(_ file: any ByteStream) throws(DataError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 stands for a window of 2¹⁵ bytes; 16 more stands for a gzip header and trailer around the data.
        let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            let path = file.path
            stream.deallocate()
            throw DataError(path: path, expected: "memory to unpack it", found: "zlib's error \(status)")
        }
        self.file = file
        self.stream = stream
        input = .allocate(byteCount: 64 << 10, alignment: 64)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    var path: String { file.path }

    /// Deflate's longest match has 258 bytes and takes at least two bits, so a packed byte gives at most 1,032 bytes.
    var largestContent: Int {
        let (size, overflow) = file.largestContent.multipliedReportingOverflow(by: 1032)
        return overflow ? .max : size
    }

    /// - Throws: ``DataError`` for data that isn't in gzip's format, is damaged or ends early. Offsets are in the
    ///   unpacked content.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        var done = 0
        while done < buffer.count {
            if stream.pointee.avail_in == 0, try refill() == 0 {
                guard insideMember else { break }
                throw DataError(
                    path: file.path, offset: unpacked, expected: "more gzip data", found: "the end of the file")
            }
            if !insideMember {
                guard try beginMember() else { continue }
            }
            let room = min(buffer.count - done, 1 << 30)
            stream.pointee.next_out = (start + done).assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(room)
            let status = inflate(stream, Z_NO_FLUSH)
            let count = room - Int(stream.pointee.avail_out)
            done += count
            unpacked += count
            switch status {
            case Z_STREAM_END: insideMember = false
            case Z_OK, Z_BUF_ERROR: break
            default:
                let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib's error \(status)"
                throw DataError(
                    path: file.path, offset: unpacked, expected: "gzip data", found: "damaged data (\(reason))")
            }
        }
        return done
    }

    /// Reads more of the file, and returns the number of bytes.
    private func refill() throws(DataError) -> Int {
        let count = try file.read(into: input)
        stream.pointee.next_in = input.bindMemory(to: UInt8.self).baseAddress
        stream.pointee.avail_in = UInt32(count)
        return count
    }

    /// Skips zeros, and begins the member behind the zeros; false if the rest of the input holds only zeros.
    private func beginMember() throws(DataError) -> Bool {
        while stream.pointee.avail_in > 0, let next = stream.pointee.next_in {
            switch next.pointee {
            case 0:
                stream.pointee.next_in = next + 1
                stream.pointee.avail_in -= 1
            case 0x1F:
                inflateReset(stream)
                insideMember = true
                return true
            case let byte:
                throw DataError(
                    path: file.path, offset: unpacked, expected: "zeros or another gzip member behind the gzip data",
                    found: "byte \(byte)")
            }
        }
        return false
    }
}
