/// All pages in one HTML document that needs nothing else.
struct IndexPage {
    let introduction: [Block]
    let sections: [(page: Page, blocks: [Block])]

    var html: String {
        let links = sections.map { "<a href=\"#\($0.page.rawValue)\">\(SVGText.escaped($0.page.title))</a>" }.joined(separator: "\n")
        let content = sections.map { section in
            """
            <section id="\(section.page.rawValue)">
            <h2>\(SVGText.escaped(section.page.title))</h2>
            \(section.blocks.map(\.html).joined(separator: "\n"))
            </section>
            """
        }.joined(separator: "\n")
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <link rel="icon" href="data:,">
            <title>Linked neurons, reproduced</title>
            <style>
            \(Self.css)
            </style>
            </head>
            <body>
            <header>
            <h1>Linked neurons, reproduced</h1>
            \(introduction.map(\.html).joined(separator: "\n"))
            </header>
            <nav>
            \(links)
            </nav>
            <main>
            \(content)
            </main>
            </body>
            </html>

            """
    }

    private static let css = """
        :root{--ink:#1f2328;--quiet:#59636e;--ground:#f6f8fa;--card:#fff;--line:#d8dee4;--link:#0969da}
        @media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--quiet:#9198a1;--ground:#0d1117;--card:#151b23;--line:#30363d;--link:#4493f8}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.55 system-ui,sans-serif}
        header,main{max-width:1000px;margin:0 auto;padding:0 24px}
        header{padding-top:40px}
        h1{font-size:30px;line-height:1.2;margin:0 0 12px;letter-spacing:-.02em}
        h2{font-size:21px;margin:0 0 12px;letter-spacing:-.01em}
        h3{font-size:16px;margin:32px 0 8px}
        p{max-width:75ch;margin:0 0 12px}
        header p{color:var(--quiet)}
        nav{position:sticky;top:0;z-index:1;display:flex;flex-wrap:wrap;gap:4px 20px;justify-content:center;padding:10px 24px;margin-top:20px;background:var(--card);border-block:1px solid var(--line)}
        a{color:var(--link);text-decoration:none}
        a:hover{text-decoration:underline}
        section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:26px 28px;margin:24px 0;scroll-margin-top:64px}
        .wide{overflow-x:auto;margin:14px 0}
        table{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums;min-width:60%}
        th,td{padding:5px 12px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
        th{color:var(--quiet);font-weight:500;font-size:12.5px}
        th:first-child,td:first-child{text-align:left;padding-left:0}
        tbody tr:hover{background:color-mix(in srgb,var(--link) 7%,transparent)}
        figure{margin:18px 0}
        figure svg{width:100%;max-width:800px;height:auto;display:block}
        figcaption{color:var(--quiet);font-size:13px}
        pre{margin:12px 0;padding:9px 13px;overflow-x:auto;background:var(--ground);border:1px solid var(--line);border-radius:6px;font:12.5px/1.5 ui-monospace,monospace}
        """
}
