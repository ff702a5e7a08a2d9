//! From anatomy, texture, structures and lesions to the pixels of a digitised film.

use super::anatomy::{Anatomy, FILM_HEIGHT, FILM_WIDTH, Projection, dot, length, sub};
use super::dice::{Dice, Subject};
use super::layer::Layer;
use super::patient::{Composition, Patient};
use super::structures::Structures;
use super::texture::{Enlargement, Field, Noise, power_law, smoothstep};
use super::{lesion, marker};
use mammogram::{Grey, Laterality};

/// Step of the lattice on which slowly varying fields are computed, in millimetres.
const STEP: f32 = 3.0;
/// Largest structures of the texture in millimetres.
const COARSEST: f32 = 22.0;

/// Renders one view, `width` x `height` pixels. `lesions: false` leaves the lesions out and changes
/// nothing else.
pub(super) fn render(
    seed: u64,
    patient: &Patient,
    projection: Projection,
    [width, height]: [u32; 2],
    lesions: bool,
) -> Grey {
    let (columns, rows) = (width as usize, height as usize);
    let view = projection.number();
    let scale = height as f32 / FILM_HEIGHT;
    let anatomy = patient.anatomy(projection);
    let dice = |subject| Dice::new(seed, patient.number, subject);
    let layer = || Layer::new(columns, rows, scale);

    let mut tissue = layer();
    let mut calcium = layer();
    if lesions {
        for tumour in patient.tumours.iter().filter(|t| t.side == projection.side) {
            let mut dice = dice(Subject::Drawing(tumour.number, view));
            let form = tumour.form(projection.view);
            lesion::draw(tumour.finding, form, &mut tissue, &mut calcium, &mut dice);
        }
    }
    let mut structures_dice = dice(Subject::Structures(view));
    let structures =
        Structures::draw(patient, projection, [layer(), layer()], &mut structures_dice);
    Structures::specks(anatomy, &mut calcium, &mut structures_dice);

    let mut texture_dice = dice(Subject::Texture(view));
    let levels = (COARSEST * scale).log2().round().max(1.0) as u32;
    let texture = power_law(columns, rows, levels, 3.3, &mut texture_dice);
    let web = Noise::new(&mut texture_dice);
    let mesh = Noise::new(&mut texture_dice);
    let maps = Maps::new(anatomy, patient.composition, &mut texture_dice);
    let look = Look::new(patient.composition, &mut texture_dice);

    let mut film_dice = dice(Subject::Film(view));
    let film = Film::new(&mut film_dice);
    let grain = film_dice.bytes(2 * columns * rows);
    let nipple_radius = 3.4;

    let mut image = Grey::filled(width, height, 0);
    let mut lines = Lines::new(columns, STEP * scale);
    let mm = 1.0 / scale;
    for y in 0..rows {
        lines.fill(&maps, y);
        let py = (y as f32 + 0.5) * mm;
        let offset = y * columns;
        for x in 0..columns {
            let i = offset + x;
            let px = (x as f32 + 0.5) * mm;
            let mut depth = lines.skin[x];
            let from_nipple = [px - anatomy.nipple[0] + 0.8, py - anatomy.nipple[1]];
            let near_nipple = from_nipple[0].abs() < 8.0 && from_nipple[1].abs() < 8.0;
            if near_nipple {
                depth = depth.max(nipple_radius - length(from_nipple));
            }
            let mut value = film.base(px, py);
            if depth > -1.0 {
                let t = texture.values[i];
                let (u, v) = (lines.u[x] + 0.08 * t, lines.v[x] + 0.11 * t);
                let coarse = web.ridge(u, v, 2.4);
                let fine = mesh.ridge(1.7 * u + 7.0, 2.3 * v, 2.2);
                let gland = smoothstep(
                    -0.7,
                    1.15,
                    lines.gland[x] + 0.24 * t + 0.5 * coarse + 0.3 * fine - 0.3,
                );
                let ridges = look.web * coarse + look.mesh * fine;
                let mut content = look.fat
                    + gland * (look.gland + 0.06 * t)
                    + ridges * (0.8 + 0.5 * gland)
                    + 0.022 * t
                    + structures.strands.values[i] * (1.0 - 0.35 * gland)
                    + structures.vessels.values[i]
                    + tissue.values[i] * (1.0 - 0.25 * gland);
                let muscle = smoothstep(-1.2, 2.2, lines.muscle[x]);
                if muscle > 0.0 {
                    let over = 0.03 * t + look.muscle + 0.0012 * lines.muscle[x];
                    content += muscle * (over - 0.6 * (content - look.fat));
                }
                let mut thickness = look.thickness(depth);
                if near_nipple {
                    let tip = 1.0 - smoothstep(0.4, 1.0, length(from_nipple) / nipple_radius);
                    thickness = thickness.max(0.45 * tip);
                    content += 0.10 * tip;
                }
                let edge = smoothstep(-0.35, 0.35, depth);
                let skin = 0.05 * smoothstep(2.2, 0.9, depth) * edge;
                value += edge * (0.05 + skin + thickness * content)
                    + calcium.values[i] * edge * (0.35 + 0.65 * thickness);
            }
            // The sum of two bytes is close enough to a bell.
            let noise = f32::from(grain[2 * i]) + f32::from(grain[2 * i + 1]) - 255.0;
            image.pixels[i] = film.develop(value, noise);
        }
    }
    film.border(&mut image, scale);
    if projection.side == Laterality::Right {
        for row in image.pixels.chunks_mut(columns.max(1)) {
            row.reverse();
        }
    }
    // Lettering must not be mirrored.
    marker::stamp(&mut image, projection, scale, &mut film_dice);
    image
}

