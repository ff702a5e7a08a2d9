//! Values of the clinic as tables, reports and programs write them: side, view, density, BI-RADS assessment,
//! pathology, split, whole numbers, yes and no, and the words for what is not there.
//!
//! Each function reads a text without blanks around it, in any case, and gives `None` for what it does not
//! know: nothing is guessed.

use unicode_normalization::UnicodeNormalization;

use base::Split;
use mammogram::{Assessment, Laterality, Modifier, Pathology, View};

/// What programs write for a missing value: those that pandas takes for one.
const GAPS: [&str; 14] = [
    "", "#n/a", "#n/a n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "<na>",
    "n/a", "na", "null", "nan",
];

/// Whether a text stands for a missing value, among words that a person wrote: `NA`, `NaN`, `null`, …
pub fn is_gap(text: &str) -> bool {
    GAPS.contains(&text.trim().to_lowercase().as_str())
}

/// Whether a text stands for a missing value where none of these is a word: also `None` and a dash.
pub fn is_missing(text: &str) -> bool {
    is_gap(text) || matches!(text.trim(), "-" | "none" | "None" | "NONE")
}

/// A whole number, as pandas writes it too where a column has gaps: `4`, `4.0`.
pub fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|b| b == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    digits.parse().ok()
}

/// A name that may be a number: `12.0` is `12`, so that a patient is one whatever wrote the table.
pub fn name(text: &str) -> String {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty();
    match text.split_once('.') {
        Some((digits, zeros))
            if plain(digits) && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') =>
        {
            digits.to_owned()
        }
        _ => text.to_owned(),
    }
}

/// What is left of an identifier without what is lost or added when it is typed again: in small letters, with
/// one space for signs and without zeros before numbers.
pub fn gist(identifier: &str) -> String {
    let mut gist = String::new();
    let mut letters = identifier.nfkc().flat_map(char::to_lowercase).peekable();
    while let Some(c) = letters.next() {
        let before = gist.chars().next_back();
        let leads = c == '0' && !before.is_some_and(|b| b.is_ascii_digit());
        match c {
            _ if leads && letters.peek().is_some_and(char::is_ascii_digit) => {}
            _ if c.is_alphanumeric() => gist.push(c),
            _ if before.is_some_and(|b| b != ' ') => gist.push(' '),
            _ => {}
        }
    }
    gist.trim_end().to_owned()
}

/// Yes or no.
pub fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" | "t" | "1" | "1.0" => Some(true),
        "false" | "no" | "n" | "f" | "0" | "0.0" => Some(false),
        _ => None,
    }
}

/// Which breast: `L`, `left`, `Left breast`.
pub fn laterality(text: &str) -> Option<Laterality> {
    match compact(text).as_str() {
        "L" | "LEFT" | "LEFTBREAST" => Some(Laterality::Left),
        "R" | "RIGHT" | "RIGHTBREAST" => Some(Laterality::Right),
        _ => None,
    }
}

/// What a text says of how a breast was projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Projection {
    /// The side, where it is named with the view: `RCC`, `L-MLO`.
    pub laterality: Option<Laterality>,
    /// `None` where only the modifier is named.
    pub view: Option<View>,
    /// Spot compression or magnification.
    pub modifier: Option<Modifier>,
}

/// A view by its abbreviation or name, with its side and whether it is a spot compression or magnification,
/// where they stand with it: `MLO`, `cranio-caudal`, `XCCL`, `R CC`, `spot MLO`, `CC mag`.
pub fn projection(text: &str) -> Option<Projection> {
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_uppercase)
        .collect();
    let mut take = |known: &[&str]| {
        let before = words.len();
        words.retain(|word| !known.contains(&word.as_str()));
        words.len() < before
    };
    let spot = take(&["SPOT", "COMPRESSION", "SPOTCOMPRESSION"]);
    let magnified = take(&["MAG", "MAGNIFICATION", "MAGNIFIED", "MAGNIFIC"]);
    let both = take(&["SPOTMAG", "SPOTMAGNIFICATION"]);
    take(&["VIEW", "PROJECTION"]);
    let modifier = match (spot || both, magnified || both) {
        (true, true) => Some(Modifier::SpotMagnification),
        (true, false) => Some(Modifier::Spot),
        (false, true) => Some(Modifier::Magnification),
        (false, false) => None,
    };
    let rest = words.concat();
    if rest.is_empty() {
        return modifier.map(|_| Projection { laterality: None, view: None, modifier });
    }
    if let Some(view) = view(&rest) {
        return Some(Projection { laterality: None, view: Some(view), modifier });
    }
    let sides = [
        ("LEFT", Laterality::Left),
        ("RIGHT", Laterality::Right),
        ("L", Laterality::Left),
        ("R", Laterality::Right),
    ];
    sides.into_iter().find_map(|(word, side)| {
        let rest = rest.strip_prefix(word).or_else(|| rest.strip_suffix(word))?;
        let view = if rest.is_empty() { modifier.map(|_| None)? } else { Some(view(rest)?) };
        Some(Projection { laterality: Some(side), view, modifier })
    })
}

