//! Convolutions trained on phantoms, compiled into the program: a first atlas within minutes and
//! without a download has units worth looking at. How they were made: `content/trunks/README.md`.

/// The layers of a network before its fully connected ones.
#[derive(Debug)]
pub struct Trunk {
    /// The network.
    pub network: &'static str,
    /// A safetensors file of half precision.
    pub bytes: &'static [u8],
}

/// All there are.
pub const TRUNKS: &[Trunk] = &[
    Trunk { network: "alexnet", bytes: include_bytes!("../../content/trunks/alexnet.safetensors") },
    Trunk {
        network: "resnet18",
        bytes: include_bytes!("../../content/trunks/resnet18.safetensors"),
    },
];

/// That of a network.
pub fn find(network: &str) -> Option<&'static Trunk> {
    TRUNKS.iter().find(|trunk| trunk.network == network)
}
