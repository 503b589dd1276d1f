extension Trainer {
    /// The dead neurons of each activation, over all samples of a data set: one pass over the data set, with the
    /// current weights.
    ///
    /// - Parameters:
    ///   - probe: a probe for the trainer's network.
    ///   - dataset: images of the shape that the network takes.
    /// - Throws: ``TrainingError`` if the data set doesn't fit, and the errors of the data set.
    public func deadNeurons(_ probe: ActivationProbe, on dataset: any Dataset) throws -> [DeadNeurons] {
        try check(dataset)
        probe.update(from: network)
        var count = LivenessCount(probe)
        let loader = try BatchLoader(dataset: dataset, batchSize: network.batchSize, sampler: .fileOrder)
        while let batch = try loader.next() { try count.add(pixels: batch.pixels, count: batch.count) }
        return count.result
    }
}