/// A view by its abbreviation or name in capitals, without blanks.
fn view(word: &str) -> Option<View> {
    if let Some((_, view)) = View::ALL.into_iter().find(|(name, _)| *name == word) {
        return Some(view);
    }
    Some(match word {
        "CRANIOCAUDAL" => View::Cc,
        "MEDIOLATERALOBLIQUE" | "OBLIQUE" => View::Mlo,
        "MEDIOLATERAL" => View::Ml,
        "LATEROMEDIAL" => View::Lm,
        "LATEROMEDIALOBLIQUE" => View::Lmo,
        "CAUDOCRANIAL" | "FROMBELOW" => View::Fb,
        "EXAGGERATEDCRANIOCAUDAL" => View::Xcc,
        "EXAGGERATEDCRANIOCAUDALLATERALLY" | "LATERALLYEXAGGERATEDCRANIOCAUDAL" => View::Xccl,
        "EXAGGERATEDCRANIOCAUDALMEDIALLY" | "MEDIALLYEXAGGERATEDCRANIOCAUDAL" => View::Xccm,
        "AXILLARYTAIL" => View::At,
        "CLEAVAGE" => View::Cv,
        "TANGENTIAL" => View::Tan,
        _ => return None,
    })
}

/// A view by its code in DICOM (PS3.16, CID 4014): SNOMED RT, or SNOMED CT where that has one.
pub fn view_code(code: &str) -> Option<View> {
    Some(match code {
        "R-10242" | "399162004" => View::Cc,
        "R-10226" | "399368009" => View::Mlo,
        "R-10224" | "399260004" => View::Ml,
        "R-10228" | "399352003" => View::Lm,
        "R-10230" | "399099002" => View::Lmo,
        "R-10244" | "399196006" => View::Fb,
        "R-102D0" | "399188001" => View::Sio,
        "R-40AAA" | "441555000" => View::Iso,
        "R-102CF" | "399265009" => View::Xcc,
        "R-1024A" | "399192008" => View::Xccl,
        "R-1024B" | "399101009" => View::Xccm,
        _ => return None,
    })
}

/// What a view is confined to, by its modifier's code in DICOM (PS3.16, CID 4015).
pub fn modifier_code(code: &str) -> Option<Modifier> {
    match code {
        "R-102D7" | "399055006" => Some(Modifier::Spot),
        "R-102D6" | "399163009" => Some(Modifier::Magnification),
        _ => None,
    }
}

/// Breast density by the compositions of BI-RADS: `a` to `d`, `1` to `4` or `I` to `IV`, with or without
/// `ACR`, `BI-RADS` or `DENSITY` in front, or by the words of the lexicon (`heterogeneously dense`). As the term
/// of the lexicon, `composition-a` to `composition-d`.
pub fn density(text: &str) -> Option<&'static str> {
    let word = compact(text);
    let word =
        without(&word, &["BREAST", "DENSITY", "ACR", "BIRADS", "COMPOSITION", "CATEGORY", "TYPE"]);
    let word = ["DENSITY", "TISSUE", "DENSITIES"]
        .iter()
        .find_map(|last| word.strip_suffix(last))
        .unwrap_or(word);
    let number = whole(text).map(|number| number.to_string());
    Some(match number.as_deref().unwrap_or(word) {
        "A" | "1" | "I" | "ALMOSTENTIRELYFATTY" | "ENTIRELYFATTY" => "composition-a",
        "B" | "2" | "II" | "SCATTEREDFIBROGLANDULAR" => "composition-b",
        "C" | "3" | "III" | "HETEROGENEOUSLYDENSE" => "composition-c",
        "D" | "4" | "IV" | "EXTREMELYDENSE" => "composition-d",
        _ => return None,
    })
}

