import LinkedNet

/// The sources that a page's figures were trained with. Another version of the kernels may add the same numbers in
/// another order. A training then gives another figure, and the difference is about as large as with another seed.
struct Provenance {
    /// The commits, in order of appearance, and the titles of the cells that were trained with each.
    private var commits: [(name: String, titles: [String])] = []

    init(_ results: [CellResult]) {
        for result in results {
            for name in result.records.compactMap(\.commit).map(Self.shortened) {
                let index = commits.firstIndex { $0.name == name } ?? commits.endIndex
                if index == commits.endIndex { commits.append((name, [])) }
                if commits[index].titles.last != result.cell.title { commits[index].titles.append(result.cell.title) }
            }
        }
    }

    /// Empty if no record names a commit, because the trainings were done without git.
    var blocks: [Block] {
        guard let first = commits.first else { return [] }
        guard commits.count > 1 else { return [.paragraph("Trained with the sources of commit \(first.name).")] }
        return [
            .paragraph("Trained with the sources of these commits:"),
            .list(commits.map { "\($0.name): \($0.titles.joined(separator: "; "))" }),
        ]
    }

    /// A commit's whole name in the short form of `git log --oneline`. Any other name, such as a tag, stays the same.
    private static func shortened(_ commit: String) -> String {
        let hash = commit.prefix { $0.isHexDigit }
        return hash.count == 40 ? "\(hash.prefix(10))\(commit.dropFirst(40))" : commit
    }
}
