/// The states of a run's observers, by type and by place among the observers of this type: `EarlyStopping`,
/// `EarlyStopping 2`.
enum ObserverStates {
    /// The states of the observers that have one.
    static func of(_ observers: [any TrainingObserver]) -> [String: String] {
        var states: [String: String] = [:]
        for (name, observer) in named(observers) { states[name] = observer.savedState }
        return states
    }

    /// Gives the observers their states.
    static func restore(_ states: [String: String], to observers: [any TrainingObserver]) throws {
        for (name, observer) in named(observers) {
            if let state = states[name] { try observer.restore(state) }
        }
    }

    private static func named(_ observers: [any TrainingObserver]) -> [(String, any TrainingObserver)] {
        var counts: [String: Int] = [:]
        return observers.map { observer in
            let type = "\(type(of: observer))"
            let count = (counts[type] ?? 0) + 1
            counts[type] = count
            return (count == 1 ? type : "\(type) \(count)", observer)
        }
    }
}

extension Run {
    /// Gives the observers the states that the run was saved with, once.
    func restoreWatchers() throws {
        try ObserverStates.restore(observerStates, to: watchers)
        observerStates = [:]
    }
}
