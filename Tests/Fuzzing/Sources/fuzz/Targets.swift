import Foundation

@testable import LinkedNet

/// What is done with an input. It may refuse it with one of the library's errors, and must not do anything worse.
typealias Target = (_ bytes: UnsafeBufferPointer<UInt8>) -> Void

/// The parsers, by the names of their corpora.
nonisolated(unsafe) let targets: [String: Target] = [
    "safetensors": safetensors, "json": json, "run-record": runRecord,
    "run-settings": runSettings, "position": position,
    "cifar": cifar, "idx": idx, "gzip": gzip, "class-names": classNames,
    "schedule": schedule, "options": options, "network": network, "diagnostics": diagnostics,
]

/// The one that runs. libFuzzer has one thread, and calls a C function, which can't carry it.
nonisolated(unsafe) var runningTarget: Target = { _ in }

/// Ends the process as a failed input if what a parser let pass isn't what it promises.
func require(_ condition: Bool, _ promise: @autoclosure () -> String) {
    if !condition { fatalError("broken promise: \(promise())") }
}

/// An input that hands out its bytes as numbers and texts, for parsers that take several arguments. Zeros and empty
/// texts follow its end.
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

    /// As many bytes as the first says; repaired if they are no UTF-8.
    mutating func text() -> String {
        let count = min(Int(byte()), rest.count)
        defer { rest = rest.dropFirst(count) }
        return String(decoding: rest.prefix(count), as: UTF8.self)
    }

    /// All that is left.
    mutating func remainder() -> UnsafeBufferPointer<UInt8> {
        defer { rest = rest.suffix(0) }
        return UnsafeBufferPointer(rebasing: rest)
    }
}
