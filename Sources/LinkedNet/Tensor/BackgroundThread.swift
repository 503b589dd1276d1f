#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The system refused a thread.
public struct OutOfThreads: Error, CustomStringConvertible {
    public var description: String { "the system has no thread to give (limits of processes: ulimit -u, pids.max)" }
}

/// A thread beside the caller's thread. Foundation's `Thread` doesn't report that the system refused a thread, and then
/// never runs its block.
enum BackgroundThread {
    private final class Work {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Calls `body` on a thread of its own.
    ///
    /// - Returns: false if the system gives no thread. `body` isn't called then.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        let work = Unmanaged.passRetained(Work(body))
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        let code = pthread_create(&thread, nil, Self.run, work.toOpaque())
        guard code == 0 else {
            work.release()
            return false
        }
        #if canImport(Glibc)
        pthread_detach(thread)
        #else
        if let thread { pthread_detach(thread) }
        #endif
        return true
    }

    #if canImport(Darwin)
    private static let run: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { pointer in
        perform(pointer)
        return nil
    }
    #else
    private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
        if let pointer { perform(pointer) }
        return nil
    }
    #endif

    private static func perform(_ pointer: UnsafeMutableRawPointer) {
        Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
    }
}
