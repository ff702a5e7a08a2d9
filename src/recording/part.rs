//! One part of a recording: a file of safetensors whose rows are read when they are asked for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::Metadata;
use serde::de::DeserializeOwned;

use config::Header;

/// Name of the tensor of the outputs.
pub const LOGITS: &str = "logits";
/// What stands before a layer's name in that of its maps.
pub const MAPS: &str = "maps/";
/// What stands before a layer's name in that of its contributions.
pub const CONTRIBUTIONS: &str = "contributions/";
/// In a part's metadata: the names of its patches, as a list in JSON.
pub const PATCHES: &str = "patches";
/// In a part's metadata, where given: CRC-32 of each patch's grey values, row by row, as a list in JSON.
pub const PIXELS: &str = "pixels";

/// The longest description of a part's tensors: as the format itself allows.
const LONGEST: u64 = 100_000_000;

/// A part whose tensors have the right shapes.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    patches: Vec<String>,
    pixels: Option<Vec<u32>>,
    tensors: BTreeMap<String, Stored>,
}

/// Where a tensor lies in the file.
#[derive(Debug)]
struct Stored {
    number: Number,
    /// The shape of a row.
    row: Vec<usize>,
    /// Of its first byte in the file.
    offset: u64,
}

/// How a number is written.
#[derive(Debug, Clone, Copy)]
enum Number {
    F32,
    F16,
    Bf16,
}

