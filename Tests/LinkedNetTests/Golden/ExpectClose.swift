import LinkedNet
import Testing

/// Expects single-precision results of sums of at most a few hundred terms: each element within 32 roundings (2⁻²⁴) of
/// the largest magnitude in the tensor.
func expectClose(
    _ values: some Collection<Float>, _ expected: Tensor, _ what: String, roundings: Float = 32,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let scale = expected.elements.reduce(0) { max($0, abs($1)) }
    let tolerance = roundings * 0x1p-24 * scale
    guard values.count == expected.elements.count else {
        Issue.record("\(what): \(values.count) elements, expected \(expected.shape)", sourceLocation: sourceLocation)
        return
    }
    var worst = (index: 0, difference: Float(0))
    for (index, (value, other)) in zip(values, expected.elements).enumerated() {
        let difference = abs(value - other)
        // The negated comparison takes NaN as the worst difference.
        if !(difference <= worst.difference) { worst = (index, difference) }
        if difference.isNaN { break }
    }
    #expect(
        worst.difference <= tolerance,
        """
        \(what)[\(worst.index)]: off by \(worst.difference / (0x1p-24 * scale)) roundings of the largest magnitude \
        \(scale)
        """,
        sourceLocation: sourceLocation)
}
