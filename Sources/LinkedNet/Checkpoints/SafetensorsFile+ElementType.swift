extension SafetensorsFile {
    /// The type of a tensor's elements.
    ///
    /// A file may hold any type. The type matters when a tensor is read: only floats become 32-bit floats.
    public struct ElementType: Sendable, Hashable, CustomStringConvertible {
        /// The type's name in files: `F32`, `I64`.
        public let name: String

        /// True if ``SafetensorsFile/read(_:into:)`` reads the type: `F32`, `F64`, `F16` and `BF16`.
        public var isReadable: Bool { format != nil }

        public var description: String { name.printable(longest: 40) }

        /// The sizes in bits of the types that the format knows.
        private static let bitCounts: [String: Int] = [
            "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E5M2FNUZ": 8,
            "F8_E4M3FNUZ": 8, "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32,
            "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
        ]

        /// The size of an element in bits; `nil` for an unknown type.
        var bitCount: Int? { Self.bitCounts[name] }

        /// The format of elements that are read as 32-bit floats; `nil` for other elements.
        var format: FloatFormat? { FloatFormat(rawValue: name) }
    }

    /// The formats of floats that can be read.
    enum FloatFormat: String {
        case float32 = "F32"
        case float64 = "F64"
        case float16 = "F16"
        case bfloat16 = "BF16"

        /// The size of an element in bytes.
        var byteCount: Int {
            switch self {
            case .float16, .bfloat16: 2
            case .float32: 4
            case .float64: 8
            }
        }

        /// Element `index` of `bytes`, rounded to the nearest 32-bit float; `nil` if the rounded number is infinite and
        /// the element isn't.
        func element(_ index: Int, of bytes: UnsafeRawBufferPointer) -> Float? {
            let offset = index * byteCount
            switch self {
            case .float32: return bytes.loadUnaligned(fromByteOffset: offset, as: Float.self)
            case .float64:
                let wide = bytes.loadUnaligned(fromByteOffset: offset, as: Double.self)
                let narrow = Float(wide)
                return narrow.isInfinite && wide.isFinite ? nil : narrow
            case .float16: return Self.half(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            case .bfloat16:
                let bits = bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
                return Float(bitPattern: UInt32(bits) << 16)
            }
        }

        /// The number that the bits of an IEEE half stand for. Not every platform has `Float16`.
        private static func half(_ bits: UInt16) -> Float {
            let sign = UInt32(bits & 0x8000) << 16
            let (exponent, fraction) = (UInt32(bits >> 10 & 31), UInt32(bits & 0x3FF))
            switch exponent {
            case 0:
                // These multiples of 2⁻²⁴ are all normal 32-bit floats.
                return Float(bitPattern: (Float(fraction) * 0x1p-24).bitPattern | sign)
            case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
            default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
            }
        }
    }
}