impl Number {
    fn of(found: Dtype) -> Option<Self> {
        match found {
            Dtype::F32 => Some(Self::F32),
            Dtype::F16 => Some(Self::F16),
            Dtype::BF16 => Some(Self::Bf16),
            _ => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    fn read(self, bytes: &[u8], values: &mut Vec<f32>) {
        let pairs = || bytes.as_chunks::<2>().0.iter().copied();
        match self {
            Self::F32 => {
                values.extend(bytes.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes));
            }
            Self::F16 => values.extend(pairs().map(|pair| f16::from_le_bytes(pair).to_f32())),
            Self::Bf16 => values.extend(pairs().map(|pair| bf16::from_le_bytes(pair).to_f32())),
        }
    }
}

/// Values of a network beyond this are none: sums of them are soon no number.
const MOST: f32 = 1e30;

impl Part {
    /// Opens a part and compares it with the header of its folder.
    pub(super) fn open(path: &Path, header: &Header) -> Result<Self> {
        let read = || -> Result<Self> {
            let (mut file, found) = base::input::open(path)?;
            let (begins, described) = describe(&mut file)?;
            ensure!(
                begins + described.data_len() as u64 == found.len(),
                "it holds {} bytes where its tensors need {}: it was cut short, or is not a file of \
                 safetensors",
                found.len(),
                begins + described.data_len() as u64
            );
            let words = |name: &str| described.metadata().as_ref().and_then(|all| all.get(name));
            let patches: Vec<String> = list(words(PATCHES).map(String::as_str), PATCHES)?
                .with_context(|| {
                    format!("its metadata has no `{PATCHES}`, the names of the patches of its rows")
                })?;
            let patches: Vec<String> = patches
                .into_iter()
                .map(|name| name.strip_suffix(".png").map(str::to_owned).unwrap_or(name))
                .collect();
            let pixels: Option<Vec<u32>> = list(words(PIXELS).map(String::as_str), PIXELS)?;
            if let Some(pixels) = &pixels {
                ensure!(
                    pixels.len() == patches.len(),
                    "`{PIXELS}` in its metadata lists {} and `{PATCHES}` {}",
                    pixels.len(),
                    patches.len()
                );
            }
            let mut tensors = BTreeMap::new();
            for (name, row) in expected(header) {
                let found = described.info(&name).with_context(|| {
                    format!("it has no tensor `{name}`, of {}", shape(None, &row))
                })?;
                let wanted: Vec<usize> = [patches.len()].into_iter().chain(row.clone()).collect();
                ensure!(
                    found.shape == wanted,
                    "the tensor `{name}` has the shape {:?}; expected {}, which is {wanted:?}",
                    found.shape,
                    shape(Some(patches.len()), &row)
                );
                let Some(number) = Number::of(found.dtype) else {
                    bail!("the tensor `{name}` is of {:?}; expected F32, F16 or BF16", found.dtype);
                };
                let (from, to) = found.data_offsets;
                let bytes = wanted.iter().product::<usize>() * number.bytes();
                ensure!(
                    to.checked_sub(from) == Some(bytes),
                    "the tensor `{name}` lies in {from} to {to}, which are not the {bytes} bytes of its shape"
                );
                let offset = begins + from as u64;
                tensors.insert(name, Stored { number, row, offset });
            }
            if let Some(other) =
                described.offset_keys().into_iter().find(|name| !tensors.contains_key(name))
            {
                let known: Vec<&str> = tensors.keys().map(String::as_str).collect();
                bail!(
                    "it has a tensor `{other}` that {} does not speak of; expected {}",
                    config::RECORDING,
                    known.join(", ")
                );
            }
            Ok(Self { path: path.to_owned(), patches, pixels, tensors })
        };
        read().with_context(|| path.display().to_string())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Names of its patches, row by row.
    pub(super) fn patches(&self) -> impl Iterator<Item = &str> {
        self.patches.iter().map(String::as_str)
    }

    /// CRC-32 of the pixels of a row's patch, where given.
    pub(super) fn pixels(&self, row: u32) -> Option<u32> {
        self.pixels.as_ref().map(|all| all[row as usize])
    }

    /// Appends rows of a tensor.
    pub(super) fn read(&self, tensor: &str, rows: &[u32], values: &mut Vec<f32>) -> Result<()> {
        let mut read = || -> Result<()> {
            let stored = self.tensors.get(tensor).context("it is not there")?;
            let width: usize = stored.row.iter().product();
            let mut file = File::open(&self.path)?;
            let mut bytes = vec![0; width * stored.number.bytes()];
            for &row in rows {
                file.seek(SeekFrom::Start(stored.offset + u64::from(row) * bytes.len() as u64))?;
                file.read_exact(&mut bytes)?;
                let from = values.len();
                stored.number.read(&bytes, values);
                let unusable = |value: &f32| !value.is_finite() || value.abs() > MOST;
                if let Some(at) = values[from..].iter().position(unusable) {
                    bail!(
                        "of the patch {} the value {} at {:?} (counted from 0) is no number, or beyond {MOST:e}: the \
                         network gave it so, or the precision of the recording is too small",
                        self.patches[row as usize],
                        values[from + at],
                        index(at, &stored.row)
                    );
                }
            }
            Ok(())
        };
        read().with_context(|| format!("{}, tensor `{tensor}`", self.path.display()))
    }
}

/// What a header says of every part: names of tensors, and the shape of a row.
fn expected(header: &Header) -> Vec<(String, Vec<usize>)> {
    let outputs = header.classes.len();
    let mut all = vec![(LOGITS.to_owned(), vec![outputs])];
    for layer in &header.layers {
        let [rows, columns] = layer.map.map(|n| n as usize);
        all.push((format!("{MAPS}{}", layer.name), vec![layer.units, rows, columns]));
        if layer.contributions {
            all.push((format!("{CONTRIBUTIONS}{}", layer.name), vec![outputs, layer.units]));
        }
    }
    all
}

/// A shape in words.
fn shape(patches: Option<usize>, row: &[usize]) -> String {
    let patches = patches.map_or(String::new(), |count| format!("{count} "));
    match row.len() {
        1 => format!("{patches}patches by outputs, {row:?} each"),
        2 => format!("{patches}patches by outputs and units, {row:?} each"),
        _ => format!("{patches}patches by units, rows and columns, {row:?} each"),
    }
}

/// The index in a row of its n-th value.
fn index(mut at: usize, row: &[usize]) -> Vec<usize> {
    let mut index: Vec<usize> = row
        .iter()
        .rev()
        .map(|&length| {
            let own = at % length;
            at /= length;
            own
        })
        .collect();
    index.reverse();
    index
}

/// What a file says of its tensors, and where they begin.
fn describe(file: &mut File) -> Result<(u64, Metadata)> {
    const WRONG: &str = "it is not a file of safetensors";
    let mut length = [0; 8];
    file.read_exact(&mut length).context(WRONG)?;
    let length = u64::from_le_bytes(length);
    ensure!(length <= LONGEST, "{WRONG}");
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    // `SafeTensors` itself wants the whole file in memory.
    Ok((8 + length, serde_json::from_slice(&bytes).context(WRONG)?))
}

/// A list in JSON, if it is there.
fn list<T: DeserializeOwned>(text: Option<&str>, name: &str) -> Result<Option<Vec<T>>> {
    text.map(|text| {
        serde_json::from_str(text)
            .with_context(|| format!("`{name}` in its metadata is not a list in JSON"))
    })
    .transpose()
}
