//! What a row says: of an image, and of one lesion or region in it.

use serde_json::Value;

use base::Split;
use base::text::Encoding;
use formats::table::{Expected, Row as Record};
use formats::value::{self, Projection};
use lexicon::Lexicons;
use mammogram::{Assessment, Laterality, Modifier, Outline, Pathology, View, is_file_name};

/// Columns of the table of images and lesions.
pub(crate) const COLUMNS: [&str; 19] = [
    "image",
    "id",
    "patient",
    "laterality",
    "view",
    "density",
    "micron",
    "width",
    "height",
    "split",
    "pathology",
    "terms",
    "words",
    "assessment",
    "subtlety",
    "mask",
    "value",
    "polygon",
    "box",
];
/// Columns of the table of regions.
const REGION_COLUMNS: [&str; 5] = ["image", "term", "mask", "value", "polygon"];
/// What to do with a table in another encoding.
pub(crate) const ADVICE: &str = "write `encoding: windows-1252`, or what it was saved in, beside `path` under `source`, or save it as UTF-8";

/// What the table of images and lesions is.
pub(super) fn images(encoding: Option<Encoding>) -> Expected<'static> {
    Expected {
        columns: Some(&COLUMNS),
        needed: &["image"],
        prose: &["words"],
        encoding,
        advice: ADVICE,
    }
}

/// What the table of regions is.
pub(super) fn regions(encoding: Option<Encoding>) -> Expected<'static> {
    Expected {
        columns: Some(&REGION_COLUMNS),
        needed: &["image"],
        prose: &[],
        encoding,
        advice: ADVICE,
    }
}

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
    pub(super) modifier: Option<Modifier>,
    /// `composition-a` to `composition-d`.
    pub(super) density: Option<String>,
    pub(super) micron: Option<f64>,
    /// In pixels, as the table states them.
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) split: Option<Split>,
}

/// What concerns one lesion.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RowLesion {
    pub(super) pathology: Pathology,
    pub(super) terms: Vec<String>,
    pub(super) words: String,
    pub(super) assessment: Option<Assessment>,
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
    /// Left, top, right and bottom edges, in pixels of the image.
    Boxes(Vec<[f32; 4]>),
}

impl Area {
    /// The outlines of polygons.
    pub(super) fn outlines(polygons: &[Vec<[f32; 2]>]) -> Vec<Outline> {
        polygons.iter().cloned().map(Outline::Polygon).collect()
    }
}

/// The image of a row.
pub(super) fn image(record: &Record) -> Result<String, String> {
    text(record, "image")?.ok_or_else(|| "names no `image`".into())
}

/// The value of a column; `None` where it is missing, whichever word says so.
fn text(record: &Record, column: &str) -> Result<Option<String>, String> {
    Ok(record.text(column)?.filter(|text| !value::is_missing(text)))
}

/// The value of a column as something that is known; it must be what is `expected`.
fn read<T>(
    record: &Record,
    column: &str,
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    let Some(text) = text(record, column)? else { return Ok(None) };
    read(&text).map(Some).ok_or_else(|| format!("`{column}` is not {expected}"))
}

