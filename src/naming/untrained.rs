//! Units of networks that have learned nothing.
//!
//! Units of random weights respond to what an image is made of, light, dark and edges, and so to what is called
//! dense tissue or background. A name says something of what a network has learned where its unit is closer to it than
//! such units are.

use anyhow::Result;
use candle_core::{Device, Tensor};

use base::progress::Progress;
use base::seed;
use network::Network;
use record::Store;

/// Units that names are compared with, at least, where so many networks give them.
const ENOUGH: usize = 1000;
/// Networks, at most.
const MOST: u64 = 4;
/// Patches per pass.
const BATCH: usize = 32;

/// An architecture, by its name, with the edge of its input in pixels and the layers that are asked about.
pub struct Like<'a> {
    /// Its name.
    pub name: &'a str,
    /// Edge of the input in pixels.
    pub input: u32,
    /// The layers, from the input on.
    pub layers: &'a [&'a str],
}

/// Scores of the units of untrained networks like this over patches: by layer, a row for each unit. As many networks as
/// it takes for a thousand units of the smallest layer, at most four.
///
/// # Errors
/// When the device fails.
pub fn untrained(
    like: &Like,
    store: &Store,
    patches: &[u32],
    of: u64,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Vec<Vec<Vec<f32>>>> {
    let mut found: Vec<Vec<Vec<f32>>> = vec![Vec::new(); like.layers.len()];
    for number in 0..MOST {
        let name = format!("naming/untrained/{}/{number}", like.name);
        let network = Network::new(like.name, 2, like.input, seed::derive(of, &name), device)?;
        let title = format!("{} without training, {} of at most {MOST}", like.name, number + 1);
        progress.start(&title, patches.len() as u64);
        for (all, of_network) in
            found.iter_mut().zip(scores(&network, like.layers, store, patches, progress)?)
        {
            all.extend(of_network);
        }
        progress.finish();
        if found.iter().all(|units| units.len() >= ENOUGH) {
            break;
        }
    }
    Ok(found)
}

/// Greatest activations of a network's units: by layer, a row for each unit, a column for each patch.
fn scores(
    network: &Network,
    layers: &[&str],
    store: &Store,
    patches: &[u32],
    progress: &dyn Progress,
) -> Result<Vec<Vec<Vec<f32>>>> {
    let inference = network.inference();
    let mut rows: Vec<Vec<Vec<f32>>> = vec![Vec::new(); layers.len()];
    for batch in patches.chunks(BATCH) {
        let pixels: Vec<&[u8]> = batch.iter().map(|&patch| store.pixels(patch)).collect();
        let images = network.images(&pixels, store.edge())?;
        for (rows, maps) in rows.iter_mut().zip(inference.maps(&images, layers)?) {
            let greatest: Tensor = maps.flatten_from(2)?.max(2)?;
            rows.extend(greatest.to_device(&Device::Cpu)?.to_vec2::<f32>()?);
        }
        progress.advance(batch.len() as u64);
    }
    Ok(rows.iter().map(|rows| turned(rows)).collect())
}

/// Rows as columns.
fn turned(rows: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let units = rows.first().map_or(0, Vec::len);
    (0..units).map(|unit| rows.iter().map(|row| row[unit]).collect()).collect()
}
