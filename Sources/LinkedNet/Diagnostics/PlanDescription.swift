/// The plan of a network; printing a description gives one line for each plan step, and one for each buffer.
public struct PlanDescription: Sendable, CustomStringConvertible {
    /// A call of a kernel.
    public struct Step: Sendable {
        /// `forward`, `loss` or `backward`.
        public let pass: String
        /// The path of the layer.
        public let layer: String
        /// The computation: `Conv2D 3×3 ← relu`.
        public let operation: String
        /// The buffers that the step reads, overwrites, adds to, and replaces after reading them. A gradient has `∂`
        /// before its name.
        public let reads, writes, accumulates, updates: [String]
    }

    /// Memory that steps use, within the arena of a pass.
    public struct Buffer: Sendable {
        /// The name in ``Step``.
        public let name: String
        /// The size for a whole micro-batch.
        public let bytes: Int
        /// The range from the first step to the last step that uses the buffer.
        public let steps: ClosedRange<Int>
        /// The byte at which the buffer begins in the arena. Two buffers may share memory if no step is in the
        /// ``steps`` of both.
        public let offset: Int
    }

    /// The steps in the order in which they run.
    public let steps: [Step]
    /// The buffers in the order of first use. Parameters, their gradients and states have memory of their own.
    public let buffers: [Buffer]

    public var description: String {
        var stepTable = TextTable([
            .init("step", alignment: .right), .init("pass"), .init("layer"), .init("operation"), .init("reads"),
            .init("writes"), .init("adds to"),
        ])
        for (index, step) in steps.enumerated() {
            stepTable.rows.append([
                String(index), step.pass, step.layer, step.operation,
                (step.reads + step.updates).joined(separator: ", "),
                (step.writes + step.updates).joined(separator: ", "), step.accumulates.joined(separator: ", "),
            ])
        }
        var bufferTable = TextTable([
            .init("buffer"), .init("size", alignment: .right), .init("steps", alignment: .right),
            .init("offset", alignment: .right),
        ])
        for buffer in buffers {
            bufferTable.rows.append([
                buffer.name, NetworkSummary.size(buffer.bytes), "\(buffer.steps.lowerBound)–\(buffer.steps.upperBound)",
                NetworkSummary.grouped(buffer.offset),
            ])
        }
        return "\(stepTable)\n\n\(bufferTable)"
    }
}

extension Network {
    /// The steps of a pass and their buffers.
    ///
    /// `print(network.planDescription)` shows the compiler's work: the layers that are computed together, the order of
    /// steps, and the buffers that each step reads and writes.
    public var planDescription: PlanDescription {
        PlanDescription(
            steps: plan.steps.map { step in
                func names(_ access: Access) -> [String] {
                    step.operands.filter { $0.access == access }.map { plan.names[$0.buffer] }
                }
                return PlanDescription.Step(
                    pass: step.pass.rawValue, layer: step.name, operation: step.label, reads: names(.read),
                    writes: names(.write), accumulates: names(.accumulate), updates: names(.update))
            },
            buffers: plan.placedBuffers.map { placed in
                PlanDescription.Buffer(
                    name: plan.names[placed.life.buffer], bytes: placed.life.bytes, steps: placed.life.steps,
                    offset: placed.offset)
            })
    }
}
