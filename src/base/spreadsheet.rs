//! Words in tables that a spreadsheet may open.
//!
//! Text that a person wrote may begin like a formula, which a spreadsheet would run: such a cell gets
//! an apostrophe in front, which spreadsheets read as "this is text".

/// A cell that holds someone's words. [`unguarded`] gives them back.
pub fn guarded(words: &str) -> String {
    if is_formula(words) { format!("'{words}") } else { words.to_owned() }
}

/// The words that [`guarded`] made a cell of.
pub fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(words) if is_formula(words) => words,
        _ => cell,
    }
}

/// Whether the words, or the words behind apostrophes of their own, begin like a formula.
fn is_formula(words: &str) -> bool {
    // Spreadsheets also look past leading blanks.
    // A dash alone, the category of what BI-RADS has no word for, is none.
    if words.trim_start_matches('\'') == "-" {
        return false;
    }
    let start = words.trim_start_matches('\'').trim_start_matches([' ', '\u{a0}', '\u{feff}']);
    matches!(
        start.chars().next(),
        Some(
            '=' | '+'
                | '-'
                | '@'
                | '\t'
                | '\r'
                | '\n'
                | '\u{ff1d}'
                | '\u{ff0b}'
                | '\u{ff0d}'
                | '\u{ff20}'
        )
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_guarded() {
        for words in ["=1+1", "@SUM(A1)", "-2", "+3", "  =1", "\t=1", "\r\n=1", "'=1", "\u{ff1d}1"]
        {
            let cell = guarded(words);
            assert!(cell.starts_with('\''), "{words:?}");
            assert_eq!(unguarded(&cell), words);
        }
        for words in ["", "-", "mass", "a=b", "'quoted'", " mass", "''"] {
            assert_eq!(guarded(words), words);
            assert_eq!(unguarded(words), words);
        }
    }

    proptest! {
        #[test]
        fn any_words_come_back(words in "['=+@ -]{0,4}\\PC{0,8}") {
            let cell = guarded(&words);
            prop_assert_eq!(unguarded(&cell), &words);
        }
    }
}
