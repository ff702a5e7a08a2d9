//! Names that stand for identifiers: the same for the same identifier and seed, and telling nothing
//! of it to who does not know the seed. Who knows it can try identifiers out.

use unicode_normalization::UnicodeNormalization;

/// Gives names by the project's seed.
#[derive(Debug, Clone, Copy)]
pub struct Pseudonyms {
    seed: u64,
}

impl Pseudonyms {
    /// For a project's seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// `p-` and sixteen digits for a patient.
    pub fn patient(self, identifier: &str) -> String {
        format!("p-{}", self.digits("patient", identifier))
    }

    /// `m-` and sixteen digits for a mammogram.
    pub fn mammogram(self, identifier: &str) -> String {
        format!("m-{}", self.digits("mammogram", identifier))
    }

    fn digits(self, kind: &str, identifier: &str) -> String {
        let key = blake3::derive_key("unit-atlas pseudonyms 1", &self.seed.to_le_bytes());
        let mut hasher = blake3::Hasher::new_keyed(&key);
        // Letters with marks may be written as one character or as two, by the system that wrote a table.
        let identifier: String = identifier.nfc().collect();
        hasher.update(kind.as_bytes()).update(&[0]).update(identifier.as_bytes());
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable_distinct_and_keyed() {
        let names = Pseudonyms::new(123);
        let name = names.patient("DOE^JANE");
        assert_eq!(name, Pseudonyms::new(123).patient("DOE^JANE"));
        assert!(name.len() == 18 && name.starts_with("p-") && !name.contains("DOE"));
        assert_ne!(name, names.patient("DOE^JOHN"));
        assert_ne!(name, Pseudonyms::new(124).patient("DOE^JANE"));
        assert_ne!(name[2..], names.mammogram("DOE^JANE")[2..]);
        assert_eq!(names.patient("J\u{e4}ger"), names.patient("Ja\u{308}ger"));
    }
}
