/// A piece of a page, which can be written as Markdown and as HTML.
enum Block {
    case paragraph(String)
    case heading(String)
    case list([String])
    /// Titles, rows; the first column is flush left, the others right.
    case table([String], [[String]])
    /// A file's name, what it shows, and the picture itself.
    case picture(file: String, caption: String, svg: String)
    /// What regenerates the figures above.
    case command(String)
    /// What is shown when it is opened, below a title.
    indirect case details(String, [Block])

    /// The pictures in it.
    var pictures: [(file: String, svg: String)] {
        switch self {
        case .picture(let file, _, let svg): [(file, svg)]
        case .details(_, let blocks): blocks.flatMap(\.pictures)
        case .paragraph, .heading, .list, .table, .command: []
        }
    }

    var markdown: String {
        switch self {
        case .paragraph(let text): return text
        case .heading(let text): return "## \(text)"
        case .list(let items): return items.map { "- \($0)" }.joined(separator: "\n")
        case .table(let titles, let rows):
            func line(_ cells: [String]) -> String { "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |" }
            let rule = "|" + titles.indices.map { $0 == 0 ? "---|" : "---:|" }.joined()
            return ([line(titles), rule] + rows.map(line)).joined(separator: "\n")
        case .picture(let file, let caption, _): return "![\(caption)](\(file))"
        case .command(let text): return "```\n\(text)\n```"
        case .details(let title, let blocks):
            // Within HTML, Markdown begins after an empty line.
            return "<details><summary>\(SVGText.escaped(title))</summary>\n\n" + blocks.map(\.markdown).joined(separator: "\n\n") + "\n\n</details>"
        }
    }

    /// How cells look that begin with these words.
    private static let styles: KeyValuePairs = ["as in the paper": "agrees", "differs": "differs", "not run": "quiet", "within the spread": "quiet", "none to speak of": "quiet"]

    var html: String {
        func text(_ text: String) -> String { SVGText.escaped(text) }
        switch self {
        case .paragraph(let content): return "<p>\(text(content))</p>"
        case .heading(let content): return "<h3>\(text(content))</h3>"
        case .list(let items): return "<ul>" + items.map { "<li>\(text($0))</li>" }.joined() + "</ul>"
        case .table(let titles, let rows):
            let head = titles.map { "<th>\(text($0))</th>" }.joined()
            func cell(_ content: String) -> String {
                let style = Self.styles.first { content.hasPrefix($0.key) }.map { " class=\"\($0.value)\"" } ?? ""
                return "<td\(style)>\(text(content))</td>"
            }
            let body = rows.map { "<tr>" + $0.map(cell).joined() + "</tr>" }.joined(separator: "\n")
            return "<div class=\"wide\"><table><thead><tr>\(head)</tr></thead><tbody>\n\(body)\n</tbody></table></div>"
        case .picture(_, let caption, let svg):
            return "<figure>\n\(svg)<figcaption>\(text(caption))</figcaption></figure>"
        case .command(let content): return "<pre><code>\(text(content))</code></pre>"
        case .details(let title, let blocks):
            return "<details><summary>\(text(title))</summary>\n<div class=\"pictures\">\n\(blocks.map(\.html).joined(separator: "\n"))\n</div></details>"
        }
    }
}
