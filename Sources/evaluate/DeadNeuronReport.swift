import Foundation
import LinkedNet

/// The dead neurons of a network, as text for people or as JSON.
enum DeadNeuronReport {
    static func text(_ layers: [DeadNeurons]) -> String {
        var table = TextTable([
            .init("layer"), .init("neurons", alignment: .right), .init("dead", alignment: .right),
            .init("positions", alignment: .right), .init("dead", alignment: .right),
        ])
        table.rows = layers.map { [$0.layer, "\($0.units)", "\($0.dead)", "\($0.places)", "\($0.deadPlaces)"] }
        let (dead, units) = (layers.reduce(0) { $0 + $1.dead }, layers.reduce(0) { $0 + $1.units })
        return "\(table)\n\(dead) of \(units) neurons are dead"
    }

    /// The JSON text on one line.
    static func json(_ layers: [DeadNeurons]) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(layers), as: UTF8.self)
    }
}
