import PaperNetworks
import Testing

@testable import LinkedNet

@Suite struct PlanDescriptionTests {
    /// A BatchNorm behind a 1×1 convolution writes terms. The convolution forms the gradient of its own output from the
    /// terms.
    @Test func sharedNormalization() throws {
        let model = Sequential {
            Conv2D(8, kernel: 1)
            BatchNorm()
            Conv2D(8, kernel: 1)
            GlobalAveragePool2D()
            Dense(10)
        }
        let plan = try Network(model, input: [12, 10, 3], batch: 4).planDescription
        let terms = try #require(plan.steps.first { $0.writes.contains("batch_norm.terms") })
        #expect(terms.pass == "backward" && terms.layer == "batch_norm")
        #expect(terms.reads.contains("∂batch_norm") && terms.reads.contains("batch_norm.statistics"))
        let convolution = try #require(plan.steps.first { $0.pass == "backward" && $0.layer == "conv2d" })
        #expect(convolution.reads.contains("batch_norm.terms") && convolution.reads.contains("∂batch_norm"))
        #expect(convolution.writes.contains("∂conv2d/kernel"))
        #expect(!plan.buffers.contains { $0.name == "∂conv2d" }, "never stored")
        let norm = try #require(plan.steps.first { $0.layer == "batch_norm" })
        #expect(norm.updates == ["batch_norm/moving_mean", "batch_norm/moving_variance"])
    }

    /// The first reader of a tensor in the backward pass overwrites the tensor's gradient, and other readers add.
    @Test func accumulation() throws {
        let model = Sequential {
            Conv2D(8, kernel: 3, padding: .same)
            Concat {
                Conv2D(8, kernel: 3, padding: .same)
                Conv2D(8, kernel: 5, padding: .same)
            }
            GlobalAveragePool2D()
            Dense(10)
        }
        let plan = try Network(model, input: [12, 10, 3], batch: 4).planDescription
        let writers = plan.steps.filter { ($0.writes + $0.accumulates).contains("∂conv2d") }
        #expect(writers.count == 2)
        #expect(writers.first?.writes.contains("∂conv2d") == true)
        #expect(writers.last?.accumulates.contains("∂conv2d") == true)
    }

    /// With every kind of fusion, an earlier step writes every buffer that a step reads, and no two live buffers
    /// overlap.
    @Test(arguments: [ModelName.allCNN, .depth, .width(50), .extended, .resNet50], [true, false])
    func buffersAreWrittenBeforeTheyAreRead(model: ModelName, batchNorm: Bool) throws {
        let options = ModelOptions(batchNorm: batchNorm)
        let plan = try Network(model.model(options), input: [32, 32, 3], batch: 16).plan
        var written: Set<Buffer> = [.value(TensorID(index: 0))]
        for step in plan.steps {
            for operand in step.operands where operand.access == .read || operand.access == .accumulate {
                switch operand.buffer {
                case .parameter, .state: break
                default: #expect(written.contains(operand.buffer), "\(step.name): \(plan.names[operand.buffer])")
                }
            }
            written.formUnion(step.operands.filter { $0.access == .write }.map(\.buffer))
        }
        let buffers = plan.placedBuffers
        for (index, a) in buffers.enumerated() {
            for b in buffers[(index + 1)...] where a.life.steps.overlaps(b.life.steps) {
                #expect(
                    a.offset + a.life.bytes <= b.offset || b.offset + b.life.bytes <= a.offset,
                    "\(plan.names[a.life.buffer]) and \(plan.names[b.life.buffer])")
            }
        }
    }

    @Test func everyStepHasALine() throws {
        let network = try Network(ModelName.extended.model(ModelOptions()), input: [32, 32, 3], batch: 4)
        let plan = network.planDescription
        let lines = plan.description.split(separator: "\n")
        #expect(plan.steps.count > 10 && plan.steps.count { $0.pass == "loss" } == 1)
        for (index, step) in plan.steps.enumerated() {
            #expect(lines.contains { $0.contains(" \(index)  \(step.pass)") && $0.contains(step.operation) })
        }
        for buffer in plan.buffers { #expect(lines.contains { $0.hasPrefix(buffer.name + " ") }) }
    }
}
