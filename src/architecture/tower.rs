//! Kinds and probe points of the vision transformers.

/// A kind of vision transformer: what of one is called how in weight files, and how its tokens become features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tower {
    /// Dosovitskiy et al. 2021, as Hugging Face names its parts; the class token is what is classified.
    Vit,
    /// Oquab et al. 2023, as Meta names its parts; the class token with the mean of the others.
    DinoV2,
    /// The image tower of CLIP, Radford et al. 2021, as Hugging Face names its parts; the class token.
    Clip,
    /// That of SigLIP, Zhai et al. 2023, as Hugging Face names its parts; what a query of its own attends to.
    SigLip,
}

/// Probe points: the tokens that leave each block, but for the class token, which lies nowhere.
pub const LAYERS_24: &[&str] = &[
    "block1", "block2", "block3", "block4", "block5", "block6", "block7", "block8", "block9",
    "block10", "block11", "block12", "block13", "block14", "block15", "block16", "block17",
    "block18", "block19", "block20", "block21", "block22", "block23", "block24",
];
/// See [`LAYERS_24`].
pub const LAYERS_12: &[&str] = LAYERS_24.split_at(12).0;
/// After two thirds of the blocks, and before the last block: where the class token alone is classified, nothing
/// follows from the other tokens of the last.
pub(crate) const DISSECTED_12: &[&str] = &["block8", "block11"];
/// See [`DISSECTED_12`].
pub(crate) const DISSECTED_24: &[&str] = &["block16", "block23"];

/// Edge of the input at which they are compared everywhere.
pub(crate) const INPUT: u32 = 224;
/// A larger input has more tokens than memory for how each attends to each.
const MOST: u32 = 784;

/// Least and greatest input for tokens of this many pixels: two of them in a row, and no fewer pixels than any
/// other network takes.
pub(crate) const fn inputs(patch: u32) -> (u32, u32) {
    let least = if 2 * patch < 32 { 3 * patch } else { 2 * patch };
    (least, MOST / patch * patch)
}
