import Foundation

/// The findings of a ``DiagnosticsObserver`` in the course of a training.
public struct DiagnosticsHistory: Sendable {
    /// The findings after one step: one line of the file.
    struct Sample: Codable {
        let step: Int
        /// The norm of the gradients for each layer with parameters; `nil` for a norm that isn't finite.
        let gradientNorms: [Double?]
        /// Means and variances have a number for each activation; `nil` for a number that isn't finite.
        let means: [Double?]
        let variances: [Double?]
        /// For each activation, the share of dead neurons; only at the end of an epoch.
        let deadShares: [Double]?
    }

    /// The file's first line.
    struct Header: Codable {
        let parameterLayers: [String]
        let activationLayers: [String]
    }

    /// The layers with parameters.
    public var parameterLayers: [String] { header.parameterLayers }
    /// The layers that the activations follow.
    var activationLayers: [String] { header.activationLayers }
    let header: Header
    let samples: [Sample]

    /// Reads the file of an observer.
    ///
    /// - Throws: ``CheckpointError`` if the file can't be read.
    public init(_ path: String) throws(CheckpointError) {
        try self.init(WholeFile.read(path, expectation: "what a training saw of itself"), path: path)
    }

    /// - Parameter path: the file of the lines, for errors.
    init(_ data: Data, path: String) throws(CheckpointError) {
        let lines = data.split(separator: UInt8(ascii: "\n"))
        guard let first = lines.first, let header = try? JSONDecoder().decode(Header.self, from: Data(first)) else {
            throw .content(path: path, offset: 0, expected: "a line that names the layers", found: "another")
        }
        self.header = header
        var samples: [Sample] = []
        for line in lines.dropFirst() {
            // A line that a killed process left unfinished is no sample.
            guard let sample = try? JSONDecoder().decode(Sample.self, from: Data(line)) else { continue }
            guard sample.gradientNorms.count == header.parameterLayers.count,
                [sample.means, sample.variances, sample.deadShares ?? sample.means].allSatisfy({
                    $0.count == header.activationLayers.count
                })
            else {
                throw .content(
                    path: path, offset: line.startIndex - data.startIndex,
                    expected: "figures of \(header.parameterLayers.count) layers"
                        + " and \(header.activationLayers.count) activations",
                    found: "another number of them")
            }
            samples.append(sample)
        }
        self.samples = samples
    }

    /// Gradient norms, means and variances of the activations, and shares of dead neurons, each by layer and time.
    public var heatMaps: [HeatMap] {
        let counted = samples.filter { $0.deadShares != nil }
        // The first count comes at the end of the first epoch.
        let perEpoch = counted.first?.step
        let columns = HeatMap.Columns.steps(samples.map(\.step), perEpoch: perEpoch)
        func rows(_ layers: [String], _ values: (Sample) -> [Double?]) -> [[Double]] {
            let columns = samples.map(values)
            return layers.indices.map { layer in columns.map { $0[layer] ?? .nan } }
        }
        var maps = [
            HeatMap(
                title: "Gradient flow: norm of each layer's gradients", layers: parameterLayers, columns: columns,
                values: rows(parameterLayers, \.gradientNorms), isLogarithmic: true),
            HeatMap(
                title: "Activation drift: mean of each layer's activations", layers: activationLayers, columns: columns,
                values: rows(activationLayers, \.means)),
            HeatMap(
                title: "Activation drift: variance of each layer's activations", layers: activationLayers,
                columns: columns,
                values: rows(activationLayers, \.variances), isLogarithmic: true),
        ]
        if !counted.isEmpty {
            maps.append(
                HeatMap(
                    title: "Dead neurons: share of each layer's", layers: activationLayers,
                    columns: .steps(counted.map(\.step), perEpoch: perEpoch),
                    values: activationLayers.indices.map { layer in counted.map { $0.deadShares?[layer] ?? 0 } }))
        }
        return maps
    }
}
