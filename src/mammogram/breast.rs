//! Where the breast is: separates it from the film's dark background, labels and tape.
//!
//! The image is reduced to about 256 pixels, cropped to the film (scans are often padded with black,
//! darker than any film), thresholded just above the film's background, opened so that scratches and
//! label edges fall off, and the largest remaining region is kept with its holes filled. The skin line
//! is faint, so the threshold lies a small share of the way from the background's most frequent value
//! to Otsu's threshold between background and tissue (Otsu 1979).

use std::ops::Range;

use super::{Grey, Mask, Outline, contours, simplify};

/// Longest side of the reduced image.
const REDUCED: usize = 256;
/// Where the threshold lies between the background's mode and Otsu's threshold. Of the shares tried
/// on 200 mini-MIAS masks, 0.065 to 0.08 agree best; less lets noisy film in, more cuts the skin off.
const ABOVE_BACKGROUND: f64 = 0.075;
/// Radius of the opening in reduced pixels.
const OPENING: usize = 5;
/// A row or column is padding when at most one in `PADDED` of its pixels is brighter than `BLACK`.
const PADDED: usize = 50;
const BLACK: f32 = 4.0;
/// With less contrast than this between the two classes there is only one.
const MIN_CONTRAST: f64 = 16.0;
/// A background is darker than this share of the tissue; a uniform image is tissue above this value.
const DARK_SHARE: f64 = 0.5;
const DARK: f64 = 32.0;

/// How far a corner of the outline strays, in reduced pixels, before it counts.
const TOLERANCE: f32 = 0.75;

/// Where the breast is.
#[derive(Debug, Clone, PartialEq)]
pub struct Breast {
    /// Its pixels.
    pub mask: Mask,
    /// Its boundary with few corners, in pixels of the image.
    pub outlines: Vec<Outline>,
}

impl Breast {
    fn none(image: &Grey) -> Self {
        Self { mask: Mask::empty(image.width, image.height), outlines: Vec::new() }
    }
}

/// The breast region of a display image (dark background, bright tissue), pectoral muscle included.
///
/// An image without a dark background is all breast; one without anything bright has none.
pub fn breast(image: &Grey) -> Breast {
    let (width, height) = (image.width as usize, image.height as usize);
    if width == 0 || height == 0 {
        return Breast::none(image);
    }
    let factor = width.max(height).div_ceil(REDUCED);
    let small = reduce(image, factor);
    let film = small.film();
    let (film_width, film_height) = (film.columns.len(), film.rows.len());
    let pixels: Vec<f32> = film
        .rows
        .clone()
        .flat_map(|y| small.row(y)[film.columns.clone()].iter().copied())
        .collect();
    let bits = |pixels| Bits { width: film_width, height: film_height, pixels };
    let region = match background(&pixels) {
        Background::None => bits(vec![true; pixels.len()]),
        Background::Everywhere => return Breast::none(image),
        Background::Below(threshold) => {
            let bright = bits(pixels.iter().map(|&v| f64::from(v) > threshold).collect());
            bright.opened(OPENING).largest_region().filled()
        }
    };
    let mut whole = Bits {
        width: small.width,
        height: small.height,
        pixels: vec![false; small.width * small.height],
    };
    for (row, y) in region.pixels.chunks(film_width.max(1)).zip(film.rows) {
        whole.pixels[y * small.width..][film.columns.clone()].copy_from_slice(row);
    }
    let mask = enlarge(&whole, image.width, image.height, factor);
    Breast { mask, outlines: outlines(whole, image, factor) }
}

/// The boundaries of a reduced region in pixels of the image, rounded.
fn outlines(region: Bits, image: &Grey, factor: usize) -> Vec<Outline> {
    let Bits { width, height, pixels } = region;
    let reduced = Mask { width: width as u32, height: height as u32, pixels };
    let ring = |outline| {
        let Outline::Polygon(corners) = outline else { return outline };
        let place = |v: f32, end: u32| (v * factor as f32).round().min(end as f32);
        let corners = simplify(&corners, TOLERANCE);
        let corners = corners.iter().map(|&[x, y]| [place(x, image.width), place(y, image.height)]);
        Outline::Polygon(corners.collect())
    };
    contours(&reduced).into_iter().map(ring).collect()
}

/// What of an image is background.
enum Background {
    None,
    Everywhere,
    /// Values up to this one.
    Below(f64),
}

