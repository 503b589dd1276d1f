/// What pixels become before a network sees them: byte · scale + offset, channel by channel.
public struct PixelScaling: Sendable, Hashable, Codable {
    /// What a pixel of each channel is multiplied with.
    public let scale: [Float]
    /// What is then added to each channel.
    public let offset: [Float]

    /// A scaling of as many channels as there are factors.
    public init(scale: [Float], offset: [Float]) {
        self.scale = scale
        self.offset = offset
    }
}
