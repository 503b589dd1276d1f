import LinkedNet
import Testing

/// Every layer, forward and backward, against values from PyTorch and Keras.
@Suite struct GoldenLayerTests {
    static let peers: [(name: String, file: Result<GoldenFile, any Error>)] = [
        ("PyTorch", GoldenFile.torch), ("Keras", GoldenFile.keras),
    ]

    /// (0 for PyTorch or 1 for Keras, the case's name)
    static let cases: [(peer: Int, name: String)] = peers.indices.flatMap { peer in
        ((try? peers[peer].file.get().cases) ?? [:]).filter { !$0.value.weights.isEmpty }.keys.sorted().map {
            (peer, $0)
        }
    }

    @Test func everyModelHasValuesAndTheOtherWayRound() throws {
        let torch = Set(try GoldenFile.torch.get().cases.filter { !$0.value.weights.isEmpty }.keys)
        let keras = Set(try GoldenFile.keras.get().cases.filter { !$0.value.weights.isEmpty }.keys)
        let models = GoldenModels.names
        #expect(models.count == Set(models).count)
        #expect(torch.union(keras) == Set(models))
        #expect(torch.intersection(keras).count > 100)
    }

    @Test(arguments: cases)
    func layer(peer: Int, name: String) throws {
        let golden = try #require(try Self.peers[peer].file.get().cases[name])
        let layers = try #require(try GoldenModels.layers(name))
        let input = try #require(golden.weights["input/value"])
        let batch = input.shape[0]
        let sample = Shape(Array(input.shape.dimensions.dropFirst()))
        let model = Sequential {
            TrainableInput(shape: sample, batch: batch)
            layers
        }
        let network = try Network(model, input: [1], batch: batch)
        for (weight, value) in golden.weights { try network.setWeight(named: weight, to: value) }
        #expect(network.parameterLayout.entries.map(\.name).sorted() == golden.weights.keys.sorted())

        // An unwritten gradient must show.
        network.parameterGradients.update(repeating: .nan)
        let unread = Array(repeating: Float.nan, count: batch)
        let expected = try golden.value("output")
        #expect(expected.shape == Shape([batch] + network.outputShape.dimensions))
        try network.forward(input: unread.span, mode: .training(step: 0))
        expectClose(UnsafeBufferPointer(start: network.output, count: expected.elements.count), expected, "output")

        let outputGradient = try golden.value("outputGradient")
        network.outputGradient.update(from: outputGradient.elements, count: outputGradient.elements.count)
        try network.backward(input: unread.span, step: 0)
        for (weight, gradient) in golden.gradients {
            expectClose(try network.gradient(named: weight).elements, gradient, "gradient of \(weight)")
        }
        for (state, value) in golden.states {
            expectClose(try network.weight(named: state).elements, value, state)
        }
        if !golden.states.isEmpty {
            try network.forward(input: unread.span, mode: .inference)
            expectClose(
                UnsafeBufferPointer(start: network.output, count: expected.elements.count),
                try golden.value("inference"), "inference")
        }
    }

    @Test(arguments: peers.indices)
    func softmaxCrossEntropy(peer: Int) throws {
        let golden = try #require(try Self.peers[peer].file.get().cases["softmax cross-entropy"])
        let logits = try golden.value("logits")
        let (count, classes) = (logits.shape[0], logits.shape[1])
        let labels = try golden.value("labels").elements.map { Int32($0) }
        var gradient = Array(repeating: Float.nan, count: count * classes)
        let result = SoftmaxCrossEntropy().evaluate(
            output: logits.elements, labels: labels, count: count, classes: classes, gradient: &gradient)
        expectClose([Float(result.loss)], try golden.value("loss"), "loss")
        expectClose(gradient, try golden.value("gradient"), "gradient")
        expectClose(
            try SoftmaxCrossEntropy.probabilities(logits).elements, try golden.value("probabilities"), "probabilities")
        let hits = (0..<count).count { row in
            let scores = logits.elements[row * classes..<(row + 1) * classes]
            return scores.max() == scores[row * classes + Int(labels[row])]
        }
        #expect(result.correctCount == hits)
        #expect(result.sampleCount == count)
        let withoutGradient = SoftmaxCrossEntropy().evaluate(
            output: logits.elements, labels: labels, count: count, classes: classes, gradient: nil)
        #expect(withoutGradient == result)
    }
}