fn background(pixels: &[f32]) -> Background {
    let mut histogram = [0u64; 256];
    for &value in pixels {
        histogram[value as usize] += 1;
    }
    let (count, sum) = moments(&histogram);
    if count == 0.0 {
        return Background::Everywhere;
    }
    let mean = sum / count;
    let split = otsu(&histogram);
    let (lower, upper) = histogram.split_at(split + 1);
    let mode = lower.iter().rposition(|n| Some(n) == lower.iter().max()).unwrap_or(0) as f64;
    let (lower_count, lower_sum) = moments(lower);
    let upper_count = count - lower_count;
    let tissue =
        if upper.is_empty() || upper_count == 0.0 { mean } else { (sum - lower_sum) / upper_count };
    if tissue - mode < MIN_CONTRAST || mode > DARK_SHARE * tissue {
        // One class only: tissue when it is not dark.
        return if mean > DARK { Background::None } else { Background::Everywhere };
    }
    Background::Below(mode + ABOVE_BACKGROUND * (split as f64 - mode))
}

/// Number of pixels and sum of their values.
fn moments(histogram: &[u64]) -> (f64, f64) {
    histogram.iter().enumerate().fold((0.0, 0.0), |(count, sum), (value, &n)| {
        (count + n as f64, sum + n as f64 * value as f64)
    })
}

/// The value that best parts the histogram in two (largest variance between the classes).
fn otsu(histogram: &[u64; 256]) -> usize {
    let (count, sum) = moments(histogram);
    let (mut below, mut below_sum) = (0.0, 0.0);
    let mut best = (0.0, 0);
    for (value, &n) in histogram.iter().enumerate() {
        below += n as f64;
        below_sum += n as f64 * value as f64;
        let above = count - below;
        if below == 0.0 || above == 0.0 {
            continue;
        }
        let gap = below_sum / below - (sum - below_sum) / above;
        let between = below * above * gap * gap;
        if between > best.0 {
            best = (between, value);
        }
    }
    best.1
}

/// Means of blocks of `factor` x `factor` pixels; blocks at the far edges may be smaller.
struct Reduced {
    width: usize,
    height: usize,
    pixels: Vec<f32>,
}

/// The part of a reduced image that is film.
struct Film {
    columns: Range<usize>,
    rows: Range<usize>,
}

impl Reduced {
    fn row(&self, y: usize) -> &[f32] {
        &self.pixels[y * self.width..][..self.width]
    }

    /// What is left without the rows and columns of padding at the edges.
    fn film(&self) -> Film {
        let (mut columns, mut rows) = (vec![0; self.width], vec![0; self.height]);
        for (at, _) in self.pixels.iter().enumerate().filter(|(_, v)| **v > BLACK) {
            columns[at % self.width] += 1;
            rows[at / self.width] += 1;
        }
        let lit = |counts: &[usize], length: usize| {
            let lit = |count: &usize| count * PADDED > length;
            match (counts.iter().position(lit), counts.iter().rposition(lit)) {
                (Some(first), Some(last)) => first..last + 1,
                _ => 0..0,
            }
        };
        Film { columns: lit(&columns, self.height), rows: lit(&rows, self.width) }
    }
}

fn reduce(image: &Grey, factor: usize) -> Reduced {
    let (full_width, full_height) = (image.width as usize, image.height as usize);
    let (width, height) = (full_width.div_ceil(factor), full_height.div_ceil(factor));
    let mut pixels = Vec::with_capacity(width * height);
    let mut sums = vec![0u32; width];
    for rows in image.pixels.chunks(full_width * factor) {
        sums.fill(0);
        for row in rows.chunks(full_width) {
            for (sum, block) in sums.iter_mut().zip(row.chunks(factor)) {
                *sum += block.iter().map(|&v| u32::from(v)).sum::<u32>();
            }
        }
        let lines = rows.len() / full_width;
        pixels.extend(sums.iter().enumerate().map(|(x, &sum)| {
            let columns = factor.min(full_width - x * factor);
            sum as f32 / (lines * columns) as f32
        }));
    }
    Reduced { width, height, pixels }
}

/// A small set of pixels.
struct Bits {
    width: usize,
    height: usize,
    pixels: Vec<bool>,
}

impl Bits {
    /// Opening by a disk; beyond its edge the image is taken to go on as it ends.
    fn opened(&self, radius: usize) -> Self {
        self.eroded(radius).inverted().eroded(radius).inverted()
    }

    fn inverted(mut self) -> Self {
        self.pixels.iter_mut().for_each(|p| *p = !*p);
        self
    }

