import Foundation
import LinkedNet

/// Table 2's dead neurons, counted after training.
struct DeadNeuronsSection {
    let results: [CellResult]
    let commands: Commands

    var blocks: [Block] {
        let counted = results.compactMap { result in
            result.records.first?.deadNeurons.map { (result: result, layers: $0) }
        }
        guard !counted.isEmpty else { return [] }
        let depth = counted.map(\.layers.count).max() ?? 0
        let map = HeatMap(
            title: "Dead neurons after training: share of each layer's",
            layers: (1...max(depth, 1)).map { "layer \($0)" },
            columns: .names(counted.map(\.result.cell.row)),
            values: (0..<depth).map { layer in
                counted.map {
                    $0.layers.count > layer ? Double($0.layers[layer].dead) / Double($0.layers[layer].units) : .nan
                }
            })
        return [
            .heading("Dead neurons"),
            .paragraph(
                """
                A neuron is dead if its activation is zero for every image of the data set, at every position. Linked \
                members share a pre-activation and count as one, dead if all of them are. Counted after training, on \
                all images that were trained on, in the run of the first seed; not in one that exploded. In the \
                paper, ReLU and PReLU have dead neurons from layer 7 onwards, linked ones and SELU have none. The \
                last column is the share of positions at which a neuron never gave anything but zero.
                """
            ),
            .table(
                ["network", "dead", "first layer with one", "first layer that is dead", "dead positions"],
                counted.map { row($0.result, $0.layers) }),
            .picture(file: "figures/table2-dead.svg", caption: map.title, svg: map.svg),
            commands.block(.table2, counted.map(\.result)),
        ]
    }

    private func row(_ result: CellResult, _ layers: [DeadNeurons]) -> [String] {
        func sum(_ count: (DeadNeurons) -> Int) -> Int { layers.reduce(0) { $0 + count($1) } }
        func layer(_ index: Int?) -> String { index.map { "\($0 + 1)" } ?? "–" }
        let dead = sum(\.dead)
        return [
            result.cell.title, dead == 0 ? "none" : "\(dead) of \(sum(\.units))",
            layer(layers.firstIndex { $0.dead > 0 }),
            layer(layers.firstIndex { $0.dead == $0.units }),
            String(format: "%.1f %%", 100 * Double(sum(\.deadPlaces)) / Double(max(sum(\.places), 1))),
        ]
    }
}
