//! Where tensors live: the processor, or an accelerator that is compiled in and present.

use anyhow::{Context, Result};
use candle_core::Device;
use candle_core::utils::{cuda_is_available, metal_is_available};

use crate::config;

/// Opens the device that was asked for; `auto` takes the best that is compiled in and present.
///
/// # Errors
/// When an accelerator is asked for by name and is not there: it is never replaced silently.
pub fn open(asked: config::Device) -> Result<Device> {
    let missing = |name: &str, feature: &str| {
        format!(
            "device: {name} was asked for and cannot be used; build with `--features {feature}` on \
             a machine that has one, or write `device: auto`"
        )
    };
    match asked {
        config::Device::Cpu => Ok(Device::Cpu),
        config::Device::Cuda(n) => {
            Device::new_cuda(n).with_context(|| missing(&format!("cuda:{n}"), "cuda"))
        }
        config::Device::Metal => Device::new_metal(0).with_context(|| missing("metal", "metal")),
        config::Device::Auto => {
            // Compiled in does not mean present: a machine without the card takes the next best.
            let best = match () {
                () if cuda_is_available() => Device::new_cuda(0).ok(),
                () if metal_is_available() => Device::new_metal(0).ok(),
                () => None,
            };
            Ok(best.unwrap_or(Device::Cpu))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_missing_accelerator_is_an_error_with_help_and_auto_is_not() {
        let message = format!("{:#}", open(config::Device::Cuda(0)).unwrap_err());
        assert!(message.contains("cuda:0") && message.contains("--features cuda"), "{message}");
        open(config::Device::Auto).unwrap();
    }
}
