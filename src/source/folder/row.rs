//! What a row says: of an image, and of one lesion or region in it.

use serde_json::Value;

use super::table::Record;
use base::Split;
use mammogram::{Laterality, Outline, Pathology, View};

/// Columns of the table of images and lesions.
pub(super) const COLUMNS: [&str; 16] = [
    "image",
    "id",
    "patient",
    "laterality",
    "view",
    "density",
    "micron",
    "split",
    "pathology",
    "terms",
    "words",
    "assessment",
    "subtlety",
    "mask",
    "value",
    "polygon",
];
/// Columns of the table of regions.
pub(super) const REGION_COLUMNS: [&str; 5] = ["image", "term", "mask", "value", "polygon"];

/// A row of the table of images and lesions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) about: AboutImage,
    pub(super) lesion: Option<RowLesion>,
}

/// What concerns the image as a whole; it may stand in one row only of several.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct AboutImage {
    pub(super) id: Option<String>,
    pub(super) patient: Option<String>,
    pub(super) laterality: Option<Laterality>,
    pub(super) view: Option<View>,
    /// `composition-a` to `composition-d`.
    pub(super) density: Option<String>,
    pub(super) micron: Option<f64>,
    pub(super) split: Option<Split>,
}

/// What concerns one lesion.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowLesion {
    pub(super) pathology: Pathology,
    pub(super) terms: Vec<String>,
    pub(super) words: String,
    pub(super) assessment: Option<u8>,
    pub(super) subtlety: Option<u8>,
    /// `None`: its place is not known.
    pub(super) area: Option<Area>,
}

/// Where something is in the image.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Area {
    /// An image file; the pixels of the value, or else the bright ones.
    Mask { file: String, value: Option<u16> },
    /// In pixels of the image.
    Polygons(Vec<Vec<[f32; 2]>>),
}

impl Area {
    /// The outlines of polygons.
    pub(super) fn outlines(polygons: &[Vec<[f32; 2]>]) -> Vec<Outline> {
        polygons.iter().cloned().map(Outline::Polygon).collect()
    }
}

/// The image of a row.
pub(super) fn image(record: &Record) -> Result<String, String> {
    record.text("image")?.ok_or_else(|| "names no `image`".into())
}

impl Row {
    /// # Errors
    /// Which column is not as expected, without its value.
    pub(super) fn parse(record: &Record) -> Result<Self, String> {
        record.sound()?;
        let text = |column: &str| record.text(column);
        let word = |column: &str, expected: &str, known: &dyn Fn(&str) -> bool| {
            let Some(word) = text(column)? else { return Ok(None) };
            let word = word.to_ascii_lowercase();
            if known(&word) { Ok(Some(word)) } else { Err(format!("`{column}` is not {expected}")) }
        };
        let laterality = word("laterality", "L, R, left or right", &|w| {
            matches!(w, "l" | "r" | "left" | "right")
        })?;
        let view = word("view", "CC or MLO", &|w| matches!(w, "cc" | "mlo"))?;
        let density = match text("density")? {
            None => None,
            Some(density) => Some(composition(&density)?),
        };
        let split = word("split", "train, validation or test", &|w| {
            matches!(w, "train" | "training" | "validation" | "val" | "test")
        })?;
        let micron = match text("micron")? {
            None => None,
            Some(micron) => {
                let micron = micron.parse().ok().filter(|m| (1.0..=10_000.0).contains(m));
                Some(micron.ok_or("`micron` is not the edge of a pixel in micrometres")?)
            }
        };
        let about = AboutImage {
            id: text("id")?,
            patient: text("patient")?,
            laterality: laterality.map(|word| match word.as_str() {
                "l" | "left" => Laterality::Left,
                _ => Laterality::Right,
            }),
            view: view.map(|word| if word == "cc" { View::Cc } else { View::Mlo }),
            density,
            micron,
            split: split.map(|word| match word.as_str() {
                "train" | "training" => Split::Train,
                "test" => Split::Test,
                _ => Split::Validation,
            }),
        };
        let pathology = word("pathology", "malignant, benign or unproven", &|w| {
            matches!(w, "malignant" | "benign" | "benign_without_callback" | "unproven")
        })?;
        let grade = |column: &str, [least, most]: [u8; 2]| match text(column)? {
            None => Ok(None),
            Some(grade) => {
                let grade = grade.parse().ok().filter(|grade| (least..=most).contains(grade));
                grade.map(Some).ok_or_else(|| format!("`{column}` is not {least} to {most}"))
            }
        };
        let (assessment, subtlety) = (grade("assessment", [0, 5])?, grade("subtlety", [1, 5])?);
        let (terms, words) = (terms(record)?, text("words")?);
        let area = area(record)?;
        let empty = pathology.is_none() && area.is_none() && terms.is_empty() && words.is_none();
        if empty && (assessment.is_some() || subtlety.is_some()) {
            return Err("has an assessment or subtlety, but no lesion: give its `pathology`".into());
        }
        let lesion = (!empty).then(|| RowLesion {
            pathology: match pathology.as_deref() {
                Some("malignant") => Pathology::Malignant,
                Some("benign" | "benign_without_callback") => Pathology::Benign,
                _ => Pathology::Unproven,
            },
            terms,
            words: words.unwrap_or_default(),
            assessment,
            subtlety,
            area,
        });
        Ok(Self { about, lesion })
    }
}

