//! Values of ours out of the columns of a data set.

use std::fmt::Write;

use serde_json::Value;

use base::yaml::nearest;
use formats::value;

use super::form::{Cell, Edges, Made};

/// What cells are made of.
pub(super) trait Given {
    /// The value of a column; `None` where it is blank.
    fn column(&self, name: &str) -> Option<String>;
    /// Whether the data set has a file.
    fn has_file(&self, path: &str) -> bool;
    /// The path of the only file of a name; `None` where there is none.
    ///
    /// # Errors
    /// When there are several.
    fn file(&self, name: &str) -> Result<Option<String>, String>;
}

/// Corners of the polygon that stands for an ellipse.
const CORNERS: usize = 48;

impl Cell {
    /// What it comes to; `None` where there is nothing.
    ///
    /// # Errors
    /// Says why the data set's value is none that the recipe knows. Not which it is: it may be another column's.
    pub(super) fn of(&self, given: &impl Given) -> Result<Option<String>, String> {
        match self {
            Self::Text(template) => Ok(template.filled(|column| given.column(column))),
            Self::Made(made) => made.of(given),
        }
    }
}

impl Made {
    fn of(&self, given: &impl Given) -> Result<Option<String>, String> {
        let found = match &self.of {
            Some(template) => template.filled(|column| given.column(column)),
            None => {
                let mut first = None;
                for cell in &self.any {
                    first = cell.of(given)?;
                    if first.is_some() {
                        break;
                    }
                }
                first
            }
        };
        let Some(text) = found.filter(|text| !value::is_missing(text)) else {
            return if self.needed { Err("is blank".into()) } else { Ok(None) };
        };
        let part = match &self.part {
            None => text,
            Some(pattern) => {
                let found = pattern.0.captures(&text).and_then(|found| found.get(1));
                let Some(found) = found else {
                    return match &self.otherwise {
                        Some(otherwise) => Ok(otherwise.clone()),
                        None => {
                            Err("has a value without the part that the recipe looks for".into())
                        }
                    };
                };
                found.as_str().to_owned()
            }
        };
        let part = match &self.into {
            Some(into) => into.replace("{}", &part),
            None => part,
        };
        if self.find {
            return match given.file(&part)? {
                None if !self.if_there => Err("names a file that is not there".into()),
                found => Ok(found),
            };
        }
        if self.if_there && !given.has_file(&part) {
            return Ok(None);
        }
        if self.via {
            return shape(&part);
        }
        if let Some(edges) = self.edges {
            let of = self.of.as_ref().map_or(0, |of| of.columns().count());
            return boxes(&part, edges, of == 4);
        }
        let mut values = Vec::new();
        for one in self.listed(&part)? {
            values.extend(self.mapped(one)?);
        }
        values.dedup();
        Ok((!values.is_empty()).then(|| values.join("; ")))
    }

    /// The several values of a text.
    fn listed<'t>(&self, text: &'t str) -> Result<Vec<&'t str>, String> {
        match self.list.as_deref() {
            None => Ok(vec![text]),
            Some("python") => python(text).ok_or_else(|| "is no list as Python writes it".into()),
            Some(sign) => {
                Ok(text.split(sign).map(str::trim).filter(|one| !one.is_empty()).collect())
            }
        }
    }

    /// What one value is here.
    fn mapped(&self, text: &str) -> Result<Option<String>, String> {
        let Some(values) = &self.values else { return Ok(Some(text.to_owned())) };
        let same = |key: &&String| alike(key, text);
        if let Some(key) = values.keys().find(same) {
            return Ok(values[key].clone());
        }
        if let Some(otherwise) = &self.otherwise {
            return Ok(otherwise.clone());
        }
        // A slip of the pen; what is far from all may be a name in the wrong column.
        let near = nearest(text, values.keys().map(String::as_str));
        let perhaps = near.map(|near| format!(", perhaps for `{near}`")).unwrap_or_default();
        Err(format!("has a value that the recipe does not list under `values`{perhaps}"))
    }
}

/// Whether two words of a table are one: in capitals or not, and numbers as pandas writes them too.
pub(super) fn alike(a: &str, b: &str) -> bool {
    let plain = |text: &str| value::name(text.trim()).to_lowercase();
    plain(a) == plain(b)
}

/// The texts of a list as Python writes it: `['Mass', "Skin"]`.
fn python(text: &str) -> Option<Vec<&str>> {
    let mut rest = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (one, behind) = rest[1..].split_once(quote)?;
        found.push(one);
        rest = behind.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(rest) => rest.trim_start(),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(found)
}

