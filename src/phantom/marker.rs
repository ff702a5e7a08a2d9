//! The lead marker of a film: which breast and which view. It says nothing of the patient.

use super::anatomy::Projection;
use super::dice::Dice;
use mammogram::{Grey, Laterality, View};

/// Columns of a letter.
const COLUMNS: usize = 5;
/// Rows of a letter.
const ROWS: usize = 7;

/// Five bits a row, the leftmost highest.
fn glyph(letter: char) -> [u8; ROWS] {
    match letter {
        'C' => [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e],
        'L' => [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f],
        'M' => [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11],
        'O' => [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
        'R' => [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11],
        _ => [0; ROWS],
    }
}

/// Stamps the marker into the upper corner away from the chest wall, where no breast reaches: bright
/// letters on film, or a bright plate with dark letters.
pub(super) fn stamp(image: &mut Grey, projection: Projection, scale: f32, dice: &mut Dice) {
    // Phantoms have these two views.
    let text = match (projection.side, projection.view) {
        (Laterality::Left, View::Cc) => "L CC",
        (Laterality::Left, _) => "L MLO",
        (Laterality::Right, View::Cc) => "R CC",
        (Laterality::Right, _) => "R MLO",
    };
    let cell = dice.between(0.62, 0.72) * scale;
    let plate = dice.chance(0.35);
    let (bright, dark) = (dice.between(165.0, 225.0) as u8, 14);
    let (ink, ground) = if plate { (dark, Some(bright)) } else { (bright, None) };
    let (down, aside) = (dice.between(6.0, 14.0) * scale, dice.between(7.0, 12.0) * scale);
    let width = (text.len() * (COLUMNS + 1) + 1) as f32 * cell;
    let height = (ROWS + 2) as f32 * cell;
    let left = match projection.side {
        Laterality::Left => image.width as f32 - aside - width,
        Laterality::Right => aside,
    };
    let letters: Vec<[u8; ROWS]> = text.chars().map(glyph).collect();
    for y in 0..image.height {
        let v = y as f32 + 0.5 - down;
        if v < 0.0 || v >= height {
            continue;
        }
        for x in 0..image.width {
            let u = x as f32 + 0.5 - left;
            if u < 0.0 || u >= width {
                continue;
            }
            let (column, row) = ((u / cell) as usize, (v / cell) as usize);
            let on = column > 0 && (1..=ROWS).contains(&row) && {
                let (letter, bit) = ((column - 1) / (COLUMNS + 1), (column - 1) % (COLUMNS + 1));
                bit < COLUMNS
                    && letters
                        .get(letter)
                        .is_some_and(|g| g[row - 1] >> (COLUMNS - 1 - bit) & 1 == 1)
            };
            let grey = if on { Some(ink) } else { ground };
            if let Some(grey) = grey {
                image.pixels[y as usize * image.width as usize + x as usize] = grey;
            }
        }
    }
}
