//! Random textures without a Fourier transform: power-law fields by repeated doubling, and smooth
//! periodic noise for fields that are bent.

use super::dice::Dice;

/// A scalar field, row-major.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// Columns.
    pub(super) width: usize,
    /// Rows.
    pub(super) height: usize,
    /// `width * height` values.
    pub(super) values: Vec<f32>,
}

impl Field {
    /// A field of zeros.
    pub(super) fn zero(width: usize, height: usize) -> Self {
        Self { width, height, values: vec![0.0; width * height] }
    }

    /// A field of values computed at each column and row.
    pub(super) fn from_fn(
        width: usize,
        height: usize,
        mut value: impl FnMut(usize, usize) -> f32,
    ) -> Self {
        let mut field = Self::zero(width, height);
        for y in 0..height {
            for x in 0..width {
                field.values[y * width + x] = value(x, y);
            }
        }
        field
    }
}

/// Bilinear enlargement of lattices of one width to image rows.
pub(super) struct Enlargement {
    step: f32,
    /// Lattice column left of each image column, and how far right of it that lies.
    places: Vec<(u32, f32)>,
    line: Vec<f32>,
}

impl Enlargement {
    /// From a lattice `width` columns wide (at least 2) with one node every `step` pixels to
    /// `columns` image columns.
    pub(super) fn new(width: usize, step: f32, columns: usize) -> Self {
        let places = (0..columns)
            .map(|x| {
                let u = (x as f32 + 0.5) / step;
                let left = (u as usize).min(width - 2);
                (left as u32, (u - left as f32).min(1.0))
            })
            .collect();
        Self { step, places, line: vec![0.0; width] }
    }

    /// Image row `y` of `field`.
    pub(super) fn row(&mut self, field: &Field, y: usize, out: &mut [f32]) {
        let v = (y as f32 + 0.5) / self.step;
        let top = (v as usize).min(field.height - 2);
        let down = (v - top as f32).min(1.0);
        let above = &field.values[top * field.width..][..field.width];
        let below = &field.values[(top + 1) * field.width..][..field.width];
        for ((line, a), b) in self.line.iter_mut().zip(above).zip(below) {
            *line = a + (b - a) * down;
        }
        for (out, &(left, right)) in out.iter_mut().zip(&self.places) {
            let a = self.line[left as usize];
            *out = a + (self.line[left as usize + 1] - a) * right;
        }
    }
}

/// A random field whose power falls as 1/f^`beta` (mammographic texture has beta near 3: Burgess et
/// al., Medical Physics 28, 2001), of mean about 0 and standard deviation about 1, with structures
/// up to `2^levels` pixels.
///
/// The coarsest noise is doubled in size `levels` times by quadratic B-spline subdivision; each
/// doubling adds noise of its own scale.
pub(super) fn power_law(
    width: usize,
    height: usize,
    levels: u32,
    beta: f32,
    dice: &mut Dice,
) -> Field {
    // One octave of a field with power f^-beta in two dimensions has variance f^(2 - beta).
    let gain = 2f32.powf((2.0 - beta) / 2.0);
    let extent = |level: u32, size: usize| size.div_ceil(1 << level) + 3;
    let mut amplitude = 1.0;
    let mut field = Field::zero(extent(levels, width), extent(levels, height));
    add_noise(&mut field, amplitude, dice);
    for level in (0..levels).rev() {
        amplitude *= gain;
        let (w, h) = if level == 0 {
            (width, height)
        } else {
            (extent(level, width), extent(level, height))
        };
        field = doubled(&field, w, h);
        add_noise(&mut field, amplitude, dice);
    }
    field.width = width;
    let n = field.values.len().max(1) as f64;
    let mean = field.values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = field.values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
    let scale = 1.0 / variance.sqrt().max(1e-6);
    for value in &mut field.values {
        *value = ((f64::from(*value) - mean) * scale) as f32;
    }
    field
}

fn add_noise(field: &mut Field, amplitude: f32, dice: &mut Dice) {
    let bytes = dice.bytes(field.values.len());
    let scale = amplitude / 127.5;
    for (value, byte) in field.values.iter_mut().zip(bytes) {
        *value += (f32::from(byte) - 127.5) * scale;
    }
}

