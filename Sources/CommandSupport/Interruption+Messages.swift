import Foundation
import Synchronization

/// The messages of a signal's handler. The handler may use only write(2), and memory that existed before the signal
/// came.
extension Interruption {
    private static let lineOpen = Atomic<Bool>(false)
    private static let savedLength = Atomic<Int>(0)
    private static let savedCapacity = 2048
    nonisolated(unsafe) private static let savedText = UnsafeMutablePointer<UInt8>.allocate(capacity: savedCapacity)

    private static let stopping: StaticString =
        "stopping after this step, and saving; another signal, a second from now or later, leaves at once\n"
    private static let leaving: StaticString = "left at once, without a save\n"

    /// True while the terminal's last line has no end.
    static var isLineOpen: Bool {
        get { lineOpen.load(ordering: .relaxed) }
        set { lineOpen.store(newValue, ordering: .relaxed) }
    }

    /// Makes the globals. Swift otherwise makes a global at its first use, which may be in the handler.
    static func prepareMessages() {
        savedLength.store(0, ordering: .relaxed)
        isLineOpen = false
        savedText.update(repeating: 0, count: savedCapacity)
        _ = (stopping, leaving)
    }

    /// Sets the text that a second signal prints when the signal ends the process: a description of the last save.
    package static func setSaved(_ text: String) {
        // A signal that comes in between finds no text, rather than half a text.
        savedLength.store(0, ordering: .sequentiallyConsistent)
        var length = 0
        for byte in text.utf8.prefix(savedCapacity - 1) {
            savedText[length] = byte
            length += 1
        }
        savedText[length] = UInt8(ascii: "\n")
        savedLength.store(length + 1, ordering: .sequentiallyConsistent)
    }

    /// In the handler: the first signal was noted.
    static func announceStop() { say(stopping.utf8Start, stopping.utf8CodeUnitCount) }

    /// In the handler: the process is about to end.
    static func announceLeave() {
        say(leaving.utf8Start, leaving.utf8CodeUnitCount)
        let length = savedLength.load(ordering: .sequentiallyConsistent)
        if length > 0 { _ = write(STDERR_FILENO, savedText, length) }
    }

    private static func say(_ text: UnsafePointer<UInt8>, _ count: Int) {
        let code = errno
        if isLineOpen {
            var end = UInt8(ascii: "\n")
            _ = write(STDERR_FILENO, &end, 1)
        }
        _ = write(STDERR_FILENO, text, count)
        errno = code
    }
}
