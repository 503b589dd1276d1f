/// The version of this library, which every saved run names.
public enum LibraryVersion {
    /// Major, minor and patch, as in CHANGELOG.md.
    public static let current = "0.1.0"
}
