//! What was trained on phantoms and is compiled into the program: a first atlas within minutes and without a download
//! has units worth looking at (`content/trunks/README.md`), and names for them (`content/namer/README.md`).

use anyhow::Result;
use base::shipped;

/// The layers of a network before its fully connected ones: a safetensors file of half precision.
///
/// # Errors
/// When none comes with the program for this network.
pub fn trunk(network: &str) -> Result<&'static [u8]> {
    shipped::file(&format!("content/trunks/{network}.safetensors"))
}

/// The pair of towers that names the units of phantoms: what `name --teach` wrote.
///
/// # Errors
/// When the program came without it.
pub fn namer() -> Result<&'static [u8]> {
    shipped::file("content/namer/phantoms.safetensors")
}
