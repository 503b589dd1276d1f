import LinkedNet

/// The predicted time of a training step on a number of threads.
public struct Prediction: Sendable {
    /// The predicted time of a part of the step.
    public struct Part: Sendable {
        public let planStep: Int
        /// The time on one thread of the same machine, and on ``Prediction/threads``.
        public var oneThread, seconds: Double
        public var losses: Losses
    }

    public let threads: Int
    /// The parts in the order in which they run. A step of several micro-batches has all of them in one part.
    public let parts: [Part]

    public var oneThread: Double { parts.reduce(0) { $0 + $1.oneThread } }
    public var seconds: Double { parts.reduce(0) { $0 + $1.seconds } }
    public var speedUp: Double { oneThread / seconds }
    public var efficiency: Double { speedUp / Double(threads) }
}

/// Predicts the times of a recorded step.
public struct Simulation {
    /// Recordings by the number of threads that the kernels were told.
    private let recordings: [Int: Recording]
    private let traffic: MemoryTraffic
    private let machine: Machine?
    private let costs: ForkJoinCosts

    /// - Parameters:
    ///   - recordings: a step of `network`, cut for one thread and for each number of threads to predict.
    ///   - slots: the number of the optimizer's slots.
    ///   - machine: the machine; `nil` for memory without limits.
    ///   - costs: the times to start and to join a number of threads.
    public init(
        _ recordings: [Int: Recording], of network: Network, slots: Int, machine: Machine?,
        costs: ForkJoinCosts
    ) {
        self.recordings = recordings
        self.machine = machine
        self.costs = costs
        traffic = MemoryTraffic(network, slots: slots)
    }

    /// The prediction for a number of threads that the step was recorded for.
    public func predict(threads: Int) -> Prediction {
        guard let recording = recordings[threads], let whole = recordings[1] else {
            preconditionFailure("expected recordings for 1 and \(threads) threads")
        }
        var parts = zip(recording.parts, whole.parts).map { part, whole in
            var seconds = part.serial
            var losses = Losses()
            losses.serial = part.serial * (1 - 1 / Double(threads))
            losses.moreWork = (part.seconds - whole.seconds) / Double(threads)
            for call in part.calls {
                let schedule = Schedule(call, threads: threads, costs: costs)
                seconds += schedule.seconds
                losses += schedule.losses
            }
            return Prediction.Part(
                planStep: part.planStep, oneThread: whole.seconds, seconds: seconds, losses: losses)
        }
        guard let machine else { return Prediction(threads: threads, parts: parts) }
        let alone = bytes(whole, threads: 1, machine), together = bytes(recording, threads: threads, machine)
        for index in parts.indices {
            parts[index].oneThread = max(parts[index].oneThread, alone[index] / machine.bandwidth(threads: 1))
            let moving = together[index] / machine.bandwidth(threads: threads)
            if moving > parts[index].seconds {
                parts[index].losses.memory = moving - parts[index].seconds
                parts[index].seconds = moving
            }
        }
        return Prediction(threads: threads, parts: parts)
    }

    /// The bytes that each part moves. The threads of a call share what is in the caches. Threads that have a
    /// micro-batch each share the caches among the micro-batches.
    private func bytes(_ recording: Recording, threads: Int, _ machine: Machine) -> [Double] {
        var planSteps: [Int] = [], workspaces: [Int] = [], owners: [Int] = []
        var teams = 1
        for (owner, part) in recording.parts.enumerated() {
            planSteps.append(part.planStep)
            workspaces.append(0)
            owners.append(owner)
            for call in part.calls {
                let workers = min(threads, call.mostWorkers)
                for (index, task) in call.tasks.enumerated() where !task.parts.isEmpty {
                    teams = max(teams, workers)
                    planSteps += task.parts.map(\.planStep)
                    workspaces += task.parts.map { _ in index % workers }
                    owners += task.parts.map { _ in owner }
                }
            }
        }
        let cache = (threads * machine.coreCache + machine.sharedCache) / teams
        let moved = traffic.bytes(of: planSteps, workspaces: workspaces, cacheBytes: cache)
        var sums = Array(repeating: 0.0, count: recording.parts.count)
        for (index, owner) in owners.enumerated() { sums[owner] += moved[index] }
        return sums
    }
}
