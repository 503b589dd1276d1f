import CKernels

/// How the kernels run: on how many threads, with which instructions.
///
/// Both are properties of the process, which are set before training starts. A thread may have another number of
/// threads for what it asks for: ``withThreadCount(_:_:)``.
public enum Runtime {
    /// How many threads kernels use; at least 1. The default is the number that the environment variable
    /// `OMP_NUM_THREADS` names, else the number of processors that this process may use: those of its affinity mask, at
    /// most as many as the quotas of its control groups give, rounded up. Where the system gives fewer threads, kernels
    /// use fewer.
    ///
    /// Results have the same bits for any number of threads.
    public static var threadCount: Int {
        get { Int(ck_threads()) }
        set { ck_set_threads(Int32(clamping: newValue)) }
    }

    /// Asks the system for ``threadCount`` threads and for three more, which load the training's data and the test's,
    /// and save. Lowers ``threadCount`` to what the system gives. To be called while the process has one thread.
    ///
    /// - Returns: true if ``threadCount`` was lowered.
    package static func fitThreadsToSystem() -> Bool {
        let wanted = ck_threads()
        return ck_fit_threads(3) < wanted
    }

    /// Calls `body` on a thread of its own, on any of the process's processors: variables such as `OMP_PROC_BIND` bind
    /// the threads that compute, and a thread inherits its maker's binding.
    ///
    /// - Returns: false if there is no thread to be had. `body` isn't called then.
    static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        BackgroundThread.start {
            ck_unbind_thread()
            body()
        }
    }

    /// Runs `body` with another number of threads, at least 1, for the kernels that the calling thread asks for and for
    /// networks that it builds; other threads keep theirs.
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

    /// What `CK_ISA` asked for, if this CPU or build doesn't have it and it was ignored.
    public static var rejectedInstructionSet: String? { ck_isa_rejected_request().map { String(cString: $0) } }
}

/// Work in parts, of which threads take one each at a time.
class ConcurrentWork {
    /// Does a part. What runs at once writes to disjoint memory, which `worker` may choose; results must not depend on
    /// it.
    func run(_ part: Int, worker: Int) {}

    /// Follows each part on its worker: one at a time, in the parts' order.
    func finish(_ part: Int, worker: Int) {}
}

extension Runtime {
    /// Runs parts 0 ..< `parts` on at most `workers` threads, and returns when all are done. Kernels that a part calls
    /// stay on its thread, unless there is one worker only. Allocates nothing.
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
