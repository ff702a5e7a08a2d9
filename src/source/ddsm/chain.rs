//! Chain codes: a lesion's boundary as a first pixel and steps to its neighbours.

use mammogram::{Outline, around};

/// Steps to the eight neighbours, x right and y down: 0 is up, then clockwise.
const STEPS: [[i32; 2]; 8] = [[0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1]];
/// Pixels of the box around a chain that are believed; a film has fewer than half of them.
const MAX_BOX: i64 = 1 << 26;
/// Largest first coordinate that is believed.
const MAX_START: i32 = 65_535;

/// A chain of pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// Column and row of every pixel in order.
    pixels: Vec<[i32; 2]>,
    /// Columns and rows it spans: left, top, right, bottom, all included.
    bounds: [i32; 4],
}

impl Chain {
    /// Reads `x y  c c c ... #`.
    ///
    /// # Errors
    /// What was expected and what was found instead.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let mut start = |what: &str| {
            let word = words.next().unwrap_or("");
            word.parse().ok().filter(|v: &i32| v.abs() <= MAX_START).ok_or_else(|| {
                format!("expected the {what} where a chain begins, found {:?}", brief(word))
            })
        };
        let [mut x, mut y] = [start("column")?, start("row")?];
        let mut pixels = vec![[x, y]];
        let mut bounds = [x, y, x, y];
        let mut ended = false;
        for word in words.by_ref() {
            if word == "#" {
                ended = true;
                break;
            }
            let step = match word.as_bytes() {
                &[digit @ b'0'..=b'7'] => STEPS[usize::from(digit - b'0')],
                _ => {
                    let count = pixels.len();
                    let found = brief(word);
                    return Err(format!(
                        "step {count} of a chain is {found:?}; expected 0 to 7, or # at its end"
                    ));
                }
            };
            (x, y) = (x.saturating_add(step[0]), y.saturating_add(step[1]));
            let [left, top, right, bottom] = bounds;
            bounds = [left.min(x), top.min(y), right.max(x), bottom.max(y)];
            pixels.push([x, y]);
        }
        if !ended {
            return Err(format!("a chain breaks off after {} steps without #", pixels.len() - 1));
        }
        if let Some(word) = words.next() {
            return Err(format!(
                "expected nothing after the # of a chain, found {:?}",
                brief(word)
            ));
        }
        let chain = Self { pixels, bounds };
        let [width, height] = chain.size();
        if width * height > MAX_BOX {
            return Err(format!("a chain spans {width} x {height} pixels, more than any film"));
        }
        Ok(chain)
    }

    fn size(&self) -> [i64; 2] {
        let [left, top, right, bottom] = self.bounds.map(i64::from);
        [right - left + 1, bottom - top + 1]
    }

    /// How far, in pixels, its end is from its beginning; up to 1 it is closed.
    pub(super) fn gap(&self) -> u32 {
        let ([ax, ay], [bx, by]) = self.ends();
        ax.abs_diff(bx).max(ay.abs_diff(by))
    }

    fn ends(&self) -> ([i32; 2], [i32; 2]) {
        let first = self.pixels.first().copied().unwrap_or_default();
        (first, self.pixels.last().copied().unwrap_or(first))
    }

    /// How many pixels it runs out of an image of the given size; 0 when it lies within.
    pub(super) fn outside(&self, [width, height]: [u32; 2]) -> i64 {
        let [left, top, right, bottom] = self.bounds.map(i64::from);
        let beyond = [-left, -top, right + 1 - i64::from(width), bottom + 1 - i64::from(height)];
        beyond.into_iter().fold(0, i64::max)
    }

    /// Whether no pixel within its bounds lies in an image of the given size.
    pub(super) fn misses(&self, [width, height]: [u32; 2]) -> bool {
        let [left, top, right, bottom] = self.bounds.map(i64::from);
        right < 0 || bottom < 0 || left >= i64::from(width) || top >= i64::from(height)
    }

    /// The boundary of the region that it encloses, its own pixels included, holes filled. Filled
    /// by pixel centres, the outline gives exactly that region back.
    ///
    /// A chain that does not return to its beginning is closed by a straight line.
    pub(super) fn outline(&self) -> Outline {
        Outline::Polygon(Region::of(self).outline())
    }
}

