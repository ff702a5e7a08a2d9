//! Small pairs of towers that are taught here (`name --teach`): a MobileNet v3 for images, and for texts the mean of a
//! vector for each of their words. One knows what it was taught and nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor, safetensors as files};
use serde::{Deserialize, Serialize};

use crate::Network;
use base::artifact;

/// The tensor with the vectors of the words, words x width.
const WORDS: &str = "words";
/// The entry of the file's metadata that says what it is.
const METADATA: &str = "unit-atlas";

/// What the file says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct About {
    /// The architecture that sees images.
    network: String,
    /// Edge of its input in pixels.
    input: u32,
    /// Ids of the terms that it was taught.
    taught: Vec<String>,
    /// The words, in the order of their vectors.
    words: Vec<String>,
}

/// The pair.
#[derive(Debug)]
pub struct Demonstration {
    network: Network,
    taught: Vec<String>,
    bag: Bag,
    vectors: Vec<Vec<f32>>,
}

/// Words with a place each; a text is what it holds of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bag {
    words: Vec<String>,
    places: HashMap<String, usize>,
}

/// The words of a text, in small letters.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

impl Bag {
    /// Of all the words of some texts.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let all: BTreeSet<String> = texts.into_iter().flat_map(words).collect();
        Self::new(all.into_iter().collect())
    }

    fn new(words: Vec<String>) -> Self {
        let places = words.iter().cloned().zip(0..).collect();
        Self { words, places }
    }

    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Places of the words of a text that are known.
    pub fn places(&self, text: &str) -> Vec<usize> {
        words(text).filter_map(|word| self.places.get(&word).copied()).collect()
    }
}

impl Demonstration {
    /// Reads one.
    ///
    /// # Errors
    /// When it is no such file.
    pub fn parse(bytes: &[u8], device: &Device) -> Result<Self> {
        let (_, header) = safetensors::SafeTensors::read_metadata(bytes)?;
        let note = header.metadata().as_ref().and_then(|marks| marks.get(METADATA));
        let About { network, input, taught, words } =
            serde_json::from_str(note.context("it does not say what it is")?)?;
        let mut tensors: BTreeMap<String, Tensor> = files::load_buffer(bytes, &Device::Cpu)?
            .into_iter()
            .map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F32)?)))
            .collect::<Result<_>>()?;
        for (name, tensor) in &tensors {
            ensure!(is_finite(tensor)?, "{name} has values that are not finite");
        }
        let vectors = tensors.remove(WORDS).context("it has no words")?;
        ensure!(vectors.dims().len() == 2, "its words are not what it says");
        let vectors = vectors.to_vec2::<f32>()?;
        let width = vectors.first().map_or(0, Vec::len);
        let distinct: BTreeSet<&String> = words.iter().collect();
        ensure!(
            width > 0 && vectors.len() == words.len() && distinct.len() == words.len(),
            "its words are not what it says"
        );
        let mut network = Network::blank(&network, width, input, device)?;
        network.set_state(&tensors)?;
        Ok(Self { network, taught, bag: Bag::new(words), vectors })
    }

    /// A network whose outputs are embeddings, words with their vectors, words x width, and the ids of the terms that both
    /// were taught.
    ///
    /// # Errors
    /// When the vectors are no table.
    pub fn new(network: Network, bag: Bag, vectors: &Tensor, taught: Vec<String>) -> Result<Self> {
        Ok(Self { network, taught, bag, vectors: vectors.to_vec2::<f32>()? })
    }

    /// Writes it: what has more than one value per unit in half precision.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let Self { network, taught, bag, vectors } = self;
        let vectors = Tensor::from_vec(vectors.concat(), (bag.len(), self.width()), &Device::Cpu)?;
        let mut tensors = network.state()?;
        tensors.retain(|_, tensor| tensor.dtype().is_float());
        for (name, tensor) in &mut tensors {
            ensure!(
                is_finite(tensor)?,
                "{name} has values that are not finite: it was taught too fast"
            );
            let one_each = tensor.dims().first() == Some(&tensor.elem_count());
            *tensor = tensor.to_dtype(if one_each { DType::F32 } else { DType::F16 })?;
        }
        ensure!(
            is_finite(&vectors)?,
            "words have values that are not finite: it was taught too fast"
        );
        tensors.insert(WORDS.to_owned(), vectors.to_dtype(DType::F16)?);
        let about = About {
            network: network.architecture.name.to_owned(),
            input: network.input(),
            taught: taught.clone(),
            words: bag.words.clone(),
        };
        let metadata = HashMap::from([(METADATA.to_owned(), serde_json::to_string(&about)?)]);
        artifact::write_at(path, |temporary| {
            Ok(safetensors::serialize_to_file(&tensors, Some(metadata), temporary)?)
        })
    }

    /// Ids of the terms that it was taught.
    pub fn taught(&self) -> &[String] {
        &self.taught
    }

    /// Numbers of an embedding.
    pub fn width(&self) -> usize {
        self.vectors.first().map_or(0, Vec::len)
    }

    /// Embeddings, each of length 1, of grey patches of `edge` x `edge` pixels.
    ///
    /// # Errors
    /// When a patch has another size or the device fails.
    pub fn images(&self, patches: &[&[u8]], edge: u32) -> Result<Vec<Vec<f32>>> {
        let seen = self.network.images(patches, edge)?;
        let rows = self.network.inference().outputs(&seen)?.to_vec2::<f32>()?;
        Ok(rows.into_iter().map(unit).collect())
    }

    /// The embedding, of length 1, of a text; zero of one without a word that is known.
    pub fn text(&self, text: &str) -> Vec<f32> {
        let mut sum = vec![0.0; self.width()];
        for place in self.bag.places(text) {
            sum.iter_mut().zip(&self.vectors[place]).for_each(|(sum, value)| *sum += value);
        }
        unit(sum)
    }
}

