/// The binary format of both CIFAR sets: records of one or two label bytes and 32×32 pixels. All red values come first,
/// then all green values, then all blue values.
struct CIFARRecords {
    /// The number of classes of each label byte. The label bytes stand before the pixels.
    let labelClasses: [Int]
    /// The index of the label byte that is the label.
    let labelByte: Int
    /// The number of records that a file must have.
    let recordsPerFile: Int

    private static let planeSize = 32 * 32
    /// The number of bytes of a record.
    var recordSize: Int { labelClasses.count + 3 * Self.planeSize }

    /// The images of some files, one after the other.
    func read(_ paths: [String], name: String, classNames: [String]) throws(DataError) -> ImageDataset {
        var images = Images()
        for path in paths {
            try add(RegularFile(path, expectation: "a file of \(expectation)"), to: &images, filesToCome: paths.count)
        }
        return try ImageDataset(
            name: name, imageShape: [32, 32, 3], classNames: classNames, pixels: images.pixels, labels: images.labels)
    }

    /// The records of some files.
    struct Images {
        var labels: [Int32] = []
        /// [image][height][width][channel]
        var pixels: [UInt8] = []
    }

    /// Reads the images of a file.
    ///
    /// - Parameter filesToCome: the number of all files. The first file reserves the memory for all files.
    func add(_ file: any ByteStream, to images: inout Images, filesToCome: Int) throws(DataError) {
        let bytes = try contents(of: file)
        try checkLabels(bytes, path: file.path)
        if images.labels.isEmpty {
            images.labels.reserveCapacity(filesToCome * recordsPerFile)
            images.pixels.reserveCapacity(filesToCome * recordsPerFile * 3 * Self.planeSize)
        }
        for record in 0..<recordsPerFile {
            images.labels.append(Int32(bytes[record * recordSize + labelByte]))
        }
        images.pixels += interleaved(bytes)
    }

    /// The number of bytes that a file must have. If the number overflows, the size is larger than that of any file.
    private var size: Int {
        let (size, overflow) = recordsPerFile.multipliedReportingOverflow(by: recordSize)
        return overflow ? .max : size
    }

    private var expectation: String { "\(size) bytes, \(recordsPerFile) records of \(recordSize)" }

    private func contents(of file: any ByteStream) throws(DataError) -> [UInt8] {
        let found = file.largestContent
        guard found == size else {
            throw DataError(
                path: file.path, offset: min(found, size), expected: expectation,
                found: found == 0 ? "an empty file" : "\(found) bytes")
        }
        let bytes = try file.read(size)
        guard bytes.count == size else {
            throw DataError(path: file.path, offset: bytes.count, expected: expectation, found: "\(bytes.count) bytes")
        }
        return bytes
    }

    private func checkLabels(_ bytes: [UInt8], path: String) throws(DataError) {
        for record in 0..<recordsPerFile {
            for (byte, classes) in labelClasses.enumerated() {
                let offset = record * recordSize + byte
                guard bytes[offset] < classes else {
                    throw DataError(
                        path: path, offset: offset, expected: "a label of 0 ..< \(classes)", found: "\(bytes[offset])")
                }
            }
        }
    }

    /// The pixels of all records with the channels of a pixel side by side.
    ///
    /// Pointers and `while` make this function ten times as fast in unoptimised builds.
    private func interleaved(_ bytes: [UInt8]) -> [UInt8] {
        let size = recordsPerFile * 3 * Self.planeSize
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            bytes.withUnsafeBufferPointer { bytes in
                guard var to = buffer.baseAddress, let start = bytes.baseAddress else { return }
                let plane = Self.planeSize
                var record = 0
                while record < recordsPerFile {
                    let from = start + (record &* recordSize &+ labelClasses.count)
                    var pixel = 0
                    while pixel < plane {
                        to[0] = from[pixel]
                        to[1] = from[pixel &+ plane]
                        to[2] = from[pixel &+ 2 &* plane]
                        to += 3
                        pixel &+= 1
                    }
                    record &+= 1
                }
            }
            initialized = size
        }
    }
}
