import Foundation
import LinkedNet
import PaperNetworks
import Testing

@Suite struct DiagnosticsTests {
    private static func model(_ activation: any Layer) throws -> Sequential {
        Sequential {
            Conv2D(3, kernel: 3, padding: .same)
            activation
            Flatten()
            Dense(4)
            LinkedActivation(.mirrored(.relu))
            Dense(3)
        }
    }

    private static func network(_ activation: any Layer) throws -> Network {
        try Network(model(activation), input: [6, 6, 1], batch: 8, seed: 5)
    }

    private static func trainer(_ network: Network) throws -> Trainer {
        try Trainer(network, optimizer: SGD(learningRate: 0.1))
    }

    // MARK: Dead neurons

    @Test func aNeuronThatIsZeroForEverySampleIsDead() throws {
        let network = try Self.network(Activation(.relu))
        let probe = try ActivationProbe(Self.model(Activation(.relu)), of: network)
        let data = try TinyTraining.dataset(50)
        let trainer = try Self.trainer(network)
        #expect(probe.layers.map(\.name) == ["conv2d", "dense"])
        #expect(probe.layers.map(\.units) == [3, 4])
        #expect(probe.layers.map(\.positions) == [36, 1])
        #expect(probe.layers.map(\.members) == [1, 2])
        // With positive weights no neuron is dead. Then the second neuron's bias is far below zero.
        try network.setWeight(
            named: "conv2d/kernel", to: Tensor(shape: [3, 3, 1, 3], elements: Array(repeating: 0.1, count: 27)))
        #expect(try trainer.deadNeurons(probe, on: data).map(\.dead) == [0, 0])
        try network.setWeight(named: "conv2d/bias", to: Tensor(shape: [3], elements: [0, -100, 0]))
        let dead = try trainer.deadNeurons(probe, on: data)
        #expect(dead.map(\.dead) == [1, 0])
        #expect(dead.map(\.units) == [3, 4])
        #expect(dead[0].deadPlaces == 36)
        #expect(dead[0].places == 108)
    }

    @Test func oneSampleThatIsSeenLastKeepsANeuronAlive() throws {
        let network = try Self.network(Activation(.relu))
        let probe = try ActivationProbe(Self.model(Activation(.relu)), of: network)
        let kernel = try Tensor(shape: [3, 3, 1, 3], elements: (0..<27).map { $0 / 3 == 4 ? 1 : 0 })
        try network.setWeight(named: "conv2d/kernel", to: kernel)
        try network.setWeight(named: "conv2d/bias", to: Tensor(shape: [3], elements: [-0.5, -0.5, -0.5]))
        // All images are black, except one pixel of the last image, in a batch that isn't full.
        var pixels = Array(repeating: UInt8(0), count: 36 * 21)
        func data() throws -> ImageDataset {
            try ImageDataset(
                name: "dark", imageShape: [6, 6, 1], classNames: ["a", "b", "c"], pixels: pixels,
                labels: Array(repeating: 0, count: 21))
        }
        let trainer = try Self.trainer(network)
        #expect(try trainer.deadNeurons(probe, on: data())[0].dead == 3)
        pixels[36 * 21 - 1] = 255
        let alive = try trainer.deadNeurons(probe, on: data())[0]
        #expect(alive.dead == 0)
        #expect(alive.deadPlaces == 3 * 35)
    }

    /// A gradient flows through a negative activation.
    @Test func aNeuronThatIsNegativeForEverySampleLives() throws {
        let network = try Self.network(Activation(.leakyReLU()))
        let probe = try ActivationProbe(Self.model(Activation(.leakyReLU())), of: network)
        try network.setWeight(named: "conv2d/bias", to: Tensor(shape: [3], elements: [0, -100, 0]))
        let dead = try Self.trainer(network).deadNeurons(probe, on: TinyTraining.dataset(20))
        #expect(dead.map(\.dead) == [0, 0])
        #expect(dead[0].deadPlaces == 0)
    }

