import LinkedNet

/// The paper's models, by the names that commands take.
public enum ModelName: Hashable, Sendable, LosslessStringConvertible {
    /// ``AllCNN``
    case allCNN
    /// ``DepthNetwork``
    case depth
    /// ``WidthNetwork`` of this many units.
    case width(Int)
    /// ``ExtendedNetwork``
    case extended
    /// ``ResNet50``
    case resNet50

    /// The names that ``init(_:)`` takes, in a few words.
    public static let options = "allcnn, depth, width50, width400, width:N, extended or resnet50"

    /// The names of models, except the networks of other widths.
    package static let names = ["allcnn", "depth", "width50", "width400", "extended", "resnet50"]

    /// The model called `name`; `nil` if no model has this name. `width:N` takes any number of units from 1 on;
    /// `width:50` is `width50`.
    public init?(_ name: String) {
        switch name {
        case "allcnn": self = .allCNN
        case "depth": self = .depth
        case "width50": self = .width(50)
        case "width400": self = .width(400)
        case "extended": self = .extended
        case "resnet50": self = .resNet50
        default:
            let prefix = "width:"
            guard name.hasPrefix(prefix), let units = Int(name.dropFirst(prefix.count)), units >= 1 else { return nil }
            self = .width(units)
        }
    }

    /// The name that ``init(_:)`` takes.
    public var description: String {
        switch self {
        case .allCNN: "allcnn"
        case .depth: "depth"
        case .width(let units): units == 50 || units == 400 ? "width\(units)" : "width:\(units)"
        case .extended: "extended"
        case .resNet50: "resnet50"
        }
    }

    /// The model with these options.
    public func model(_ options: ModelOptions = ModelOptions()) -> any Model {
        switch self {
        case .allCNN: AllCNN(options)
        case .depth: DepthNetwork(options)
        case .width(let units): WidthNetwork(options, units: units)
        case .extended: ExtendedNetwork(options)
        case .resNet50: ResNet50(options)
        }
    }
}
