extension String {
    /// This text in a form that is safe in a message, because texts in files come from other people. Characters that
    /// would move a terminal's cursor, break the line or turn its direction become numbers. A long text is cut after
    /// its beginning.
    ///
    /// - Parameter longest: the number of characters that stay.
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

    /// This text as one word of a POSIX shell's command line, on one line and without control characters. A path that
    /// begins with a dash doesn't become an option.
    package var quotedForShell: String {
        let word = hasPrefix("-") ? "./" + self : self
        if word.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
            let escaped = word.unicodeScalars.map { scalar in
                switch scalar {
                case "'", "\\": "\\\(scalar)"
                case _ where scalar.value < 32 || scalar.value == 127:
                    "\\" + String(repeating: "0", count: scalar.value < 8 ? 2 : scalar.value < 64 ? 1 : 0)
                        + String(scalar.value, radix: 8)
                default: "\(scalar)"
                }
            }
            return "$'" + escaped.joined() + "'"
        }
        let isPlain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./".contains($0)) }
        return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }

    /// The name of `names` that was probably meant: the nearest name by inserted, missing, changed and exchanged
    /// letters, if few letters are wrong.
    package func nearest(in names: some Sequence<String>) -> String? {
        let own = Array(lowercased().replacing("_", with: "-"))
        guard own.count <= 64 else { return nil }
        let most = Swift.max(own.count / 3, own.count > 2 ? 1 : 0)
        let distances = names.map { (name: $0, distance: Self.distance(own, Array($0.lowercased()))) }
        return distances.filter { $0.distance <= Swift.min(most, 3) }.min { $0.distance < $1.distance }?.name
    }

    /// Damerau's distance, in which no letter is changed twice.
    private static func distance(_ first: [Character], _ second: [Character]) -> Int {
        var (before, last) = ([Int](), Array(0...second.count))
        for row in first.indices {
            var current = [row + 1]
            for column in second.indices {
                let isSame = first[row] == second[column]
                var best = Swift.min(last[column] + (isSame ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    best = Swift.min(best, before[column - 1] + 1)
                }
                current.append(best)
            }
            (before, last) = (last, current)
        }
        return last[second.count]
    }
}
