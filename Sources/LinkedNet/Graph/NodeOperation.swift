/// The computation of a node: the steps that the node becomes in a plan.
///
/// The built-in operations conform. ``CustomOperation`` makes a node's operation of a user's ``GraphOperation``.
protocol NodeOperation {
    /// The name for the summary: `Conv2D 3×3`.
    var label: String { get }

    /// The computation with all settings that shapes don't show, for ``Network/graphDigest``.
    var identity: String { get }

    /// The algorithm that was chosen, for the summary; `nil` if there is only one.
    var algorithm: String? { get }

    /// True if every sample's output and gradients depend on this sample alone: ``GraphOperation/isSamplewise``.
    var isSamplewise: Bool { get }

    /// The number of members of the activation that the operation computes, 1 if the activation isn't linked; `nil` for
    /// other operations.
    var activationMemberCount: Int? { get }

    /// True if the operation normalises the layer before. An activation after the operation still belongs to this
    /// layer.
    var isNormalization: Bool { get }

    /// Makes the choices that depend on the calls, such as the algorithm. Throws if the operation can't compute so many
    /// samples at once. `name` is the operation's name, for the error.
    mutating func prepare(for calls: OperationCalls, name: String) throws(ShapeError)

    /// The memory that each step needs during one call, for up to `batch` samples.
    func scratchBytes(batch: Int) -> Int

    /// The layers that the operation computes as the node `node`, in the order in which a model has them.
    func layers(of node: Graph.Node) -> [ComputedLayer]

    /// Adds the steps that compute the output.
    func addForward(to steps: inout NodeSteps)

    /// Adds the steps that compute the gradients. Called if the network's output depends on the node, and the node
    /// has a parameter or an input that depends on a parameter.
    func addBackward(to steps: inout NodeSteps)
}

extension NodeOperation {
    var identity: String { label }
    var algorithm: String? { nil }
    var isSamplewise: Bool { false }
    var activationMemberCount: Int? { nil }
    var isNormalization: Bool { false }
    mutating func prepare(for calls: OperationCalls, name: String) throws(ShapeError) {}
    func scratchBytes(batch: Int) -> Int { 0 }
    func layers(of node: Graph.Node) -> [ComputedLayer] { [ComputedLayer(node)] }
}

/// The calls that a compiled network makes to an operation.
struct OperationCalls: Sendable, Hashable {
    /// The most samples of one call.
    let batch: Int
    /// True if other threads make calls of their own meanwhile: then to split sums for more threads gains little.
    let isSingleThreaded: Bool
}

/// A layer's operation as people see it: the whole of a node, or one of several operations that a node computes
/// together.
struct ComputedLayer {
    let name, label: String
    var algorithm: String?
    let output: TensorID
    let parameters: [ParameterID]
    let activationMemberCount: Int?
    let isNormalization: Bool

    /// The whole of a node as one layer.
    init(_ node: Graph.Node) {
        name = node.name
        label = node.operation.label
        algorithm = node.operation.algorithm
        output = node.output
        parameters = node.parameters
        activationMemberCount = node.operation.activationMemberCount
        isNormalization = node.operation.isNormalization
    }
}

/// Collects the steps of one node, forward or backward.
struct NodeSteps {
    let node: Graph.Node
    private let pass: PlanStep.Pass
    private let graph: Graph
    private let ledger: GradientLedger
    private(set) var steps: [PlanStep] = []
    private(set) var savedBytes: [SavedBuffer: Int] = [:]

    init(_ node: Graph.Node, of graph: Graph, pass: PlanStep.Pass, ledger: GradientLedger) {
        self.node = node
        self.pass = pass
        self.graph = graph
        self.ledger = ledger
    }

    /// Adds a step.
    ///
    /// - Parameters:
    ///   - label: `nil` for the operation's own label.
    ///   - declare: declares the buffers and gives the call; gives `nil` if there is nothing to do.
    mutating func add(_ label: String? = nil, _ declare: (inout StepBuilder) -> PlanStep.Body?) {
        var builder = StepBuilder(node, of: graph, ledger: ledger)
        guard let body = declare(&builder) else { return }
        steps.append(
            PlanStep(
                pass: pass, name: node.name, label: label ?? node.operation.label, node: node.output,
                operands: builder.operands, scratchBytes: node.operation.scratchBytes(batch: graph.microBatch),
                run: body,
                show: builder.show))
        savedBytes.merge(builder.savedBytes) { max($0, $1) }
        for share in builder.shares { add(share) }
    }

    /// Adds the step that adds a gradient to its place.
    private mutating func add(_ share: GradientLedger.Share) {
        let elements = share.elementCount, isPerSample = share.isPerSample
        steps.append(
            PlanStep(
                pass: pass, name: node.name, label: "add a gradient", node: node.output,
                operands: [
                    Operand(buffer: .share(share.number), access: .read),
                    Operand(buffer: share.target, access: .accumulate),
                ],
                scratchBytes: 0,
                run: { call in
                    Elementwise.copy(
                        count: isPerSample ? call.batch * elements : elements, call.addresses[0],
                        out: call.addresses[1],
                        accumulate: true)
                },
                show: nil))
    }
}