/// At most 20 characters of a word, for a message.
fn brief(word: &str) -> String {
    word.chars().take(20).collect()
}

/// Pixels within the bounds of a chain and one around them.
struct Region {
    left: i32,
    top: i32,
    width: usize,
    height: usize,
    inside: Vec<bool>,
}

impl Region {
    fn of(chain: &Chain) -> Self {
        let [left, top, ..] = chain.bounds;
        let [width, height] = chain.size().map(|side| side as usize + 2);
        let (left, top) = (left - 1, top - 1);
        let mut edge = vec![false; width * height];
        let mut mark = |[x, y]: [i32; 2]| {
            edge[(y - top) as usize * width + (x - left) as usize] = true;
        };
        chain.pixels.iter().for_each(|&pixel| mark(pixel));
        let ([ax, ay], [bx, by]) = chain.ends();
        let gap = i64::from(chain.gap());
        for step in 1..gap {
            // Rounded to the nearest pixel.
            let between = |a: i32, b: i32| {
                a + ((2 * step * i64::from(b - a) + gap).div_euclid(2 * gap)) as i32
            };
            mark([between(ax, bx), between(ay, by)]);
        }
        // What is reached from the corner without crossing the chain is outside.
        let mut inside = vec![true; width * height];
        let mut open = vec![0];
        inside[0] = false;
        while let Some(at) = open.pop() {
            let (x, y) = (at % width, at / width);
            let neighbours = [
                (x > 0).then(|| at - 1),
                (x + 1 < width).then(|| at + 1),
                (y > 0).then(|| at - width),
                (y + 1 < height).then(|| at + width),
            ];
            for near in neighbours.into_iter().flatten() {
                if inside[near] && !edge[near] {
                    inside[near] = false;
                    open.push(near);
                }
            }
        }
        Self { left, top, width, height, inside }
    }

    fn at(&self, x: i64, y: i64) -> bool {
        let within = |v: i64, side: usize| usize::try_from(v).ok().filter(|&v| v < side);
        match (within(x, self.width), within(y, self.height)) {
            (Some(x), Some(y)) => self.inside[y * self.width + x],
            _ => false,
        }
    }

