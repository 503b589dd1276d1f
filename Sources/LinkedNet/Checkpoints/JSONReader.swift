/// Reads a JSON text from left to right. An error names the exact place of the unexpected text.
///
/// Each method skips the space before the text that the method reads.
struct JSONReader {
    private let text: [UInt8]
    private let path: String
    private let textOffset: Int
    private var position = 0

    /// - Parameters:
    ///   - path: the file, for errors.
    ///   - textOffset: the offset of the text in the file, for errors.
    init(_ text: [UInt8], path: String, textOffset: Int) {
        self.text = text
        self.path = path
        self.textOffset = textOffset
    }

    /// The next byte, or `nil` at the end.
    var next: UInt8? { position < text.count ? text[position] : nil }

    /// The offset of the next byte in the file.
    var offset: Int { textOffset + position }

    // MARK: Structure

    /// Reads the opening bracket of an object or array; true if the list has a first element.
    mutating func beginList(_ opening: Unicode.Scalar, _ closing: Unicode.Scalar) throws(CheckpointError) -> Bool {
        try expect(opening)
        return !skip(closing)
    }

    /// Reads the text after an element: a comma and true, or the closing bracket and false.
    mutating func continueList(_ closing: Unicode.Scalar) throws(CheckpointError) -> Bool {
        if skip(",") { return true }
        guard skip(closing) else { throw unexpected("a comma or \"\(closing)\"") }
        return false
    }

    /// Reads an object's key and the colon after the key, and adds the key to `keys`. Keys are compared by bytes.
    mutating func key(notIn keys: inout Set<ByteName>) throws(CheckpointError) -> String {
        skipSpace()
        let start = offset
        let key = try string()
        guard keys.insert(ByteName(key)).inserted else {
            throw error(at: start, expected: "every key once", found: "\(key) again")
        }
        try expect(":")
        return key
    }

    /// Checks that only space follows.
    mutating func end() throws(CheckpointError) {
        skipSpace()
        guard next == nil else { throw unexpected("only spaces after the closing brace") }
    }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(CheckpointError) {
        guard skip(character) else { throw unexpected("\"\(character)\"") }
    }

    // MARK: Values

    /// Reads a whole number from 0 to `Int.max`, written in digits only.
    mutating func integer() throws(CheckpointError) -> Int {
        skipSpace()
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        let digits = text[start..<position]
        guard let value = Int(String(decoding: digits, as: UTF8.self)),
            digits.count == 1 || digits.first != UInt8(ascii: "0")
        else {
            position = start
            throw unexpected("a whole number from 0 to \(Int.max)")
        }
        return value
    }

    /// Skips `null`; false if `null` doesn't come next.
    mutating func skipNull() -> Bool {
        skipSpace()
        guard text[position...].starts(with: "null".utf8) else { return false }
        position += 4
        return true
    }

    mutating func string() throws(CheckpointError) -> String {
        try expect("\"")
        let start = position
        var bytes: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw unexpected("a string without control characters") }
            position += 1
            if byte == UInt8(ascii: "\\") {
                bytes += try escaped()
            } else {
                bytes.append(byte)
            }
        }
        guard let result = String(validating: bytes, as: UTF8.self) else {
            throw error(at: textOffset + start, expected: "a string in UTF-8", found: "other bytes")
        }
        guard skip("\"") else { throw unexpected("a string's closing quotation mark") }
        return result
    }

    /// Reads an escape sequence after the backslash; returns the character in UTF-8.
    private mutating func escaped() throws(CheckpointError) -> [UInt8] {
        let start = position
        guard let byte = next else { throw unexpected("an escape sequence") }
        position += 1
        switch Unicode.Scalar(byte) {
        case "\"", "\\", "/": return [byte]
        case "b": return [0x08]
        case "f": return [0x0C]
        case "n": return [0x0A]
        case "r": return [0x0D]
        case "t": return [0x09]
        case "u":
            let unit = try hexadecimal()
            var units = [unit]
            if UTF16.isLeadSurrogate(unit) {
                guard next == UInt8(ascii: "\\") else { throw unexpected("the second half of a surrogate pair") }
                position += 1
                guard next == UInt8(ascii: "u") else { throw unexpected("the second half of a surrogate pair") }
                position += 1
                units.append(try hexadecimal())
            }
            guard let character = String(validating: units, as: UTF16.self) else {
                throw error(at: textOffset + start, expected: "a Unicode character", found: "half of a surrogate pair")
            }
            return Array(character.utf8)
        default:
            position = start
            throw unexpected("an escape sequence")
        }
    }

    private mutating func hexadecimal() throws(CheckpointError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next, byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw unexpected("four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    // MARK: Errors

    /// An error about the next byte.
    func unexpected(_ expected: String) -> CheckpointError {
        let found: String =
            switch next {
            case nil: "the end of the header"
            case .some(let byte) where byte >= 0x20 && byte < 0x7F: "\"\(Unicode.Scalar(byte))\""
            case .some(let byte): "byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        return error(at: offset, expected: expected, found: found)
    }

    /// An error about the byte at `offset` of the file.
    func error(at offset: Int, expected: String, found: String) -> CheckpointError {
        .content(path: path, offset: offset, expected: expected, found: found)
    }
}
