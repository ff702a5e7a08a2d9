//! Convolutions trained on phantoms, compiled into the program: a first atlas within minutes and
//! without a download has units worth looking at. How they were made: `content/trunks/README.md`.

use anyhow::Result;
use base::shipped;

/// The layers of a network before its fully connected ones: a safetensors file of half precision.
///
/// # Errors
/// When none comes with the program for this network.
pub fn trunk(network: &str) -> Result<&'static [u8]> {
    shipped::file(&format!("content/trunks/{network}.safetensors"))
}
