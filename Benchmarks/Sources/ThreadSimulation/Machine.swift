/// A machine as far as the simulation knows it: the bandwidth of its memory, and its caches.
public struct Machine: Sendable {
    public var name: String
    /// Bytes a second that one core reads or writes, and that all cores together read or write.
    public var coreBandwidth, wholeBandwidth: Double
    /// Bytes of cache of one core, and bytes that all cores share.
    public var coreCache, sharedCache: Int

    public init(name: String, coreBandwidth: Double, wholeBandwidth: Double, coreCache: Int, sharedCache: Int) {
        self.name = name
        self.coreBandwidth = coreBandwidth
        self.wholeBandwidth = wholeBandwidth
        self.coreCache = coreCache
        self.sharedCache = sharedCache
    }

    /// Bytes a second that `threads` cores read or write together.
    public func bandwidth(threads: Int) -> Double { min(Double(threads) * coreBandwidth, wholeBandwidth) }

    /// Machines of the kinds that people have. The bandwidths are four fifths of the memory's data sheets: two channels
    /// of DDR5-5600, four of DDR5-5200, twelve of DDR5-4800.
    public static let presets = [
        Machine(
            name: "desktop-8", coreBandwidth: 30e9, wholeBandwidth: 72e9, coreCache: 1 << 20, sharedCache: 32 << 20),
        Machine(
            name: "workstation-16", coreBandwidth: 30e9, wholeBandwidth: 133e9, coreCache: 1 << 20,
            sharedCache: 64 << 20),
        Machine(
            name: "server-64", coreBandwidth: 25e9, wholeBandwidth: 369e9, coreCache: 1 << 20, sharedCache: 256 << 20),
    ]
}