/// Twice the size by quadratic B-spline subdivision (weights 3/4 and 1/4), cut to `width` x `height`.
fn doubled(field: &Field, width: usize, height: usize) -> Field {
    let mut out = Field::zero(width, height);
    let mut line = vec![0.0; field.width];
    for y in 0..height {
        // Output 2i lies a quarter left of the midpoint between inputs i and i + 1, 2i + 1 right of it.
        let (i, near) = (y / 2, if y % 2 == 0 { 0.75 } else { 0.25 });
        let above = &field.values[i * field.width..][..field.width];
        let below = &field.values[(i + 1) * field.width..][..field.width];
        for ((line, a), b) in line.iter_mut().zip(above).zip(below) {
            *line = near * a + (1.0 - near) * b;
        }
        let row = &mut out.values[y * width..][..width];
        for (pair, ends) in row.chunks_mut(2).zip(line.windows(2)) {
            pair[0] = 0.75 * ends[0] + 0.25 * ends[1];
            if let Some(second) = pair.get_mut(1) {
                *second = 0.25 * ends[0] + 0.75 * ends[1];
            }
        }
    }
    out
}

/// Smooth noise with lattice step 1 that repeats every [`Noise::PERIOD`] steps.
pub(super) struct Noise(Vec<f32>);

impl Noise {
    const PERIOD: usize = 64;

    /// Fresh noise.
    pub(super) fn new(dice: &mut Dice) -> Self {
        let bytes = dice.bytes(Self::PERIOD * Self::PERIOD);
        Self(bytes.into_iter().map(|b| (f32::from(b) - 127.5) / 127.5).collect())
    }

    /// The value at (u, v), in [-1, 1].
    pub(super) fn at(&self, u: f32, v: f32) -> f32 {
        const MASK: usize = Noise::PERIOD - 1;
        // Shifted to be positive, so that truncation is the floor.
        let (u, v) = (u + 4096.0, v + 4096.0);
        let (i, j) = (u as usize, v as usize);
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (fu, fv) = (ease(u - i as f32), ease(v - j as f32));
        let (i, j, k, l) =
            (i & MASK, (j & MASK) * Self::PERIOD, (i + 1) & MASK, ((j + 1) & MASK) * Self::PERIOD);
        let a = self.0[j + i] + (self.0[j + k] - self.0[j + i]) * fu;
        let b = self.0[l + i] + (self.0[l + k] - self.0[l + i]) * fu;
        a + (b - a) * fv
    }

    /// Ridges along the zero lines: 1 on the line, falling to 0 where the noise reaches `1 / sharpness`.
    pub(super) fn ridge(&self, u: f32, v: f32, sharpness: f32) -> f32 {
        let r = (1.0 - self.at(u, v).abs() * sharpness).max(0.0);
        r * r
    }
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::super::dice::Subject;
    use super::*;

    #[test]
    fn a_power_law_field_has_the_structure_function_of_its_exponent() {
        // For power f^-beta in two dimensions, the mean squared difference at distance r grows as
        // r^(beta - 2): fourfold from 2 to 8 pixels for beta = 3, twofold for beta = 2.5.
        for (beta, growth) in [(3.0, 4.0), (2.5, 2.0)] {
            let mut dice = Dice::new(1, 0, Subject::Texture(0));
            let field = power_law(512, 512, 7, beta, &mut dice);
            let n = field.values.len() as f32;
            let mean = field.values.iter().sum::<f32>() / n;
            let variance = field.values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
            assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.01, "{mean} {variance}");
            let difference = |lag: usize| {
                let pairs = field.values.chunks(512).flat_map(|row| row.iter().zip(&row[lag..]));
                let (sum, count) =
                    pairs.fold((0.0, 0), |(s, c), (a, b)| (s + f64::from(a - b).powi(2), c + 1));
                sum / f64::from(count)
            };
            let found = difference(8) / difference(2);
            assert!(found > 0.7 * growth && found < 1.5 * growth, "beta {beta}: {found}");
        }
    }

    #[test]
    fn an_enlarged_ramp_is_a_ramp() {
        let field = Field::from_fn(5, 4, |x, y| x as f32 + 10.0 * y as f32);
        let mut enlargement = Enlargement::new(5, 2.5, 10);
        let mut row = vec![0.0; 10];
        for y in 0..7 {
            enlargement.row(&field, y, &mut row);
            for (x, value) in row.iter().enumerate() {
                let expected = (x as f32 + 0.5) / 2.5 + 10.0 * (y as f32 + 0.5) / 2.5;
                assert!((value - expected).abs() < 1e-4, "{x} {y}");
            }
        }
    }
}
