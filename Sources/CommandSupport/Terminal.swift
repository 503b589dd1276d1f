import Foundation

extension Output {
    /// True if a line here may be written over: the output is a terminal that understands escape sequences, and nobody
    /// asked for plain text.
    package var acceptsEscapes: Bool {
        isTerminal && Self.acceptsEscapes(ProcessInfo.processInfo.environment)
    }

    /// The terminal's width in characters.
    package var columns: Int {
        var size = winsize()
        let reported = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
        return Self.columns(reported: reported, ProcessInfo.processInfo.environment)
    }

    /// False for a terminal without escape sequences (`TERM` is empty, missing or `dumb`), and where `NO_COLOR` or `CI`
    /// asks for plain text.
    static func acceptsEscapes(_ environment: [String: String]) -> Bool {
        func isSet(_ name: String) -> Bool { environment[name].map { !$0.isEmpty } ?? false }
        guard isSet("TERM"), environment["TERM"] != "dumb", !isSet("NO_COLOR") else { return false }
        return !isSet("CI") || ["0", "false"].contains(environment["CI"])
    }

    /// - Parameter reported: the width that the terminal reports; 0 if the terminal reports no width. Serial lines and
    ///   some containers report none.
    static func columns(reported: Int, _ environment: [String: String]) -> Int {
        if reported > 0 { return reported }
        guard let columns = environment["COLUMNS"].flatMap({ Int($0) }), (1...100_000).contains(columns) else {
            return 80
        }
        return columns
    }
}
