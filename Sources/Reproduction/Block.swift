/// A piece of a page, which can be written as Markdown and as HTML.
enum Block {
    case paragraph(String)
    case heading(String)
    /// Titles, rows; the first column is flush left, the others right.
    case table([String], [[String]])
    /// A file's name, what it shows, and the picture itself.
    case picture(file: String, caption: String, svg: String)
    /// What regenerates the figures above.
    case command(String)

    var markdown: String {
        switch self {
        case .paragraph(let text): return text
        case .heading(let text): return "## \(text)"
        case .table(let titles, let rows):
            func line(_ cells: [String]) -> String { "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |" }
            let rule = "|" + titles.indices.map { $0 == 0 ? "---|" : "---:|" }.joined()
            return ([line(titles), rule] + rows.map(line)).joined(separator: "\n")
        case .picture(let file, let caption, _): return "![\(caption)](\(file))"
        case .command(let text): return "```\n\(text)\n```"
        }
    }

    var html: String {
        func text(_ text: String) -> String { SVGText.escaped(text) }
        switch self {
        case .paragraph(let content): return "<p>\(text(content))</p>"
        case .heading(let content): return "<h3>\(text(content))</h3>"
        case .table(let titles, let rows):
            let head = titles.map { "<th>\(text($0))</th>" }.joined()
            let body = rows.map { "<tr>" + $0.map { "<td>\(text($0))</td>" }.joined() + "</tr>" }.joined(separator: "\n")
            return "<div class=\"wide\"><table><thead><tr>\(head)</tr></thead><tbody>\n\(body)\n</tbody></table></div>"
        case .picture(_, let caption, let svg):
            return "<figure>\n\(svg)<figcaption>\(text(caption))</figcaption></figure>"
        case .command(let content): return "<pre><code>\(text(content))</code></pre>"
        }
    }
}