    /// The pixels around which a whole disk is set, as far as it lies within the image.
    fn eroded(&self, radius: usize) -> Self {
        let (width, height) = (self.width, self.height);
        // Unset pixels left of each column, so that a stretch of a row is tested in one step.
        let mut unset = vec![0u32; (width + 1) * height];
        for (row, counts) in self.pixels.chunks(width).zip(unset.chunks_mut(width + 1)) {
            for (x, &set) in row.iter().enumerate() {
                counts[x + 1] = counts[x] + u32::from(!set);
            }
        }
        let mut pixels = vec![true; width * height];
        for (y, out) in pixels.chunks_mut(width).enumerate() {
            for line in y.saturating_sub(radius)..(y + radius + 1).min(height) {
                let half = (radius * radius - line.abs_diff(y).pow(2)).isqrt();
                let counts = &unset[line * (width + 1)..][..width + 1];
                for (x, pixel) in out.iter_mut().enumerate() {
                    let (left, right) = (x.saturating_sub(half), (x + half + 1).min(width));
                    *pixel &= counts[left] == counts[right];
                }
            }
        }
        Self { width, height, pixels }
    }

    /// Collects the pixels of `value` that are joined to `start` through their four neighbours.
    fn flood(&self, start: usize, value: bool, seen: &mut [bool], region: &mut Vec<usize>) {
        if seen[start] || self.pixels[start] != value {
            return;
        }
        let first = region.len();
        seen[start] = true;
        region.push(start);
        let mut next = first;
        while let Some(&at) = region.get(next) {
            next += 1;
            let (x, y) = (at % self.width, at / self.width);
            let neighbours = [
                (x > 0).then(|| at - 1),
                (x + 1 < self.width).then(|| at + 1),
                (y > 0).then(|| at - self.width),
                (y + 1 < self.height).then(|| at + self.width),
            ];
            for near in neighbours.into_iter().flatten() {
                if !seen[near] && self.pixels[near] == value {
                    seen[near] = true;
                    region.push(near);
                }
            }
        }
    }

    /// The largest connected region; the first one among equals.
    fn largest_region(self) -> Self {
        let mut seen = vec![false; self.pixels.len()];
        let mut best = Vec::new();
        for start in 0..self.pixels.len() {
            let mut region = Vec::new();
            self.flood(start, true, &mut seen, &mut region);
            if region.len() > best.len() {
                best = region;
            }
        }
        let mut pixels = vec![false; self.pixels.len()];
        best.into_iter().for_each(|at| pixels[at] = true);
        Self { pixels, ..self }
    }

    /// With every hole filled: what is not joined to the image's edge.
    fn filled(self) -> Self {
        let (width, height) = (self.width, self.height);
        let mut outside = vec![false; self.pixels.len()];
        let mut region = Vec::new();
        let sides = (0..height).flat_map(|y| [y * width, (y + 1) * width - 1]);
        for start in (0..width).chain((height - 1) * width..height * width).chain(sides) {
            self.flood(start, false, &mut outside, &mut region);
        }
        Self { width, height, pixels: outside.into_iter().map(|o| !o).collect() }
    }
}

