extension Generations {
    /// As ``save(_:metadata:)``, with the best weights if there are new ones: before the checkpoint under a name that
    /// only the checkpoint makes count, and after it under their own.
    func save(
        _ tensors: [BorrowedTensor], metadata: [String: String], best: BestWeights?
    ) throws(CheckpointError) {
        guard let best else { return try save(tensors, metadata: metadata) }
        try best.write(to: directory, on: disk)
        try save(tensors, metadata: metadata)
        try best.settle(in: directory, on: disk)
    }

    /// Finishes what a killed process began with the best weights.
    func recoverBest(_ best: BestScore) throws(CheckpointError) {
        try BestWeights.recover(in: directory, best: best, on: disk)
    }
}
