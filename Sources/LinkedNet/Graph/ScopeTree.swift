/// The scopes that a network's layers are built in, and the paths that they give to parameters, states and operations.
struct ScopeTree {
    /// The scope around all layers.
    static let root = 0

    private struct Scope {
        let parent: Int
        /// The name that the layer asked for.
        let name: String
        /// The path, with a number where a sibling has the same name.
        let path: [String]
    }

    private var scopes = [Scope(parent: -1, name: "", path: [])]
    private var counts: [String: Int] = [:]

    /// Adds a scope within `parent`.
    mutating func add(_ name: String, in parent: Int) -> Int {
        let path = scopes[parent].path
        let count = counts[Self.joined(path + [name]), default: 0]
        counts[Self.joined(path + [name])] = count + 1
        scopes.append(Scope(parent: parent, name: name, path: path + [Self.numbered(name, count)]))
        return scopes.count - 1
    }

    /// The scopes called `name` within `parent`, in the order in which they were added.
    func children(of parent: Int, named name: String) -> [Int] {
        scopes.indices.filter { scopes[$0].parent == parent && scopes[$0].name == name }
    }

    /// The path of a scope: `residual_2/conv2d_1`. Empty for the root.
    func path(of scope: Int) -> String { Self.joined(scopes[scope].path) }

    /// The paths of all scopes, in which no number makes a name that a sibling was given. Of `conv2d`, `conv2d` and
    /// `conv2d_1` the second becomes `conv2d_2`, in any order of the three. No two paths are the same, unless a given
    /// name looks like a path.
    func pathsOfFreeNames() -> [String] {
        var given: [Int: Set<String>] = [:]
        for scope in scopes.dropFirst() { given[scope.parent, default: []].insert(scope.name) }
        var counts: [Int: [String: Int]] = [:]
        var paths: [[String]] = [[]]
        for scope in scopes.dropFirst() {
            var count = counts[scope.parent]?[scope.name] ?? 0
            while count > 0, given[scope.parent]?.contains(Self.numbered(scope.name, count)) == true { count += 1 }
            counts[scope.parent, default: [:]][scope.name] = count + 1
            paths.append(paths[scope.parent] + [Self.numbered(scope.name, count)])
        }
        return paths.map(Self.joined)
    }

    private static func numbered(_ name: String, _ count: Int) -> String { count == 0 ? name : "\(name)_\(count)" }

    private static func joined(_ path: [String]) -> String { path.joined(separator: "/") }
}
