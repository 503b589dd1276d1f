/// The version of this library, which every saved run names.
public enum LibraryVersion {
    /// Major, minor and patch, as CHANGELOG.md has them.
    public static let current = "0.1.0"
}