/// How much of what this patient's view is made of.
struct Look {
    fat: f32,
    gland: f32,
    web: f32,
    mesh: f32,
    muscle: f32,
    /// Thickness by depth below the skin, in quarters of a millimetre.
    profile: Vec<f32>,
}

impl Look {
    fn new(composition: Composition, dice: &mut Dice) -> Self {
        let fullness = dice.between(24.0, 38.0);
        let profile = (0..400)
            .map(|i| {
                let t = (i as f32 * 0.25 / fullness).min(1.0);
                // A rounded rim, compressed flat further in.
                (1.0 - (1.0 - t) * (1.0 - t)).sqrt() * (0.55 + 0.45 * t.sqrt())
            })
            .collect();
        let dense = matches!(composition, Composition::C | Composition::D);
        Self {
            fat: dice.between(0.34, 0.44),
            gland: dice.between(0.2, 0.27) + if dense { 0.03 } else { 0.0 },
            web: dice.between(0.035, 0.065),
            mesh: dice.between(0.02, 0.045),
            muscle: dice.between(0.24, 0.34),
            profile,
        }
    }

    fn thickness(&self, depth: f32) -> f32 {
        self.profile[((depth.max(0.0) * 4.0) as usize).min(self.profile.len() - 1)]
    }
}

/// Slowly varying fields on the lattice.
struct Maps {
    skin: Field,
    muscle: Field,
    gland: Field,
    u: Field,
    v: Field,
}

impl Maps {
    /// Columns of the lattice.
    const COLUMNS: usize = (FILM_WIDTH / STEP) as usize + 2;

