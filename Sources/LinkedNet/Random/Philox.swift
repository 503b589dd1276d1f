/// The Philox4x32-10 bijection (J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
/// a 64-bit key turns each 128-bit counter into 128 random bits.
enum Philox {
    /// The four 32-bit words for a counter and a key, each in the low half of its 64 bits; word 0 is the first.
    ///
    /// The arithmetic has 64 bits and explicit masks instead of conversions, because conversions are function calls in
    /// unoptimised builds.
    @inline(__always)
    static func block(
        counter: (UInt64, UInt64, UInt64, UInt64), key: (UInt64, UInt64)
    ) -> (UInt64, UInt64, UInt64, UInt64) {
        let low: UInt64 = 0xffff_ffff
        var (c0, c1, c2, c3) = counter
        var (k0, k1) = key
        var round = 0
        while round < 10 {
            let p0 = c0 &* 0xd251_1f53
            let p1 = c2 &* 0xcd9e_8d57
            c0 = (p1 &>> 32) ^ c1 ^ k0
            c1 = p1 & low
            c2 = (p0 &>> 32) ^ c3 ^ k1
            c3 = p0 & low
            k0 = (k0 &+ 0x9e37_79b9) & low
            k1 = (k1 &+ 0xbb67_ae85) & low
            round &+= 1
        }
        return (c0, c1, c2, c3)
    }
}