/// The term and the area of a row of the table of regions.
///
/// # Errors
/// As [`Row::parse`].
pub(super) fn region(record: &Record) -> Result<(String, Area), String> {
    record.sound()?;
    let term = record.text("term")?.ok_or("names no `term`")?;
    if !is_term(&term) {
        return Err("`term` is not the id of a term, such as `fatty-tissue`".into());
    }
    Ok((term, area(record)?.ok_or("has neither a `mask` nor a `polygon`")?))
}

impl AboutImage {
    /// Takes over what another row of the image says.
    ///
    /// # Errors
    /// Names the column in which the two disagree.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), String> {
        fn one<T: PartialEq>(
            own: &mut Option<T>,
            other: Option<T>,
            name: &str,
        ) -> Result<(), String> {
            match (&own, other) {
                (Some(own), Some(other)) if *own != other => {
                    Err(format!("`{name}` is not that of an earlier row of the image"))
                }
                (None, other) => {
                    *own = other;
                    Ok(())
                }
                _ => Ok(()),
            }
        }
        one(&mut self.id, other.id, "id")?;
        one(&mut self.patient, other.patient, "patient")?;
        one(&mut self.laterality, other.laterality, "laterality")?;
        one(&mut self.view, other.view, "view")?;
        one(&mut self.density, other.density, "density")?;
        one(&mut self.micron, other.micron, "micron")?;
        one(&mut self.split, other.split, "split")
    }
}

fn composition(density: &str) -> Result<String, String> {
    let density = density.to_ascii_lowercase();
    let letter = match density.strip_prefix("composition-").unwrap_or(&density) {
        "a" | "1" => "a",
        "b" | "2" => "b",
        "c" | "3" => "c",
        "d" | "4" => "d",
        _ => return Err("`density` is not a to d or 1 to 4".into()),
    };
    Ok(format!("composition-{letter}"))
}

/// Terms by their ids, in a list or a text, separated by spaces, commas or semicolons.
fn terms(record: &Record) -> Result<Vec<String>, String> {
    let words: Vec<String> = match record.value("terms") {
        None => Vec::new(),
        Some(Value::Array(list)) => {
            let words = list.iter().map(|word| word.as_str().map(str::to_owned));
            words.collect::<Option<_>>().ok_or("`terms` is not a list of texts")?
        }
        Some(_) => {
            let text = record.text("terms")?.unwrap_or_default();
            let words = text.split([' ', ',', ';', '|']).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        }
    };
    if !words.iter().all(|word| is_term(word)) {
        return Err("`terms` are not ids of terms, such as `mass margin-spiculated`".into());
    }
    Ok(words)
}

fn is_term(word: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=64).contains(&word.len()) && word.bytes().all(plain)
}

fn area(record: &Record) -> Result<Option<Area>, String> {
    let value = match record.text("value")? {
        None => None,
        Some(value) => Some(value.parse().map_err(|_| "`value` is not a pixel value, 0 to 65535")?),
    };
    match (record.text("mask")?, record.value("polygon")) {
        (None, None) if value.is_some() => Err("has a `value` without a `mask`".into()),
        (None, None) => Ok(None),
        (Some(file), None) => Ok(Some(Area::Mask { file, value })),
        (None, Some(polygon)) => {
            let polygons = polygons(polygon).filter(|polygons| !polygons.is_empty());
            let polygons = polygons.ok_or(
                "`polygon` is not a list of at least three points, such as `10,20 30,20 30,40`",
            )?;
            Ok(Some(Area::Polygons(polygons)))
        }
        (Some(_), Some(_)) => Err("has both a `mask` and a `polygon`".into()),
    }
}

/// Polygons of a text (`x,y x,y x,y; x,y …`) or of lists of points.
fn polygons(value: &Value) -> Option<Vec<Vec<[f32; 2]>>> {
    let point = |x: f64, y: f64| {
        let near = |v: f64| v.is_finite() && v.abs() <= 65_535.0;
        (near(x) && near(y)).then_some([x as f32, y as f32])
    };
    let polygons: Vec<Vec<[f32; 2]>> = match value {
        Value::String(text) => text
            .split(';')
            .filter(|polygon| !polygon.trim().is_empty())
            .map(|polygon| {
                let points = polygon.split_whitespace();
                let points = points.map(|pair| {
                    let (x, y) = pair.split_once(',')?;
                    point(x.parse().ok()?, y.parse().ok()?)
                });
                points.collect::<Option<Vec<_>>>()
            })
            .collect::<Option<_>>()?,
        Value::Array(list) => {
            let pair = |value: &Value| match value.as_array().map(Vec::as_slice) {
                Some([x, y]) => point(x.as_f64()?, y.as_f64()?),
                _ => None,
            };
            let ring = |list: &[Value]| list.iter().map(pair).collect::<Option<Vec<_>>>();
            match ring(list) {
                Some(polygon) => vec![polygon],
                None => {
                    list.iter().map(|polygon| ring(polygon.as_array()?)).collect::<Option<_>>()?
                }
            }
        }
        _ => return None,
    };
    polygons.iter().all(|polygon| polygon.len() >= 3).then_some(polygons)
}