/// Back to full size, with the steps of the reduced outline smoothed by bilinear interpolation.
fn enlarge(region: &Bits, width: u32, height: u32, factor: usize) -> Mask {
    let mut mask = Mask::empty(width, height);
    // For a full pixel: the reduced pixels before and after its centre, and the weight of the latter.
    let place = |at: usize, length: usize| {
        let centre = ((at as f32 + 0.5) / factor as f32 - 0.5).clamp(0.0, (length - 1) as f32);
        let before = centre as usize;
        (before, (before + 1).min(length - 1), centre - before as f32)
    };
    let columns: Vec<_> = (0..width as usize).map(|x| place(x, region.width)).collect();
    let mut blend = vec![0f32; region.width];
    for (y, line) in mask.pixels.chunks_mut(width as usize).enumerate() {
        let (above, below, weight) = place(y, region.height);
        let row = |y: usize| &region.pixels[y * region.width..][..region.width];
        for ((b, &a), &c) in blend.iter_mut().zip(row(above)).zip(row(below)) {
            *b = f32::from(u8::from(a)) * (1.0 - weight) + f32::from(u8::from(c)) * weight;
        }
        for (pixel, &(left, right, weight)) in line.iter_mut().zip(&columns) {
            *pixel = blend[left] * (1.0 - weight) + blend[right] * weight >= 0.5;
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rasterise, real_data};

    fn iou(a: &Mask, b: &Mask) -> f64 {
        let both = a.pixels.iter().zip(&b.pixels).filter(|(a, b)| **a && **b).count();
        both as f64 / (a.area() + b.area() - both) as f64
    }

    /// Cheap repeatable noise in 0..n.
    fn noise(i: usize, n: u32) -> u8 {
        ((i as u32).wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(40_503) >> 16) as u8
            % n as u8
    }

    #[test]
    fn a_half_disk_is_found_among_noise_labels_and_scratches() {
        let (width, height) = (600, 800);
        let truth = rasterise(
            &[Outline::Circle { x: 0.0, y: 400.0, radius: 330.0 }],
            [0.0, 0.0, 600.0, 800.0],
            width,
            height,
        );
        let mut image = Grey::filled(width, height, 0);
        for (i, pixel) in image.pixels.iter_mut().enumerate() {
            let (x, y) = (i % 600, i / 600);
            *pixel = match truth.pixels[i] {
                // A void inside belongs to the breast.
                true if x.abs_diff(100) < 20 && y.abs_diff(400) < 20 => 1,
                true => 60 + noise(i, 90),
                // A label, brighter than any tissue, and a scratch from it into the breast.
                false if x > 450 && y < 90 => 255,
                false if y.abs_diff(200) < 2 || x.abs_diff(500) < 2 => 200,
                false => noise(i, 9),
            };
        }
        let Breast { mask: found, outlines } = breast(&image);
        let drawn = rasterise(&outlines, [0.0, 0.0, 600.0, 800.0], width, height);
        assert!(iou(&drawn, &found) > 0.985, "{}", iou(&drawn, &found));
        let agreement = iou(&found, &truth);
        assert!(agreement > 0.97, "{agreement}");
        assert!(found.at(100, 400) && !found.at(520, 40));
    }

    #[test]
    fn padding_is_no_background() {
        // Black at the sides, grey film in the middle, and the breast at its left edge.
        let mut image = Grey::filled(700, 600, 0);
        let inside = |x: usize, y: usize| (x - 150).pow(2) + y.abs_diff(300).pow(2) < 250 * 250;
        for (i, pixel) in image.pixels.iter_mut().enumerate() {
            let (x, y) = (i % 700, i / 700);
            *pixel = match x {
                150..550 if inside(x, y) => 90 + noise(i, 80),
                150..550 => 22 + noise(i, 5),
                _ => 0,
            };
        }
        let found = breast(&image).mask;
        let truth =
            (0..600 * 700).map(|i| (150..550).contains(&(i % 700)) && inside(i % 700, i / 700));
        let truth = Mask { width: 700, height: 600, pixels: truth.collect() };
        assert!(iou(&found, &truth) > 0.97, "{}", iou(&found, &truth));
    }

    #[test]
    fn one_sided_images_are_all_or_nothing() {
        let of = |value: fn(usize) -> u8, width: u32, height: u32| {
            let pixels = (0..(width * height) as usize).map(value).collect();
            breast(&Grey { width, height, pixels }).mask.area() as f64
                / f64::from((width * height).max(1))
        };
        assert_eq!(of(|_| 0, 300, 500), 0.0);
        assert_eq!(of(|i| noise(i, 12), 300, 500), 0.0);
        assert_eq!(of(|_| 120, 300, 500), 1.0);
        assert_eq!(of(|i| 80 + noise(i, 120), 300, 500), 1.0);
        for (width, height) in [(0, 0), (1, 1), (1, 700), (700, 1), (2, 3)] {
            of(|i| noise(i, 255), width, height);
        }
    }

    #[test]
    fn agrees_with_drawn_masks_of_mini_mias() {
        let Some(folder) = real_data::folder("mini-mias") else { return };
        let mut scores = Vec::new();
        let mut slowest = std::time::Duration::ZERO;
        for entry in std::fs::read_dir(folder.join("breast-masks")).unwrap() {
            let mask = entry.unwrap().path();
            let stem = mask.file_stem().unwrap().to_string_lossy().into_owned();
            let grey = image::open(folder.join(format!("{stem}.pgm"))).unwrap().into_luma8();
            let drawn = image::open(&mask).unwrap().into_luma8();
            let grey = Grey { width: grey.width(), height: grey.height(), pixels: grey.into_raw() };
            let truth = Mask {
                width: drawn.width(),
                height: drawn.height(),
                pixels: drawn.pixels().map(|p| p.0[0] > 127).collect(),
            };
            let start = std::time::Instant::now();
            let Breast { mask: found, outlines } = breast(&grey);
            slowest = slowest.max(start.elapsed());
            let drawn = rasterise(&outlines, [0.0, 0.0, 1024.0, 1024.0], 1024, 1024);
            assert!(iou(&drawn, &found) > 0.97, "{stem}: {}", iou(&drawn, &found));
            scores.push((iou(&found, &truth), stem));
        }
        scores.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mean = scores.iter().map(|s| s.0).sum::<f64>() / scores.len() as f64;
        println!(
            "IoU with {} drawn masks: mean {mean:.4}, median {:.4}, worst {:?}; slowest {slowest:?}",
            scores.len(),
            scores[scores.len() / 2].0,
            &scores[..5.min(scores.len())]
        );
        assert!(mean > 0.965, "{mean}");
        assert!(scores.is_empty() || scores[0].0 > 0.85, "{:?}", scores[0]);
    }
}
