import LinkedNet

/// The range of the pixels that the network sees.
package enum PixelRange: String, Sendable, Hashable, CaseIterable {
    /// 0 … 1, as in all of the paper's experiments.
    case unit
    /// 0 … 255.
    case raw
    /// 10 … 11.
    case offset
    /// 0 … 1, 0 … 10, 0 … 100: each channel has another scale.
    case scaled

    /// The text for people.
    var title: String {
        switch self {
        case .unit: "0 … 1"
        case .raw: "0 … 255"
        case .offset: "10 … 11"
        case .scaled: "1 : 10 : 100"
        }
    }

    /// The same images with pixels in this range.
    ///
    /// - Throws: ``DataError`` for images that can't be scaled.
    func dataset(_ dataset: any Dataset) throws -> any Dataset {
        guard self != .unit else { return dataset }
        guard let images = dataset as? ImageDataset else {
            throw DataError(path: dataset.name, expected: "images of 8-bit pixels", found: "a data set of another type")
        }
        let channels = images.imageShape[2]
        let (scale, offset): ([Float], Float) =
            switch self {
            case .unit, .offset: (Array(repeating: 1 / 255, count: channels), self == .offset ? 10 : 0)
            case .raw: (Array(repeating: 1, count: channels), 0)
            case .scaled: ((0..<channels).map { [1, 10, 100][$0 % 3] / 255 }, 0)
            }
        return try ImageDataset(
            name: images.name, imageShape: images.imageShape, classNames: images.classNames, pixels: images.pixels,
            labels: images.labels, scale: scale, offset: Array(repeating: offset, count: channels))
    }
}