/// Whether all values are finite.
fn is_finite(tensor: &Tensor) -> Result<bool> {
    let sum = tensor.to_dtype(DType::F64)?.abs()?.sum_all()?.to_scalar::<f64>()?;
    Ok(sum.is_finite())
}

/// The same direction, of length 1; zero stays.
pub fn unit(mut row: Vec<f32>) -> Vec<f32> {
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|value| *value /= length);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_read_back() {
        let bag = Bag::of(["a mass, spiculated", "A vessel"]);
        assert_eq!(bag.words, ["a", "mass", "spiculated", "vessel"]);
        let network = Network::new("mobilenet_v3_small", 8, 32, 1, &Device::Cpu).unwrap();
        let vectors = Tensor::arange(0f32, 32.0, &Device::Cpu).unwrap().reshape((4, 8)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pair.safetensors");
        let taught = ["mass".to_owned()];
        let pixels: Vec<u8> = (0..64 * 64).map(|n| (n % 251) as u8).collect();
        let seen = network.images(&[&pixels], 64).unwrap();
        let wanted =
            unit(network.inference().outputs(&seen).unwrap().to_vec2::<f32>().unwrap().remove(0));
        let mut made = Demonstration::new(network, bag, &vectors, taught.to_vec()).unwrap();
        made.save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let pair = Demonstration::parse(&bytes, &Device::Cpu).unwrap();
        assert_eq!((pair.width(), pair.taught()), (8, &taught[..]));
        // The mean of the vectors of `mass` and `vessel`, whatever stands between.
        let text = pair.text("Mass of 3 vessels: VESSEL");
        let sum: Vec<f32> = (0..8).map(|n| (8 + n + 24 + n) as f32).collect();
        let expected = unit(sum);
        assert!(text.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-3), "{text:?}");
        assert_eq!(pair.text("nothing known"), [0.0; 8]);
        let own = &pair.images(&[&pixels], 64).unwrap()[0];
        let near: f32 = own.iter().zip(&wanted).map(|(a, b)| a * b).sum();
        assert!(near > 0.999, "{near}");
        assert!(Demonstration::parse(b"no such file", &Device::Cpu).is_err());
        made.vectors[1][2] = f32::NAN;
        let error = made.save(&path).unwrap_err();
        assert!(error.to_string().contains("not finite"), "{error}");
    }
}
