import Foundation
import LinkedNet

/// Describes a place without readable data, and names the cure.
enum DataPlace {
    /// The archive with CIFAR-10's binary version, and the page that offers the archive.
    private static let archive = "cifar-10-binary.tar.gz"
    private static let origin = "https://www.cs.toronto.edu/~kriz/cifar.html"
    private static let pictureTypes: Set = ["png", "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm"]
    private static let archiveTypes = [".tar.gz", ".tgz", ".tar", ".tar.xz", ".tar.bz2", ".zip"]
    /// The largest number of a directory's names to look at.
    private static let mostNames = 1000

    /// The way to get CIFAR-10 into `data`, for the middle of a sentence.
    static func howToGetCIFAR10(_ workingDirectory: String) -> String {
        for place in ["data/\(archive)", archive] where Place.exists("\(workingDirectory)/\(place)") {
            return "unpack what is there: mkdir -p data && tar -xzf \(place) -C data"
        }
        return "unpack \(archive) of \(origin) into data/"
    }

    /// Describes a path that is no directory.
    ///
    /// - Parameter argument: the path as given.
    static func description(of path: String, _ argument: String) -> String {
        let name = argument.split(separator: "/").last.map(String.init) ?? argument
        guard Place.exists(path) else {
            let names = ["fashion-mnist", "shapes"]
            let meant = name == argument ? name.nearest(in: names) : nil
            return "no such file or directory" + (meant.map { "; did you mean \($0)?" } ?? "")
        }
        if isArchive(name) { return archiveDescription(argument, name) }
        if name.contains("-ubyte") {
            return "one of several IDX files; --data takes the directory that has them: \(directory(of: argument))"
        }
        let type = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
        if pictureTypes.contains(type) { return "a picture; \(aboutPictures)" }
        return "something that is no directory"
    }

    /// Describes a directory without readable data.
    static func description(ofDirectory path: String, _ argument: String) -> String {
        let names = list(path)
        if names.contains("cifar-10-batches-py") || names.contains("data_batch_1") {
            return aboutPython("CIFAR-10", archive)
        }
        if names.contains("cifar-100-python") || names.isSuperset(of: ["meta", "test", "train"]) {
            return aboutPython("CIFAR-100", "cifar-100-binary.tar.gz")
        }
        if let name = names.filter(isArchive).sorted().first {
            return "a directory with the \(archiveDescription("\(argument)/\(name)", name).dropFirst(3))"
        }
        // Pictures often lie in a directory for each class, often below "train" and "test".
        let folders = names.sorted().prefix(8).map { "\(path)/\($0)" }.filter(Place.isDirectory)
        let deeper = folders.prefix(4).flatMap { folder in list(folder).sorted().prefix(4).map { "\(folder)/\($0)" } }
        if holdsPictures(names) || (folders + deeper).contains(where: { holdsPictures(list($0)) }) {
            return "a directory of pictures; \(aboutPictures)"
        }
        return "a directory with none of their files"
    }

    private static func isArchive(_ name: String) -> Bool {
        archiveTypes.contains { name.lowercased().hasSuffix($0) }
    }

    private static func archiveDescription(_ path: String, _ name: String) -> String {
        let lower = name.lowercased()
        if lower.hasPrefix("cifar-10-python") { return "an archive of " + aboutPython("CIFAR-10", archive) }
        if lower.hasPrefix("cifar-100-python") {
            return "an archive of " + aboutPython("CIFAR-100", "cifar-100-binary.tar.gz")
        }
        let place = directory(of: path)
        let unpack =
            lower.hasSuffix(".zip")
            ? "unzip \(path.quotedForShell) -d \(place.quotedForShell)"
            : "tar -xf \(path.quotedForShell) -C \(place.quotedForShell)"
        return "an archive, to be unpacked first: \(unpack), then --data \(place.quotedForShell)"
    }

    private static func aboutPython(_ name: String, _ archive: String) -> String {
        "\(name)'s Python version, which isn't read; take the binary version, \(archive) of \(origin)"
    }

    private static let aboutPictures =
        "picture files aren't read: convert them to IDX files, or write a program that makes an ImageDataset"

    private static func holdsPictures(_ names: Set<String>) -> Bool {
        names.contains { name in name.split(separator: ".").last.map { pictureTypes.contains($0.lowercased()) } ?? false
        }
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func list(_ path: String) -> Set<String> {
        Set(((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).prefix(mostNames))
    }
}
