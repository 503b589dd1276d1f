import LinkedNet
import PaperNetworks

/// The images of all trainings of a reproduction.
package final class ReproductionData {
    /// The name of the images: `CIFAR-10 (JPEG)`.
    package let name: String
    /// The command's line about the images.
    package let note: String
    private let source: DataSource
    private var scaled: [PixelRange: DataSource] = [:]

    package init(_ source: DataSource) {
        self.source = source
        note = source.note
        name = Self.name(of: source.train)
    }

    /// The SHA-256 of the training images.
    package var fingerprint: String { source.train.fingerprint }
    var imageShape: Shape { source.train.imageShape }
    var classCount: Int { source.train.classCount }
    var imageCount: Int { source.train.count }
    var testImageCount: Int { source.test.count }

    /// The images for a training with this range of pixels, tested on this number of images.
    func source(_ pixels: PixelRange, testImages: Int?) throws -> DataSource {
        let whole: DataSource
        if let known = scaled[pixels] {
            whole = known
        } else {
            whole = DataSource(train: try pixels.dataset(source.train), test: try pixels.dataset(source.test))
            scaled[pixels] = whole
        }
        return testImages.map { DataSource(train: whole.train, test: whole.test.prefix($0)) } ?? whole
    }

    // MARK: Names

    /// The sum of all pixels of CIFAR-10's 50,000 training images: the pixels' mean, 120.70756512369792, times the
    /// number of pixels.
    private static let originalPixelSum = 18_540_682_003
    /// The fingerprint of CIFAR-10 made again from JPEG files. This version is found where the original isn't
    /// available.
    private static let jpegFingerprint = "4b90b41489c902b815cdc05f3c043151417be5f241552624b5cd0d4b84166452"

    private static func name(of train: any Dataset) -> String {
        let name = train.name.hasSuffix(" train") ? String(train.name.dropLast(6)) : train.name
        guard name == "CIFAR-10", let images = train as? ImageDataset else { return name }
        let sum = images.pixels.withUnsafeBufferPointer { pixels in
            var sum = 0
            for pixel in pixels { sum += Int(pixel) }
            return sum
        }
        if sum == originalPixelSum { return name }
        return images.fingerprint == jpegFingerprint ? "CIFAR-10 (JPEG)" : "CIFAR-10 (not the original images)"
    }
}
