/// The generators' weights and images, from the same formula.
enum ParityData {
    /// Uniform multiples of 2⁻²³ in −1 ..< 1: the generators' `noise`.
    static func noise(_ stream: UInt32, _ count: Int, scale: Float = 1) -> [Float] {
        (0..<UInt32(count)).map { index in
            var x = index &+ stream &* 1_000_003
            for multiplier: UInt32 in [0x7FEB_352D, 0x846C_A68B] {
                x ^= x >> 16
                x = x &* multiplier
            }
            x ^= x >> 16
            return scale * (Float(x >> 8) - 0x1p23) * 0x1p-23
        }
    }

    /// Sample i has label i mod 10; its image is its class's pattern plus noise of the same size.
    static func samples(count: Int, side: Int) -> (images: [Float], labels: [Int32]) {
        let classes = 10
        let size = side * side * 3
        let patterns = noise(1, classes * size)
        let own = noise(2, count * size)
        let images = own.indices.map { index in
            0.5 * patterns[index / size % classes * size + index % size] + 0.5 * own[index]
        }
        return (images, (0..<count).map { Int32($0 % classes) })
    }
}
