//! The one font of all figures: Liberation Sans, under the SIL Open Font License
//! (`font/LICENSE-OFL.txt`). It is as wide as Arial and Helvetica, so that an SVG looks the
//! same where only those are installed.

use std::sync::{Arc, LazyLock};

use resvg::usvg::fontdb;
use ttf_parser::Face;

/// Its file.
pub(super) const BYTES: &[u8] = include_bytes!("font/LiberationSans-Regular.ttf");
/// Its name, and what may stand for it.
pub(super) const FAMILIES: &str = "Liberation Sans, Arial, Helvetica, sans-serif";
/// Its name.
pub(super) const FAMILY: &str = "Liberation Sans";

/// The compiled-in font alone: what a machine has installed changes no figure.
pub(super) static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(BYTES.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    Arc::new(fonts)
});

static FACE: LazyLock<Option<Face<'static>>> = LazyLock::new(|| Face::parse(BYTES, 0).ok());

/// Width of a text at a font size, without kerning: never less than it takes.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let Some(face) = &*FACE else { return 0.6 * size * text.chars().count() as f64 };
    let units = f64::from(face.units_per_em());
    let advance = |c: char| {
        // A character that the font lacks is drawn as an empty box.
        let glyph = face.glyph_index(c).unwrap_or_default();
        f64::from(face.glyph_hor_advance(glyph).unwrap_or_default())
    };
    text.chars().map(advance).sum::<f64>() / units * size
}

/// Whether the font has every character of a text.
pub(super) fn covers(text: &str) -> bool {
    let known = |c: char| FACE.as_ref().is_some_and(|face| face.glyph_index(c).is_some());
    text.chars().all(|c| c.is_whitespace() || c.is_control() || known(c))
}

/// A text in lines of at most `room`; a word that is wider is broken, so that nothing is lost.
pub(super) fn wrapped(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, size) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            line.push(c);
            if width(&line, size) > room && line.chars().count() > 1 {
                line.pop();
                // Names of units break after a slash where there is one.
                let at = line.rfind('/').map_or(line.len(), |at| at + 1);
                let rest = line.split_off(at);
                lines.push(std::mem::replace(&mut line, rest));
                line.push(c);
            }
        }
    }
    lines.push(line);
    lines
}

/// Width of the widest piece of a text that should not be broken.
pub(super) fn widest_word(text: &str, size: f64) -> f64 {
    let words = text.split_whitespace().flat_map(|word| word.split_inclusive('/'));
    words.map(|word| width(word, size)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // Arial's digits are 0.556 of the size.
        assert!((width("0123", 10.0) - 4.0 * 5.56).abs() < 0.01, "{}", width("0123", 10.0));
        assert!(covers("Masse, kalkfläck, μ κ − –") && !covers("腫瘤"));
    }

    #[test]
    fn lines_hold_every_character_and_fit() {
        let text =
            "calcifications, innumerable inception_v3/mixed_7c/0063 and pneumonoultramicroscopic";
        for room in [1.0, 30.0, 60.0, 1000.0] {
            let lines = wrapped(text, 8.0, room);
            let letters = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(letters(&lines.concat()), letters(text));
            for line in &lines {
                assert!(width(line, 8.0) <= room || line.chars().count() == 1, "{line}");
            }
        }
    }
}
