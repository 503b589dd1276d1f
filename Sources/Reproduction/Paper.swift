import LinkedNet
import PaperNetworks

/// The paper's tables, cell by cell, and the comparisons of the paper's argument.
package enum Paper {
    /// Every cell of these pages, in the paper's order.
    package static func cells(_ pages: [Page] = Page.allCases) -> [Cell] {
        pages.flatMap { page in
            switch page {
            case .table1: width
            case .table2: depth
            case .table3: parameters
            case .table4: allCNN
            case .table5: resNet50
            case .table6: withoutBatchNorm
            case .claims: unnormalised + linkages
            }
        }
    }

    /// The names of the eight activations, and the activations.
    static let activations: [(name: String, activation: ModelActivation)] = [
        ("ReLU", .relu), ("LK-ReLU", .linkedReLU), ("PReLU", .prelu), ("LK-PReLU", .linkedPReLU),
        ("SELU", .selu), ("LK-SELU", .linkedSELU), ("Swish", .swish), ("LK-Swish", .linkedSwish),
    ]

    private static let width: [Cell] = {
        let figures = [
            50: [0.5767, 0.5909, 0.5771, 0.5908, 0.4992, 0.5730, 0.5559, 0.5488],
            400: [0.6154, 0.6165, 0.6156, 0.6168, 0.5227, 0.599, 0.5442, 0.5405],
        ]
        return [50, 400].flatMap { units in
            zip(activations, figures[units] ?? []).map { activation, figure in
                Cell(
                    .table1, activation.name, "\(units) units", paper: figure,
                    Training(.width(units), activation.activation))
            }
        }
    }()

    private static let depth: [Cell] = {
        func cell(_ row: String, _ maximum: Double, _ median: Double, _ training: Training) -> Cell {
            Cell(.table2, row, paper: median, maximum: maximum, training)
        }
        return [
            cell("ReLU", 0.1, 0.1, Training(.depth, .relu)),
            cell("LK-ReLU", 0.5667, 0.5607, Training(.depth, .linkedReLU)),
            cell("ReLU √2", 0.1, 0.1, Training(.depth, .relu, widened: true)),
            cell("PReLU", 0.1, 0.1, Training(.depth, .prelu)),
            cell("LK-PReLU", 0.5458, 0.5210, Training(.depth, .linkedPReLU)),
            cell("PReLU √2", 0.1, 0.1, Training(.depth, .prelu, widened: true)),
            cell("SELU", 0.5654, 0.5643, Training(.depth, .selu)),
            cell("LK-SELU", 0.5876, 0.5670, Training(.depth, .linkedSELU)),
            cell("SELU √2", 0.5707, 0.5703, Training(.depth, .selu, widened: true)),
            cell("Swish", 0.1, 0.1, Training(.depth, .swish)),
            cell("LK-Swish", 0.1, 0.1, Training(.depth, .linkedSwish)),
            cell("Swish √2", 0.1, 0.1, Training(.depth, .swish, widened: true)),
            cell("BN", 0.5202, 0.5114, Training(.depth, .relu, batchNorm: true)),
        ]
    }()

    private static let parameters: [Cell] = {
        let rows: [(String, ModelActivation, ModelActivation, [Double])] = [
            ("ReLU", .relu, .linkedReLU, [0.7337, 0.7581, 0.7696]),
            ("PReLU", .prelu, .linkedPReLU, [0.7201, 0.7568, 0.7687]),
            ("SELU", .selu, .linkedSELU, [0.6981, 0.7012, 0.7559]),
            ("Swish", .swish, .linkedSwish, [0.6961, 0.7376, 0.7368]),
        ]
        return rows.flatMap { row, single, linked, figures in
            [
                Cell(.table3, row, "single", paper: figures[0], Training(.extended, single)),
                Cell(.table3, row, "√2", paper: figures[1], Training(.extended, single, widened: true)),
                Cell(.table3, row, "linked", paper: figures[2], Training(.extended, linked)),
            ]
        }
    }()

    private static let allCNN: [Cell] = {
        let figures = [0.9301, 0.9468, 0.9422, 0.9232, 0.9304, 0.9197, 0.9261, 0.8971]
        return zip(activations, figures).map { activation, figure in
            let own = Training(.allCNN, activation.activation)
            var (fixed, steps) = (own, own)
            fixed.policy = .fixed
            steps.policy = .steps
            return Cell(.table4, activation.name, paper: figure, own, fixed, steps)
        }
    }()

    private static let resNet50: [Cell] = {
        let figures = [0.8973, 0.9027, 0.8907, 0.9027, 0.9041, 0.9134, 0.905, 0.9139]
        return zip(activations, figures).map { activation, figure in
            Cell(.table5, activation.name, paper: figure, Training(.resNet50, activation.activation, batchNorm: true))
        }
    }()

    private static let withoutBatchNorm: [Cell] = {
        let rows: [(String, ModelActivation, Double, Double)] = [
            ("LK-ReLU", .linkedReLU, 0.9027, 0.9048), ("SELU", .selu, 0.9041, 0.8611),
            ("LK-SELU", .linkedSELU, 0.9134, 0.9088),
        ]
        return rows.flatMap { row, activation, with, without in
            [
                Cell(.table6, row, "BN", paper: with, Training(.resNet50, activation, batchNorm: true)),
                Cell(.table6, row, "no BN", paper: without, Training(.resNet50, activation)),
            ]
        }
    }()

    /// Table 6's time ratios, by the cell's title.
    static let timeRatios = [
        "LK-ReLU, BN": 2.09, "LK-ReLU, no BN": 1, "SELU, BN": 2.07, "SELU, no BN": 1.38, "LK-SELU, BN": 2.08,
        "LK-SELU, no BN": 1.6,
    ]

    /// The cells on the claim that training survives inputs that nobody normalised. Table 3's network has layers enough
    /// for a shift to travel.
    private static let unnormalised: [Cell] = PixelRange.allCases.flatMap { pixels in
        activations.map { name, activation in
            var training = Training(.extended, activation)
            training.pixels = pixels
            return Cell(.claims, name, "pixels \(pixels.title)", training)
        }
    }

    /// Linkages of one to four members. The paper allows any number of members, and tries only two.
    private static let linkages: [Cell] = [ModelName.width(50), .depth].flatMap { model in
        [
            ("1: ReLU", .relu), ("2: LK-ReLU", .linkedReLU), ("3: LK-ReLU and SELU", .threeLinked),
            ("4: LK-ReLU and LK-SELU", .fourLinked),
        ].map { (row: String, activation: ModelActivation) in
            Cell(.claims, row, model == .depth ? "d-way, depth" : "d-way, width 50", Training(model, activation))
        }
    }

    // MARK: Comparisons

    /// The cells that the paper's argument compares on a page.
    package static func comparisons(_ page: Page) -> [Comparison] {
        let cells = cells([page])
        func pairs(_ isPair: (Cell, Cell) -> Bool) -> [Comparison] {
            cells.flatMap { cell in
                cells.filter { isPair(cell, $0) }.map { Comparison(cell: cell, other: $0) }
            }
        }
        switch page {
        case .table1:
            return pairs { $0.column == $1.column && $0.row == "LK-" + $1.row }
                + pairs { $0.row == $1.row && $0.column == "400 units" && $1.column == "50 units" }
        case .table2:
            return pairs { $0.row == "LK-" + $1.row }
                + pairs { $0.row.hasPrefix("LK-") && $0.row.dropFirst(3) + " √2" == $1.row }
                + pairs { $0.row == "LK-ReLU" && $1.row == "BN" }
        case .table3:
            return pairs { $0.row == $1.row && $0.column == "linked" && $1.column != "linked" }
        case .table4, .table5:
            return pairs { $0.row == "LK-" + $1.row }
        case .table6:
            return pairs { $0.row == $1.row && $0.column == "no BN" && $1.column == "BN" }
        case .claims:
            return pairs { $0.column == $1.column && $0.row == "LK-" + $1.row }
        }
    }
}
