/// Declares the buffers of one step. Inputs, parameters and states have the same numbers as in the node.
struct StepBuilder {
    let node: Graph.Node
    /// The most samples of a call.
    var batch: Int { graph.microBatch }
    private let graph: Graph
    private let ledger: GradientLedger
    private(set) var operands: [Operand] = []
    /// The sizes of saved buffers that the step writes.
    private(set) var savedBytes: [SavedBuffer: Int] = [:]
    /// Gradients that a later step adds to their places.
    private(set) var shares: [GradientLedger.Share] = []
    /// Tensors whose gradients the step writes.
    private var ownGradients: Set<TensorID> = []
    /// ``PlanStep/show``.
    var show: PlanStep.Show?

    init(_ node: Graph.Node, of graph: Graph, ledger: GradientLedger) {
        self.node = node
        self.graph = graph
        self.ledger = ledger
    }

    private mutating func add(_ buffer: Buffer, _ access: Access) -> Int {
        operands.append(Operand(buffer: buffer, access: access))
        return operands.count - 1
    }

    // MARK: Values

    mutating func readInput(_ index: Int = 0) -> Readable<Float> {
        Readable(index: add(.value(node.inputs[index]), .read))
    }

    mutating func writeOutput() -> Writable<Float> { Writable(index: add(.value(node.output), .write)) }

    mutating func readOutput() -> Readable<Float> { Readable(index: add(.value(node.output), .read)) }

    // MARK: Parameters and states

    mutating func readParameter(_ index: Int) -> Readable<Float> {
        Readable(index: add(.parameter(node.parameters[index]), .read))
    }

    /// All of the node's parameters, in order.
    mutating func readParameters() -> OperandList {
        let start = operands.count
        for parameter in node.parameters { _ = add(.parameter(parameter), .read) }
        return OperandList(start: start, count: node.parameters.count)
    }

    /// The step overwrites the gradient. Where another step has already taken the gradient's place, the gradient gets
    /// memory of its own, and a later step adds this memory.
    mutating func writeParameterGradient(_ index: Int) -> Writable<Float> {
        let parameter = node.parameters[index]
        guard let share = ledger.claim(parameter, elementCount: graph.elementCount(of: parameter)) else {
            return Writable(index: add(.parameterGradient(parameter), .write))
        }
        shares.append(share)
        return Writable(index: add(.share(share.number), .write))
    }

    /// The gradients of all of the node's parameters, in order.
    mutating func writeParameterGradients() -> OperandList {
        let start = operands.count
        for index in node.parameters.indices { _ = writeParameterGradient(index) }
        return OperandList(start: start, count: node.parameters.count)
    }

    mutating func updateState(_ index: Int) -> Writable<Float> {
        Writable(index: add(.state(node.states[index]), .update))
    }

    // MARK: Gradients of tensors

    mutating func readOutputGradient() -> Readable<Float> { readGradient(of: node.output) }

    mutating func readGradient(of tensor: TensorID) -> Readable<Float> {
        Readable(index: add(.gradient(tensor), .read))
    }

    /// The memory for the gradient of input `index`; `nil` if no step needs the gradient.
    ///
    /// The first step that writes a tensor's gradient overwrites, and later steps add. A step may write its gradients
    /// in any order: a further input that is the same tensor gets memory of its own, and a later step adds this memory.
    mutating func writeInputGradient(_ index: Int = 0) -> GradientTarget? {
        let tensor = node.inputs[index]
        guard ledger.needsGradient(tensor) else { return nil }
        guard ownGradients.insert(tensor).inserted else {
            let share = ledger.share(tensor, elementCount: graph.elementCount(of: tensor))
            shares.append(share)
            return GradientTarget(index: add(.share(share.number), .write), accumulates: false)
        }
        let accumulates = ledger.claim(tensor)
        let index = add(.gradient(tensor), accumulates ? .accumulate : .write)
        return GradientTarget(index: index, accumulates: accumulates)
    }

    // MARK: Saved memory

    /// Memory of the node's own, or with `owner` of another node, for a later step.
    mutating func writeSaved<Element>(
        _ role: String, bytes: Int, owner: TensorID? = nil
    ) -> Writable<Element> {
        let buffer = SavedBuffer(owner: owner ?? node.output, role: role)
        savedBytes[buffer] = bytes
        return Writable(index: add(.saved(buffer), .write))
    }

    /// Memory that an earlier step wrote.
    mutating func readSaved<Element>(
        _ role: String, owner: TensorID? = nil
    ) -> Readable<Element> {
        Readable(index: add(.saved(SavedBuffer(owner: owner ?? node.output, role: role)), .read))
    }
}
