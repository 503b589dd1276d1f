import CKernels
import Testing

private let terms = ck_gradient_terms(gradient_scale: 0.75, weight_decay: 0.125)

private let epsilon = Double(Float.ulpOfOne / 2)

/// Gradients, parameters and two slots. The second slot is not negative.
private struct State {
    var gradients: Buffer, parameters: Buffer, first: Buffer, second: Buffer

    init(count: Int) {
        var generator = Generator(seed: UInt64(count))
        gradients = Buffer(uniform: count, &generator)
        parameters = Buffer(uniform: count, &generator, misaligned: true)
        first = Buffer(uniform: count, &generator)
        second = Buffer(uniform: count, &generator)
        for index in 0..<count { second.pointer[index] = abs(second.pointer[index]) }
    }

    /// The same state in memory of its own.
    func copy() -> State {
        var state = self
        (state.parameters, state.first, state.second) = (parameters.copy(), first.copy(), second.copy())
        return state
    }

    /// The same memory, with the slots swapped: the first slot is not negative.
    var swapped: State {
        var state = self
        (state.first, state.second) = (second, first)
        return state
    }

    /// Applies a rule with this number of slots.
    func update(_ rule: ck_update_rule, slots: Int, terms: ck_gradient_terms = terms) {
        ck_update(
            Int64(parameters.count), terms, rule, gradients.pointer,
            ck_slots(first: slots > 0 ? first.pointer : nil, second: slots > 1 ? second.pointer : nil),
            parameters.pointer)
    }

    var guardsIntact: Bool { parameters.guardsIntact && first.guardsIntact && second.guardsIntact }
}

/// One element of a state in double.
private struct Element {
    var g: Double, p: Double, first: Double, second: Double
}

/// Runs `update` on every instruction set and compares with `expected`, which changes an element in double. Every value
/// is below 4 in absolute value, and the result of at most 16 roundings.
private func check(_ count: Int, update: (State) -> Void, expected: (inout Element) -> Void) {
    let start = State(count: count)
    var parameters: [Double] = [], first: [Double] = [], second: [Double] = []
    for index in 0..<count {
        var element = Element(
            g: Double(start.gradients.pointer[index]), p: Double(start.parameters.pointer[index]),
            first: Double(start.first.pointer[index]), second: Double(start.second.pointer[index]))
        expected(&element)
        parameters.append(element.p)
        first.append(element.first)
        second.append(element.second)
    }
    for isa in availableISAs {
        var results: [State] = []
        for threads in threadCounts {
            let state = start.copy()
            with(isa: isa, threads: threads) { update(state) }
            let name = "\(isa) \(threads)"
            #expect(firstError(state.parameters, parameters, bound: { _ in 64 * epsilon }, name) == nil)
            #expect(firstError(state.first, first, bound: { _ in 64 * epsilon }, name) == nil)
            #expect(firstError(state.second, second, bound: { _ in 64 * epsilon }, name) == nil)
            #expect(state.guardsIntact)
            results.append(state)
        }
        for state in results.dropFirst() {
            #expect(firstDifference(state.parameters, results[0].parameters, "parameters") == nil)
            #expect(firstDifference(state.first, results[0].first, "first slot") == nil)
            #expect(firstDifference(state.second, results[0].second, "second slot") == nil)
        }
    }
}

@Suite struct OptimizerTests {
    static let counts = [1, 3, 8, 15, 16, 17, 100, 8191, 8193, 25_001, 70_001]

    @Test(arguments: counts, [(Float(0), false), (0.875, false), (0.875, true)])
    func sgd(count: Int, variant: (momentum: Float, nesterov: Bool)) {
        check(count) {
            $0.update(.sgd(0.25, momentum: variant.momentum, nesterov: variant.nesterov), slots: 1)
        } expected: {
            let g = 0.75 * $0.g + 0.125 * $0.p, momentum = Double(variant.momentum)
            $0.first = momentum * $0.first - 0.25 * g
            $0.p += variant.nesterov ? momentum * $0.first - 0.25 * g : $0.first
        }
    }

    @Test(arguments: counts)
    func sgdWithoutVelocity(count: Int) {
        check(count) {
            $0.update(.sgd(0.25), slots: 0)
        } expected: {
            $0.p -= 0.25 * (0.75 * $0.g + 0.125 * $0.p)
        }
    }

    @Test(arguments: counts)
    func adam(count: Int) {
        check(count) {
            $0.update(.adam(0.0625, beta1: 0.875, beta2: 0.75, epsilon: 0.25), slots: 2)
        } expected: {
            let g = 0.75 * $0.g + 0.125 * $0.p
            $0.first = 0.875 * $0.first + 0.125 * g
            $0.second = 0.75 * $0.second + 0.25 * g * g
            $0.p -= 0.0625 * $0.first / ($0.second.squareRoot() + 0.25)
        }
    }

    /// The usual constants: 1 − β2 is small and not exact in a float, and ε matters only where v is 0.
    @Test func adamWithUsualConstants() {
        check(1000) {
            $0.update(
                .adam(1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8), slots: 2,
                terms: ck_gradient_terms(gradient_scale: 1, weight_decay: 0))
        } expected: {
            let beta1 = Double(Float(0.9)), beta2 = Double(Float(0.999))
            $0.first = beta1 * $0.first + (1 - beta1) * $0.g
            $0.second = beta2 * $0.second + (1 - beta2) * $0.g * $0.g
            $0.p -= Double(Float(1e-3)) * $0.first / ($0.second.squareRoot() + Double(Float(1e-8)))
        }
    }

    @Test(arguments: counts)
    func rmsprop(count: Int) {
        check(count) {
            $0.swapped.update(.rmsprop(0.0625, rho: 0.875, epsilon: 0.25), slots: 1)
        } expected: {
            let g = 0.75 * $0.g + 0.125 * $0.p
            $0.second = 0.875 * $0.second + 0.125 * g * g
            $0.p -= 0.0625 * g / ($0.second.squareRoot() + 0.25)
        }
    }

    @Test(arguments: [0, 16, 20])
    func nanReachesItsParameterOnly(bad: Int) {
        for isa in availableISAs {
            for kind in 0..<3 {
                let state = State(count: 21)
                state.gradients.pointer[bad] = .nan
                with(isa: isa) {
                    switch kind {
                    case 0: state.update(.sgd(0.1, momentum: 0.9, nesterov: true), slots: 1)
                    case 1: state.update(.adam(0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-3), slots: 2)
                    default: state.swapped.update(.rmsprop(0.1, rho: 0.9, epsilon: 1e-3), slots: 1)
                    }
                }
                #expect((0..<21).allSatisfy { state.parameters.pointer[$0].isNaN == ($0 == bad) })
            }
        }
    }
}
