/// A user's operation as a node of a graph: one forward step, one backward step.
struct CustomOperation: NodeOperation {
    let operation: any GraphOperation

    var label: String { operation.label }
    var isSamplewise: Bool { operation.isSamplewise }

    func scratchBytes(batch: Int) -> Int { operation.scratchBytes(batch: batch) }

    private static let saved = "saved"

    func addForward(to steps: inout NodeSteps) {
        steps.add { step in
            let operands = OperationContext.Operands()
            operands.inputs = step.node.inputs.indices.map { step.readInput($0) }
            operands.output = step.writeOutput()
            operands.parameters = step.node.parameters.indices.map { step.readParameter($0) }
            operands.states = step.node.states.indices.map { step.updateState($0) }
            let bytes = operation.savedBytes(batch: step.batch)
            if bytes > 0 { operands.saved = step.writeSaved(Self.saved, bytes: bytes) }
            return { [operation] call in operation.forward(OperationContext(call: call, operands: operands)) }
        }
    }

    func addBackward(to steps: inout NodeSteps) {
        steps.add { step in
            let operands = OperationContext.Operands()
            if operation.backwardReadsInputs { operands.inputs = step.node.inputs.indices.map { step.readInput($0) } }
            if operation.backwardReadsOutput { operands.storedOutput = step.readOutput() }
            operands.outputGradient = step.readOutputGradient()
            operands.inputGradients = step.node.inputs.indices.map { step.writeInputGradient($0) }
            operands.parameters = step.node.parameters.indices.map { step.readParameter($0) }
            operands.parameterGradients = step.node.parameters.indices.map { step.writeParameterGradient($0) }
            operands.states = step.node.states.indices.map { step.updateState($0) }
            if operation.savedBytes(batch: step.batch) > 0 { operands.savedBefore = step.readSaved(Self.saved) }
            return { [operation] call in operation.backward(OperationContext(call: call, operands: operands)) }
        }
    }
}
