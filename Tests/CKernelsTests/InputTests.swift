import CKernels
import Testing

private struct Images {
    let count: Int, height: Int, width: Int, channels: Int
    let pixels: [UInt8]
    var imageSize: Int { height * width * channels }

    init(count: Int, height: Int, width: Int, channels: Int, _ generator: inout Generator) {
        (self.count, self.height, self.width, self.channels) = (count, height, width, channels)
        pixels = (0..<(count * height * width * channels)).map { _ in UInt8(generator.integer(0...255)) }
    }

    /// A pixel of an image, mirrored if `flip`, with the edge repeated.
    func pixel(_ image: Int, _ y: Int, _ x: Int, _ channel: Int, flip: Bool) -> Double {
        let row = min(max(y, 0), height - 1), inside = min(max(x, 0), width - 1)
        let column = flip ? width - 1 - inside : inside
        return Double(pixels[((image * height + row) * width + column) * channels + channel])
    }

    /// Bilinear between pixels at (y, x) of the mirrored image.
    func value(_ image: Int, _ y: Double, _ x: Double, _ channel: Int, flip: Bool) -> Double {
        let top = y.rounded(.down), left = x.rounded(.down)
        func at(_ down: Int, _ right: Int) -> Double {
            pixel(image, Int(top) + down, Int(left) + right, channel, flip: flip)
        }
        let upper = at(0, 0) + (x - left) * (at(0, 1) - at(0, 0))
        let lower = at(1, 0) + (x - left) * (at(1, 1) - at(1, 0))
        return upper + (y - top) * (lower - upper)
    }

    /// Runs the kernel.
    func prepare(
        indices: [Int64], augmentations: [ck_augmentation]?, scale: [Float], offset: [Float], into out: Buffer
    ) {
        ck_prepare_images(
            Int64(indices.count), Int64(height), Int64(width), Int64(channels), pixels, indices, augmentations, scale,
            offset, out.pointer)
    }
}

@Suite struct InputTests {
    /// (height, width, channels)
    static let sizes = [
        (1, 1, 1), (5, 7, 1), (8, 8, 3), (4, 9, 4), (32, 32, 3), (3, 5, 16), (2, 3, 37), (6, 400, 3), (2, 2, 1500),
        (28, 28, 1),
    ]

    @Test(arguments: sizes)
    func conversionAndAugmentation(height: Int, width: Int, channels: Int) {
        var generator = Generator(seed: UInt64(height * width + channels))
        let images = Images(count: 4, height: height, width: width, channels: channels, &generator)
        let shifts: [Float] = [0, 1, -2, 0.5, -1.25, 3.875, Float(width) + 5, -1e9, 1e30]
        var augmentations: [ck_augmentation] = []
        for index in 0..<12 {
            augmentations.append(
                ck_augmentation(
                    shift_y: index < 3 ? 0 : shifts[generator.integer(0...(shifts.count - 1))],
                    shift_x: index < 2 ? 0 : shifts[generator.integer(0...(shifts.count - 1))], flip: index % 2 == 1))
        }
        let indices = augmentations.map { _ in Int64(generator.integer(0...3)) }
        // With scales that are powers of two and these shifts, every result is exact.
        let scale = (0..<channels).map { Float([0.5, 2, 1][$0 % 3]) }
        let offset = (0..<channels).map { Float($0 % 5) - 2 }
        var expected: [Double] = [], plain: [Double] = []
        for (image, augmentation) in zip(indices, augmentations) {
            // Larger shifts beyond the edge change nothing.
            let shiftY = Double(min(max(augmentation.shift_y, -1000), 1000))
            let shiftX = Double(min(max(augmentation.shift_x, -1000), 1000))
            for y in 0..<height {
                for x in 0..<width {
                    for c in 0..<channels {
                        let value = images.value(
                            Int(image), Double(y) - shiftY, Double(x) - shiftX, c, flip: augmentation.flip)
                        expected.append(value * Double(scale[c]) + Double(offset[c]))
                        let original = images.pixel(Int(image), y, x, c, flip: false)
                        plain.append(original * Double(scale[c]) + Double(offset[c]))
                    }
                }
            }
        }
        for isa in availableISAs {
            with(isa: isa) {
                let moved = Buffer(expected.count, misaligned: true), converted = Buffer(expected.count)
                images.prepare(
                    indices: indices, augmentations: augmentations, scale: scale, offset: offset, into: moved)
                images.prepare(indices: indices, augmentations: nil, scale: scale, offset: offset, into: converted)
                #expect(firstError(moved, expected, bound: { _ in 0 }, "\(isa)") == nil)
                #expect(firstError(converted, plain, bound: { _ in 0 }, "\(isa)") == nil)
                #expect(moved.guardsIntact && converted.guardsIntact)
            }
        }
    }

    /// Any fraction and any scale: two interpolations, a product and a sum of values up to 255 are rounded.
    @Test func fractionsAreBilinear() {
        var generator = Generator(seed: 4)
        let images = Images(count: 3, height: 11, width: 13, channels: 3, &generator)
        let augmentations = (0..<20).map { index in
            ck_augmentation(shift_y: 5 * generator.unit(), shift_x: 5 * generator.unit(), flip: index % 3 == 0)
        }
        let indices = (0..<20).map { Int64($0 % 3) }
        let scale: [Float] = [1 / 255, 0.3, 1], offset: [Float] = [-0.5, 0.1, 0]
        var expected: [Double] = []
        for (image, augmentation) in zip(indices, augmentations) {
            for place in 0..<images.imageSize {
                let (c, x, y) = (place % 3, place / 3 % 13, place / 39)
                let value = images.value(
                    Int(image), Double(y) - Double(augmentation.shift_y), Double(x) - Double(augmentation.shift_x), c,
                    flip: augmentation.flip)
                expected.append(value * Double(scale[c]) + Double(offset[c]))
            }
        }
        for isa in availableISAs {
            with(isa: isa) {
                let out = Buffer(expected.count)
                images.prepare(indices: indices, augmentations: augmentations, scale: scale, offset: offset, into: out)
                let bound = { (place: Int) in
                    12 * 255 * Double(Float.ulpOfOne / 2) * Double(scale[place % 3]) + 1e-7
                        * Double(abs(offset[place % 3]))
                }
                #expect(firstError(out, expected, bound: bound, "\(isa)") == nil)
            }
        }
    }

    @Test func nanShiftGivesNaN() {
        var generator = Generator(seed: 8)
        let images = Images(count: 1, height: 4, width: 6, channels: 3, &generator)
        for isa in availableISAs {
            with(isa: isa) {
                for (y, x) in [(Float.nan, Float(0)), (0, .nan), (.nan, .nan)] {
                    let out = Buffer([Float](repeating: 0, count: images.imageSize))
                    images.prepare(
                        indices: [0], augmentations: [ck_augmentation(shift_y: y, shift_x: x, flip: true)],
                        scale: [1, 1, 1], offset: [0, 0, 0], into: out)
                    #expect(out.values.allSatisfy { $0.isNaN })
                }
            }
        }
    }
}