/// A BI-RADS assessment: `0` to `6`, `4A` to `4C`, with or without `BI-RADS` in front.
pub fn assessment(text: &str) -> Option<Assessment> {
    if let Some(number) = whole(text) {
        return Assessment::of(&number.to_string());
    }
    let word = compact(text);
    Assessment::of(without(&word, &["ACR", "BIRADS", "ASSESSMENT", "CATEGORY"]))
}

/// What pathology says of a lesion; with CBIS-DDSM's `BENIGN_WITHOUT_CALLBACK`.
pub fn pathology(text: &str) -> Option<Pathology> {
    match compact(text).as_str() {
        "MALIGNANT" | "MALIGN" | "CANCER" => Some(Pathology::Malignant),
        "BENIGN" | "BENIGNWITHOUTCALLBACK" => Some(Pathology::Benign),
        "UNPROVEN" => Some(Pathology::Unproven),
        _ => None,
    }
}

/// A part of a split.
pub fn split(text: &str) -> Option<Split> {
    match compact(text).as_str() {
        "TRAIN" | "TRAINING" => Some(Split::Train),
        "VAL" | "VALID" | "VALIDATION" | "DEV" => Some(Split::Validation),
        "TEST" | "TESTING" => Some(Split::Test),
        _ => None,
    }
}

/// Letters and digits in capitals, and the point of a number.
fn compact(text: &str) -> String {
    let kept = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_' | ':' | '/' | '(' | ')'));
    kept.flat_map(char::to_uppercase).collect()
}

