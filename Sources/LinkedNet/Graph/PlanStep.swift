/// One call of a plan, with the buffers that the call uses.
///
/// A step reaches the buffers that it has declared: ``StepBuilder`` makes the handles that ``StepCall`` turns into
/// pointers.
struct PlanStep {
    enum Pass: String, Sendable {
        case forward, loss, backward
    }

    /// Computes, with the memory of one workspace.
    typealias Body = (StepCall) -> Void
    /// Calls the last argument with the output of a layer of the step's node, after ``run``. The call may use the
    /// scratch.
    typealias Show = (_ layer: Int, StepCall, _ body: (UnsafePointer<Float>) -> Void) -> Void

    let pass: Pass
    /// The path of the layer, and the step's computation, for people.
    let name, label: String
    /// The output of the step's node; `nil` for the loss.
    let node: TensorID?
    let operands: [Operand]
    let scratchBytes: Int
    let run: Body
    /// Finds a layer's output; `nil` if the node's output is the layer's output.
    let show: Show?
}

/// A buffer that a step reads.
struct Readable<Element>: Sendable {
    let index: Int
}

/// A buffer that a step writes.
struct Writable<Element>: Sendable {
    let index: Int
}

/// Float buffers, one after the other.
struct OperandList: Sendable {
    let start, count: Int
}

/// A gradient that a step writes.
struct GradientTarget: Sendable {
    let index: Int
    /// True if the step adds the gradient to the memory; false if the step overwrites the memory.
    let accumulates: Bool
}

/// The memory of a step in one workspace, and the mode of the pass. Valid during the call only.
struct StepCall {
    /// The number of samples.
    let batch: Int
    /// False in evaluation.
    let isTraining: Bool
    /// A key for random decisions: a function of the network's seed, the step of training and the node.
    let randomKey: UInt64
    /// The address of each operand.
    let addresses: UnsafePointer<UnsafeMutablePointer<Float>>
    /// ``PlanStep/scratchBytes`` of memory, aligned to 64 bytes.
    let scratch: UnsafeMutableRawPointer

    subscript(operand: Readable<Float>) -> UnsafePointer<Float> { UnsafePointer(addresses[operand.index]) }

    subscript(ifAny operand: Readable<Float>?) -> UnsafePointer<Float>? {
        operand.map { UnsafePointer(addresses[$0.index]) }
    }

    subscript<Element>(operand: Readable<Element>) -> UnsafePointer<Element> {
        UnsafeRawPointer(addresses[operand.index]).assumingMemoryBound(to: Element.self)
    }

    subscript(operand: Writable<Float>) -> UnsafeMutablePointer<Float> { addresses[operand.index] }

    subscript(ifAny operand: Writable<Float>?) -> UnsafeMutablePointer<Float>? { operand.map { addresses[$0.index] } }

    subscript<Element>(operand: Writable<Element>) -> UnsafeMutablePointer<Element> {
        UnsafeMutableRawPointer(addresses[operand.index]).assumingMemoryBound(to: Element.self)
    }

    subscript(target: GradientTarget) -> UnsafeMutablePointer<Float> { addresses[target.index] }

    subscript(ifAny target: GradientTarget?) -> UnsafeMutablePointer<Float>? { target.map { addresses[$0.index] } }

    subscript(list: OperandList) -> UnsafeBufferPointer<UnsafeMutablePointer<Float>> {
        UnsafeBufferPointer(start: addresses + list.start, count: list.count)
    }
}

extension GradientTarget? {
    /// False if no step needs the gradient.
    var accumulates: Bool { self?.accumulates ?? false }
}
