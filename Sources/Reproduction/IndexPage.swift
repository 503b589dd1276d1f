import LinkedNet

/// All pages in one HTML document. The document needs no other file.
struct IndexPage {
    static let title = "Linked neurons, reproduced"

    let introduction: [Block]
    let sections: [(page: Page, blocks: [Block])]

    var html: String {
        let links = sections.map { "<a href=\"#\($0.page.rawValue)\">\(MarkupText.escaped($0.page.title))</a>" }.joined(
            separator: "\n")
        let content = sections.map { section in
            """
            <section id="\(section.page.rawValue)">
            <h2>\(MarkupText.escaped(section.page.title))</h2>
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
            <title>\(Self.title)</title>
            <style>
            \(Self.css)
            </style>
            </head>
            <body>
            <header>
            <h1>\(Self.title)</h1>
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
        :root{--ink:#1f2328;--quiet:#59636e;--ground:#f6f8fa;--card:#fff;--line:#d8dee4;--link:#0969da;\
        --good:#1a7f37;--bad:#b35900}
        @media(prefers-color-scheme:dark){\
        :root{--ink:#e6edf3;--quiet:#9198a1;--ground:#0d1117;--card:#151b23;--line:#30363d;\
        --link:#4493f8;--good:#3fb950;--bad:#e3a04f}}
        *{box-sizing:border-box}
        body{margin:0 0 60px;background:var(--ground);color:var(--ink);font:15px/1.55 system-ui,"Segoe UI",\
        Roboto,"Helvetica Neue",Arial,sans-serif}
        header,main{max-width:1080px;margin:0 auto;padding:0 24px}
        header{padding-top:44px}
        h1{font-size:32px;line-height:1.2;margin:0 0 14px;letter-spacing:-.02em}
        h2{font-size:22px;margin:0 0 12px;letter-spacing:-.01em}
        h3{font-size:16px;margin:36px 0 8px}
        p{max-width:76ch;margin:0 0 12px}
        ul{max-width:76ch;margin:0 0 14px;padding-left:20px}
        header p{color:var(--quiet)}
        nav{position:sticky;top:0;z-index:1;display:flex;flex-wrap:wrap;gap:4px 22px;\
        justify-content:center;padding:10px 24px;margin-top:24px;background:var(--card);\
        border-block:1px solid var(--line);font-size:14px}
        a{color:var(--link);text-decoration:none}
        a:hover{text-decoration:underline}
        section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:30px 34px;\
        margin:24px 0;scroll-margin-top:64px}
        .wide{overflow-x:auto;margin:14px 0}
        table{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums;min-width:60%}
        th,td{padding:5px 0 5px 22px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
        th{color:var(--quiet);font-weight:500;font-size:12.5px;vertical-align:bottom}
        .text{text-align:left}
        th:first-child,td:first-child{padding-left:0}
        td:first-child{font-weight:500}
        tbody tr:hover{background:color-mix(in srgb,var(--link) 7%,transparent)}
        .agrees{color:var(--good)}
        .differs{color:var(--bad)}
        .quiet{color:var(--quiet)}
        figure{margin:18px 0}
        figure svg{width:100%;max-width:820px;height:auto;display:block}
        details{border-top:1px solid var(--line);max-width:100%}
        summary{cursor:pointer;padding:7px 0;font-weight:500}
        pre{margin:12px 0;padding:7px 12px;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--ground);\
        color:var(--quiet);border:1px solid var(--line);border-radius:6px;\
        font:12px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
        @media(max-width:640px){header,main{padding:0 12px}section{padding:20px 16px}}
        """
}
