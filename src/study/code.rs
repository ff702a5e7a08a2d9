//! Codes that stand for units in a blind survey, and for mammograms that readers score: the same for the same unit of
//! the same weights in the same study, and telling nothing to who does not know the project's seed.

use std::collections::BTreeMap;

use base::UnitId;

/// Digits of a code: no vowels, so that no word comes up; none that looks like another.
const DIGITS: &[u8; 28] = b"23456789bcdfghjkmnpqrstvwxyz";
/// How a code begins.
const PREFIX: &str = "u-";
/// How that of a mammogram begins.
const CASE: &str = "c-";
/// Digits in a code: among a hundred thousand units two alike come up once in ten million studies.
const LENGTH: usize = 12;

/// Gives codes by the project's seed and the study.
#[derive(Debug, Clone)]
pub struct Coder {
    key: [u8; 32],
}

impl Coder {
    /// For a study of a project.
    pub fn new(seed: u64, study: &str) -> Self {
        let mut material = seed.to_le_bytes().to_vec();
        material.extend(study.as_bytes());
        Self { key: blake3::derive_key("unit-atlas survey codes 1", &material) }
    }

    /// The code of a unit, by its name and the BLAKE3 of its network's weights.
    pub fn unit(&self, unit: &UnitId, weights: &str) -> String {
        format!("{PREFIX}{}", self.digits(&["unit", &unit.to_string(), weights]))
    }

    /// The code of a mammogram that readers score, by its id and the BLAKE3 of the weights that are explained to them.
    pub fn case(&self, mammogram: &str, weights: &str) -> String {
        format!("{CASE}{}", self.digits(&["case", mammogram, weights]))
    }

    /// A name for a picture that tells nothing of where it is from.
    pub fn picture(&self, name: &str) -> String {
        self.digits(&["picture", name])
    }

    fn digits(&self, parts: &[&str]) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let mut bytes = [0; 8 * LENGTH];
        hasher.finalize_xof().fill(&mut bytes);
        let (digits, _) = bytes.as_chunks::<8>();
        digits
            .iter()
            .map(|&eight| char::from(DIGITS[(u64::from_le_bytes(eight) % 28) as usize]))
            .collect()
    }
}

/// Whether a name has the form of a code.
pub fn is_code(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|digits| {
        digits.len() == LENGTH && digits.bytes().all(|digit| DIGITS.contains(&digit))
    })
}

/// The units behind codes.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    units: BTreeMap<String, UnitId>,
}

impl Codes {
    /// Of units by name, each with the BLAKE3 of its network's weights.
    pub fn new<'a>(coder: &Coder, units: impl Iterator<Item = (UnitId, &'a str)>) -> Self {
        let coded = units.map(|(unit, weights)| (coder.unit(&unit, weights), unit));
        Self { units: coded.collect() }
    }

    /// The unit behind a code.
    pub fn unit(&self, code: &str) -> Option<&UnitId> {
        self.units.get(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_stable_and_follow_seed_study_unit_and_weights() {
        let coder = Coder::new(123, "s");
        let unit = |number| UnitId::new("alexnet", "conv5", number);
        let code = coder.unit(&unit(63), "w");
        assert_eq!(code, Coder::new(123, "s").unit(&unit(63), "w"));
        assert!(is_code(&code), "{code}");
        for other in [
            Coder::new(124, "s").unit(&unit(63), "w"),
            Coder::new(123, "t").unit(&unit(63), "w"),
            coder.unit(&unit(64), "w"),
            coder.unit(&unit(63), "x"),
            coder.unit(&unit(6), "3w"),
        ] {
            assert_ne!(code, other);
        }
        for no in ["", "u-", "alexnet/conv5/0063", "u-aaaaaaaaaaaa", &code[..13]] {
            assert!(!is_code(no), "{no}");
        }
    }

    #[test]
    fn codes_of_cases_follow_the_mammogram_and_the_weights_and_are_no_units() {
        let coder = Coder::new(123, "s");
        let code = coder.case("mdb001", "w");
        assert_eq!(code, Coder::new(123, "s").case("mdb001", "w"));
        assert!(code.starts_with("c-") && code.len() == 14 && !is_code(&code), "{code}");
        for other in [
            Coder::new(124, "s").case("mdb001", "w"),
            Coder::new(123, "t").case("mdb001", "w"),
            coder.case("mdb002", "w"),
            coder.case("mdb001", "x"),
        ] {
            assert_ne!(code, other);
        }
    }

    #[test]
    fn no_two_of_the_papers_units_share_a_code() {
        let units = (1..=11_680).map(|unit| (UnitId::new("resnet152", "layer4", unit), "weights"));
        let coder = Coder::new(123, "s");
        let codes = Codes::new(&coder, units);
        assert_eq!(codes.units.len(), 11_680);
        let last = UnitId::new("resnet152", "layer4", 11_680);
        assert_eq!(codes.unit(&coder.unit(&last, "weights")), Some(&last));
        assert_eq!(codes.unit("u-222222222222"), None);
    }
}
