//! The fonts of figures: Liberation Sans, under the SIL Open Font License
//! (`font/LICENSE-OFL.txt`), for every letter that it has. It is as wide as Arial and Helvetica,
//! so that an SVG looks the same where only those are installed. For letters that it lacks (Chinese,
//! Arabic, …), `further` finds a font.

use std::sync::{Arc, LazyLock};

use resvg::usvg::{FontResolver, fontdb};
use ttf_parser::Face;

use super::further;

/// Its file.
pub(super) const BYTES: &[u8] = include_bytes!("font/LiberationSans-Regular.ttf");
/// Its name, and what may stand for it.
pub(super) const FAMILIES: &str = "Liberation Sans, Arial, Helvetica, sans-serif";
/// Its name.
pub(super) const FAMILY: &str = "Liberation Sans";

static FACE: LazyLock<Option<Face<'static>>> = LazyLock::new(|| Face::parse(BYTES, 0).ok());

/// The compiled-in font, and those further ones that some letter of some figure came from: what else a
/// machine has installed changes no figure.
pub(super) fn database() -> (Arc<fontdb::Database>, FontResolver<'static>) {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(BYTES.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    let mut places = Vec::new();
    for font in further::in_use() {
        let source = fontdb::Source::Binary(Arc::new(font.bytes));
        let ids = fonts.load_font_source(source);
        let same = |id: &&fontdb::ID| fonts.face(**id).is_some_and(|f| f.index == font.index);
        places.extend(ids.iter().find(same).map(|id| (font, *id)));
    }
    let resolver = FontResolver {
        select_font: FontResolver::default_font_selector(),
        select_fallback: Box::new(move |c, used, _| {
            let font = further::font_of(c)?;
            let (_, id) = places.iter().find(|(known, _)| std::ptr::eq(*known, font))?;
            (!used.contains(id)).then_some(*id)
        }),
    };
    (Arc::new(fonts), resolver)
}

/// Width of a text at a font size, without kerning: hardly less than it takes.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let Some(face) = &*FACE else { return 0.6 * size * text.chars().count() as f64 };
    let of = |face: &Face, c: char| {
        // A character that no font has is drawn as an empty box.
        let glyph = face.glyph_index(c).unwrap_or_default();
        let advance = face.glyph_hor_advance(glyph).unwrap_or_default();
        f64::from(advance) / f64::from(face.units_per_em())
    };
    let advance = |c: char| match face.glyph_index(c) {
        None if !is_unseen(c) => {
            further::font_of(c).map_or_else(|| of(face, c), |f| of(&f.face, c))
        }
        _ => of(face, c),
    };
    text.chars().map(advance).sum::<f64>() * size
}

/// Letters of a text that no font has, each once.
pub(super) fn lacking(text: &str) -> Vec<char> {
    let known = |c: char| {
        FACE.as_ref().is_some_and(|face| face.glyph_index(c).is_some())
            || further::font_of(c).is_some()
    };
    let mut lacking: Vec<char> = text.chars().filter(|c| !is_unseen(*c) && !known(*c)).collect();
    lacking.sort_unstable();
    lacking.dedup();
    lacking
}

/// Whether a character leaves no mark of its own: blanks, controls, joiners, choices of a variant.
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
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
        assert!(lacking("Masse, kalkfläck,\t μ κ − – Кальцинаты").is_empty());
        // No font has the end of the Private Use Area.
        assert_eq!(lacking("a\u{10fffd}b\u{10fffd}"), ['\u{10fffd}']);
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