/// Boxes, four numbers each between blanks, commas, semicolons and brackets: `left top right bottom; …`. Of four columns
/// there is `one`: a decimal comma would make another of it.
fn boxes(text: &str, edges: Edges, one: bool) -> Result<Option<String>, String> {
    let between = |c: char| c.is_whitespace() || ",;()[]".contains(c);
    let words = text.split(between).filter(|word| !word.is_empty());
    let numbers: Option<Vec<f64>> = words.map(|word| word.parse().ok()).collect();
    let fits = |count: usize| if one { count == 4 } else { count.is_multiple_of(4) };
    let numbers = numbers.filter(|numbers| fits(numbers.len()));
    let numbers = numbers.ok_or(
        "is no box: four numbers are expected, or several times four in one column, with a point before decimals",
    )?;
    let (boxes, _) = numbers.as_chunks::<4>();
    let written = boxes.iter().map(|&[a, b, c, d]| {
        let [left, top, right, bottom] = match edges {
            Edges::Ltrb => [a, b, c, d],
            Edges::Tlbr => [b, a, d, c],
            Edges::Ltwh => [a, b, a + c, b + d],
        };
        format!("{left} {top} {right} {bottom}")
    });
    let written: Vec<String> = written.collect();
    Ok((!written.is_empty()).then(|| written.join("; ")))
}

