//! Where tensors live: the processor, or an accelerator that is compiled in and present.
//!
//! [`open`] gives it, [`describe`] and [`provenance`] say what it is, `Parts` lets a pass go on in smaller
//! parts where its memory is short, and [`Shortage`] says what would fit where it cannot go on.

mod parts;
mod shortage;

#[cfg(feature = "cuda")]
mod nvidia;
#[cfg(not(feature = "cuda"))]
#[path = "device/without_nvidia.rs"]
mod nvidia;

use anyhow::{Context, Result};
use candle_core::utils::{cuda_is_available, metal_is_available};
use candle_core::{Device, DeviceLocation};

use architecture::Architecture;

pub(crate) use parts::Parts;
pub use shortage::Shortage;

/// What is said of a GPU on which nothing has run yet.
const UNTESTED: &str = "computing on Apple's GPU, on which this program has never been tested: compare what it \
                        gives with `device: cpu`";

/// Opens the device that was asked for; `auto` takes the best that is compiled in and present, and lets
/// `say` hear why it is not the GPU that the program was built for. Where the device is of a kind that nothing
/// has run on yet, `say` hears that.
///
/// # Errors
/// When an accelerator is asked for by name and cannot be used: it is never replaced silently. The
/// message says whether it is absent, or what keeps the program from it.
pub fn open(asked: base::Device, say: impl FnOnce(&str)) -> Result<Device> {
    match asked {
        base::Device::Cpu => Ok(Device::Cpu),
        base::Device::AllCuda => cuda(0),
        base::Device::Cuda(number) => cuda(number),
        base::Device::Metal => {
            if !metal_is_available() {
                anyhow::bail!(without("metal", "metal"));
            }
            let device = Device::new_metal(0).with_context(|| unusable("metal"))?;
            say(UNTESTED);
            Ok(device)
        }
        base::Device::Auto => {
            // Compiled in does not mean present: a machine without the card takes the next best.
            let best = match () {
                () if cuda_is_available() => nvidia::open(0),
                () if metal_is_available() => Device::new_metal(0).map_err(Into::into),
                () => return Ok(Device::Cpu),
            };
            match best {
                Ok(device) => {
                    if device.is_metal() {
                        say(UNTESTED);
                    }
                    Ok(device)
                }
                Err(reason) => {
                    say(&format!("computing on the processor: {reason:#}"));
                    Ok(Device::Cpu)
                }
            }
        }
    }
}

/// Opens all devices that were asked for, one of which [`open`] would.
///
/// # Errors
/// As of [`open`], for the first that cannot be used.
pub fn open_all(asked: base::Device, say: impl FnOnce(&str)) -> Result<Vec<Device>> {
    match asked {
        base::Device::AllCuda => (0..nvidia::count().max(1)).map(cuda).collect(),
        asked => Ok(vec![open(asked, say)?]),
    }
}

/// A CUDA device that was asked for.
fn cuda(number: usize) -> Result<Device> {
    if !cuda_is_available() {
        anyhow::bail!(without(&format!("cuda:{number}"), "cuda"));
    }
    nvidia::open(number).with_context(|| unusable(&format!("cuda:{number}")))
}

/// That a device was asked for which the program knows nothing of.
fn without(name: &str, feature: &str) -> String {
    format!(
        "device: {name} was asked for and this program was built without it; build with \
         `--features {feature}` on a machine that has one, or write `device: auto`"
    )
}

/// That a device was asked for and cannot be used; the reason follows.
fn unusable(name: &str) -> String {
    format!("device: {name} was asked for and cannot be used; mend it, or write `device: auto`")
}

/// What a person reads of a device: `cpu (8 threads)`, `cuda:0 (NVIDIA H100 80GB HBM3)`, `metal:0`.
pub fn describe(device: &Device) -> String {
    match device.location() {
        DeviceLocation::Cpu => format!("cpu ({} threads)", rayon::current_num_threads()),
        _ => match nvidia::card(device) {
            Some(card) => format!("{} ({card})", name(device)),
            None => name(device),
        },
    }
}

/// As [`describe`], for what runs there: with a note where a card has no kernels for it.
pub fn describe_for(device: &Device, architecture: &Architecture) -> String {
    let described = describe(device);
    match device.is_cuda() && !architecture.has_kernels() {
        true => format!(
            "{described}, by single operations: there are no kernels for {} yet, and it is slower",
            architecture.name
        ),
        false => described,
    }
}

/// Runs something and says how much more memory it took at its peak than was taken before; unknown but for
/// NVIDIA's GPUs.
pub fn peak<T>(device: &Device, run: impl FnOnce() -> T) -> (T, Option<u64>) {
    nvidia::peak(device, run)
}

/// How a device is written in a project file: `cpu`, `cuda:0`, `metal:0`.
pub fn name(device: &Device) -> String {
    match device.location() {
        DeviceLocation::Cpu => "cpu".into(),
        DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

/// What computed something, as its record names it: the device, and of a GPU the card, its driver and the
/// libraries whose rounding the result has. `cuda:0, NVIDIA H100 80GB HBM3, driver 580.159.04, CUDA 13.0,
/// cuBLAS 13.1.0`.
pub fn provenance(device: &Device) -> String {
    let mut parts = vec![name(device)];
    parts.extend(nvidia::card(device));
    parts.extend(nvidia::versions(device));
    parts.join(", ")
}

#[cfg(all(test, not(any(feature = "cuda", feature = "metal"))))]
mod tests {
    use super::*;

    #[test]
    fn a_missing_accelerator_is_an_error_with_help_and_auto_is_not() {
        let silent = |line: &str| panic!("{line}");
        let message = format!("{:#}", open(base::Device::Cuda(0), silent).unwrap_err());
        assert!(message.contains("cuda:0") && message.contains("--features cuda"), "{message}");
        let best = open(base::Device::Auto, silent).unwrap();
        assert_eq!(describe(&best), format!("cpu ({} threads)", rayon::current_num_threads()));
        assert_eq!(provenance(&best), "cpu");
    }
}
