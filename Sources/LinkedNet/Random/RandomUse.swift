/// The purpose of random numbers. Numbers for different uses are independent, even with the same seed, epoch and
/// sample.
///
/// The library keeps values below 1024 for itself; values from 1024 on are yours:
///
/// ```swift
/// extension RandomUse { static let labelNoise = RandomUse(rawValue: 1024) }
/// ```
public struct RandomUse: RawRepresentable, Hashable, Sendable {
    /// The number that goes into the generator's key.
    public let rawValue: UInt32

    /// A use with this number.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Initial weights.
    public static let initialization = RandomUse(rawValue: 0)
    /// The order of samples in an epoch.
    public static let shuffle = RandomUse(rawValue: 1)
    /// Flips and shifts of images.
    public static let augmentation = RandomUse(rawValue: 2)
    /// The units that dropout sets to zero.
    public static let dropout = RandomUse(rawValue: 3)
    /// Generated data sets.
    public static let generatedData = RandomUse(rawValue: 4)
}
