//! Kinds of pairs of towers that put images and texts into one space, by name.

/// A kind of pair of an image and a text tower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Namer {
    /// As those who published its weights name it, in lower case.
    pub name: &'static str,
    /// Edge in pixels of the images it sees.
    pub input: u32,
    /// Tokens of a text at most, with those that mark its ends; what is longer is cut.
    pub tokens: u32,
}

const fn clip(name: &'static str) -> Namer {
    Namer { name, input: 224, tokens: 77 }
}

/// Every kind, in the order of messages.
pub const NAMERS: &[Namer] = &[
    // Radford et al. 2021, OpenAI's weights.
    clip("clip_vit_base_patch32"),
    clip("clip_vit_base_patch16"),
    clip("clip_vit_large_patch14"),
    // The same towers as OpenCLIP trains them (Cherti et al. 2023), with another activation: LAION's and DataComp's.
    clip("openclip_vit_b_32"),
    clip("openclip_vit_b_16"),
    // Vasu et al. 2024, in OpenCLIP's layout.
    Namer { name: "mobileclip_s1", input: 256, tokens: 77 },
    Namer { name: "mobileclip_s2", input: 256, tokens: 77 },
    // Zhai et al. 2023.
    Namer { name: "siglip_base_patch16_224", input: 224, tokens: 64 },
];

/// A small pair that `name --teach` has made: of one file, without a tokenizer.
pub const TAUGHT: &str = "taught";

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static Namer> {
    NAMERS.iter().find(|namer| namer.name == name)
}
