import CKernels
import LinkedNet
import PaperNetworks
import StepOptions
import Testing
import ThreadSimulation

/// The efficiency of training steps on many threads, predicted from the operations of their tasks. The test measures no
/// time, so the figures are the same on every machine that has the instruction set.
@Suite(.serialized, .enabled(if: ck_isa_available(CK_ISA_AVX2), "the cuts follow the length of AVX2's vectors"))
struct EfficiencyTests {
    /// A network, and the efficiencies that the network's step has reached, rounded down.
    struct Case: Sendable, CustomTestStringConvertible {
        let model: BenchmarkModel
        let batchSize: Int
        let floors: [(threads: Int, efficiency: Double)]
        /// The operations of a step that is cut for the most threads, as a multiple of those of a step for one thread.
        let mostWork: Double

        var testDescription: String { "\(model) @\(batchSize)" }
    }

    static let cases = [
        Case(model: .paper(.allCNN), batchSize: 128, floors: [(16, 0.98), (64, 0.95)], mostWork: 1.01),
        Case(model: .paper(.depth), batchSize: 32, floors: [(8, 0.98), (16, 0.91)], mostWork: 1),
        Case(model: .general(.resNet18), batchSize: 128, floors: [(16, 0.97), (64, 0.90)], mostWork: 1.03),
        Case(model: .general(.kerasMNIST), batchSize: 128, floors: [(16, 0.96), (64, 0.81)], mostWork: 1.01),
        Case(model: .paper(.resNet50), batchSize: 128, floors: [(16, 0.98), (64, 0.87)], mostWork: 1.01),
        Case(model: .general(.perceptron), batchSize: 128, floors: [(8, 0.92), (16, 0.82)], mostWork: 1.01),
    ]

    /// Seconds to start and to join two threads, and two threads of a team: those of a server with idle cores.
    private static let costs = ForkJoinCosts(region: 0.7e-6, team: 0.13e-6)

    /// Operations in a second of one core. The rate weighs the tasks against the forks and joins.
    private static let rate = 20e9

    @Test(arguments: cases)
    func aStepKeepsItsEfficiency(_ network: Case) throws {
        let before = ck_isa_current()
        ck_isa_select(CK_ISA_AVX2)
        defer { ck_isa_select(before) }
        let most = network.floors.map(\.threads).max() ?? 1
        // A network makes room for the micro-batches that its threads compute at once.
        let trainer = try Runtime.withThreadCount(most) {
            try Trainer(
                network.model.network(ModelOptions(activation: .linkedReLU), batch: network.batchSize),
                optimizer: network.model.optimizer(linked: true))
        }
        let pixels = [Float](repeating: 0, count: network.batchSize * network.model.input.elementCount)
        let labels = [Int32](repeating: 0, count: network.batchSize)
        let recorder = Recorder()
        var recordings: [Int: Recording] = [:]
        for threads in [1] + network.floors.map(\.threads) {
            let recording = try recorder.record(trainer.network, threads: threads) {
                try trainer.step(pixels: pixels, labels: labels)
            }
            for part in recording.parts {
                #expect(
                    part.callsWithoutOperations == 0,
                    "plan step \(part.planStep): a driver counts no operations, so its tasks have no size here")
            }
            recordings[threads] = recording.timed(operationsPerSecond: Self.rate)
        }

        let work = Double(recordings[most]?.operations ?? 0) / Double(recordings[1]?.operations ?? 1)
        #expect(work >= 1, "a step for many threads leaves out nothing")
        #expect(
            work <= network.mostWork, "a finer cut for \(most) threads repeats maps and packing, and must not do more")
        let simulation = Simulation(
            recordings, of: trainer.network, slots: trainer.optimizer.slotNames.count, machine: nil, costs: Self.costs)
        for floor in network.floors {
            let prediction = simulation.predict(threads: floor.threads)
            #expect(
                prediction.efficiency >= floor.efficiency,
                "\(floor.threads) threads wait longer than before: \(Self.reasons(prediction))")
        }
    }

    /// The largest losses of a step, as shares of the step.
    private static func reasons(_ prediction: Prediction) -> String {
        var losses = Losses()
        for part in prediction.parts { losses += part.losses }
        return losses.ranked.prefix(3).map { name, seconds in
            "\(name) \((seconds / prediction.seconds * 100).rounded()) %"
        }.joined(separator: ", ")
    }
}

extension Recording.Part {
    /// The calls whose tasks have counted no operations, with the calls of their tasks.
    fileprivate var callsWithoutOperations: Int {
        calls.reduce(0) { sum, call in
            let nested = call.tasks.flatMap(\.parts).reduce(0) { $0 + $1.callsWithoutOperations }
            return sum + nested + (call.operations == 0 ? 1 : 0)
        }
    }
}
