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
