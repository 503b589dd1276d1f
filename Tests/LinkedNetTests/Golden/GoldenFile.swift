import Foundation
import LinkedNet

/// The tensors of a file that one of the generators beside this file wrote: safetensors with names `case|kind|name`.
struct GoldenFile {
    /// The values of one case, by parameter name.
    struct Case {
        var weights: [String: Tensor] = [:]
        var gradients: [String: Tensor] = [:]
        var states: [String: Tensor] = [:]
        var paths: [String: Tensor] = [:]
        var values: [String: Tensor] = [:]

        /// A value with a kind and no name.
        func value(_ kind: String) throws -> Tensor {
            guard let tensor = values[kind] else { throw GoldenError(description: "no \(kind)") }
            return tensor
        }
    }

    let cases: [String: Case]

    static let torch = Result { try GoldenFile(named: "torch") }
    static let keras = Result { try GoldenFile(named: "keras") }

    private struct Entry: Decodable {
        let shape: [Int]
        let data_offsets: [Int]
    }

    private init(named name: String) throws {
        guard let url = Bundle.module.url(forResource: name, withExtension: "safetensors") else {
            throw GoldenError(description: "no \(name).safetensors among the test's resources")
        }
        let data = try Data(contentsOf: url)
        let headerBytes = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try JSONDecoder().decode([String: Entry].self, from: data.dropFirst(8).prefix(headerBytes))
        let body = data.dropFirst(8 + headerBytes)
        var cases: [String: Case] = [:]
        for (key, entry) in header {
            let parts = key.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3 else { throw GoldenError(description: "the name \(key)") }
            let bytes = body.dropFirst(entry.data_offsets[0]).prefix(entry.data_offsets[1] - entry.data_offsets[0])
            var elements = Array(repeating: Float(0), count: bytes.count / MemoryLayout<Float>.stride)
            _ = elements.withUnsafeMutableBytes { bytes.copyBytes(to: $0) }
            let tensor = try Tensor(shape: Shape(entry.shape), elements: elements)
            let (name, kind, parameter) = (parts[0], parts[1], parts[2])
            switch kind {
            case "weight": cases[name, default: Case()].weights[parameter] = tensor
            case "gradient" where !parameter.isEmpty: cases[name, default: Case()].gradients[parameter] = tensor
            case "state": cases[name, default: Case()].states[parameter] = tensor
            case _ where !parameter.isEmpty: cases[name, default: Case()].paths["\(kind)|\(parameter)"] = tensor
            default: cases[name, default: Case()].values[kind] = tensor
            }
        }
        self.cases = cases
    }
}

struct GoldenError: Error, CustomStringConvertible {
    let description: String
}
