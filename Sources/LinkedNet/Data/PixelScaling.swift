/// The way from a picture's bytes to a network's input: byte · scale + offset, channel by channel.
public struct PixelScaling: Sendable, Hashable, Codable {
    /// The factor of each channel.
    public let scale: [Float]
    /// The summand of each channel, after the factor.
    public let offset: [Float]

    /// A scaling of as many channels as there are factors.
    public init(scale: [Float], offset: [Float]) {
        self.scale = scale
        self.offset = offset
    }
}
