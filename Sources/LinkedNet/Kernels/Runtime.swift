import CKernels

/// How the kernels run: on how many threads, with which instructions.
///
/// Both are properties of the process, which are set before training starts. A thread may have another number of
/// threads for what it asks for: ``withThreadCount(_:_:)``.
public enum Runtime {
    /// How many threads kernels use; at least 1. The default is the number of CPUs that this process may run on.
    ///
    /// Results have the same bits for any number of threads.
    public static var threadCount: Int {
        get { Int(ck_threads()) }
        set { ck_set_threads(Int32(clamping: newValue)) }
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
