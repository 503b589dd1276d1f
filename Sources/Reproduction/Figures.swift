import Foundation

/// The form of figures on pages.
enum Figures {
    /// `0.5607`
    static func text(_ figure: Double?) -> String { figure.map { String(format: "%.4f", $0) } ?? "–" }

    /// `+0.0142`
    static func signed(_ difference: Double) -> String {
        (difference < 0 ? "−" : "+") + String(format: "%.4f", abs(difference))
    }

    /// `2.09`
    static func ratio(_ ratio: Double?) -> String { ratio.map { String(format: "%.2f", $0) } ?? "–" }
}
