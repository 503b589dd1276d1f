import LinkedNet
import Testing

@Suite struct ImageAugmentationTests {
    private func apply(_ change: ImageAugmentation, to image: [Float], shape: Shape) -> [Float] {
        var output = [Float](repeating: .nan, count: image.count)
        change.apply(to: image, shape: shape, into: &output)
        return output
    }

    @Test func wholePixels() {
        let image: [Float] = [1, 2, 3, 4, 5, 6]
        let shape: Shape = [2, 3, 1]
        #expect(apply(ImageAugmentation(), to: image, shape: shape) == image)
        #expect(apply(ImageAugmentation(flip: true), to: image, shape: shape) == [3, 2, 1, 6, 5, 4])
        #expect(apply(ImageAugmentation(shiftX: 1), to: image, shape: shape) == [1, 1, 2, 4, 4, 5])
        #expect(apply(ImageAugmentation(shiftX: -2), to: image, shape: shape) == [3, 3, 3, 6, 6, 6])
        #expect(apply(ImageAugmentation(shiftY: 1), to: image, shape: shape) == [1, 2, 3, 1, 2, 3])
        // The image is mirrored first, then moved.
        #expect(apply(ImageAugmentation(shiftX: 1, flip: true), to: image, shape: shape) == [3, 3, 2, 6, 6, 5])
    }

    @Test func fractionsOfPixels() {
        let image: [Float] = [0, 10, 4, 20, 8, 30, 16, 40]
        #expect(
            apply(ImageAugmentation(shiftX: 0.25), to: image, shape: [1, 4, 2]) == [0, 10, 3, 17.5, 7, 27.5, 14, 37.5])
        #expect(apply(ImageAugmentation(shiftY: -0.5), to: image, shape: [4, 1, 2]) == [2, 15, 6, 25, 12, 35, 16, 40])
    }

    /// A position far right has as many digits of the fraction as a position far left.
    @Test func fractionsInWideImages() {
        let width = 100_000
        let image = (0..<width).map { Float($0 % 2) }
        let output = apply(ImageAugmentation(shiftX: 0.3), to: image, shape: [1, width, 1])
        #expect(abs(output[1] - 0.7) < 1e-6)
        #expect(output[width - 1] == output[1])
    }

    @Test(arguments: [.infinity, -.infinity, 1e30, -1e30] as [Float])
    func absurdShiftsStayInside(shift: Float) {
        let output = apply(ImageAugmentation(shiftY: shift, shiftX: shift), to: [1, 2, 3, 4], shape: [2, 2, 1])
        #expect(output.allSatisfy { [1, 2, 3, 4].contains($0) })
    }

    @Test func notANumberShows() {
        let output = apply(ImageAugmentation(shiftX: .nan), to: [1, 2, 3, 4], shape: [2, 2, 1])
        #expect(output.allSatisfy { $0.isNaN })
    }
}