impl Row {
    /// `lexicons` are those of the project, by which terms are known.
    ///
    /// # Errors
    /// Which column is not as expected, without its value, but for a slip of the pen in a term.
    pub(super) fn parse(record: &Record, lexicons: &Lexicons) -> Result<Self, String> {
        record.sound()?;
        let side = read(record, "laterality", "L, R, left or right", value::laterality)?;
        let views = "CC, MLO, ML, LM, XCCL, XCCM or another view, with or without `spot` or `mag`";
        let projection = read(record, "view", views, value::projection)?;
        let Projection { laterality, view, modifier } =
            projection.unwrap_or(Projection { laterality: None, view: None, modifier: None });
        if side.is_some() && laterality.is_some() && side != laterality {
            return Err("`laterality` and `view` name different sides".into());
        }
        let about = AboutImage {
            id: read(
                record,
                "id",
                "a file name on every system (letters from a to z, digits, `_`, `-` and `.`)",
                |id| is_file_name(id).then(|| id.to_owned()),
            )?,
            patient: text(record, "patient")?.map(|patient| value::name(&patient)),
            laterality: side.or(laterality),
            view,
            modifier,
            density: read(record, "density", "a to d or 1 to 4", value::density)?
                .map(str::to_owned),
            micron: read(record, "micron", "the edge of a pixel in micrometres", |micron| {
                micron.parse().ok().filter(|m| (1.0..=10_000.0).contains(m))
            })?,
            width: edge(record, "width")?,
            height: edge(record, "height")?,
            split: read(record, "split", "train, validation or test", value::split)?,
        };
        let pathology =
            read(record, "pathology", "malignant, benign or unproven", value::pathology)?;
        let assessment = read(
            record,
            "assessment",
            "a BI-RADS category, 0 to 6 or 4A to 4C",
            value::assessment,
        )?;
        let subtlety = read(record, "subtlety", "1 to 5", |grade| {
            value::whole(grade)
                .and_then(|grade| u8::try_from(grade).ok())
                .filter(|g| (1..=5).contains(g))
        })?;
        let (terms, words) = (terms(record, lexicons)?, text(record, "words")?);
        let area = area(record)?;
        let empty = pathology.is_none() && area.is_none() && terms.is_empty() && words.is_none();
        if empty && (assessment.is_some() || subtlety.is_some()) {
            return Err("has an assessment or subtlety, but no lesion: give its `pathology`".into());
        }
        let lesion = (!empty).then(|| RowLesion {
            pathology: pathology.unwrap_or(Pathology::Unproven),
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
pub(super) fn region(record: &Record, lexicons: &Lexicons) -> Result<(String, Area), String> {
    record.sound()?;
    let term = text(record, "term")?.ok_or("names no `term`")?;
    let [term] = &listed(&term, "term", lexicons)?[..] else {
        return Err("`term` is not one term, such as `fatty-tissue`".into());
    };
    Ok((term.clone(), area(record)?.ok_or("has neither a `mask` nor a `polygon`")?))
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
        one(&mut self.modifier, other.modifier, "view")?;
        one(&mut self.density, other.density, "density")?;
        one(&mut self.micron, other.micron, "micron")?;
        one(&mut self.width, other.width, "width")?;
        one(&mut self.height, other.height, "height")?;
        one(&mut self.split, other.split, "split")
    }
}

/// A number of pixels.
fn edge(record: &Record, column: &str) -> Result<Option<u32>, String> {
    read(record, column, "a number of pixels", |edge| {
        value::whole(edge).and_then(|edge| u32::try_from(edge).ok()).filter(|edge| *edge > 0)
    })
}

/// Ids of terms, in a list or a text.
fn terms(record: &Record, lexicons: &Lexicons) -> Result<Vec<String>, String> {
    let text = match record.value("terms") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => {
            let words = list.iter().map(Value::as_str).collect::<Option<Vec<&str>>>();
            words.ok_or("`terms` is not a list of texts")?.join("; ")
        }
        Some(_) => text(record, "terms")?.unwrap_or_default(),
    };
    listed(&text, "terms", lexicons)
}

/// The ids of the terms that the text of a column lists. A word that is not close to any term may have come
/// from another column, and is not repeated.
fn listed(text: &str, column: &str, lexicons: &Lexicons) -> Result<Vec<String>, String> {
    const MOST: usize = 4096;
    if text.len() > MOST {
        return Err(format!("`{column}` is longer than {MOST} bytes"));
    }
    lexicons.listed(text).map_err(|unknown| match unknown.near[..] {
        [] => format!(
            "`{column}` holds a word that is no term of the lexicons; terms have ids, such as \
             `margin-spiculated`, and content/lexicons/ takes further ones"
        ),
        ref near => format!(
            "`{column}` has `{}`, which is no term of the lexicons (perhaps `{}`)",
            unknown.word,
            near.join("` or `")
        ),
    })
}

fn area(record: &Record) -> Result<Option<Area>, String> {
    let value = read(record, "value", "a pixel value, 0 to 65535", |value| {
        value::whole(value).and_then(|value| u16::try_from(value).ok())
    })?;
    let polygon = record.value("polygon");
    let polygon = polygon.filter(|polygon| !polygon.as_str().is_some_and(value::is_missing));
    let boxes = text(record, "box")?;
    match (text(record, "mask")?, polygon, boxes) {
        (None, None, None) if value.is_some() => Err("has a `value` without a `mask`".into()),
        (None, None, None) => Ok(None),
        (Some(file), None, None) => Ok(Some(Area::Mask { file, value })),
        (None, Some(polygon), None) => {
            let polygons = polygons(polygon).filter(|polygons| !polygons.is_empty());
            let polygons = polygons.ok_or(
                "`polygon` is not a list of at least three points, such as `10,20 30,20 30,40`",
            )?;
            if !polygons.iter().all(|polygon| encloses(polygon)) {
                return Err("`polygon` has points on one line, and encloses nothing; decimals are written with a point".into());
            }
            Ok(Some(Area::Polygons(polygons)))
        }
        (None, None, Some(text)) => {
            let boxes: Option<Vec<[f32; 4]>> =
                text.split(';').filter(|one| !one.trim().is_empty()).map(edges).collect();
            let boxes = boxes.filter(|boxes| !boxes.is_empty());
            let wrong = "`box` is not left, top, right and bottom in pixels, such as `10 20 30 40`, the first less than the others";
            Ok(Some(Area::Boxes(boxes.ok_or(wrong)?)))
        }
        _ => Err("has more than one of `mask`, `polygon` and `box`".into()),
    }
}

/// Left, top, right and bottom of a box.
fn edges(text: &str) -> Option<[f32; 4]> {
    let numbers = text.split(|c: char| c.is_whitespace() || c == ',').filter(|one| !one.is_empty());
    let numbers: Option<Vec<f32>> = numbers.map(|one| one.parse().ok()).collect();
    let edges @ [left, top, right, bottom] = <[f32; 4]>::try_from(numbers?).ok()?;
    let near = edges.iter().all(|edge| edge.is_finite() && edge.abs() <= 65_535.0);
    (near && left < right && top < bottom).then_some(edges)
}

/// Whether the points do not lie on one line.
fn encloses(polygon: &[[f32; 2]]) -> bool {
    let [first, rest @ ..] = polygon else { return false };
    let apart = |point: &[f32; 2]| [point[0] - first[0], point[1] - first[1]].map(f64::from);
    let mut ways = rest.iter().map(apart).filter(|way| *way != [0.0, 0.0]);
    let Some([x, y]) = ways.next() else { return false };
    ways.any(|way| x * way[1] != y * way[0])
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
