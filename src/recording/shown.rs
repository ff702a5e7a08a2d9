//! A recording as a network that was shown the patches of a data set.

use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor};

use super::part::{CONTRIBUTIONS, LOGITS, MAPS};
use super::{Place, Recording};
use config::{Output, RECORDING, RecordedLayer};
use network::Meaning;
use record::{Manifest, Store};

/// How many patches a message names.
const NAMED: usize = 3;

/// What was recorded of the patches of a data set, by their numbers in its manifest.
#[derive(Debug)]
pub struct Shown<'a> {
    recording: &'a Recording,
    manifest: &'a Manifest,
    /// By number of the patch; none of one that was not recorded.
    places: Vec<Option<Place>>,
    /// What the outputs stand for; none where each is a class of its own, in order.
    meaning: Option<Meaning>,
}

impl<'a> Shown<'a> {
    /// Of a data set.
    ///
    /// # Errors
    /// When the outputs do not say of each of its classes how likely it is.
    pub fn of(recording: &'a Recording, manifest: &'a Manifest) -> Result<Self> {
        let (outputs, classes) = (&recording.header().classes, manifest.classes().len());
        let at = recording.folder().join(RECORDING);
        if let Err(why) = Output::fit(outputs, classes) {
            bail!("{}: `classes` says what each output stands for, and {why}", at.display());
        }
        let given = Output::classes(outputs, classes);
        let meaning = Meaning::of(Some(&given), outputs.len(), classes)
            .with_context(|| format!("{}: `classes`", at.display()))?;
        let place = |patch| recording.places.get(&manifest.patch_name(patch)).copied();
        let places = manifest.patches.iter().map(place).collect();
        Ok(Self { recording, manifest, places, meaning })
    }

