import Foundation
import Synchronization

/// Writes texts to a descriptor, each text as a whole and in order. The other end may be a file, a terminal, or a pipe
/// whose reader is slow or gone.
final class DescriptorWriter: Sendable {
    private enum State {
        case open
        /// The reader is gone, so nobody misses the texts that are not written.
        case ended
        /// The system's error number. Later texts aren't written, because nobody would notice the gap.
        case failed(Int32)
    }

    private let descriptor: Int32
    private let onFailure: @Sendable (Int32) -> Void
    private let state = Mutex(State.open)

    /// A pipe that reports room takes this many bytes without blocking.
    private static let pieceSize = Int(PIPE_BUF)
    /// The longest wait for a reader that takes nothing, after the process was told to end.
    private static let patience = Duration.seconds(5)

    /// - Parameter onFailure: gets the system's error number when writing fails, once.
    init(_ descriptor: Int32, onFailure: @escaping @Sendable (Int32) -> Void = { _ in }) {
        self.descriptor = descriptor
        self.onFailure = onFailure
    }

    /// Writes all of `text`. Waits for a slow reader, even if the descriptor doesn't block.
    func write(_ text: String) {
        let failure: Int32? = state.withLock { state in
            guard case .open = state else { return nil }
            state = put(Array(text.utf8))
            if case .failed(let code) = state { return code }
            return nil
        }
        if let failure { onFailure(failure) }
    }

    /// The system's error number if a write failed, or if the system reports a failure only now; otherwise `nil`.
    func finish() -> Int32? {
        state.withLock { state in
            if case .open = state {
                // Some file systems report a lack of room only at closing. The copy is closed, and the descriptor
                // itself stays open.
                let copy = dup(descriptor)
                if copy >= 0, close(copy) != 0, errno != EINTR { state = .failed(errno) }
            }
            if case .failed(let code) = state { return code }
            return nil
        }
    }

    private func put(_ bytes: [UInt8]) -> State {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard waitForRoom() else { return .ended }
            let count = rest.prefix(Self.pieceSize).withUnsafeBytes { piece in
                Foundation.write(descriptor, piece.baseAddress, piece.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch count == 0 ? EIO : errno {
            case EINTR, EAGAIN, EWOULDBLOCK: continue
            case EPIPE: return .ended
            // The terminal was closed.
            case EIO where isatty(descriptor) == 1: return .ended
            case let code: return .failed(code)
            }
        }
        return .open
    }

    /// Waits until the descriptor takes bytes, or until a write would report an error; false if the wait takes too
    /// long.
    private func waitForRoom() -> Bool {
        var deadline: ContinuousClock.Instant?
        while true {
            var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let count = poll(&request, 1, 200)
            if count > 0 || count < 0 && errno != EINTR { return true }
            guard Interruption.signal != nil else { continue }
            let end = deadline ?? .now + Self.patience
            deadline = end
            if .now >= end { return false }
        }
    }
}
