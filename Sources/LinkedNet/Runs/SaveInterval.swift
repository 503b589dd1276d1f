/// The interval between saves of a run in training.
public enum SaveInterval: Sendable, Hashable {
    /// A number of steps.
    case steps(Int)
    /// A number of minutes. The save comes at the end of the running step.
    case minutes(Double)
}
