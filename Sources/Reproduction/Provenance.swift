import LinkedNet

/// Which sources a page's figures were trained with. Another version of the kernels may add the same numbers in another
/// order; a training then comes to another figure, about as far from the first as another seed's.
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

    /// Nothing where no record names a commit: they were trained without git.
    var blocks: [Block] {
        guard let first = commits.first else { return [] }
        guard commits.count > 1 else { return [.paragraph("Trained with the sources of commit \(first.name).")] }
        return [
            .paragraph("Trained with the sources of these commits:"),
            .list(commits.map { "\($0.name): \($0.titles.joined(separator: "; "))" }),
        ]
    }

    /// A commit's whole name as `git log --oneline` shows it; anything else, such as a tag, as it is.
    private static func shortened(_ commit: String) -> String {
        let hash = commit.prefix { $0.isHexDigit }
        return hash.count == 40 ? "\(hash.prefix(10))\(commit.dropFirst(40))" : commit
    }
}
