import LinkedNet

/// A piece of a page, which can be written as Markdown and as HTML.
enum Block {
    case paragraph(String)
    case heading(String)
    case list([String])
    /// Titles and rows. Columns of words are flush left, and columns of figures are flush right.
    case table([String], [[String]])
    /// The file's name, the caption, and the picture itself.
    case picture(file: String, caption: String, svg: String)
    /// A command that regenerates the figures above.
    case command(String)
    /// Blocks below a title. The page shows the blocks when the reader opens the title.
    indirect case details(String, [Block])

    /// The pictures in the block.
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
            func line(_ cells: [String]) -> String {
                "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
            }
            let rule = "|" + titles.indices.map { Self.isText($0, rows) ? "---|" : "---:|" }.joined()
            return ([line(titles), rule] + rows.map(line)).joined(separator: "\n")
        case .picture(let file, let caption, _): return "![\(caption)](\(file))"
        case .command(let text): return "```\n\(text)\n```"
        case .details(let title, let blocks):
            // Within HTML, Markdown begins after an empty line.
            return "<details><summary>\(MarkupText.escaped(title))</summary>\n\n"
                + blocks.map(\.markdown).joined(separator: "\n\n") + "\n\n</details>"
        }
    }

    /// True for the first column, and for a column with words.
    private static func isText(_ column: Int, _ rows: [[String]]) -> Bool {
        column == 0
            || rows.contains { row in
                row[column] != "not run" && row[column] != "none" && row[column].first?.isLetter == true
            }
    }

    /// The style classes of cells that begin with these words.
    private static let styles: KeyValuePairs = [
        "as in the paper": "agrees", "differs": "differs", "not run": "quiet",
        "too small to tell": "quiet", "none to speak of": "quiet",
    ]

    var html: String {
        func text(_ text: String) -> String { MarkupText.escaped(text) }
        switch self {
        case .paragraph(let content): return "<p>\(text(content))</p>"
        case .heading(let content): return "<h3>\(text(content))</h3>"
        case .list(let items): return "<ul>" + items.map { "<li>\(text($0))</li>" }.joined() + "</ul>"
        case .table(let titles, let rows):
            func cell(_ tag: String, _ column: Int, _ content: String) -> String {
                let styles = [
                    Self.isText(column, rows) ? "text" : nil, Self.styles.first { content.hasPrefix($0.key) }?.value,
                ]
                let names = styles.compactMap(\.self).joined(separator: " ")
                return "<\(tag)\(names.isEmpty ? "" : " class=\"\(names)\"")>\(text(content))</\(tag)>"
            }
            func line(_ tag: String, _ cells: [String]) -> String {
                "<tr>" + cells.enumerated().map { cell(tag, $0.offset, $0.element) }.joined() + "</tr>"
            }
            let body = rows.map { line("td", $0) }.joined(separator: "\n")
            return
                """
                <div class="wide"><table><thead>\(line("th", titles))</thead><tbody>
                \(body)
                </tbody></table></div>
                """
        // The picture contains its title.
        case .picture(_, _, let svg): return "<figure>\n\(svg)</figure>"
        case .command(let content): return "<pre><code>\(text(content))</code></pre>"
        case .details(let title, let blocks):
            return
                "<details><summary>\(text(title))</summary>\n\(blocks.map(\.html).joined(separator: "\n"))\n</details>"
        }
    }
}
