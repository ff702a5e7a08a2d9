//! The `.ics` file of a case: who digitised it and how, and its views.

use super::Flaw;
use super::density::Digitiser;
use mammogram::{Laterality, View};

/// One examination of a patient.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Case {
    /// `A_0002_1`: the beginning of its images' names.
    pub(super) name: String,
    /// Age in years.
    pub(super) age: Option<u8>,
    /// ACR density, 1 to 4.
    pub(super) density: Option<u8>,
    pub(super) digitiser: Digitiser,
    pub(super) films: Vec<Film>,
    /// What is odd and does no harm.
    pub(super) doubts: Vec<Flaw>,
}

/// One view, as the case lists it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Film {
    pub(super) laterality: Laterality,
    pub(super) view: View,
    /// Height in pixels.
    pub(super) lines: u32,
    /// Width in pixels.
    pub(super) columns: u32,
    /// Bits of a pixel.
    pub(super) bits: u8,
    /// Edge of a pixel in micrometres.
    pub(super) micron: f64,
    /// Whether it has an overlay.
    pub(super) overlay: bool,
}

impl Case {
    /// Name of a view's files without their endings: `A_0002_1.LEFT_CC`.
    pub(super) fn image(&self, film: &Film) -> String {
        format!("{}.{}_{}", self.name, film.laterality, film.view)
    }

    /// The patient: the name without the number of the study.
    pub(super) fn patient(&self) -> &str {
        self.name.rsplit_once('_').map_or(&self.name, |(patient, _)| patient)
    }

    /// Reads the text of the file `stem.ics`.
    pub(super) fn parse(text: &str, stem: &str) -> Result<Self, Flaw> {
        let name = stem.replace('-', "_");
        let parts: Vec<&str> = name.split('_').collect();
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let named = matches!(parts[..], [site, case, study]
            if site.len() == 1 && site.as_bytes()[0].is_ascii_alphabetic() && digits(case) && digits(study));
        if !named || name.len() > 32 {
            return Err(Flaw::new(0, "its name is not that of a case, such as A-0002-1.ics"));
        }
        let (mut age, mut density, mut digitiser) = (None, None, None);
        let (mut films, mut doubts) = (Vec::<Film>::new(), Vec::new());
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let words: Vec<&str> = line.split_whitespace().collect();
            let [key, values @ ..] = &words[..] else { continue };
            let mut odd = |message: String| doubts.push(Flaw::new(number, message));
            match (*key, values) {
                ("filename", [other, ..]) if other.replace('-', "_") != name => {
                    odd(format!("names the case {:?}; the file's name counts", brief(other)));
                }
                ("PATIENT_AGE", [word, ..]) => {
                    age = word.parse().ok().filter(|&age: &u8| age <= 120);
                    if age.is_none() {
                        odd(format!("gives the age {:?}; it is left out", brief(word)));
                    }
                }
                ("DENSITY", [word, ..]) => {
                    density = word.parse().ok().filter(|d| (1..=4).contains(d));
                    // 0 stands for a density that was not given.
                    if density.is_none() && *word != "0" {
                        odd(format!(
                            "gives the density {:?}; expected 1 to 4, it is left out",
                            brief(word)
                        ));
                    }
                }
                ("DIGITIZER", _) => {
                    let words = values.join(" ");
                    digitiser = Digitiser::find(&words, &name);
                    if digitiser.is_none() {
                        return Err(Flaw::new(
                            number,
                            format!(
                                "expected a digitizer DBA, HOWTEK or LUMISYS, found {:?}",
                                brief(&words)
                            ),
                        ));
                    }
                }
                _ => {
                    let Some((laterality, view)) = film_name(key) else { continue };
                    let film = film(laterality, view, values)
                        .map_err(|message| Flaw::new(number, format!("{key}: {message}")))?;
                    if films.iter().any(|f| (f.laterality, f.view) == (laterality, view)) {
                        odd(format!("lists {key} again; the first counts"));
                    } else {
                        films.push(film);
                    }
                }
            }
        }
        let Some(digitiser) = digitiser else {
            return Err(Flaw::new(0, "has no DIGITIZER line"));
        };
        if films.is_empty() {
            return Err(Flaw::new(0, "lists no view such as LEFT_CC LINES 5200 …"));
        }
        Ok(Self { name, age, density, digitiser, films, doubts })
    }
}

fn film_name(word: &str) -> Option<(Laterality, View)> {
    Some(match word {
        "LEFT_CC" => (Laterality::Left, View::Cc),
        "LEFT_MLO" => (Laterality::Left, View::Mlo),
        "RIGHT_CC" => (Laterality::Right, View::Cc),
        "RIGHT_MLO" => (Laterality::Right, View::Mlo),
        _ => return None,
    })
}

