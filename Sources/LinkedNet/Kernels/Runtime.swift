import CKernels

/// The number of threads and the instructions of the kernels.
///
/// Both are properties of the process and are set before training starts. A thread may have another number of threads
/// for its own kernel calls: ``withThreadCount(_:_:)``.
public enum Runtime {
    /// The number of threads that kernels use; at least 1. The default is the number that the environment variable
    /// `OMP_NUM_THREADS` names, else the number of processors that this process may use: the processors of the affinity
    /// mask, but no more than the quotas of the control groups allow, rounded up. Where the system gives fewer threads,
    /// kernels use fewer.
    ///
    /// Results have the same bits for any number of threads.
    public static var threadCount: Int {
        get { Int(ck_threads()) }
        set { ck_set_threads(Int32(clamping: newValue)) }
    }

    /// Asks the system for ``threadCount`` threads and for three more, which load the training's data, load the test's
    /// data, and save. Lowers ``threadCount`` to the number that the system gives. Callers call this function while the
    /// process has one thread.
    ///
    /// - Returns: true if ``threadCount`` was lowered.
    package static func fitThreadsToSystem() -> Bool {
        let wanted = ck_threads()
        return ck_fit_threads(3) < wanted
    }

    /// Calls `body` on a new thread that may run on any of the process's processors. Variables such as `OMP_PROC_BIND`
    /// bind the threads that compute, and a new thread otherwise inherits its maker's binding.
    ///
    /// - Returns: false if the system gives no thread. `body` isn't called then.
    static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        BackgroundThread.start {
            ck_unbind_thread()
            body()
        }
    }

    /// Runs `body` with another number of threads, at least 1, for the calling thread's kernels and for networks that
    /// the calling thread builds. Other threads keep their number.
    public static func withThreadCount<Result, Failure>(
        _ count: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = ck_set_own_threads(Int32(clamping: max(count, 1)))
        defer { ck_set_own_threads(before) }
        return try body()
    }

    /// The instruction set in use, `portable`, `neon`, `avx2` or `avx512`: the best that the CPU has, or the one that
    /// the environment variable `CK_ISA` names.
    public static var instructionSet: String { String(cString: ck_isa_name(ck_isa_current())) }

    /// The instruction set in `CK_ISA`, if this CPU or build doesn't have the set, so that the variable was ignored.
    public static var rejectedInstructionSet: String? { ck_isa_rejected_request().map { String(cString: $0) } }
}

/// Work in parts. Each worker takes one part at a time.
class ConcurrentWork {
    /// Does a part. Parts that run at once write to disjoint memory, which `worker` may choose. Results must not depend
    /// on `worker`.
    func run(_ part: Int, worker: Int) {}

    /// Follows each part on its worker. One call runs at a time, in the parts' order.
    func finish(_ part: Int, worker: Int) {}
}

extension Runtime {
    /// Runs parts 0 ..< `parts` on at most `workers` threads, and returns when all parts are done. Other threads share
    /// the kernels that a part calls: all threads if there is only one worker, else a team for each worker. Allocates
    /// nothing.
    static func run(_ work: ConcurrentWork, parts: Int, workers: Int) {
        ck_run_tasks(
            Int64(parts), Int32(clamping: workers),
            { context, part, worker in
                guard let context else { return }
                Unmanaged<ConcurrentWork>.fromOpaque(context).takeUnretainedValue().run(Int(part), worker: Int(worker))
            },
            { context, part, worker in
                guard let context else { return }
                Unmanaged<ConcurrentWork>.fromOpaque(context).takeUnretainedValue().finish(
                    Int(part), worker: Int(worker))
            }, Unmanaged.passUnretained(work).toOpaque())
    }
}
