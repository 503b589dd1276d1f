import CKernels
import Foundation

/// An activation with its test's parameters.
struct ActivationCase: CustomStringConvertible, Sendable {
    let name: String
    let activation: ck_activation
    /// True if small integers stay exact: the activation is piecewise linear, with powers of two as scales and slopes.
    let isExact: Bool

    var description: String { name }

    init(_ name: String, _ members: [ck_member], perPosition: Bool = false) {
        self.name = name
        var activation = ck_activation()
        activation.member_count = Int32(members.count)
        activation.slope_sharing = perPosition ? CK_SLOPES_PER_POSITION : CK_SLOPES_PER_CHANNEL
        withUnsafeMutableBytes(of: &activation.members) { bytes in
            let target = bytes.bindMemory(to: ck_member.self)
            for (index, member) in members.enumerated() { target[index] = member }
        }
        self.activation = activation
        isExact = members.allSatisfy {
            [CK_IDENTITY, CK_RELU, CK_LEAKY_RELU, CK_PRELU].contains($0.function)
        }
    }

    var members: [ck_member] {
        withUnsafeBytes(of: activation.members) {
            Array($0.bindMemory(to: ck_member.self).prefix(Int(activation.member_count)))
        }
    }

    func slopeCount(positions: Int, channels: Int) -> Int {
        withUnsafePointer(to: activation) { Int(ck_activation_slope_count($0, Int64(positions), Int64(channels))) }
    }

    /// max(z, 0)
    static let relu = ActivationCase(
        "relu", [ck_member(function: CK_RELU, input_scale: 1, output_scale: 1, parameter: 0)])

    static let all: [ActivationCase] = {
        func member(_ function: ck_function, _ parameter: Float = 0, input: Float = 1, output: Float = 1) -> ck_member {
            ck_member(function: function, input_scale: input, output_scale: output, parameter: parameter)
        }
        func kinds(_ name: String, _ function: ck_function, _ parameter: Float = 0, perPosition: Bool = false)
            -> [ActivationCase]
        {
            let plain = member(function, parameter)
            let mirrored = member(function, parameter, input: -1)
            let smaller = member(function, parameter, input: -1, output: -1)
            return [
                ActivationCase("\(name)", [plain], perPosition: perPosition),
                ActivationCase("mirrored \(name)", [plain, mirrored], perPosition: perPosition),
                ActivationCase("min-max \(name)", [plain, smaller], perPosition: perPosition),
            ]
        }
        var cases = [ActivationCase("identity", [member(CK_IDENTITY)])]
        cases += kinds("relu", CK_RELU)
        cases += kinds("leaky relu", CK_LEAKY_RELU, 0.25)
        cases += kinds("prelu per channel", CK_PRELU)
        cases += kinds("prelu per position", CK_PRELU, perPosition: true)
        cases += kinds("elu", CK_ELU, 0.75)
        cases += kinds("selu", CK_SELU)
        cases += kinds("swish", CK_SWISH)
        cases.append(
            ActivationCase(
                "relu, elu, identity",
                [member(CK_RELU, output: 2), member(CK_ELU, 0.5, input: -1), member(CK_IDENTITY, input: 0.5)]))
        cases.append(
            ActivationCase(
                "prelu, leaky relu, prelu",
                [member(CK_PRELU), member(CK_LEAKY_RELU, 0.5, input: -2), member(CK_PRELU, input: -1, output: -0.5)],
                perPosition: true))
        cases.append(
            ActivationCase(
                "three swishes", [member(CK_SWISH), member(CK_SWISH, input: -1), member(CK_SWISH, output: -0.5)]))
        return cases
    }()
}

/// Members and their derivatives in double.
enum ReferenceMember {
    static func value(_ member: ck_member, _ z: Double, slope: Double) -> Double {
        let x = Double(member.input_scale) * z
        let negative: Double
        switch member.function {
        case CK_IDENTITY: negative = x
        case CK_RELU: negative = 0
        case CK_LEAKY_RELU: negative = Double(member.parameter) * x
        case CK_PRELU: negative = slope * x
        case CK_ELU: negative = Double(member.parameter) * expm1(x)
        case CK_SELU: return selu.lambda * Double(member.output_scale) * (x <= 0 ? selu.alpha * expm1(x) : x)
        case CK_SWISH: return Double(member.output_scale) * x / (1 + exp(-x))
        default: preconditionFailure("a function without a reference")
        }
        return Double(member.output_scale) * (x <= 0 ? negative : x)
    }

    /// d value / d z; at a kink the derivative of z < 0; where z is NaN, the slope of functions with a slope, else 1.
    static func derivative(_ member: ck_member, _ z: Double, slope: Double) -> Double {
        let x = Double(member.input_scale) * z
        let scale = Double(member.input_scale) * Double(member.output_scale)
        let negative: Double
        switch member.function {
        case CK_IDENTITY: negative = 1
        case CK_RELU: negative = 0
        case CK_LEAKY_RELU: return scale * (x > 0 ? 1 : Double(member.parameter))
        case CK_PRELU: return scale * (x > 0 ? 1 : slope)
        case CK_ELU: negative = Double(member.parameter) * exp(x)
        case CK_SELU: return selu.lambda * scale * (x <= 0 ? selu.alpha * exp(x) : 1)
        case CK_SWISH:
            let sigmoid = 1 / (1 + exp(-x))
            return scale * sigmoid * (1 + x * (1 - sigmoid))
        default: preconditionFailure("a function without a reference")
        }
        return scale * (x <= 0 ? negative : 1)
    }

    /// d value / d slope of a CK_PRELU member.
    static func slopeDerivative(_ member: ck_member, _ z: Double) -> Double {
        let x = Double(member.input_scale) * z
        return x > 0 ? 0 : Double(member.output_scale) * x
    }

    private static let selu = (alpha: 1.6732632423543772, lambda: 1.0507009873554805)
}
