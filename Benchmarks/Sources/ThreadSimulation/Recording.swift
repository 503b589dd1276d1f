/// The time and the operations of a training step on one thread, cut into the parts that could run at once. All times
/// are in seconds.
public struct Recording: Sendable {
    /// A part of the step: a step of the network's plan, or something between two of them.
    public struct Part: Sendable {
        /// The index in the network's plan, the number of steps of the plan for the optimizer, or -1 for the rest.
        public let planStep: Int
        /// The time outside of calls.
        public internal(set) var serial: Double
        /// The operations of kernels outside of calls that threads share: kernels whose work is small.
        public internal(set) var serialOperations: Int
        /// The calls that threads share.
        public internal(set) var calls: [Call]

        package init(planStep: Int, serial: Double = 0, serialOperations: Int = 0, calls: [Call] = []) {
            self.planStep = planStep
            self.serial = serial
            self.serialOperations = serialOperations
            self.calls = calls
        }

        /// The time on one thread.
        public var seconds: Double { calls.reduce(serial) { $0 + $1.seconds } }
        /// The operations, those of calls included.
        public var operations: Int { calls.reduce(serialOperations) { $0 + $1.operations } }
    }

    /// A call whose tasks run at once.
    public struct Call: Sendable {
        /// The number of threads that the call could use.
        public let mostWorkers: Int
        public internal(set) var tasks: [Task]

        package init(mostWorkers: Int, tasks: [Task] = []) {
            self.mostWorkers = mostWorkers
            self.tasks = tasks
        }

        /// The time on one thread.
        public var seconds: Double { tasks.reduce(0) { $0 + $1.seconds } }
        /// The operations of all tasks.
        public var operations: Int { tasks.reduce(0) { $0 + $1.operations } }
    }

    /// A piece of a call.
    public struct Task: Sendable {
        public internal(set) var seconds: Double
        /// As `seconds`, with those of the parts.
        public internal(set) var operations: Int
        /// The parts of the step that the task holds, if the task is a micro-batch. Their calls are those that the
        /// threads of a team share.
        public internal(set) var parts: [Part]

        package init(seconds: Double, operations: Int = 0, parts: [Part] = []) {
            self.seconds = seconds
            self.operations = operations
            self.parts = parts
        }
    }

    public internal(set) var parts: [Part]

    package init(parts: [Part]) { self.parts = parts }

    /// The time on one thread.
    public var seconds: Double { parts.reduce(0) { $0 + $1.seconds } }
    /// The operations of all parts.
    public var operations: Int { parts.reduce(0) { $0 + $1.operations } }

    /// The recording of a processor that takes the same time for every operation, and no time for anything else. A
    /// recording of this kind is the same each time, and on every machine with the instruction set.
    ///
    /// - Parameter rate: operations in a second.
    public func timed(operationsPerSecond rate: Double) -> Recording {
        Recording(parts: parts.map { $0.timed(operationsPerSecond: rate) })
    }
}

extension Recording.Part {
    fileprivate func timed(operationsPerSecond rate: Double) -> Self {
        Self(
            planStep: planStep, serial: Double(serialOperations) / rate, serialOperations: serialOperations,
            calls: calls.map { call in
                Recording.Call(
                    mostWorkers: call.mostWorkers,
                    tasks: call.tasks.map { task in
                        Recording.Task(
                            seconds: Double(task.operations) / rate, operations: task.operations,
                            parts: task.parts.map { $0.timed(operationsPerSecond: rate) })
                    })
            })
    }
}

/// Two recordings of one step are cut differently.
public struct DifferentCuts: Error {}

extension Recording {
    /// True if both steps are cut in the same way.
    public func isCut(as other: Recording) -> Bool {
        parts.elementsEqual(other.parts) { $0.planStep == $1.planStep && $0.isCut(as: $1) }
    }

    /// Each time is the median of the times of `recordings`, which are of steps of one network. Their operations are
    /// the same.
    public init(medianOf recordings: [Recording]) throws(DifferentCuts) {
        parts = try median(recordings.map(\.parts)) { parts throws(DifferentCuts) in try Part(medianOf: parts) }
    }
}

extension Recording.Part {
    fileprivate func isCut(as other: Self) -> Bool {
        calls.elementsEqual(other.calls) {
            $0.mostWorkers == $1.mostWorkers
                && $0.tasks.elementsEqual($1.tasks) { $0.parts.elementsEqual($1.parts) { $0.isCut(as: $1) } }
        }
    }

    fileprivate init(medianOf parts: [Self]) throws(DifferentCuts) {
        guard parts.allSatisfy({ $0.planStep == parts[0].planStep }) else { throw DifferentCuts() }
        self.init(
            planStep: parts[0].planStep, serial: median(parts.map(\.serial)),
            serialOperations: parts[0].serialOperations,
            calls: try median(parts.map(\.calls)) { calls throws(DifferentCuts) in
                Recording.Call(
                    mostWorkers: calls[0].mostWorkers,
                    tasks: try median(calls.map(\.tasks)) { tasks throws(DifferentCuts) in
                        Recording.Task(
                            seconds: median(tasks.map(\.seconds)), operations: tasks[0].operations,
                            parts: try median(tasks.map(\.parts)) { parts throws(DifferentCuts) in
                                try Recording.Part(medianOf: parts)
                            })
                    })
            })
    }
}

private func median(_ numbers: [Double]) -> Double { numbers.sorted()[numbers.count / 2] }

/// The medians of the elements that have the same place in each list.
private func median<Element>(
    _ lists: [[Element]], _ medianOf: ([Element]) throws(DifferentCuts) -> Element
) throws(DifferentCuts) -> [Element] {
    guard lists.allSatisfy({ $0.count == lists[0].count }) else { throw DifferentCuts() }
    var result: [Element] = []
    for index in lists[0].indices { result.append(try medianOf(lists.map { $0[index] })) }
    return result
}