    fn new(anatomy: &Anatomy, composition: Composition, dice: &mut Dice) -> Self {
        let (columns, rows) = (Self::COLUMNS, (FILM_HEIGHT / STEP) as usize + 2);
        let at = |x: usize, y: usize| [x as f32 * STEP, y as f32 * STEP];
        let skin = Field::from_fn(columns, rows, |x, y| anatomy.skin_distance(at(x, y)));
        let patches = power_law(columns, rows, 4, 3.2, dice);
        let (level, spread) = match composition {
            Composition::A => (-0.95, 0.34),
            Composition::B => (-0.3, 0.42),
            Composition::C => (0.3, 0.5),
            Composition::D => (0.95, 0.56),
        };
        let level = level + dice.between(-0.2, 0.2);
        let heart = dice.between(0.36, 0.46);
        let across = anatomy.across();
        let aside = dice.between(-0.12, 0.12);
        let gland = Field::from_fn(columns, rows, |x, y| {
            let offset = sub(at(x, y), anatomy.nipple);
            let t = dot(offset, anatomy.axis) / anatomy.depth;
            let s = dot(offset, across) / anatomy.half_width - aside * t;
            // A cone with its tip at the nipple, rounded at its base.
            let breadth = spread * (0.42 + 1.05 * t.clamp(0.0, 0.8));
            let cone = 1.0 - (s / breadth).powi(2) - ((t - heart) / (0.2 + 0.75 * spread)).powi(2);
            let rim = smoothstep(2.0, 12.0, skin.values[y * columns + x]);
            cone.max(-2.5) + level + 0.62 * patches.values[y * columns + x] - 1.6 * (1.0 - rim)
        });
        // Polar coordinates about a point before the nipple: strands converge there.
        let pole = anatomy.along(-18.0);
        let polar = |x, y| sub(at(x, y), pole);
        let axis = anatomy.axis;
        let (turn, shift) = (dice.between(0.0, 40.0), dice.between(0.0, 40.0));
        Self {
            skin,
            muscle: Field::from_fn(columns, rows, |x, y| anatomy.muscle_distance(at(x, y))),
            gland,
            u: Field::from_fn(columns, rows, |x, y| shift + length(polar(x, y)) / 17.0),
            v: Field::from_fn(columns, rows, |x, y| {
                let p = polar(x, y);
                let angle = dot(p, across).atan2(dot(p, axis));
                turn + angle * 11.0
            }),
        }
    }
}

/// One image row of every map.
struct Lines {
    enlargement: Enlargement,
    skin: Vec<f32>,
    muscle: Vec<f32>,
    gland: Vec<f32>,
    u: Vec<f32>,
    v: Vec<f32>,
}

impl Lines {
    fn new(columns: usize, step: f32) -> Self {
        let enlargement = Enlargement::new(Maps::COLUMNS, step, columns);
        let line = || vec![0.0; columns];
        Self { enlargement, skin: line(), muscle: line(), gland: line(), u: line(), v: line() }
    }

    fn fill(&mut self, maps: &Maps, y: usize) {
        let Self { enlargement, skin, muscle, gland, u, v } = self;
        for (field, line) in [
            (&maps.skin, skin),
            (&maps.muscle, muscle),
            (&maps.gland, gland),
            (&maps.u, u),
            (&maps.v, v),
        ] {
            enlargement.row(field, y, line);
        }
    }
}

/// Film and digitiser: base fog, characteristic curve, grain, collimation.
struct Film {
    fog: f32,
    slope: [f32; 2],
    grain: f32,
    /// Grey by attenuation, in 1/1024.
    curve: Vec<f32>,
    /// Margin outside the collimator in millimetres, and its grey.
    border: Option<(f32, u8)>,
}

impl Film {
    fn new(dice: &mut Dice) -> Self {
        let exposure = dice.between(0.8, 1.14);
        let curve = (0..1600)
            .map(|i| {
                // Straight at first, with a shoulder towards 1.
                let v = exposure * i as f32 / 1024.0;
                245.0 * v / (1.0 + v.powi(4)).sqrt().sqrt()
            })
            .collect();
        Self {
            fog: dice.between(0.015, 0.035),
            slope: [dice.between(-1.0, 1.0) * 5e-5, dice.between(-1.0, 1.0) * 5e-5],
            grain: dice.between(0.010, 0.018),
            curve,
            border: dice
                .chance(0.35)
                .then(|| (dice.between(1.5, 4.5), dice.between(12.0, 60.0) as u8)),
        }
    }

    fn base(&self, x: f32, y: f32) -> f32 {
        self.fog + self.slope[0] * x + self.slope[1] * y
    }

    fn develop(&self, value: f32, noise: f32) -> u8 {
        let place = (value.max(0.0) * 1024.0) as usize;
        let grey = self.curve[place.min(self.curve.len() - 1)];
        (grey + self.grain * noise + 0.5).clamp(0.0, 255.0) as u8
    }

    /// The strip beyond the collimator on the side away from the chest wall.
    fn border(&self, image: &mut Grey, scale: f32) {
        let Some((margin, grey)) = self.border else { return };
        let columns = image.width as usize;
        let strip = ((margin * scale) as usize).min(columns);
        for row in image.pixels.chunks_mut(columns.max(1)) {
            for pixel in &mut row[columns - strip..] {
                *pixel = pixel.saturating_add(grey);
            }
        }
    }
}
