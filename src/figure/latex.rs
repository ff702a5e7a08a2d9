//! Words in LaTeX: no text becomes a command.

/// Text for the body of a document.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '"' => out.push_str("\\textquotedbl{}"),
            // Two of them would be a quotation mark or a dash.
            '\'' => out.push_str("\\textquotesingle{}"),
            '`' => out.push_str("\\textasciigrave{}"),
            '-' if characters.peek() == Some(&'-') => out.push_str("-{}"),
            // A bracket after `\\` would be its option.
            '[' => out.push_str("{[}"),
            ']' => out.push_str("{]}"),
            '*' => out.push_str("{*}"),
            '\u{2013}' => out.push_str("\\textendash{}"),
            '\u{2014}' => out.push_str("\\textemdash{}"),
            '\u{2018}' => out.push_str("\\textquoteleft{}"),
            '\u{2019}' => out.push_str("\\textquoteright{}"),
            '\u{201c}' => out.push_str("\\textquotedblleft{}"),
            '\u{201d}' => out.push_str("\\textquotedblright{}"),
            '\u{2212}' => out.push_str("\\ensuremath{-}"),
            '×' => out.push_str("\\ensuremath{\\times}"),
            '±' => out.push_str("\\ensuremath{\\pm}"),
            '≥' => out.push_str("\\ensuremath{\\ge}"),
            '≤' => out.push_str("\\ensuremath{\\le}"),
            'α' => out.push_str("\\ensuremath{\\alpha}"),
            'κ' => out.push_str("\\ensuremath{\\kappa}"),
            'µ' | 'μ' => out.push_str("\\ensuremath{\\mu}"),
            '\u{a0}' => out.push('~'),
            c if c.is_whitespace() || c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A name as a label: letters, digits and hyphens.
pub(super) fn label(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    name.chars().map(plain).collect()
}

/// A figure for a document that uses `graphicx`.
pub(super) fn figure(name: &str, file: &str, millimetres: f64, caption: &str, alt: &str) -> String {
    let (caption, label) = (escaped(caption), label(name));
    // A comment ends with its line.
    let alt: String = alt.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!(
        "% Needs \\usepackage{{graphicx}}.\n% {alt}\n\\begin{{figure}}[htbp]\n  \\centering\n  \
         \\includegraphics[width={millimetres}mm]{{{file}}}\n  \\caption{{{caption}}}\n  \
         \\label{{fig:{label}}}\n\\end{{figure}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_latex_would_run() {
        let hostile = "\\write18{rm -rf ~}%\n$x^2$_{a}&#[1]*`'\"";
        let safe = escaped(hostile);
        assert!(!safe.contains("\\write") && !safe.contains('\n'), "{safe}");
        let mut before = ' ';
        for c in safe.chars() {
            if "%$&#_^~".contains(c) {
                assert_eq!(before, '\\', "{c} in {safe}");
            }
            before = c;
        }
        assert_eq!(label("vgg16/conv5_3 {x}"), "vgg16-conv5-3--x-");
    }
}
