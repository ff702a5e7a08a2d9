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
    /// Name of the file beside the weights that makes tokens of texts.
    pub tokenizer: &'static str,
}

const fn clip(name: &'static str) -> Namer {
    of(name, 224, 77)
}

const fn of(name: &'static str, input: u32, tokens: u32) -> Namer {
    Namer { name, input, tokens, tokenizer: "tokenizer.json" }
}

/// Mammo-CLIP was taught on mammograms that were cut to the breast and resized to 912 x 1520 pixels, by a convolutional
/// network that takes images of any size. A patch should show tissue about as large as it was there. It is a quarter of
/// the shorter side of a mammogram, of which a breast takes some two thirds: a quarter of 912 is 228, three eighths 342.
/// 352 is the multiple of the network's 32 steps that is next to it.
const fn mammo(name: &'static str) -> Namer {
    Namer { tokenizer: "vocab.txt", ..of(name, 352, 256) }
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
    of("mobileclip_s1", 256, 77),
    of("mobileclip_s2", 256, 77),
    // Zhai et al. 2023.
    of("siglip_base_patch16_224", 224, 64),
    // Ghosh et al. 2024.
    mammo("mammo_clip_b5"),
    mammo("mammo_clip_b2"),
];

/// A small pair that `name --teach` has made: of one file, without a tokenizer.
pub const TAUGHT: &str = "taught";
/// Such a pair that comes with the program, and knows phantoms.
pub const BUILTIN: &str = "builtin";

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static Namer> {
    NAMERS.iter().find(|namer| namer.name == name)
}
