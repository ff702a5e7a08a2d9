//! Numbers and names as the pages print them.

use std::path::Path;

pub(super) use base::number::grouped as count;

/// A count with its noun: `1 patch`, `2 patches`.
pub(super) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n as u64), if n == 1 { one } else { many })
}

/// Three significant digits, with an exponent only where zeros would fill the line: `12.3`, `0.00412`,
/// `−1.20`, `4.12e−5`.
pub(super) fn significant(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let text = match magnitude {
        ..-4 => format!("{value:.2e}"),
        _ => format!("{value:.*}", (2 - magnitude).max(0) as usize),
    };
    // The typographic minus lines up with digits.
    text.replace('-', "\u{2212}")
}

/// A sum's part with its sign: two decimals, or two significant digits where those are more: `+4.61`, `−0.24`,
/// `+0.0017`, `−1.2e−7`.
pub(super) fn signed(value: f32) -> String {
    if value == 0.0 || !value.is_finite() {
        return significant(value.into());
    }
    let magnitude = value.abs().log10().floor() as i32;
    let text = match magnitude {
        ..-5 => format!("{value:+.1e}"),
        _ => format!("{value:+.*}", (1 - magnitude).max(2) as usize),
    };
    text.replace('-', "\u{2212}")
}

/// A share as a percentage: `12%`, `0.5%`.
pub(super) fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value != 0.0 && value < 10.0 { format!("{value:.1}%") } else { format!("{value:.0}%") }
}

/// A coordinate in SVG path data: at most one decimal.
pub(super) fn coordinate(value: f32) -> String {
    let rounded = (f64::from(value) * 10.0).round() / 10.0;
    if rounded == 0.0 { "0".into() } else { format!("{rounded}") }
}

/// What an activation sees of a patch of `edge` pixels: `wide` says how wide that is. A receptive field that holds the whole
/// patch wherever in it the field is centred has no width that means more.
pub(super) fn field(width: f32, edge: u32, wide: impl Fn(&str) -> String) -> String {
    match width >= 2.0 * edge as f32 {
        true => "the whole patch".into(),
        false => wide(&coordinate(width)),
    }
}

/// The last part of a path: machine paths never reach a page.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Cuts the folders of this machine out of a message.
pub(super) fn without_folders(message: &str, folders: &[&Path]) -> String {
    let mut folders: Vec<String> = folders
        .iter()
        .map(|folder| folder.to_string_lossy().trim_end_matches(['/', '\\']).to_string())
        .filter(|folder| !folder.is_empty())
        .collect();
    // The longest first, so that a folder is not cut to the rest of a deeper one.
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.len()));
    folders.iter().fold(message.to_string(), |text, folder| {
        text.replace(&format!("{folder}/"), "").replace(&format!("{folder}\\"), "")
    })
}

/// Puts other words in the place of a name, where it stands by itself.
pub(super) fn renamed(text: &str, name: &str, instead: &str) -> String {
    if name.is_empty() {
        return text.into();
    }
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        told.push_str(before);
        let begins = !told.ends_with(|c| inner(c) || c == '.');
        // A full stop may end the sentence.
        let apart = begins && !after.strip_prefix('.').unwrap_or(after).starts_with(inner);
        told.push_str(if apart { instead } else { name });
        rest = after;
    }
    told + rest
}

/// A share as a whole percentage.
pub(super) fn percent_whole(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}

/// Joins with commas and a final `and`.
pub(super) fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Text within markup: an element's or an attribute's.
pub(super) fn escaped(text: &str) -> String {
    [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")]
        .iter()
        .fold(text.to_string(), |text, (from, to)| text.replace(*from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567_u64), "1,234,567");
        assert_eq!(count(123_u64), "123");
        assert_eq!(significant(12.345), "12.3");
        assert_eq!(significant(-0.004_123), "\u{2212}0.00412");
        assert_eq!(significant(1234.5), "1234");
        assert_eq!(significant(0.000_123_4), "0.000123");
        assert_eq!(significant(-0.000_012_34), "\u{2212}1.23e\u{2212}5");
        assert_eq!(signed(4.612), "+4.61");
        assert_eq!(signed(-0.24), "\u{2212}0.24");
        assert_eq!(signed(0.001_72), "+0.0017");
        assert_eq!(signed(-0.052), "\u{2212}0.052");
        assert_eq!(signed(-0.000_000_12), "\u{2212}1.2e\u{2212}7");
        assert_eq!([signed(0.0), signed(f32::NAN)], ["0", "–"]);
        assert_eq!(percent(0.005), "0.5%");
        assert_eq!(percent(0.25), "25%");
        assert_eq!(coordinate(-0.01), "0");
        assert_eq!(coordinate(12.34), "12.3");
    }

    #[test]
    fn a_name_that_stands_by_itself_is_replaced() {
        let told = |text| renamed(text, "doe.csv", "table");
        assert_eq!(told("doe.csv:3, doe.csv."), "table:3, table.");
        assert_eq!(told("doe.csv.gz, x.doe.csv"), "doe.csv.gz, x.doe.csv");
        assert_eq!(told("jane-doe.csv doe.csv2"), "jane-doe.csv doe.csv2");
        assert_eq!(renamed("a table", "t", "table"), "a table");
        assert_eq!(renamed("ä:3 ää", "ä", "table"), "table:3 ää");
    }

    #[test]
    fn folders_of_the_machine_are_cut() {
        let folders = [Path::new("/home/x"), Path::new("/home/x/data")];
        assert_eq!(
            without_folders("cannot read /home/x/data/mdb017.pgm", &folders),
            "cannot read mdb017.pgm"
        );
    }
}
