/// How one image is changed as it is read: mirrored left to right first, then moved.
public struct ImageAugmentation: Hashable, Sendable, BitwiseCopyable {
    /// How far down the image moves, in pixels and fractions of them.
    public var shiftY: Float
    /// How far right the image moves, in pixels and fractions of them.
    public var shiftX: Float
    /// True mirrors left to right.
    public var flip: Bool

    /// A change; the default changes nothing.
    public init(shiftY: Float = 0, shiftX: Float = 0, flip: Bool = false) {
        self.shiftY = shiftY
        self.shiftX = shiftX
        self.flip = flip
    }
}
