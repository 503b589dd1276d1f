import CKernels

/// Makes the network's input of images of 8-bit pixels.
enum ImagePreparation {
    /// The number of augmentations in one call: few enough for the stack.
    private static let group = 32

    /// Writes pixel·scale + offset for chosen images of `images`, each changed by its augmentation.
    ///
    /// Runs on the calling thread; allocates nothing.
    ///
    /// - Parameters:
    ///   - shape: height, width and channels of an image.
    ///   - images: [image][height][width][channel].
    ///   - indices: the indices of the chosen images; all must be in range.
    ///   - augmentations: one augmentation for each index, or none.
    ///   - scale: a factor for each channel; `offset`: a summand for each.
    ///   - output: room for `indices.count` images in floats.
    static func prepare(
        shape: Shape, images: UnsafePointer<UInt8>, indices: Span<Int64>, augmentations: Span<ImageAugmentation>,
        scale: UnsafePointer<Float>, offset: UnsafePointer<Float>, output: inout MutableSpan<Float>
    ) {
        precondition(output.count >= indices.count * shape.elementCount, "too little room for the images")
        precondition(augmentations.isEmpty || augmentations.count == indices.count, "an augmentation for each image")
        output.withUnsafeMutableBufferPointer { output in
            indices.withUnsafeBufferPointer { indices in
                augmentations.withUnsafeBufferPointer { augmentations in
                    guard let target = output.baseAddress else { return }
                    prepare(
                        shape: shape, images: images, indices: indices, augmentations: augmentations, scale: scale,
                        offset: offset, output: target)
                }
            }
        }
    }

    private static func prepare(
        shape: Shape, images: UnsafePointer<UInt8>, indices: UnsafeBufferPointer<Int64>,
        augmentations: UnsafeBufferPointer<ImageAugmentation>, scale: UnsafePointer<Float>,
        offset: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
    ) {
        guard let first = indices.baseAddress else { return }
        let (height, width, channels) = (Int64(shape[0]), Int64(shape[1]), Int64(shape[2]))
        guard !augmentations.isEmpty else {
            ck_prepare_images(
                Int64(indices.count), height, width, channels, images, first, nil, scale, offset, output)
            return
        }
        let imageSize = Int(height * width * channels)
        withUnsafeTemporaryAllocation(of: ck_augmentation.self, capacity: group) { changes in
            var start = 0
            while start < indices.count {
                let count = min(group, indices.count - start)
                var image = 0
                while image < count {
                    let change = augmentations[start + image]
                    changes[image] = ck_augmentation(
                        shift_y: change.shiftY, shift_x: change.shiftX, flip: change.flip)
                    image += 1
                }
                ck_prepare_images(
                    Int64(count), height, width, channels, images, first + start, changes.baseAddress, scale, offset,
                    output + start * imageSize)
                start += count
            }
        }
    }
}