    @Test func linkedMembersAreOneNeuron() throws {
        let linked = LinkedActivation(.mirrored(.relu))
        let network = try Self.network(linked)
        let probe = try ActivationProbe(Self.model(linked), of: network)
        try network.setWeight(named: "conv2d/bias", to: Tensor(shape: [3], elements: [-100, 100, 0]))
        #expect(try Self.trainer(network).deadNeurons(probe, on: TinyTraining.dataset(20)).map(\.dead) == [0, 0])
    }

    /// In a network without a probe, sums form the activations of their terms.
    @Test func activationsThatASumReadsAreSeen() throws {
        let model = Sequential {
            Conv2D(4, kernel: 3, padding: .same)
            Residual {
                Conv2D(4, kernel: 1)
                Activation(.relu)
            } projection: {
                Conv2D(4, kernel: 1)
            }
            Activation(.relu)
            Residual { Conv2D(4, kernel: 1) }
            MaxPool2D(2)
            Activation(.relu)
            Conv2D(4, kernel: 1)
            Flatten()
            Dense(3)
        }
        let network = try Network(model, input: [6, 6, 1], batch: 8, seed: 5)
        #expect(network.operations.allSatisfy { $0.activationMemberCount == nil }, "the network fuses all of them")
        let probe = try ActivationProbe(model, of: network)
        #expect(probe.layers.count == 3)
        #expect(probe.layers.first?.name == "residual/conv2d")
    }

    @Test func aProbeWantsItsModel() throws {
        let network = try Self.network(Activation(.relu))
        #expect(throws: ShapeError.self) { try ActivationProbe(Self.model(LinkedActivation(.minMax)), of: network) }
    }

