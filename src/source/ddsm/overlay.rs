//! `.OVERLAY` files: the abnormalities of one view.

use super::Flaw;
use super::chain::Chain;
use mammogram::Pathology;

/// What an overlay holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Overlay {
    pub(super) abnormalities: Vec<Abnormality>,
    /// What is odd and does no harm.
    pub(super) doubts: Vec<Flaw>,
}

/// One abnormality.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Abnormality {
    /// Line of its beginning.
    pub(super) line: usize,
    /// Its `LESION_TYPE` lines without that word; one or two.
    pub(super) kinds: Vec<String>,
    /// BI-RADS assessment, 0 to 5.
    pub(super) assessment: Option<u8>,
    /// From 1, subtle, to 5, obvious.
    pub(super) subtlety: Option<u8>,
    pub(super) pathology: Pathology,
    /// The lesion.
    pub(super) boundaries: Vec<Chain>,
    /// Denser parts within it; no lesions of their own.
    pub(super) cores: Vec<Chain>,
}

impl Overlay {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// When an abnormality cannot be read to its end: it may be a cancer.
    pub(super) fn parse(text: &str) -> Result<Self, Flaw> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let mut lines = lines.filter(|(_, line)| !line.is_empty()).peekable();
        let mut overlay = Self { abnormalities: Vec::new(), doubts: Vec::new() };
        let (line, first) = lines.next().unwrap_or((1, ""));
        let Some(declared) = value(first, "TOTAL_ABNORMALITIES") else {
            return Err(Flaw::new(
                line,
                format!("expected TOTAL_ABNORMALITIES, found {}", brief(first)),
            ));
        };
        while let Some((line, head)) = lines.next() {
            if value(head, "ABNORMALITY").is_none() {
                return Err(Flaw::new(
                    line,
                    format!("expected ABNORMALITY, found {}", brief(head)),
                ));
            }
            let mut draft = Draft::default();
            while let Some((at, text)) = lines.next_if(|(_, l)| value(l, "ABNORMALITY").is_none()) {
                match text {
                    "BOUNDARY" | "CORE" => {
                        let (at, chain) = lines.next().unwrap_or((at, ""));
                        let chain =
                            Chain::parse(chain).map_err(|message| Flaw::new(at, message))?;
                        if chain.gap() > 1 {
                            let message = format!(
                                "the outline does not return to its beginning, {} pixels away; it is closed by a straight line",
                                chain.gap()
                            );
                            overlay.doubts.push(Flaw::new(at, message));
                        }
                        if text == "CORE" { &mut draft.cores } else { &mut draft.boundaries }
                            .push(chain);
                    }
                    _ => draft.line(at, text, &mut overlay.doubts)?,
                }
            }
            overlay.abnormalities.push(draft.finish(line, &mut overlay.doubts)?);
        }
        let found = overlay.abnormalities.len();
        if declared.parse() != Ok(found) {
            // Fewer than declared may be a file that was cut off.
            let message = format!("declares {} abnormalities and has {found}", brief(declared));
            if declared.parse::<usize>().is_ok_and(|declared| declared < found) {
                overlay.doubts.push(Flaw::new(line, message));
            } else {
                return Err(Flaw::new(line, message));
            }
        }
        Ok(overlay)
    }
}

/// An abnormality being read.
#[derive(Default)]
struct Draft {
    kinds: Vec<String>,
    assessment: Option<u8>,
    subtlety: Option<u8>,
    pathology: Option<Pathology>,
    outlines: Option<(usize, String)>,
    boundaries: Vec<Chain>,
    cores: Vec<Chain>,
}

