/// How often a run is saved in the course of its training.
public enum SaveInterval: Sendable, Hashable {
    /// After every so many steps.
    case steps(Int)
    /// When this much time has passed, at the end of the running step.
    case minutes(Double)
}