    /// The probe shows the activations that the network computes, although the network never stores the activations.
    @Test(arguments: [ModelName.depth, .extended, .width(5)])
    func theProbesCopyComputesTheSame(name: ModelName) throws {
        let model = name.model(ModelOptions(activation: .linkedSELU))
        let network = try Network(model, input: [16, 16, 3], batch: 2, seed: 3)
        let plain = try Network(model, input: [16, 16, 3], batch: 2, seed: 3, fusesActivations: false)
        var random = CounterRandom(seed: 1, use: RandomUse(rawValue: 2002))
        let input = try Tensor(shape: [2, 16, 16, 3], elements: (0..<1536).map { _ in Float(random.uniform()) })
        let (expected, found) = (try network.predict(input), try plain.predict(input))
        let largest = expected.elements.map(abs).max() ?? 0
        for (a, b) in zip(expected.elements, found.elements) { #expect(abs(a - b) <= 1e-4 * largest) }
    }

    // MARK: Gradient flow and drift

    @Test func gradientNormsAreThoseOfTheLayers() throws {
        let network = try Self.network(Activation(.relu))
        let data = try TinyTraining.dataset(8)
        let loader = try BatchLoader(dataset: data, batchSize: 8, sampler: .fileOrder)
        let batch = try #require(try loader.next())
        try Self.trainer(network).step(batch)
        #expect(network.parameterLayers == ["conv2d", "dense", "dense_1"])
        for (layer, norm) in zip(network.parameterLayers, network.gradientNorms()) {
            let gradients = try ["kernel", "bias"].flatMap { try network.gradient(named: "\(layer)/\($0)").elements }
            let expected = gradients.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
            #expect(abs(norm - expected) <= 1e-12 * expected)
            #expect(norm > 0)
        }
    }

    @Test func distributionsAreThoseOfTheActivations() throws {
        let network = try Self.network(Activation(.relu))
        let probe = try ActivationProbe(Self.model(Activation(.relu)), of: network)
        // All activations of the first layer are 2, so the second layer gives ±w·Σ.
        try network.setWeight(
            named: "conv2d/kernel", to: Tensor(shape: [3, 3, 1, 3], elements: Array(repeating: 0, count: 27)))
        try network.setWeight(named: "conv2d/bias", to: Tensor(shape: [3], elements: [2, 2, 2]))
        try network.setWeight(
            named: "dense/kernel", to: Tensor(shape: [108, 4], elements: Array(repeating: 0, count: 432)))
        try network.setWeight(named: "dense/bias", to: Tensor(shape: [4], elements: [1, -1, 3, -3]))
        let pixels = Array(repeating: Float(0.5), count: 36 * 8)
        let found = try probe.distributions(of: network, pixels: pixels, count: 8)
        #expect(found[0].mean == 2)
        #expect(found[0].variance == 0)
        // The mean of 1 0 3 0 and 0 1 0 3.
        #expect(found[1].mean == 1)
        #expect(found[1].variance == 1.5)
    }

    // MARK: In the loop

    /// A killed process may have written diagnostics after its last checkpoint. The resumed run writes this part again.
    @Test(arguments: [false, true])
    func theObserverSeesTheSameAcrossAResume(sawMore: Bool) throws {
        let place = try TemporaryDirectory()
        let data = try TinyTraining.dataset(40)
        func settings() throws -> RunSettings {
            var options = RunOptions()
            options.model = .width(4)
            options.activation = .relu
            options.epochs = 2
            options.batchSize = 8
            return try options.settings()
        }
        let source = DataSource(train: data, test: data)
        func observer(_ run: PaperRun, _ name: String) throws -> DiagnosticsObserver {
            try DiagnosticsObserver(
                run.settings.probe(of: run.run.trainer.network), of: run.run.trainer.network, dataset: data, every: 2,
                path: "\(place.path)/\(name)")
        }
        let whole = try PaperRun(settings(), data: source, directory: "\(place.path)/whole")
        try whole.train(on: source, observers: [observer(whole, "whole.jsonl")])
        let first = try PaperRun(settings(), data: source, directory: "\(place.path)/parts")
        try first.train(on: source, observers: [observer(first, "parts.jsonl")], maxSteps: 7)
        if sawMore {
            try place.write("parts.jsonl", Array(Data(contentsOf: URL(fileURLWithPath: "\(place.path)/whole.jsonl"))))
        }
        let second = try PaperRun(resuming: "\(place.path)/parts")
        try second.train(on: source, observers: [observer(second, "parts.jsonl")])
        let texts = try ["whole", "parts"].map {
            try String(contentsOfFile: "\(place.path)/\($0).jsonl", encoding: .utf8)
        }
        #expect(texts[0] == texts[1])
        // A line of names, then steps 2, 4, 5 (an epoch's end), 6, 8, 10.
        #expect(texts[0].split(separator: "\n").count == 7)
        let maps = try DiagnosticsHistory("\(place.path)/whole.jsonl").heatMaps
        let steps = HeatMap.Columns.steps([2, 4, 5, 6, 8, 10], perEpoch: 5)
        #expect(maps.map(\.columns) == [steps, steps, steps, .steps([5, 10], perEpoch: 5)])
        #expect(maps[0].layers == ["conv2d", "dense"])
        #expect(maps[1].layers == ["conv2d"])
    }

    // MARK: Pictures

    @Test func aHeatMapDrawsWhatThereIs() {
        let map = HeatMap(
            title: "a < b", layers: ["first", "second"], columns: .steps([1, 2, 3], perEpoch: nil),
            values: [[1, 1, 100], [.nan, 0, 10]],
            isLogarithmic: true)
        let svg = map.svg
        #expect(svg.hasPrefix("<svg") && svg.hasSuffix("</svg>\n"))
        #expect(svg.contains("a &lt; b"))
        // The coldest cells (joined), the warmest cell, and no colour for a figure without a logarithm.
        #expect(svg.components(separatedBy: "class=\"none\"").count == 2)
        #expect(svg.contains("#313695") && svg.contains("#a50026"))
        let named = HeatMap(title: "", layers: ["first"], columns: .names(["A & B", "C"]), values: [[0, 1]]).svg
        #expect(named.contains(">A &amp; B</text>") && named.contains(">C</text>"))
        #expect(HeatMap(title: "", layers: [], columns: .names([]), values: []).svg.hasSuffix("</svg>\n"))
    }
}
