import LinkedNet

/// The predicted time of a training step on a number of threads.
public struct Prediction: Sendable {
    /// The predicted time of a part of the step.
    public struct Part: Sendable {
        public let planStep: Int
        /// The time on one thread of the same machine, and on ``Prediction/threads``.
        public internal(set) var oneThread, seconds: Double
        public internal(set) var losses: Losses
        /// The times spent in the parts of micro-batches, one for each step of the plan; empty where there are no
        /// micro-batches.
        public internal(set) var inside: [Part] = []

        /// The rest, without the parts ``inside``.
        public var outside: Part {
            var rest = self
            rest.inside = []
            for part in inside {
                rest.oneThread -= part.oneThread
                rest.seconds -= part.seconds
                rest.losses -= part.losses
            }
            return rest
        }
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
            var result = Prediction.Part(
                planStep: part.planStep, oneThread: whole.seconds, seconds: part.serial, losses: Losses())
            result.losses.serial = part.serial * (1 - 1 / Double(threads))
            var work = part.serial
            var shares: [Int: TimeAndLosses] = [:]
            for call in part.calls {
                let schedule = Schedule(call, threads: threads, costs: costs)
                result.seconds += schedule.seconds
                result.losses += schedule.losses
                work += schedule.work
                shares.merge(schedule.shares) { $0 + $1 }
            }
            result.losses.moreWork = (work - whole.seconds) / Double(threads)
            let (one, all) = (whole.secondsInside, part.secondsInside)
            result.inside = shares.sorted { $0.key < $1.key }.map { planStep, time in
                let oneThread = one[planStep, default: 0]
                var losses = time.losses
                losses.moreWork = (all[planStep, default: 0] - oneThread) / Double(threads)
                return Prediction.Part(
                    planStep: planStep, oneThread: oneThread, seconds: time.seconds, losses: losses)
            }
            return result
        }
        guard let machine else { return Prediction(threads: threads, parts: parts) }
        let alone = bytes(whole, threads: 1, machine), together = bytes(recording, threads: threads, machine)
        for index in parts.indices {
            parts[index].waitForMemory(
                oneThread: alone[index].mapValues { $0 / machine.bandwidth(threads: 1) },
                seconds: together[index].mapValues { $0 / machine.bandwidth(threads: threads) })
        }
        return Prediction(threads: threads, parts: parts)
    }

    /// The bytes that each part moves, by plan step. The threads of a call share what is in the caches. Threads that
    /// have a micro-batch each share the caches among the micro-batches.
    private func bytes(_ recording: Recording, threads: Int, _ machine: Machine) -> [BytesByStep] {
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
        var sums = Array(repeating: BytesByStep(), count: recording.parts.count)
        for (index, owner) in owners.enumerated() { sums[owner][planSteps[index], default: 0] += moved[index] }
        return sums
    }
}

/// Bytes that a part of a step moves, by plan step: those of its micro-batches, if it computes some.
private typealias BytesByStep = [Int: Double]

extension Recording.Part {
    /// The time on one thread of the parts in the tasks of calls, by plan step.
    fileprivate var secondsInside: [Int: Double] {
        var sums: [Int: Double] = [:]
        for part in calls.lazy.flatMap(\.tasks).flatMap(\.parts) { sums[part.planStep, default: 0] += part.seconds }
        return sums
    }
}

extension Prediction.Part {
    /// Makes the times at least as long as the memory takes. Parts of micro-batches run at different times in different
    /// threads, so they wait together, each for its share of the bytes.
    ///
    /// - Parameters:
    ///   - oneThread: the time of the memory with one thread, by plan step.
    ///   - seconds: the time of the memory with all threads, by plan step.
    fileprivate mutating func waitForMemory(oneThread alone: [Int: Double], seconds together: [Int: Double]) {
        let (movingAlone, moving) = (alone.values.reduce(0, +), together.values.reduce(0, +))
        let (waitAlone, wait) = (max(movingAlone - oneThread, 0), max(moving - seconds, 0))
        oneThread += waitAlone
        seconds += wait
        losses.memory += wait
        for index in inside.indices {
            let planStep = inside[index].planStep
            if waitAlone > 0 { inside[index].oneThread += waitAlone * alone[planStep, default: 0] / movingAlone }
            guard wait > 0 else { continue }
            let share = wait * together[planStep, default: 0] / moving
            inside[index].seconds += share
            inside[index].losses.memory += share
        }
    }
}
