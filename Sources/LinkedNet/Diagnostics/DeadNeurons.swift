/// The dead neurons of a layer.
///
/// A neuron is dead if its activation is zero for every sample of the data set. That of a convolution stands at many positions, and is dead
/// if it is at all of them. Linked members count as one neuron, which is dead if all of them are.
public struct DeadNeurons: Sendable, Hashable, Codable {
    /// The path of the layer.
    public let layer: String
    /// The number of neurons.
    public let units: Int
    /// How many of them are dead.
    public let dead: Int
    /// Neurons times positions.
    public let places: Int
    /// How many of those never gave anything but zero.
    public let deadPlaces: Int
}

/// Finds dead neurons: is shown a data set batch by batch.
struct LivenessCount {
    private let probe: ActivationProbe
    /// For each layer 1 where [position][unit] was ever anything but zero, else 0: bytes, so that they are compared many at a time.
    private var isAlive: [[UInt8]]

    init(_ probe: ActivationProbe) {
        self.probe = probe
        isAlive = probe.layers.map { Array(repeating: 0, count: $0.units * $0.positions) }
    }

    /// Takes some samples into account; the probe has the weights.
    mutating func add(pixels: UnsafePointer<Float>, count: Int) {
        probe.forEachActivation(pixels: pixels, count: count) { index, output in
            let layer = probe.layers[index]
            isAlive[index].withUnsafeMutableBufferPointer { isAlive in
                guard let alive = isAlive.baseAddress, var values = output.baseAddress else { return }
                for _ in 0..<count {
                    for position in 0..<layer.positions {
                        let places = alive + position * layer.units
                        for _ in 0..<layer.members {
                            for unit in 0..<layer.units { places[unit] |= values[unit] != 0 ? 1 : 0 }
                            values += layer.units
                        }
                    }
                }
            }
        }
    }

    var result: [DeadNeurons] {
        zip(probe.layers, isAlive).map { layer, isAlive in
            var livingUnits = Array(repeating: false, count: layer.units)
            for (place, isAlive) in isAlive.enumerated() where isAlive != 0 { livingUnits[place % layer.units] = true }
            return DeadNeurons(
                layer: layer.name, units: layer.units, dead: livingUnits.count { !$0 }, places: isAlive.count,
                deadPlaces: isAlive.count { $0 == 0 })
        }
    }
}
