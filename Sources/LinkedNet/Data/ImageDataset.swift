/// Images of 8-bit pixels in memory. Copies share the memory.
public struct ImageDataset: Dataset {
    public let name: String
    public let imageShape: Shape
    public let classNames: [String]
    public let fingerprint: String
    /// All pixels, [image][height][width][channel].
    public let pixels: [UInt8]
    /// A label for each image, each of `0 ..< classCount`.
    public let labels: [Int32]
    /// The factor of each channel's pixels.
    public let scale: [Float]
    /// The summand of each channel, after the factor.
    public let offset: [Float]

    public var count: Int { labels.count }
    public var classCount: Int { classNames.count }
    public var pixelScaling: PixelScaling? { PixelScaling(scale: scale, offset: offset) }

    /// Images that are already in memory. The fingerprint takes time, about 0.1 s for CIFAR-10.
    ///
    /// - Parameters:
    ///   - name: a name for people and errors.
    ///   - imageShape: height, width, channels.
    ///   - classNames: a name for each class, in the order of the labels.
    ///   - pixels: [image][height][width][channel].
    ///   - labels: a label for each image, each of `0 ..< classNames.count`.
    ///   - scale: a factor for each channel; default 1/255.
    ///   - offset: a summand for each channel, after the factor; default 0.
    /// - Throws: ``DataError`` naming the data set, if the numbers don't fit together or a label is out of range.
    public init(
        name: String, imageShape: Shape, classNames: [String], pixels: [UInt8], labels: [Int32],
        scale: [Float]? = nil, offset: [Float]? = nil
    ) throws(DataError) {
        guard imageShape.rank == 3, (try? imageShape.validated(as: name)) != nil else {
            throw DataError(path: name, expected: "images of height×width×channels", found: "\(imageShape)")
        }
        let channels = imageShape[2]
        self.scale = scale ?? Array(repeating: 1 / 255, count: channels)
        self.offset = offset ?? Array(repeating: 0, count: channels)
        guard self.scale.count == channels, self.offset.count == channels else {
            throw DataError(
                path: name, expected: "\(channels) factors and summands, one for each channel",
                found: "\(self.scale.count) and \(self.offset.count)")
        }
        let (bytes, overflow) = labels.count.multipliedReportingOverflow(by: imageShape.elementCount)
        guard !overflow, bytes == pixels.count else {
            throw DataError(
                path: name, expected: "\(labels.count) images of \(imageShape), one for each label",
                found: "\(pixels.count) bytes of pixels")
        }
        try checkLabels(labels, classCount: classNames.count, name: name)
        self.name = name
        self.imageShape = imageShape
        self.classNames = classNames
        self.pixels = pixels
        self.labels = labels
        var hash = SHA256()
        hash.update("\(imageShape) \(labels.count)".utf8)
        pixels.withUnsafeBytes { hash.update($0) }
        // The labels are little-endian, because the library builds on little-endian machines only: Safetensors.
        labels.withUnsafeBytes { hash.update($0) }
        // The same pixels with another scaling train another network.
        if scale != nil || offset != nil { hash.update("\(self.scale) \(self.offset)".utf8) }
        fingerprint = hash.finalize()
    }

    /// - Throws: ``DataError`` if an index is the number of no image.
    public func load(
        _ indices: Span<Int64>, augmentations: Span<ImageAugmentation>, pixels: inout MutableSpan<Float>,
        labels: inout MutableSpan<Int32>
    ) throws(DataError) {
        var slot = 0
        while slot < indices.count {
            let index = indices[slot]
            guard index >= 0, index < Int64(count) else {
                throw DataError(path: name, expected: "an image of 0 ..< \(count)", found: "\(index)")
            }
            labels[slot] = self.labels[Int(index)]
            slot += 1
        }
        self.pixels.withUnsafeBufferPointer { images in
            scale.withUnsafeBufferPointer { scale in
                offset.withUnsafeBufferPointer { offset in
                    guard let images = images.baseAddress, let scale = scale.baseAddress,
                        let offset = offset.baseAddress
                    else { return }
                    ImagePreparation.prepare(
                        shape: imageShape, images: images, indices: indices, augmentations: augmentations,
                        scale: scale, offset: offset, output: &pixels)
                }
            }
        }
    }
}

/// Throws if some label isn't a class.
private func checkLabels(_ labels: [Int32], classCount: Int, name: String) throws(DataError) {
    let bound = Int32(clamping: classCount)
    var bad: Int?
    labels.withUnsafeBufferPointer { labels in
        var index = 0
        while index < labels.count {
            if labels[index] < 0 || labels[index] >= bound {
                bad = index
                return
            }
            index += 1
        }
    }
    if let bad {
        throw DataError(
            path: name, expected: "a label of 0 ..< \(classCount) for image \(bad)", found: "\(labels[bad])")
    }
}
