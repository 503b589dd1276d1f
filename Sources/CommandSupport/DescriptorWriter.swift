import Foundation
import Synchronization

/// Writes texts to a descriptor, each as a whole and in order, whatever is at the other end: a file, a terminal, a pipe
/// whose reader is slow or gone.
final class DescriptorWriter: Sendable {
    private enum State {
        case open
        /// The reader is gone: nobody misses what is not written.
        case ended
        /// The system's error number. What follows isn't written: a gap would go unnoticed.
        case failed(Int32)
    }

    private let descriptor: Int32
    private let onFailure: @Sendable (Int32) -> Void
    private let state = Mutex(State.open)

    /// A pipe that says it has room takes this many bytes without blocking.
    private static let pieceSize = Int(PIPE_BUF)
    /// When the process was told to end, a reader that takes nothing is waited for no longer than this.
    private static let patience = Duration.seconds(5)

    /// - Parameter onFailure: is told the system's error number when writing fails, once.
    init(_ descriptor: Int32, onFailure: @escaping @Sendable (Int32) -> Void = { _ in }) {
        self.descriptor = descriptor
        self.onFailure = onFailure
    }

    /// Writes all of `text`. Waits for a slow reader, also if the descriptor doesn't block.
    func write(_ text: String) {
        let failure: Int32? = state.withLock { state in
            guard case .open = state else { return nil }
            state = put(Array(text.utf8))
            if case .failed(let code) = state { return code }
            return nil
        }
        if let failure { onFailure(failure) }
    }

    /// Why writing failed, the system's last word included; `nil` if it didn't.
    func finish() -> Int32? {
        state.withLock { state in
            if case .open = state {
                // Some file systems say only at closing that they had no room. The descriptor itself stays taken.
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
            // A terminal that was closed.
            case EIO where isatty(descriptor) == 1: return .ended
            case let code: return .failed(code)
            }
        }
        return .open
    }

    /// Waits until the descriptor takes bytes, or writing would say why it doesn't; false if that takes too long.
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
