import Foundation

@testable import LinkedNet

/// A use of an input. A target may refuse the input with one of the library's errors, and must not fail in any other
/// way.
typealias Target = (_ bytes: UnsafeBufferPointer<UInt8>) -> Void

/// The parsers, by the names of their corpora.
nonisolated(unsafe) let targets: [String: Target] = [
    "safetensors": safetensors, "json": json, "run-record": runRecord,
    "run-settings": runSettings, "position": position,
    "cifar": cifar, "idx": idx, "gzip": gzip, "class-names": classNames,
    "schedule": schedule, "options": options, "network": network, "diagnostics": diagnostics,
]

/// The target that runs. The variable is global because libFuzzer calls a C function, which can't hold a target.
/// libFuzzer has one thread.
nonisolated(unsafe) var runningTarget: Target = { _ in }

/// Ends the process as a failed input if a parser's result breaks the parser's promise.
func require(_ condition: Bool, _ promise: @autoclosure () -> String) {
    if !condition { fatalError("broken promise: \(promise())") }
}

/// An input that gives its bytes as numbers and texts, for parsers with several arguments. Zeros and empty texts follow
/// the input's end.
struct Choices {
    private var rest: Slice<UnsafeBufferPointer<UInt8>>

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        rest = bytes[...]
    }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func flag() -> Bool { byte() & 1 == 1 }

    mutating func one<Element>(of elements: [Element]) -> Element { elements[Int(byte()) % elements.count] }

    /// Small, large, negative and extreme numbers.
    mutating func integer() -> Int {
        switch byte() % 4 {
        case 0: Int(byte())
        case 1: Int(Int8(bitPattern: byte()))
        case 2: Int(truncatingIfNeeded: bits())
        default: 1 << (Int(byte()) % 64) &+ Int(Int8(bitPattern: byte()))
        }
    }

    mutating func double() -> Double {
        flag() ? Double(bitPattern: bits()) : Double(Int8(bitPattern: byte())) / 16
    }

    mutating func bits() -> UInt64 { (0..<8).reduce(0) { bits, _ in bits << 8 | UInt64(byte()) } }

    mutating func optional<Value>(_ value: (inout Choices) -> Value) -> Value? {
        flag() ? value(&self) : nil
    }

    /// A text. The first byte gives the number of bytes. Bytes that are not UTF-8 are repaired.
    mutating func text() -> String {
        let count = min(Int(byte()), rest.count)
        defer { rest = rest.dropFirst(count) }
        return String(decoding: rest.prefix(count), as: UTF8.self)
    }

    /// The remaining bytes.
    mutating func remainder() -> UnsafeBufferPointer<UInt8> {
        defer { rest = rest.suffix(0) }
        return UnsafeBufferPointer(rebasing: rest)
    }
}
