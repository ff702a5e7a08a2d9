//! The table in `Info.txt`: `REFNUM TISSUE CLASS SEVERITY X Y RADIUS`, one row per abnormality.

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// `mdb001`: the name of the image file without its ending.
    pub(super) reference: String,
    /// Number in the reference, from 1.
    pub(super) number: u32,
    /// Character of the background tissue.
    pub(super) tissue: Tissue,
    /// The abnormality; `None` for NORM.
    pub(super) finding: Option<Finding>,
}

/// F, G or D.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tissue {
    Fatty,
    FattyGlandular,
    DenseGlandular,
}

/// One abnormality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Finding {
    pub(super) class: Class,
    pub(super) malignant: bool,
    /// Where it is; not every row says.
    pub(super) place: Option<Place>,
}

/// A circle around the abnormality, in pixels, the origin at the image's bottom left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) radius: f32,
}

/// Class of an abnormality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Calc,
    Circ,
    Spic,
    Misc,
    Arch,
    Asym,
}

impl Tissue {
    /// As shown with the mammogram.
    pub(super) fn words(self) -> &'static str {
        match self {
            Tissue::Fatty => "fatty (F)",
            Tissue::FattyGlandular => "fatty-glandular (G)",
            Tissue::DenseGlandular => "dense-glandular (D)",
        }
    }
}

impl Class {
    /// The table's own word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Class::Calc => "CALC",
            Class::Circ => "CIRC",
            Class::Spic => "SPIC",
            Class::Misc => "MISC",
            Class::Arch => "ARCH",
            Class::Asym => "ASYM",
        }
    }

    /// Lexicon terms, most general first. MISC are "other, ill-defined masses".
    pub(super) fn terms(self) -> &'static [&'static str] {
        match self {
            Class::Calc => &["calcifications"],
            Class::Circ => &["mass", "margin-circumscribed"],
            Class::Spic => &["mass", "margin-spiculated"],
            Class::Misc => &["mass", "margin-indistinct"],
            Class::Arch => &["architectural-distortion"],
            Class::Asym => &["asymmetry"],
        }
    }
}

/// Lines of the file that should be rows, with their numbers from 1: everything but blank lines and
/// rules after the last rule (`=====`) before the first reference.
pub(super) fn lines(text: &str) -> Vec<(usize, &str)> {
    let all: Vec<&str> = text.lines().map(str::trim).collect();
    let rule = |line: &str| line.len() > 3 && line.bytes().all(|b| b == b'=');
    let Some(first) = all.iter().position(|line| reference(first_word(line)).is_some()) else {
        return Vec::new();
    };
    let start = all[..first].iter().rposition(|line| rule(line)).map_or(first, |at| at + 1);
    (start..all.len())
        .filter(|&at| !all[at].is_empty() && !rule(all[at]))
        .map(|at| (at + 1, all[at]))
        .collect()
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or("")
}

/// The number in a reference such as `mdb001`.
pub(super) fn reference(word: &str) -> Option<u32> {
    let digits = word.strip_prefix("mdb")?;
    let good = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|&n| good && n > 0)
}

