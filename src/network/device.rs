//! Where tensors live: the processor, or an accelerator that is compiled in and present.

use anyhow::{Context, Result};
use candle_core::utils::{cuda_is_available, metal_is_available};
use candle_core::{Device, DeviceLocation};

/// Opens the device that was asked for; `auto` takes the best that is compiled in and present.
///
/// # Errors
/// When an accelerator is asked for by name and is not there: it is never replaced silently.
pub fn open(asked: base::Device) -> Result<Device> {
    match asked {
        base::Device::Cpu => Ok(Device::Cpu),
        base::Device::Cuda(n) => {
            Device::new_cuda(n).with_context(|| absent(&format!("cuda:{n}"), "cuda"))
        }
        base::Device::Metal => Device::new_metal(0).with_context(|| absent("metal", "metal")),
        base::Device::Auto => {
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

/// Why a device that was asked for is not there, and what to do.
fn absent(name: &str, feature: &str) -> String {
    let compiled = match feature {
        "cuda" => cuda_is_available(),
        _ => metal_is_available(),
    };
    if compiled {
        format!(
            "device: {name} was asked for and cannot be opened: the driver finds no such device (see \
             `nvidia-smi` for those of NVIDIA); name another, or write `device: auto`"
        )
    } else {
        format!(
            "device: {name} was asked for and this program was built without it; build with \
             `--features {feature}` on a machine that has one, or write `device: auto`"
        )
    }
}

/// What a person reads of a device: `cpu (8 threads)`, `cuda:0`, `metal:0`.
pub fn describe(device: &Device) -> String {
    match device.location() {
        DeviceLocation::Cpu => format!("cpu ({} threads)", rayon::current_num_threads()),
        DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

#[cfg(all(test, not(any(feature = "cuda", feature = "metal"))))]
mod tests {
    use super::*;

    #[test]
    fn a_missing_accelerator_is_an_error_with_help_and_auto_is_not() {
        let message = format!("{:#}", open(base::Device::Cuda(0)).unwrap_err());
        assert!(message.contains("cuda:0") && message.contains("--features cuda"), "{message}");
        let best = open(base::Device::Auto).unwrap();
        assert_eq!(describe(&best), format!("cpu ({} threads)", rayon::current_num_threads()));
    }
}