/// A shape of VGG's annotator as a polygon; nothing of a point.
fn shape(text: &str) -> Result<Option<String>, String> {
    let unknown = || "is no shape of VGG's annotator".to_owned();
    let shape: Value = serde_json::from_str(text).map_err(|_| unknown())?;
    // What it writes where nothing is drawn.
    if shape.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(None);
    }
    let number = |name: &str| shape.get(name).and_then(Value::as_f64).ok_or_else(unknown);
    let points: Vec<[f64; 2]> = match shape.get("name").and_then(Value::as_str) {
        Some("polygon" | "polyline") => {
            let all = |name: &str| {
                let list = shape.get(name).and_then(Value::as_array).ok_or_else(unknown)?;
                list.iter().map(|v| v.as_f64().ok_or_else(unknown)).collect::<Result<Vec<_>, _>>()
            };
            let (x, y) = (all("all_points_x")?, all("all_points_y")?);
            if x.len() != y.len() {
                return Err(unknown());
            }
            x.into_iter().zip(y).map(|(x, y)| [x, y]).collect()
        }
        Some("rect") => {
            let [x, y, w, h] = [number("x")?, number("y")?, number("width")?, number("height")?];
            vec![[x, y], [x + w, y], [x + w, y + h], [x, y + h]]
        }
        Some(kind @ ("circle" | "ellipse")) => {
            let [x, y] = [number("cx")?, number("cy")?];
            let [rx, ry] = match kind {
                "circle" => [number("r")?; 2],
                _ => [number("rx")?, number("ry")?],
            };
            let turn = shape.get("theta").and_then(Value::as_f64).unwrap_or(0.0);
            let corner = |n: usize| {
                let (sin, cos) = (std::f64::consts::TAU * n as f64 / CORNERS as f64).sin_cos();
                let [across, along] = [rx * cos, ry * sin];
                [
                    x + across * turn.cos() - along * turn.sin(),
                    y + across * turn.sin() + along * turn.cos(),
                ]
            };
            (0..CORNERS).map(corner).collect()
        }
        Some("point") => return Ok(None),
        _ => return Err(unknown()),
    };
    let mut written = String::new();
    for [x, y] in points {
        // Writing to a string never fails.
        let _ = write!(written, "{}{x:.2},{y:.2}", if written.is_empty() { "" } else { " " });
    }
    Ok(Some(written))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Line(BTreeMap<&'static str, &'static str>);

    impl Given for Line {
        fn column(&self, name: &str) -> Option<String> {
            self.0.get(name).map(|text| (*text).to_owned())
        }

        fn has_file(&self, path: &str) -> bool {
            path == "there.png"
        }

        fn file(&self, name: &str) -> Result<Option<String>, String> {
            match name {
                "twice.png" => Err("is the name of several files".into()),
                name => Ok((name == "there.png").then(|| "far/away/there.png".into())),
            }
        }
    }

    fn made(yaml: &str, line: &[(&'static str, &'static str)]) -> Result<Option<String>, String> {
        let cell: Cell = serde_yaml::from_str(yaml).unwrap();
        cell.of(&Line(line.iter().copied().collect()))
    }

    fn some(yaml: &str, line: &[(&'static str, &'static str)]) -> String {
        made(yaml, line).unwrap().unwrap()
    }

    #[test]
    fn words_become_ours() {
        let terms = "{ of: '{found}', list: python, values: { Mass: mass, 'No Finding': ~ } }";
        assert_eq!(some(terms, &[("found", "['Mass', 'No Finding']")]), "mass");
        assert_eq!(made(terms, &[("found", "['No Finding']")]), Ok(None));
        assert_eq!(made(terms, &[]), Ok(None));
        let error = made(terms, &[("found", "['Mas']")]).unwrap_err();
        assert!(error.contains("does not list") && error.contains("`Mass`"), "{error}");
        let error = made(terms, &[("found", "['Jane Doe']")]).unwrap_err();
        assert!(!error.contains("Jane"), "{error}");
        assert!(made(terms, &[("found", "Mass")]).is_err());
        let cancer = "{ of: '{cancer}', values: { '1': malignant }, otherwise: ~ }";
        assert_eq!(some(cancer, &[("cancer", "1.0")]), "malignant");
        assert_eq!(made(cancer, &[("cancer", "0")]), Ok(None));
        let benign = "{ of: '{cancer}', values: { '1': malignant }, otherwise: benign }";
        assert_eq!(some(benign, &[("cancer", "0")]), "benign");
        assert_eq!(made(benign, &[]), Ok(None), "what is blank is nothing");
        let needed = "{ of: '{cancer}', needed: true }";
        assert!(made(needed, &[]).unwrap_err().contains("blank"));
        let any = "{ any: ['{a}', { of: '{b}', part: 'x(.*)$' }] }";
        assert_eq!(some(any, &[("a", "1"), ("b", "2")]), "1");
        assert_eq!(some(any, &[("b", "2x3")]), "3");
        assert!(made(any, &[("b", "2")]).is_err());
        let mask = "{ of: '{a}.png', if_there: true }";
        assert_eq!(some(mask, &[("a", "there")]), "there.png");
        assert_eq!(made(mask, &[("a", "else")]), Ok(None));
        let mask = "{ of: '{a}', part: '^(.*)-', into: '{}.png', find: true }";
        assert_eq!(some(mask, &[("a", "there-1")]), "far/away/there.png");
        let mask = "{ of: '{a}.png', find: true }";
        assert_eq!(some(mask, &[("a", "there")]), "far/away/there.png");
        let error = made(mask, &[("a", "else")]).unwrap_err();
        assert!(error.contains("not there"), "{error}");
        let free = "{ of: '{a}.png', find: true, if_there: true }";
        assert_eq!(made(free, &[("a", "else")]), Ok(None));
        assert!(made(mask, &[("a", "twice")]).is_err());
    }

    #[test]
    fn boxes_and_shapes_have_one_form() {
        let corners = "{ of: '{a} {b} {c} {d}', box: ltrb }";
        let line = [("a", "1"), ("b", "2.5"), ("c", "3"), ("d", "4e1")];
        assert_eq!(some(corners, &line), "1 2.5 3 40");
        assert_eq!(made(corners, &line[..3]), Ok(None));
        let list = "{ of: '{roi}', box: tlbr }";
        assert_eq!(some(list, &[("roi", "((1, 2, 3, 4), (5, 6, 7, 8))")]), "2 1 4 3; 6 5 8 7");
        assert_eq!(made(list, &[("roi", "()")]), Ok(None));
        assert!(made(list, &[("roi", "(1, 2, 3)")]).is_err());
        assert!(made(list, &[("roi", "(1, 2, 3, x)")]).is_err());
        assert!(made(list, &[("roi", "(1, 2, 3, \u{2212}4)")]).is_err(), "another minus");
        let line = [("a", "1,5"), ("b", "2,5"), ("c", "3,5"), ("d", "4,5")];
        assert!(made(corners, &line).is_err(), "decimal commas");
        assert_eq!(some("{ of: '{a}', box: ltwh }", &[("a", "1 2 3 4")]), "1 2 4 6");
        let via = "{ of: '{s}', via: true }";
        let rect = r#"{"name":"rect","x":1,"y":2,"width":3,"height":4}"#;
        assert_eq!(some(via, &[("s", rect)]), "1.00,2.00 4.00,2.00 4.00,6.00 1.00,6.00");
        let polygon = r#"{"name":"polygon","all_points_x":[1,2,3],"all_points_y":[4,5,7]}"#;
        assert_eq!(some(via, &[("s", polygon)]), "1.00,4.00 2.00,5.00 3.00,7.00");
        let circle = some(via, &[("s", r#"{"name":"circle","cx":10,"cy":20,"r":5}"#)]);
        assert!(circle.starts_with("15.00,20.00 ") && circle.split(' ').count() == CORNERS);
        assert_eq!(made(via, &[("s", r#"{"name":"point","cx":1,"cy":2}"#)]), Ok(None));
        assert_eq!(made(via, &[("s", "{}")]), Ok(None));
        assert!(made(via, &[("s", "[]")]).is_err());
    }
}
