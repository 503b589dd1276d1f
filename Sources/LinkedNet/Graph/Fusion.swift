/// The operations that a network computes together.
enum Fusion {
    /// All operations that are faster together.
    case everything
    /// All operations that are faster together, except activations: each activation is a node of its own, named after
    /// its layer.
    case allButActivations
    /// None: each layer's operations are nodes of their own. For tests, which compare a network with itself.
    case nothing
}
