#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Files of failed writes that could not be removed: a disk that fails to write often fails to remove, too. The files
/// are removed later, so that leftovers don't pile up.
struct Leftovers {
    private var paths: [String] = []

    /// Removes a file, now or later.
    mutating func remove(_ path: String, on disk: any Disk) {
        if !Self.remove(path, on: disk) { paths.append(path) }
    }

    /// Removes the files that could not be removed before.
    mutating func removeAll(on disk: any Disk) { paths.removeAll { Self.remove($0, on: disk) } }

    /// True if the file is gone, or never was there.
    private static func remove(_ path: String, on disk: any Disk) -> Bool {
        do throws(DiskError) {
            try disk.remove(path)
            return true
        } catch {
            return error.code == ENOENT
        }
    }
}
