import Foundation

@testable import LinkedNet

/// A file in memory.
final class MemoryFile: ByteStream {
    let path: String
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, path: String = "file") {
        self.bytes = bytes
        self.path = path
    }

    var largestContent: Int { bytes.count }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int {
        let count = min(buffer.count, bytes.count - position)
        buffer.copyBytes(from: bytes[position..<position + count])
        position += count
        return count
    }
}

/// Bytes of exactly their size on the heap, so that AddressSanitizer sees reads beyond their end.
private func withOwnMemory(of bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
    _ = copy.initialize(from: bytes)
    defer { copy.deallocate() }
    body(UnsafeBufferPointer(copy))
}

/// A safetensors file: the tensors of an accepted file fill the file without holes and overlaps, and can be written and
/// read again.
func safetensors(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard
        let header = try? SafetensorsHeader(
            path: "file", fileSize: bytes.count,
            bytes: { offset, count throws(CheckpointError) in
                require(offset >= 0 && count >= 0 && offset + count <= bytes.count, "reads within the file")
                return Array(bytes[offset..<offset + count])
            })
    else { return }
    var end = header.entries.first?.offset ?? bytes.count
    require(end >= 8, "data after the header")
    for entry in header.entries {
        require(entry.offset == end, "tensors without holes and overlaps")
        end += entry.byteCount
        require(entry.byteCount >= 0, "no tensor of fewer bytes than none")
        if let format = entry.type.format {
            require(entry.byteCount == entry.shape.elementCount * format.byteCount, "as many bytes as elements need")
            require(entry.type.bitCount == 8 * format.byteCount, "one size of each type")
        }
    }
    require(end == bytes.count, "tensors to the end of the file")
    require(Set(header.entries.map { ByteName($0.name) }).count == header.entries.count, "every name once")
    writeAndRead(header, dataBytes: bytes.count)
}

/// Checks that the header of an accepted file, written by the library, reads the same.
private func writeAndRead(_ header: SafetensorsHeader, dataBytes: Int) {
    let elements = UnsafeMutableBufferPointer<Float>.allocate(capacity: dataBytes / MemoryLayout<Float>.stride + 1)
    defer { elements.deallocate() }
    // The library writes tensors of at least one 32-bit float.
    let entries = header.entries.filter { $0.type.format == .float32 && $0.byteCount > 0 }
    let tensors = entries.map { entry in
        BorrowedTensor(
            name: entry.name, shape: entry.shape,
            elements: UnsafeMutableBufferPointer(rebasing: elements[..<entry.shape.elementCount]))
    }
    do throws(CheckpointError) {
        let text = try SafetensorsHeader.encode(tensors, metadata: header.metadata, path: "file")
        let size = text.count + tensors.reduce(0) { $0 + $1.elements.count * MemoryLayout<Float>.stride }
        let again = try SafetensorsHeader(path: "file", fileSize: size) { offset, count throws(CheckpointError) in
            Array(text[offset..<offset + count])
        }
        require(again.metadata == header.metadata, "metadata are kept")
        require(again.entries.map { ByteName($0.name) } == entries.map { ByteName($0.name) }, "names are kept")
        require(again.entries.map(\.shape) == entries.map(\.shape), "shapes are kept")
    } catch {
        require(false, "what was read can be written: \(error)")
    }
}

/// The text of a safetensors header, without its length.
func json(_ bytes: UnsafeBufferPointer<UInt8>) {
    var parser = SafetensorsHeaderParser(Array(bytes), path: "file", textOffset: 8)
    try? parser.parse()
}

/// A file of CIFAR records: a choice of the format, and one or two records.
func cifar(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let kind = bytes.first else { return }
    let format = CIFARRecords(
        labelClasses: kind & 1 == 0 ? [10] : [20, 100], labelByte: kind & 1 == 0 ? 0 : Int(kind >> 1 & 1),
        recordsPerFile: kind & 128 == 0 ? 1 : 2)
    withOwnMemory(of: UnsafeBufferPointer(rebasing: bytes.dropFirst())) { content in
        var images = CIFARRecords.Images()
        guard (try? format.add(MemoryFile(content), to: &images, filesToCome: 1)) != nil else { return }
        let classes = format.labelClasses[format.labelByte]
        require(images.labels.allSatisfy { (0..<Int32(classes)).contains($0) }, "labels in range")
        require(images.pixels.count == images.labels.count * 3072, "an image for each label")
    }
}

/// A pair of IDX files: the labels' length, the labels, the images. The first bit of the length is set if the files are
/// packed.
func idx(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let first = bytes.first else { return }
    let rest = bytes.dropFirst()
    let cut = rest.startIndex + min(Int(first >> 1), rest.count)
    let suffix = first & 1 == 1 ? ".gz" : ""
    withOwnMemory(of: UnsafeBufferPointer(rebasing: rest[..<cut])) { labels in
        withOwnMemory(of: UnsafeBufferPointer(rebasing: rest[cut...])) { images in
            do throws(DataError) {
                let dataset = try IDX.dataset(
                    images: { () throws(DataError) in
                        try IDXFile(MemoryFile(images, path: "images" + suffix), dimensions: 3, what: "images")
                    },
                    labels: IDXFile(MemoryFile(labels, path: "labels" + suffix), dimensions: 1, what: "labels"),
                    name: "fuzz", classNames: IDX.digits)
                require(dataset.labels.allSatisfy { (0..<10).contains($0) }, "labels in range")
                require(
                    dataset.pixels.count == dataset.count * dataset.imageShape.elementCount, "an image for each label")
            } catch {
                require(!error.expected.isEmpty && !error.found.isEmpty, "an error says what was expected and found")
            }
        }
    }
}

/// A gzip stream. The first byte gives the size of the pieces that are read.
func gzip(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let first = bytes.first else { return }
    withOwnMemory(of: UnsafeBufferPointer(rebasing: bytes.dropFirst())) { content in
        guard let stream = try? GzipStream(MemoryFile(content)) else { return }
        var total = 0
        while let count = try? stream.read(1 + 16 * Int(first)).count, count > 0 {
            total += count
            require(total <= stream.largestContent, "no more than \(stream.largestContent) bytes of \(content.count)")
        }
    }
}
