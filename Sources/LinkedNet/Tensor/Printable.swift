extension String {
    /// This text as it may stand in a message: what would move a terminal's cursor, break the line or turn its
    /// direction is written as a number, and of a long text only the beginning is there. Texts in files are other
    /// people's.
    ///
    /// - Parameter longest: how many characters are kept.
    package func printable(longest: Int = 400) -> String {
        var result = ""
        for (count, scalar) in unicodeScalars.enumerated() {
            guard count < longest else { return result + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