    /// The recording.
    pub fn recording(&self) -> &'a Recording {
        self.recording
    }

    /// A recorded layer.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn layer(&self, name: &str) -> Result<&'a RecordedLayer> {
        let header = self.recording.header();
        header.layer(name).with_context(|| {
            let known: Vec<&str> = header.layers.iter().map(|layer| layer.name.as_str()).collect();
            format!("the layer {name} was not recorded, only {}", known.join(", "))
        })
    }

    /// How many recorded patches the data set does not have.
    pub fn strangers(&self) -> usize {
        self.recording.len() - self.places.iter().flatten().count()
    }

    /// Checks that some patches were recorded, and from the pixels that they have.
    ///
    /// # Errors
    /// When one was not: says how many and names the first.
    pub fn check(&self, store: &Store, patches: &[u32], what: &str) -> Result<()> {
        let folder = self.recording.folder().display();
        let missing: Vec<u32> =
            patches.iter().copied().filter(|&n| self.places[n as usize].is_none()).collect();
        if !missing.is_empty() {
            let strangers = match self.strangers() {
                0 => String::new(),
                count => format!(
                    " ({count} of the {} recorded patches are none of the data set)",
                    self.recording.len()
                ),
            };
            bail!(
                "{folder}: {} of the {} patches of {what} were not recorded: {}{strangers}; export the patches \
                 again with `unit-atlas patches export`, and record them",
                missing.len(),
                patches.len(),
                self.named(&missing)
            );
        }
        let changed: Vec<u32> = patches
            .iter()
            .copied()
            .filter(|&n| {
                let place = self.places[n as usize];
                let recorded = place.and_then(|place| self.recording.pixels(place));
                recorded.is_some_and(|crc| crc != crc32fast::hash(store.pixels(n)))
            })
            .collect();
        if !changed.is_empty() {
            bail!(
                "{folder}: {} of the {} patches of {what} had other pixels when they were recorded: {}; export \
                 the patches again with `unit-atlas patches export`, and record them",
                changed.len(),
                patches.len(),
                self.named(&changed)
            );
        }
        Ok(())
    }

    /// The first of some patches by name.
    fn named(&self, patches: &[u32]) -> String {
        let name = |&n: &u32| self.manifest.patch_name(&self.manifest.patches[n as usize]);
        let mut named: Vec<String> = patches.iter().take(NAMED).map(name).collect();
        if patches.len() > NAMED {
            named.push("…".into());
        }
        named.join(", ")
    }

    /// Rows of a tensor, by numbers of patches: `dims` are those of a row.
    fn tensor(&self, name: &str, patches: &[u32], dims: &[usize]) -> Result<Tensor> {
        let place = |&n: &u32| {
            self.places[n as usize].with_context(|| {
                format!(
                    "{}: the patch {} was not recorded",
                    self.recording.folder().display(),
                    self.named(&[n])
                )
            })
        };
        let places = patches.iter().map(place).collect::<Result<Vec<_>>>()?;
        let values = self.recording.rows(name, &places)?;
        let dims: Vec<usize> = [patches.len()].iter().chain(dims).copied().collect();
        Ok(Tensor::from_vec(values, dims, &Device::Cpu)?)
    }

    /// Maps of a layer: patches x units x rows x columns.
    ///
    /// # Errors
    /// When a patch or the layer was not recorded, a file cannot be read or a value is not finite.
    pub fn maps(&self, layer: &str, patches: &[u32]) -> Result<Tensor> {
        let RecordedLayer { units, map: [rows, columns], .. } = *self.layer(layer)?;
        self.tensor(&format!("{MAPS}{layer}"), patches, &[units, rows as usize, columns as usize])
    }

    /// Logits of the classes: patches x classes.
    ///
    /// # Errors
    /// As [`Shown::maps`].
    pub fn logits(&self, patches: &[u32]) -> Result<Tensor> {
        self.of_classes(&self.outputs(patches)?)
    }

    /// Logits of the classes from those of the outputs, as [`Shown::outputs`] gives them.
    ///
    /// # Errors
    /// None but those of memory.
    pub fn of_classes(&self, outputs: &Tensor) -> Result<Tensor> {
        match &self.meaning {
            None => Ok(outputs.clone()),
            Some(meaning) => Ok(meaning.classes(outputs)?),
        }
    }

    /// Whether any of the outputs says something of the classes.
    pub fn tells(&self) -> bool {
        self.meaning.as_ref().is_none_or(Meaning::tells)
    }

    /// What was recorded of the outputs, whatever they stand for: patches x outputs.
    ///
    /// # Errors
    /// As [`Shown::maps`].
    pub fn outputs(&self, patches: &[u32]) -> Result<Tensor> {
        self.tensor(LOGITS, patches, &[self.recording.header().classes.len()])
    }

    /// What each unit of a layer adds to the logit of each class, gradient times activation summed over the
    /// locations, by class: patches x units. `None` where it was not recorded.
    ///
    /// # Errors
    /// As [`Shown::maps`].
    pub fn contributions(&self, layer: &str, patches: &[u32]) -> Result<Option<Vec<Tensor>>> {
        let RecordedLayer { units, contributions: true, .. } = *self.layer(layer)? else {
            return Ok(None);
        };
        let outputs = self.recording.header().classes.len();
        let all = self.tensor(&format!("{CONTRIBUTIONS}{layer}"), patches, &[outputs, units])?;
        // As maps of one location, for whoever adds up outputs.
        let dims = (patches.len(), units, 1, 1);
        let of_output = |at: usize| -> Result<Vec<Tensor>> {
            Ok(vec![all.narrow(1, at, 1)?.contiguous()?.reshape(dims)?])
        };
        let by_output = (0..outputs).map(of_output).collect::<Result<Vec<_>>>()?;
        let by_class = match &self.meaning {
            None => by_output,
            Some(meaning) => meaning.gradients(&self.outputs(patches)?, &by_output)?,
        };
        let flat = |maps: &Vec<Tensor>| Ok(maps[0].reshape((patches.len(), units))?);
        by_class.iter().map(flat).collect::<Result<Vec<_>>>().map(Some)
    }

    /// What the classes are weighted by, class by class, where a layer is averaged over its locations and weighted
    /// into the logits: recovered from some patches. `None` where the header does not say that it is so.
    ///
    /// # Errors
    /// When it says so, and contributions are not weights times averages; else as [`Shown::maps`].
    pub fn weights(&self, layer: &str, patches: &[u32]) -> Result<Option<Vec<Vec<f32>>>> {
        /// Patches whose maps are read at a time.
        const BATCH: usize = 32;
        /// Share of the greatest contribution of a unit that rounding to half the precision may come to.
        const ROUNDING: f64 = 0.01;
        let one_to_one = self.meaning.as_ref().is_none_or(Meaning::is_one_to_one);
        if !self.layer(layer)?.linear || !one_to_one {
            return Ok(None);
        }
        let Some(contributions) = self.contributions(layer, patches)? else { return Ok(None) };
        let mut means: Vec<Vec<f32>> = Vec::with_capacity(patches.len());
        // A batch of maps at a time: of all patches they may be gigabytes.
        for batch in patches.chunks(BATCH) {
            means.extend(self.maps(layer, batch)?.flatten_from(2)?.mean(2)?.to_vec2::<f32>()?);
        }
        let units = self.layer(layer)?.units;
        let mut weights = Vec::new();
        for (class, adds) in contributions.iter().enumerate() {
            let adds = adds.to_vec2::<f32>()?;
            let mut row = vec![0.0; units];
            for (unit, weight) in row.iter_mut().enumerate() {
                let pairs = || {
                    adds.iter()
                        .zip(&means)
                        .map(|(adds, means)| (f64::from(adds[unit]), f64::from(means[unit])))
                };
                let squares: f64 = pairs().map(|(_, mean)| mean * mean).sum();
                let products: f64 = pairs().map(|(adds, mean)| adds * mean).sum();
                let slope = if squares > 0.0 { products / squares } else { 0.0 };
                let most = pairs().map(|(adds, _)| adds.abs()).fold(0.0, f64::max);
                let off = pairs().map(|(adds, mean)| (adds - slope * mean).abs());
                ensure!(
                    off.fold(0.0, f64::max) <= ROUNDING * most,
                    "{} says that {layer} is linear, but what unit {} adds to {} is no weight times its mean \
                     activation; leave `linear` out",
                    self.recording.folder().join(RECORDING).display(),
                    unit + 1,
                    self.manifest.classes()[class]
                );
                *weight = slope as f32;
            }
            weights.push(row);
        }
        Ok(Some(weights))
    }
}