/// What is left behind words in front of it, in any order.
fn without<'a>(mut word: &'a str, prefixes: &[&str]) -> &'a str {
    while let Some(rest) = prefixes.iter().find_map(|prefix| word.strip_prefix(prefix)) {
        word = rest;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_that_was_typed_twice_has_one_gist() {
        for (one, other) in [
            ("P1", "p1"),
            ("007", "7"),
            ("P-007", "p_7"),
            ("Doe^Jane", "DOE, JANE"),
            ("A 0", "a-00"),
            ("J\u{e4}ger", "JA\u{308}GER"),
        ] {
            assert_eq!(gist(one), gist(other), "{one} {other}");
        }
        for (one, other) in
            [("1-23", "12-3"), ("P1", "P10"), ("P1", "P01a"), ("100", "1"), ("A", "B"), ("0", "1")]
        {
            assert_ne!(gist(one), gist(other), "{one} {other}");
        }
    }

    #[test]
    fn numbers_are_whole_with_pandas_point() {
        for (text, number) in
            [("4", 4), ("4.0", 4), (" 4.00 ", 4), ("-1", -1), ("255.0", 255), ("4.", 4)]
        {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for text in ["4.5", "four", "", ".0", "4,0", "1e3", "99999999999999999999", "0x1"] {
            assert_eq!(whole(text), None, "{text}");
        }
        assert_eq!(
            ["12.0", "12", "012", "1.5", "v1.0", ".0"].map(name),
            ["12", "12", "012", "1.5", "v1.0", ".0"]
        );
    }

    #[test]
    fn what_is_missing_is_what_pandas_takes_for_it() {
        for text in ["", " ", "NA", "N/A", "nan", "NaN", "null", "None", "<NA>", "#N/A", "-"] {
            assert!(is_missing(text), "{text}");
        }
        assert!(!is_missing("0") && !is_missing("no") && !is_missing("nana"));
        assert!(is_gap("NA") && is_gap("nan") && !is_gap("none") && !is_gap("-"));
    }

    #[test]
    fn sides_and_views_are_read_as_the_clinic_writes_them() {
        use Laterality::{Left, Right};
        use Modifier::{Magnification, Spot, SpotMagnification};
        assert_eq!(
            [laterality("l"), laterality("Left breast"), laterality("RIGHT")],
            [Some(Left), Some(Left), Some(Right)]
        );
        assert_eq!([laterality("B"), laterality("LR"), laterality("")], [None; 3]);
        for (text, side, view, modifier) in [
            ("CC", None, Some(View::Cc), None),
            ("mlo", None, Some(View::Mlo), None),
            ("ML", None, Some(View::Ml), None),
            ("LM", None, Some(View::Lm), None),
            ("LMO", None, Some(View::Lmo), None),
            ("XCCL", None, Some(View::Xccl), None),
            ("XCC-L", None, Some(View::Xccl), None),
            ("Cranio-Caudal", None, Some(View::Cc), None),
            ("medio-lateral oblique", None, Some(View::Mlo), None),
            ("LCC", Some(Left), Some(View::Cc), None),
            ("R-MLO", Some(Right), Some(View::Mlo), None),
            ("LLM", Some(Left), Some(View::Lm), None),
            ("LMLO", Some(Left), Some(View::Mlo), None),
            ("left cc", Some(Left), Some(View::Cc), None),
            ("CC spot", None, Some(View::Cc), Some(Spot)),
            ("Spot compression MLO", None, Some(View::Mlo), Some(Spot)),
            ("MAG_ML", None, Some(View::Ml), Some(Magnification)),
            ("spot mag cc", None, Some(View::Cc), Some(SpotMagnification)),
            ("R CC MAG", Some(Right), Some(View::Cc), Some(Magnification)),
            ("spot", None, None, Some(Spot)),
        ] {
            assert_eq!(
                projection(text),
                Some(Projection { laterality: side, view, modifier }),
                "{text}"
            );
        }
        for text in ["", "C", "L", "CANARY", "CCC", "MLOO", "view"] {
            assert_eq!(projection(text), None, "{text}");
        }
    }

    #[test]
    fn densities_and_assessments_may_have_words_before_them() {
        for text in [
            "c",
            "C",
            "3",
            "3.0",
            "DENSITY C",
            "Density: C",
            "ACR C",
            "ACR III",
            "BI-RADS C",
            "composition-c",
            "heterogeneously dense",
            "Heterogeneously dense tissue",
        ] {
            assert_eq!(density(text), Some("composition-c"), "{text}");
        }
        for (text, term) in [
            ("Almost entirely fatty", "composition-a"),
            ("scattered fibroglandular density", "composition-b"),
            ("scattered fibroglandular tissue", "composition-b"),
            ("extremely dense", "composition-d"),
        ] {
            assert_eq!(density(text), Some(term), "{text}");
        }
        for text in ["", "e", "0", "5", "2-3", "B/C", "density", "dense", "fatty or dense"] {
            assert_eq!(density(text), None, "{text}");
        }
        for (text, name) in [
            ("4", "4"),
            ("4.0", "4"),
            ("BI-RADS 4", "4"),
            ("BIRADS 4", "4"),
            ("bi-rads: 4a", "4A"),
            ("4A", "4A"),
            ("4 c", "4C"),
            ("BI-RADS 6", "6"),
            ("Category 0", "0"),
            ("6", "6"),
        ] {
            assert_eq!(assessment(text), Assessment::of(name), "{text}");
            assert!(assessment(text).is_some(), "{text}");
        }
        for text in ["", "7", "4D", "3A", "4.5", "-1", "BI-RADS", "45"] {
            assert_eq!(assessment(text), None, "{text}");
        }
    }

    #[test]
    fn words_for_pathology_split_and_yes() {
        assert_eq!(pathology("Malignant"), Some(Pathology::Malignant));
        assert_eq!(pathology("benign_without_callback"), Some(Pathology::Benign));
        assert_eq!(pathology("malignant?"), None);
        assert_eq!(
            [split("training"), split("val"), split("Test"), split("x")],
            [Some(Split::Train), Some(Split::Validation), Some(Split::Test), None]
        );
        assert_eq!(
            [boolean("TRUE"), boolean("0"), boolean("maybe")],
            [Some(true), Some(false), None]
        );
    }

    #[test]
    fn codes_of_views_are_dicoms() {
        assert_eq!(view_code("R-10242"), Some(View::Cc));
        assert_eq!(view_code("399368009"), Some(View::Mlo));
        assert_eq!(view_code("R-10224"), Some(View::Ml));
        assert_eq!(view_code("R-1024B"), Some(View::Xccm));
        assert_eq!(modifier_code("399055006"), Some(Modifier::Spot));
        assert_eq!(view_code(""), None);
    }
}