    /// The boundary around the pixels' outer edges. Pixels that touch at a corner belong together.
    fn outline(&self) -> Vec<[f32; 2]> {
        let Some(first) = self.inside.iter().position(|&inside| inside) else { return Vec::new() };
        let first = [(first % self.width) as i64, (first / self.width) as i64];
        around(|x, y| self.at(x, y), first, [self.left.into(), self.top.into()])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use mammogram::{Mask, rasterise};

    fn filled(chain: &Chain, width: u32, height: u32) -> Mask {
        rasterise(&[chain.outline()], [0.0, 0.0, width as f32, height as f32], width, height)
    }

    fn picture(mask: &Mask) -> Vec<String> {
        mask.pixels
            .chunks(mask.width as usize)
            .map(|row| row.iter().map(|&p| if p { '#' } else { '.' }).collect())
            .collect()
    }

    #[test]
    fn a_chain_encloses_its_own_pixels() {
        // A square of 4 x 4 pixels, clockwise from its top left.
        let chain = Chain::parse("1 2  2 2 2 4 4 4 6 6 6 0 0 0 # ").unwrap();
        assert_eq!(chain.gap(), 0);
        assert_eq!(
            picture(&filled(&chain, 6, 7)),
            ["......", "......", ".####.", ".####.", ".####.", ".####.", "......"]
        );
        // A diamond has four corners: its slanted sides are straight.
        let chain = Chain::parse("3 0 3 3 3 5 5 5 7 7 7 1 1 1 #").unwrap();
        let shape = ["...#...", "..###..", ".#####.", "#######", ".#####.", "..###..", "...#..."];
        assert_eq!(picture(&filled(&chain, 7, 7)), shape);
        let Outline::Polygon(corners) = chain.outline() else { panic!() };
        assert_eq!(corners, [[3.5, 0.0], [7.0, 3.5], [3.5, 7.0], [0.0, 3.5]]);
    }

    #[test]
    fn thin_crossing_and_open_chains_are_filled() {
        // One pixel; a slanted line there and back; a figure of eight.
        assert_eq!(picture(&filled(&Chain::parse("1 1 #").unwrap(), 3, 3)), ["...", ".#.", "..."]);
        let line = Chain::parse("0 0 3 3 7 7 #").unwrap();
        assert_eq!(picture(&filled(&line, 3, 3)), ["#..", ".#.", "..#"]);
        let eight = Chain::parse("0 0 2 2 3 3 2 2 0 0 6 6 5 5 6 6 0 0 #").unwrap();
        assert_eq!(filled(&eight, 9, 9).area(), 19, "{:?}", picture(&filled(&eight, 9, 9)));
        // Three sides of a square of 5; the straight way back is the fourth.
        let open = Chain::parse("0 0 2 2 2 2 4 4 4 4 6 6 6 6 #").unwrap();
        assert_eq!((open.gap(), filled(&open, 5, 5).area()), (4, 25));
    }

    #[test]
    fn chains_may_leave_the_image() {
        let chain = Chain::parse("-2 1 2 2 2 2 4 4 4 6 6 6 6 0 0 0 #").unwrap();
        assert_eq!(chain.outside([10, 10]), 2);
        assert_eq!(chain.outside([10, 3]), 2);
        assert_eq!(chain.outside([10, 1]), 4);
        assert_eq!(filled(&chain, 10, 10).area(), 3 * 4);
        assert!(!chain.misses([10, 10]) && chain.misses([10, 1]));
        assert!(Chain::parse("-9 1 2 #").unwrap().misses([10, 10]));
    }

    #[test]
    fn broken_chains_say_what_was_expected() {
        for (line, expected) in [
            ("", "column where a chain begins"),
            ("3", "row where a chain begins"),
            ("x 3 #", "found \"x\""),
            ("3 99999999 #", "found \"99999999\""),
            ("3 3 0 8 #", "step 2 of a chain is \"8\""),
            ("3 3 00 #", "step 1 of a chain is \"00\""),
            ("3 3 0 0", "breaks off after 2 steps"),
            ("3 3 0 # 4", "nothing after the # of a chain"),
        ] {
            let message = Chain::parse(line).unwrap_err();
            assert!(message.contains(expected), "{line}: {message}");
        }
        let far = format!("0 0 {}#", "3 ".repeat(20_000));
        assert!(Chain::parse(&far).unwrap_err().contains("20001 x 20001"));
    }

    proptest! {
        #[test]
        fn the_outline_gives_the_filled_region_back(steps in prop::collection::vec(0usize..8, 0..120)) {
            let words: Vec<String> = steps.iter().map(ToString::to_string).collect();
            let chain = Chain::parse(&format!("130 130 {} #", words.join(" "))).unwrap();
            let region = Region::of(&chain);
            let mask = filled(&chain, 260, 260);
            for y in 0..260i32 {
                for x in 0..260i32 {
                    let inside = region.at(i64::from(x - region.left), i64::from(y - region.top));
                    prop_assert_eq!(mask.at(x as u32, y as u32), inside, "at {} {}", x, y);
                }
            }
        }

        #[test]
        fn no_text_causes_a_panic(text in "[-0-9# x]{0,60}") {
            if let Ok(chain) = Chain::parse(&text) {
                chain.outline();
            }
        }
    }
}