/// Reads `LINES n PIXELS_PER_LINE n BITS_PER_PIXEL n RESOLUTION x OVERLAY|NON_OVERLAY`.
fn film(laterality: Laterality, view: View, words: &[&str]) -> Result<Film, String> {
    fn number<T: std::str::FromStr + PartialOrd + Copy>(
        words: &[&str],
        key: &str,
        [least, most]: [T; 2],
    ) -> Result<T, String> {
        let at = words.iter().position(|&word| word == key);
        let word = at.and_then(|at| words.get(at + 1)).copied().unwrap_or("");
        let value = word.parse().ok().filter(|value| (least..=most).contains(value));
        value.ok_or_else(|| format!("expected {key} and a number, found {:?}", brief(word)))
    }
    let overlay = match (words.contains(&"OVERLAY"), words.contains(&"NON_OVERLAY")) {
        (true, false) => true,
        (false, true) => false,
        _ => return Err("expected OVERLAY or NON_OVERLAY".into()),
    };
    Ok(Film {
        laterality,
        view,
        lines: number(words, "LINES", [1, 65_535])?,
        columns: number(words, "PIXELS_PER_LINE", [1, 65_535])?,
        bits: number(words, "BITS_PER_PIXEL", [8, 16])?,
        micron: number(words, "RESOLUTION", [1.0, 10_000.0])?,
        overlay,
    })
}

/// At most 30 characters of a text, for a message.
fn brief(text: &str) -> String {
    text.chars().take(30).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = " \nics_version 1.0\nfilename D-9999-1\nDATE_OF_STUDY 1 2 03\nPATIENT_AGE 50\nFILM \n\
        FILM_TYPE REGULAR\nDENSITY 3\nDATE_DIGITIZED 2 3 2001 \nDIGITIZER HOWTEK 43.5\nSELECTED\n\
        LEFT_CC LINES 5200 PIXELS_PER_LINE 2500 BITS_PER_PIXEL 12 RESOLUTION 43.5 OVERLAY  \n\
        RIGHT_MLO LINES 5300 PIXELS_PER_LINE 2600 BITS_PER_PIXEL 12 RESOLUTION 43.5 NON_OVERLAY\n";

    #[test]
    fn a_case_is_read() {
        let case = Case::parse(TEXT, "D-9999-1").unwrap();
        assert_eq!((case.age, case.density), (Some(50), Some(3)));
        assert_eq!(case.digitiser, Digitiser::HowtekIsmd);
        assert_eq!(case.patient(), "D_9999");
        let [left, right] = case.films[..] else { panic!() };
        assert_eq!(case.image(&left), "D_9999_1.LEFT_CC");
        assert_eq!((left.columns, left.lines, left.bits, left.micron), (2500, 5200, 12, 43.5));
        assert!(left.overlay && !right.overlay);
        assert_eq!((right.laterality, right.view), (Laterality::Right, View::Mlo));
        assert!(case.doubts.is_empty());
    }

    #[test]
    fn what_is_missing_or_odd_is_told() {
        let with = |from: &str, to: &str| Case::parse(&TEXT.replace(from, to), "D-9999-1");
        let empty = with("AGE 50", "AGE ").unwrap();
        assert_eq!((empty.age, empty.doubts.len()), (None, 0));
        let unknown = with("DENSITY 3", "DENSITY 0").unwrap();
        assert_eq!((unknown.density, unknown.doubts.len()), (None, 0));
        let odd = with("DENSITY 3", "DENSITY 7\nfilename A-1-1\nPATIENT_AGE old").unwrap();
        let lines: Vec<usize> = odd.doubts.iter().map(|d| d.line).collect();
        assert_eq!(lines, [8, 9, 10]);
        let twice = with("RIGHT_MLO", "LEFT_CC").unwrap();
        assert_eq!((twice.films.len(), twice.doubts[0].line), (1, 13));
        for (from, to, line, expected) in [
            ("HOWTEK", "KODAK", 10, "found \"KODAK 43.5\""),
            ("DIGITIZER", "DIGITISER", 0, "no DIGITIZER"),
            ("LINES 5200", "LINES 0", 12, "LEFT_CC: expected LINES and a number, found \"0\""),
            ("BITS_PER_PIXEL 12", "BITS_PER_PIXEL", 12, "BITS_PER_PIXEL and a number"),
            ("43.5 OVERLAY", "43.5", 12, "OVERLAY or NON_OVERLAY"),
            ("_", "-", 0, "lists no view"),
        ] {
            let flaw = with(from, to).unwrap_err();
            assert_eq!(flaw.line, line, "{flaw:?}");
            assert!(flaw.message.contains(expected), "{flaw:?}");
        }
        assert!(Case::parse(TEXT, "../x-1-1").unwrap_err().message.contains("name"));
        assert!(Case::parse(TEXT, "case").unwrap_err().message.contains("name"));
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "(?s).{0,200}", words in prop::collection::vec(
            prop::sample::select(vec!["LEFT_CC", "LINES", "OVERLAY", "\n", "1", "RESOLUTION", "NaN", "DENSITY", "é"]), 0..30)) {
            let _ = Case::parse(&text, &text);
            let _ = Case::parse(&words.join(" "), "A-0001-1");
        }
    }
}
