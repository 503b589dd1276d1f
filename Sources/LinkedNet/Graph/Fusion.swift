/// What a network computes together.
enum Fusion {
    /// Whatever is faster together.
    case everything
    /// Whatever is faster together, save activations: each is a node of its own, named after its layer.
    case allButActivations
    /// Nothing: each layer's operations are nodes of their own. For tests, which compare a network with itself.
    case nothing
}