/// Reads one row.
///
/// # Errors
/// What was expected and what was found instead.
pub(super) fn parse(line: &str) -> Result<Row, String> {
    let mut words = line.split_whitespace();
    let mut next = |expected: &str| -> Result<&str, String> {
        words.next().ok_or_else(|| format!("expected {expected}, found the end of the row"))
    };
    let wrong = |expected: &str, found: &str| {
        let found: String = found.chars().take(40).collect();
        format!("expected {expected}, found {found:?}")
    };

    const REFERENCE: &str = "a reference such as mdb001";
    let word = next(REFERENCE)?;
    let number = reference(word).ok_or_else(|| wrong(REFERENCE, word))?;
    let reference = word.to_owned();

    const TISSUE: &str = "a tissue F, G or D";
    let tissue = match next(TISSUE)? {
        "F" => Tissue::Fatty,
        "G" => Tissue::FattyGlandular,
        "D" => Tissue::DenseGlandular,
        other => return Err(wrong(TISSUE, other)),
    };

    const CLASS: &str = "a class CALC, CIRC, SPIC, MISC, ARCH, ASYM or NORM";
    let class = match next(CLASS)? {
        "CALC" => Some(Class::Calc),
        "CIRC" => Some(Class::Circ),
        "SPIC" => Some(Class::Spic),
        "MISC" => Some(Class::Misc),
        "ARCH" => Some(Class::Arch),
        "ASYM" => Some(Class::Asym),
        "NORM" => None,
        other => return Err(wrong(CLASS, other)),
    };
    let Some(class) = class else {
        return match words.next() {
            None => Ok(Row { reference, number, tissue, finding: None }),
            Some(other) => Err(wrong("nothing after NORM", other)),
        };
    };

    const SEVERITY: &str = "a severity B or M";
    let malignant = match next(SEVERITY)? {
        "B" => false,
        "M" => true,
        other => return Err(wrong(SEVERITY, other)),
    };

    // Calcifications that are spread widely have a remark in place of the circle.
    let place = match words.next() {
        None | Some("*NOTE") => None,
        Some(x) => {
            let number = |expected: &str, word: Option<&str>| -> Result<f32, String> {
                let word =
                    word.ok_or_else(|| format!("expected {expected}, found the end of the row"))?;
                let value = word.parse::<f32>().ok().filter(|v| (0.0..=65_535.0).contains(v));
                value.ok_or_else(|| wrong(&format!("{expected}, a number of pixels"), word))
            };
            let x = number("x", Some(x))?;
            let y = number("y", words.next())?;
            let radius = number("a radius", words.next())?;
            if radius == 0.0 {
                return Err(wrong("a radius above 0", "0"));
            }
            if let Some(more) = words.next() {
                return Err(wrong("the end of the row", more));
            }
            Some(Place { x, y, radius })
        }
    };
    Ok(Row { reference, number, tissue, finding: Some(Finding { class, malignant, place }) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_row_is_read() {
        let row = parse("mdb001 G CIRC B 500 400 100").unwrap();
        assert_eq!((row.reference.as_str(), row.number), ("mdb001", 1));
        assert_eq!(row.tissue, Tissue::FattyGlandular);
        let place = Some(Place { x: 500.0, y: 400.0, radius: 100.0 });
        assert_eq!(row.finding, Some(Finding { class: Class::Circ, malignant: false, place }));
        assert_eq!(parse("mdb003 D NORM ").unwrap().finding, None);
        let unplaced = |class, malignant| Some(Finding { class, malignant, place: None });
        assert_eq!(parse("mdb059 F CIRC B").unwrap().finding, unplaced(Class::Circ, false));
        assert_eq!(parse("mdb216 D CALC M *NOTE 3*").unwrap().finding, unplaced(Class::Calc, true));
    }

    #[test]
    fn broken_rows_say_what_was_expected() {
        for (line, expected) in [
            ("mdb01 G NORM", "reference"),
            ("mdb000 G NORM", "reference"),
            ("mdb001 X NORM", "tissue F, G or D, found \"X\""),
            ("mdb001 G CIRK B 1 2 3", "found \"CIRK\""),
            ("mdb001 G CIRC", "severity B or M, found the end"),
            ("mdb001 G CIRC B 5x5 1 2", "x, a number of pixels, found \"5x5\""),
            ("mdb001 G CIRC B 55 1", "a radius, found the end"),
            ("mdb001 G CIRC B 55 1 0", "radius above 0"),
            ("mdb001 G CIRC B 55 NaN 2", "y, a number"),
            ("mdb001 G CIRC B 55 -4 2", "y, a number"),
            ("mdb001 G CIRC B 55 1 2 3", "the end of the row, found \"3\""),
            ("mdb001 G NORM B", "nothing after NORM"),
        ] {
            let message = parse(line).unwrap_err();
            assert!(message.contains(expected), "{line}: {message}");
        }
    }

    #[test]
    fn the_preamble_is_passed_over_and_lines_keep_their_numbers() {
        let text =
            "NAME mdb001\n=====\n2) the size\n=====\n\nmdX001 F NORM\nmdb002 F NORM \n=====\n";
        assert_eq!(lines(text), [(6, "mdX001 F NORM"), (7, "mdb002 F NORM")]);
        assert_eq!(lines("hello\nmdb001 F NORM"), [(2, "mdb001 F NORM")]);
        assert!(lines("no table here").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "(?s).{0,200}", words in prop::collection::vec(
            prop::sample::select(vec!["mdb001", "F", "CIRC", "M", "*NOTE", "3*", "12", "1e9", "é", "NORM"]), 0..9)) {
            for (_, line) in lines(&text) {
                let _ = parse(line);
            }
            let _ = parse(&text);
            let _ = parse(&words.join(" "));
        }

        #[test]
        fn what_is_written_is_read(number in 1u32..1000, x in 0u16..2000, y in 0u16..2000, radius in 1u16..900) {
            let row = parse(&format!("mdb{number:03}  D\tSPIC M {x} {y} {radius}  ")).unwrap();
            prop_assert_eq!(row.number, number);
            let place = Place { x: x.into(), y: y.into(), radius: radius.into() };
            prop_assert_eq!(row.finding.unwrap().place, Some(place));
        }
    }
}