impl Draft {
    fn line(&mut self, at: usize, text: &str, doubts: &mut Vec<Flaw>) -> Result<(), Flaw> {
        let (key, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let value = value.trim();
        let mut grade = |[least, most]: [u8; 2]| {
            let grade = value.parse().ok().filter(|grade| (least..=most).contains(grade));
            if grade.is_none() && !matches!(value, "" | "N/A") {
                let message = format!(
                    "{key} is {}; expected {least} to {most}, it is left out",
                    brief(value)
                );
                doubts.push(Flaw::new(at, message));
            }
            grade
        };
        match key {
            "LESION_TYPE" => {
                self.kinds.push(value.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            "ASSESSMENT" => self.assessment = grade([0, 5]),
            "SUBTLETY" => self.subtlety = grade([1, 5]),
            "PATHOLOGY" => {
                self.pathology = Some(match value {
                    "MALIGNANT" => Pathology::Malignant,
                    "BENIGN" | "BENIGN_WITHOUT_CALLBACK" => Pathology::Benign,
                    "UNPROVEN" => Pathology::Unproven,
                    other => {
                        let message = format!(
                            "expected a pathology MALIGNANT, BENIGN, BENIGN_WITHOUT_CALLBACK or UNPROVEN, found {}",
                            brief(other)
                        );
                        return Err(Flaw::new(at, message));
                    }
                });
            }
            "TOTAL_OUTLINES" => self.outlines = Some((at, value.to_owned())),
            _ => {
                let message = format!("expected a line of an abnormality, found {}", brief(text));
                return Err(Flaw::new(at, message));
            }
        }
        Ok(())
    }

    fn finish(self, line: usize, doubts: &mut Vec<Flaw>) -> Result<Abnormality, Flaw> {
        let Some(pathology) = self.pathology else {
            return Err(Flaw::new(line, "the abnormality has no PATHOLOGY"));
        };
        let found = self.boundaries.len() + self.cores.len();
        if let Some((at, declared)) = self.outlines
            && declared.parse() != Ok(found)
        {
            let message = format!("declares {} outlines and has {found}", brief(&declared));
            doubts.push(Flaw::new(at, message));
        }
        if self.boundaries.is_empty() {
            doubts.push(Flaw::new(line, "has no BOUNDARY; the lesion is kept without a place"));
        }
        let Self { kinds, assessment, subtlety, boundaries, cores, .. } = self;
        Ok(Abnormality { line, kinds, assessment, subtlety, pathology, boundaries, cores })
    }
}

/// What stands after a key, if the line has it.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(key)?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

/// At most 30 characters of a text in quotes, for a message.
fn brief(text: &str) -> String {
    format!("{:?}", text.chars().take(30).collect::<String>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "TOTAL_ABNORMALITIES 2\nABNORMALITY 1 \n\
        LESION_TYPE MASS SHAPE IRREGULAR MARGINS ILL_DEFINED-SPICULATED\n\
        LESION_TYPE CALCIFICATION TYPE  PUNCTATE DISTRIBUTION N/A \nASSESSMENT 4 \nSUBTLETY 3 \n\
        PATHOLOGY MALIGNANT\nTOTAL_OUTLINES 2 \nBOUNDARY\n9 9  2 2 4 4 6 6 0 0 # \n\tCORE\n\
        10 10  2 6 #\nABNORMALITY 2\nLESION_TYPE MASS SHAPE ROUND MARGINS N/A\nASSESSMENT N/A\n\
        PATHOLOGY BENIGN_WITHOUT_CALLBACK\nTOTAL_OUTLINES 1\nBOUNDARY\n3 3 #\n";

    #[test]
    fn abnormalities_are_read_with_their_outlines() {
        let overlay = Overlay::parse(TEXT).unwrap();
        assert!(overlay.doubts.is_empty(), "{:?}", overlay.doubts);
        let [first, second] = &overlay.abnormalities[..] else { panic!() };
        assert_eq!(first.line, 2);
        assert_eq!(first.kinds[1], "CALCIFICATION TYPE PUNCTATE DISTRIBUTION N/A");
        assert_eq!((first.assessment, first.subtlety), (Some(4), Some(3)));
        assert_eq!(first.pathology, Pathology::Malignant);
        assert_eq!((first.boundaries.len(), first.cores.len()), (1, 1));
        assert_eq!((second.assessment, second.subtlety), (None, None));
        assert_eq!(second.pathology, Pathology::Benign);
        assert_eq!((second.boundaries.len(), second.cores.len()), (1, 0));
    }

    #[test]
    fn harmless_oddities_are_told() {
        let with = |from: &str, to: &str| {
            let overlay = Overlay::parse(&TEXT.replace(from, to)).unwrap();
            let [flaw] = &overlay.doubts[..] else { panic!("{:?}", overlay.doubts) };
            (flaw.line, flaw.message.clone())
        };
        let (line, message) = with("TOTAL_OUTLINES 1", "TOTAL_OUTLINES 2");
        assert_eq!((line, message.as_str()), (17, "declares \"2\" outlines and has 1"));
        assert_eq!(with("SUBTLETY 3", "SUBTLETY 9").0, 6);
        assert_eq!(with("ABNORMALITIES 2", "ABNORMALITIES 1").0, 1);
        let (line, message) = with("9 9  2 2", "9 9 2 2 2 2 2 2");
        assert!(line == 10 && message.contains("4 pixels away"), "{message}");
        let (line, message) = with("\nTOTAL_OUTLINES 1\nBOUNDARY\n3 3 #", "");
        assert!(line == 13 && message.contains("no BOUNDARY"), "{message}");
    }

    #[test]
    fn what_may_hide_a_cancer_is_an_error() {
        for (from, to, line, expected) in [
            ("TOTAL_ABNORMALITIES", "TOTAL", 1, "expected TOTAL_ABNORMALITIES"),
            ("ABNORMALITIES 2", "ABNORMALITIES 3", 1, "declares \"3\" abnormalities and has 2"),
            ("ABNORMALITY 1", "AB 1", 2, "expected ABNORMALITY, found \"AB 1\""),
            ("PATHOLOGY MALIGNANT", "PATHOLOGY ?", 7, "found \"?\""),
            ("PATHOLOGY MALIGNANT", "", 2, "no PATHOLOGY"),
            ("6 6 0 0 #", "6 6 9 0 #", 10, "step 7"),
            ("2 6 #", "2 6", 12, "without #"),
            ("ASSESSMENT", "GUESS", 5, "found \"GUESS 4\""),
        ] {
            let flaw = Overlay::parse(&TEXT.replacen(from, to, 1)).unwrap_err();
            assert_eq!(flaw.line, line, "{flaw:?}");
            assert!(flaw.message.contains(expected), "{flaw:?}");
        }
        assert!(Overlay::parse("").unwrap_err().message.contains("TOTAL_ABNORMALITIES"));
        // Cut off anywhere before its last outline, it is an error or has all abnormalities.
        for end in 0..TEXT.len() - 20 {
            if let Ok(overlay) = Overlay::parse(&TEXT[..end]) {
                assert_eq!(overlay.abnormalities.len(), 2, "{end}");
                assert_eq!(overlay.abnormalities[0].boundaries.len(), 1, "{end}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "(?s).{0,200}", cut in 0usize..500, noise in "[-0-9#A-Z\n ]{0,40}") {
            let _ = Overlay::parse(&text);
            let cut = cut.min(TEXT.len());
            let _ = Overlay::parse(&format!("{}{noise}{}", &TEXT[..cut], &TEXT[cut..]));
        }
    }
}
