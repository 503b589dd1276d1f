import LinkedNet
import Testing

@Suite struct LinkageTests {
    static let linkable: [ActivationFunction] = [
        .identity, .relu, .leakyReLU(), .prelu(), .prelu(.perChannel), .elu(), .selu, .swish,
    ]

    @Test(arguments: linkable)
    func mirrorsSatisfyTheLinkingCondition(function: ActivationFunction) throws {
        let linkage = try Linkage.mirrored(function)
        #expect(linkage.members.map(\.inputScale) == [1, -1])
        #expect(linkage.members.map(\.outputScale) == [1, 1])
    }

    @Test func minMaxIsMaximumAndMinimum() throws {
        let members = Linkage.minMax.members
        #expect(members.map(\.inputScale) == [1, -1])
        #expect(members.map(\.outputScale) == [1, -1])
        _ = try Linkage(members)
    }

    @Test func threeMembersAndFunctionsThatAreNeverFlatAlone() throws {
        _ = try Linkage([.init(.relu), .init(.relu, inputScale: -2), .init(.swish, outputScale: -0.5)])
        _ = try Linkage([.init(.leakyReLU())])
        _ = try Linkage([.init(.relu), .init(.elu(), inputScale: -1)])
    }

    /// Lists of members, each with an interval within which all members are flat.
    static let flat: [(members: [Linkage.Member], interval: ClosedRange<Double>)] = [
        ([.init(.relu)], -9_000...(-0.01)),
        ([.init(.relu), .init(.relu)], -9_000...(-0.01)),
        ([.init(.relu, inputScale: -1)], 0.01...9_000),
        ([.init(.relu), .init(.relu, inputScale: -1, outputScale: 0)], -9_000...(-0.01)),
        ([.init(.relu), .init(.swish, inputScale: 0)], -9_000...(-0.01)),
        // From z ≈ −14 on, an exponential tail is too flat for training.
        ([.init(.relu), .init(.elu())], -9_000...(-20)),
        ([.init(.selu)], -9_000...(-20)),
        ([.init(.swish)], -9_000...(-30)),
        ([.init(.prelu())], -9_000...(-0.01)),
        ([.init(.leakyReLU(slope: 0))], -9_000...(-0.01)),
        ([.init(.custom(clip)), .init(.custom(clip), inputScale: -1)], 2...9_000),
    ]

    private static let clip = ElementFunction(
        name: "clip", value: { min(max($0, -1), 1) }, derivative: { abs($0) < 1 ? 1 : 0 })

    @Test(arguments: flat)
    func flatIntervalsAreNamed(members: [Linkage.Member], expected: ClosedRange<Double>) throws {
        let error = try #require(throws: LinkageError.self) { try Linkage(members) }
        guard case .flat(let interval, let functions) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(functions == members.map(\.function.name))
        // The clip is flat on both sides, so its first flat interval is on the left.
        let mirrored = -expected.upperBound ... -expected.lowerBound
        #expect([expected, mirrored].contains { $0.clamped(to: interval) == $0 }, "\(interval)")
        #expect(interval.upperBound - interval.lowerBound < 20_000)
    }

    @Test func theErrorNamesTheIntervalAndTheFunctions() throws {
        let error = try #require(throws: LinkageError.self) { try Linkage([.init(.relu)]) }
        #expect(error.description.contains("relu"))
        #expect(error.description.contains("from −∞ to -0.0"))
        let other = try #require(throws: LinkageError.self) {
            try Linkage([.init(.relu), .init(.relu, inputScale: 0), .init(.swish)])
        }
        #expect(other.description.contains("relu, relu, swish"))
    }

    @Test func emptyListsAndScalesThatAreNotFinite() {
        #expect(throws: LinkageError.noMembers) { try Linkage([]) }
        for scale in [Float.nan, .infinity, -.infinity] {
            #expect(throws: LinkageError.scaleNotFinite(function: "swish")) {
                try Linkage([.init(.relu), .init(.swish, inputScale: scale)])
            }
            #expect(throws: LinkageError.scaleNotFinite(function: "relu")) {
                try Linkage([.init(.relu, outputScale: scale), .init(.swish)])
            }
        }
    }

    @Test func aDerivativeThatIsNaNIsNoGradient() {
        let broken = ElementFunction(name: "broken", value: { $0 }, derivative: { _ in .nan })
        #expect(throws: LinkageError.self) { try Linkage([.init(.custom(broken))]) }
    }
}
