/// The dead neurons of a layer.
///
/// A neuron is dead if its activation is zero for every sample of the data set. A convolution's neuron is computed at
/// many positions, and is dead if the activation is zero at all of them. Linked members count as one neuron, which is
/// dead if all members are zero.
public struct DeadNeurons: Sendable, Hashable, Codable {
    /// The path of the layer.
    public let layer: String
    /// The number of neurons.
    public let units: Int
    /// The number of dead neurons.
    public let dead: Int
    /// The number of neurons times the number of positions.
    public let places: Int
    /// The number of places with zero for every sample.
    public let deadPlaces: Int
}

/// Finds dead neurons in a data set, batch by batch.
struct LivenessCount {
    private let probe: ActivationProbe
    /// For each layer 1 where [position][member][unit] was not zero for some sample, else 0. The numbers are bytes, so
    /// that a vector instruction compares many.
    private var isAlive: [[UInt8]]

    init(_ probe: ActivationProbe) {
        self.probe = probe
        isAlive = probe.layers.map { Array(repeating: 0, count: $0.positions * $0.members * $0.units) }
    }

    /// Takes some samples into account. The probe has the weights already.
    mutating func add(pixels: UnsafePointer<Float>, count: Int) throws(ShapeError) {
        try probe.forEachActivation(pixels: pixels, count: count) { index, output in
            isAlive[index].withUnsafeMutableBufferPointer { alive in
                guard let places = alive.baseAddress, let values = output.baseAddress, !alive.isEmpty else { return }
                let size = alive.count
                for sample in 0..<output.count / size {
                    let sampleValues = values + sample * size
                    for place in 0..<size { places[place] |= sampleValues[place] != 0 ? 1 : 0 }
                }
            }
        }
    }

    var result: [DeadNeurons] {
        zip(probe.layers, isAlive).map { layer, isAlive in
            var places = Array(repeating: false, count: layer.positions * layer.units)
            var livingUnits = Array(repeating: false, count: layer.units)
            for (index, element) in isAlive.enumerated() where element != 0 {
                let unit = index % layer.units
                places[index / (layer.members * layer.units) * layer.units + unit] = true
                livingUnits[unit] = true
            }
            return DeadNeurons(
                layer: layer.name, units: layer.units, dead: livingUnits.count { !$0 }, places: places.count,
                deadPlaces: places.count { !$0 })
        }
    }
}
