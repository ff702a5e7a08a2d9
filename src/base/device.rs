//! What a project computes on, as it is written; opening it is `network`'s.

use serde::Serialize;

/// Where tensors live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The best that is compiled in and present.
    Auto,
    /// The processor.
    Cpu,
    /// All CUDA devices: a network on each, as long as there are networks. What runs by itself takes the
    /// first.
    AllCuda,
    /// A CUDA device by number.
    Cuda(usize),
    /// Apple's GPU.
    Metal,
}

impl Device {
    /// What people write for a graphics card, and what it is called here.
    const MEANT: [(&str, &str); 6] = [
        ("gpu", "cuda:0"),
        ("gpu:0", "cuda:0"),
        ("nvidia", "cuda:0"),
        ("cuda0", "cuda:0"),
        ("mps", "metal"),
        ("apple", "metal"),
    ];

    /// Why a word is no device, and which was probably meant.
    pub fn unknown(text: &str) -> String {
        let word = text.trim().to_lowercase();
        match Self::MEANT.iter().find(|(said, _)| *said == word) {
            Some((_, meant)) => format!(
                "unknown device `{}`; did you mean `{meant}`? Known: {}",
                text.trim(),
                Self::FORMS.map(|form| format!("`{form}`")).join(", ")
            ),
            None => crate::yaml::unknown("device", text.trim(), &Self::FORMS),
        }
    }

    /// How a device is written, for messages.
    pub const FORMS: [&str; 5] = ["auto", "cpu", "cuda", "cuda:0", "metal"];

    /// Reads `auto`, `cpu`, `cuda`, `cuda:<number>` or `metal`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim() {
            "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            "metal" => Self::Metal,
            "cuda" => Self::AllCuda,
            other => Self::Cuda(other.strip_prefix("cuda:")?.parse::<u16>().ok()?.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graphics_card_by_another_name_is_known() {
        assert!(Device::unknown("gpu").contains("did you mean `cuda:0`?"));
        assert!(Device::unknown("MPS").contains("did you mean `metal`?"));
        assert!(Device::unknown("cudo").contains("did you mean `cuda`?"));
        assert!(!Device::unknown("toaster").contains("did you mean"));
    }
}
