//! What a page says, as lines of text: for snapshots that a person can read.

/// Elements whose contents are no text of the page.
const SILENT: [&str; 4] = ["script", "style", "template", "svg"];
/// Elements that stand within a line.
const INLINE: [&str; 16] = [
    "a", "abbr", "b", "code", "em", "i", "kbd", "label", "mark", "q", "small", "span", "strong",
    "sub", "sup", "time",
];

/// The main part of a page: a line per block, cells of a table with bars between them, charts by what they
/// show in brackets.
pub(crate) fn main_text(html: &str) -> String {
    let (_, main) = html.split_once("<main").expect("a page has a main part");
    let (main, _) = main.split_once("</main>").expect("the main part ends");
    let mut text = String::new();
    let mut silent: Option<&str> = None;
    for piece in main.split('<').skip(1) {
        let (tag, words) = piece.split_once('>').unwrap_or((piece, ""));
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap_or_default();
        match silent {
            Some(open) if tag.starts_with('/') && name == open => silent = None,
            Some(_) => continue,
            None if SILENT.contains(&name) => {
                silent = Some(name);
                if let Some((_, label)) = tag.split_once("aria-label=\"") {
                    let (label, _) = label.split_once('"').unwrap_or((label, ""));
                    text.push_str(&format!("\n[{label}]\n"));
                }
                continue;
            }
            None => {}
        }
        match name {
            "td" | "th" if !tag.starts_with('/') => text.push_str(" | "),
            "td" | "th" => {}
            name if INLINE.contains(&name) => {}
            _ => text.push('\n'),
        }
        text.push_str(&words.replace('\n', " "));
    }
    let plain = |line: &str| {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = line.trim_start_matches("| ").to_owned();
        [
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", "\""),
            ("&#x27;", "'"),
            ("&#39;", "'"),
            ("&amp;", "&"),
        ]
        .iter()
        .fold(line, |line, (written, meant)| line.replace(written, meant))
    };
    let lines = text.lines().map(plain).filter(|line| !line.is_empty() && line != "|");
    lines.collect::<Vec<_>>().join("\n")
}
