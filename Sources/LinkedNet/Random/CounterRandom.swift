#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Random numbers that depend only on a seed, an epoch, a sample and a ``RandomUse``.
///
/// There is no state to carry or to save: the same four values give the same numbers again, in any order, on any
/// thread, after a resume. The generator is Philox4x32-10. Epoch and use select a key from the seed. The sample and the
/// position in the stream are the counter, so streams of different samples can't overlap. A stream holds 2⁶⁵ numbers of
/// 64 bits. The numbers are not for cryptography.
public struct CounterRandom: RandomNumberGenerator, Sendable {
    private let key: (UInt64, UInt64)
    private let sample: (UInt64, UInt64)
    private var position: UInt64 = 0
    private var second: UInt64 = 0
    private var hasSecond = false

    /// The stream of numbers for these four values.
    public init(seed: UInt64, epoch: UInt64 = 0, sample: UInt64 = 0, use: RandomUse) {
        let low: UInt64 = 0xffff_ffff
        let derived = Philox.block(
            counter: (epoch & low, epoch &>> 32, UInt64(use.rawValue), 0), key: (seed & low, seed &>> 32))
        key = (derived.0, derived.1)
        self.sample = (sample & low, sample &>> 32)
    }

    /// The first number of a stream, for kernels with a generator of their own, which needs a 64-bit key.
    public static func key(seed: UInt64, epoch: UInt64 = 0, sample: UInt64 = 0, use: RandomUse) -> UInt64 {
        var random = CounterRandom(seed: seed, epoch: epoch, sample: sample, use: use)
        return random.next()
    }

    /// 64 uniform bits.
    public mutating func next() -> UInt64 {
        if hasSecond {
            hasSecond = false
            return second
        }
        let low: UInt64 = 0xffff_ffff
        let block = Philox.block(counter: (position & low, position &>> 32, sample.0, sample.1), key: key)
        position &+= 1
        second = block.2 | (block.3 &<< 32)
        hasSecond = true
        return block.0 | (block.1 &<< 32)
    }

    /// A uniform number of [0, 1), a multiple of 2⁻⁵³.
    public mutating func uniform() -> Double {
        Double(next() &>> 11) * 0x1p-53
    }

    /// A uniform number of a finite range.
    public mutating func uniform(in range: ClosedRange<Double>) -> Double {
        let value = range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
        return value < range.upperBound ? value : range.upperBound
    }

    /// A normal number of mean 0 and variance 1 (Box–Muller). Always takes two numbers from the stream.
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }

    /// A uniform integer of `0 ..< bound`, without bias (D. Lemire, "Fast random integer generation in an interval",
    /// 2019). 0 if `bound` is 0.
    public mutating func next(below bound: UInt64) -> UInt64 {
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold {
                product = next().multipliedFullWidth(by: bound)
            }
        }
        return product.high
    }
}
