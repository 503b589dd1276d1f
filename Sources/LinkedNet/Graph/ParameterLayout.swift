/// A named parameter or state of a network.
public struct ParameterInfo: Sendable, Hashable {
    /// The path of the layer and the parameter's own name: `conv2d_1/kernel`.
    public let name: String
    /// The shape, for example `[3, 3, 192, 96]` (kernel height, width, input channels, output channels).
    public let shape: Shape
    /// False for states such as BatchNorm's running statistics.
    public let isTrainable: Bool

    /// The path of the layer: `conv2d_1`.
    var layer: String { name.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(name[..<$0]) } ?? "" }
}

/// Named arrays laid out one after the other, each starting at a multiple of 64 bytes; the gaps hold zeros.
///
/// Parameters, their gradients and every slot of an optimizer share one layout, so an update walks flat memory.
public struct ParameterLayout: Sendable {
    /// The arrays, in order.
    public let entries: [ParameterInfo]
    /// The element at which each entry starts.
    public let offsets: [Int]
    /// The number of elements, gaps included.
    public let count: Int

    init(_ entries: [ParameterInfo]) {
        self.entries = entries
        var offsets: [Int] = []
        var end = 0
        for entry in entries {
            offsets.append(end)
            end += (entry.shape.elementCount + 15) / 16 * 16
        }
        self.offsets = offsets
        count = end
    }

    /// The number of elements without the gaps.
    public var elementCount: Int { entries.reduce(0) { $0 + $1.shape.elementCount } }

    /// The index of the entry called `name`.
    func index(of name: String) -> Int? { entries.firstIndex { $0.name == name } }

    /// The range of elements of entry `index`.
    public func range(of index: Int) -> Range<Int> {
        offsets[index]..<offsets[index] + entries[index].shape.elementCount
    }
}
