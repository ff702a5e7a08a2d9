//! Files of tensors that know whether they are whole: what a stage keeps of unfinished work, which no stamp
//! seals yet.
//!
//! A safetensors file whose metadata has, beside marks of its stage, the BLAKE3 digest of those marks and of
//! every tensor.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use base::artifact::{self, Fingerprint};
use safetensors::{SafeTensors, View};

/// The mark that holds the digest.
const DIGEST: &str = "blake3";

/// Writes tensors with marks, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn write<V: View>(
    path: &Path,
    tensors: &BTreeMap<String, V>,
    mut marks: HashMap<String, String>,
) -> Result<()> {
    let digest = digest(tensors.iter().map(|(name, view)| (name.as_str(), view)), &marks);
    marks.insert(DIGEST.into(), digest.to_string());
    let views = || tensors.iter().map(|(name, view)| (name, Lent(view)));
    artifact::write_at(path, |temporary| {
        Ok(safetensors::serialize_to_file(views(), Some(marks), temporary)?)
    })
}

/// A mark of a file, by its header alone; the rest of it is not looked at.
///
/// # Errors
/// When it is no file of tensors.
pub fn mark(bytes: &[u8], name: &str) -> Result<Option<String>> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    Ok(header.metadata().as_ref().and_then(|marks| marks.get(name)).cloned())
}

/// Checks that a file holds what was written.
///
/// # Errors
/// When it does not.
pub fn check(bytes: &[u8]) -> Result<()> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let mut marks = header.metadata().clone().unwrap_or_default();
    let written = marks.remove(DIGEST).context("it does not say what it should hold")?;
    let tensors: BTreeMap<String, _> =
        SafeTensors::deserialize(bytes)?.tensors().into_iter().collect();
    let found = digest(tensors.iter().map(|(name, view)| (name.as_str(), view)), &marks);
    ensure!(found.as_str() == written, "its content is not what was written");
    Ok(())
}

/// Of tensors in the order of their names, and of marks in theirs.
fn digest<'a, V: View + 'a>(
    tensors: impl Iterator<Item = (&'a str, &'a V)>,
    marks: &HashMap<String, String>,
) -> Fingerprint {
    let marks: BTreeMap<_, _> = marks.iter().collect();
    let each: Vec<_> = tensors
        .map(|(name, view)| {
            let content = Fingerprint::of_bytes(&view.data());
            (name, format!("{:?}", view.dtype()), view.shape().to_vec(), content)
        })
        .collect();
    Fingerprint::of(&(marks, each))
}

/// A tensor that is written and kept.
struct Lent<'a, V>(&'a V);

impl<V: View> View for Lent<'_, V> {
    fn dtype(&self) -> safetensors::Dtype {
        self.0.dtype()
    }

    fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        self.0.data()
    }

    fn data_len(&self) -> usize {
        self.0.data_len()
    }
}

/// Files of tensors for the fuzzer.
#[cfg(test)]
pub(crate) fn fuzz_target() -> crate::fuzz::Target {
    use crate::fuzz::{Target, outcome};

    fn file() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let values: Vec<u8> =
            [1.0_f32, 2.0, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let view = safetensors::tensor::TensorView::new(
            safetensors::Dtype::F32,
            vec![1, 1, 2, 2],
            &values,
        );
        let marks = [("stamp".to_owned(), "s".to_owned())].into();
        write(&path, &[("maps".to_owned(), view.unwrap())].into(), marks).unwrap();
        std::fs::read(path).unwrap()
    }

    fn read(bytes: &[u8]) -> String {
        let marked = mark(bytes, "stamp").map(|mark| mark.is_some());
        let whole = outcome(check(bytes), |()| {
            let tensors = SafeTensors::deserialize(bytes).unwrap();
            assert_eq!(tensors.tensor("maps").unwrap().data()[..4], 1.0_f32.to_le_bytes());
            "whole".into()
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(crate::dissection::MAPS), bytes).unwrap();
        let units = crate::maps::units(folder.path());
        format!("{:?}, {whole}, {units:?}", marked.map_err(|error| error.to_string()))
    }

    Target {
        name: "tensors",
        seeds: vec![file()],
        words: &[
            "\"maps\":",
            "\"dtype\":",
            "\"F32\"",
            "\"F64\"",
            "\"shape\":",
            "\"data_offsets\":",
            "[0,",
            "]",
            "{",
            "}",
            "\"__metadata__\":",
            "18446744073709551615",
            "-1",
            "1e3",
        ],
        read,
    }
}

#[cfg(test)]
mod tests {
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;

    use super::*;

    #[test]
    fn every_byte_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let values: Vec<u8> = (0..24).collect();
        let view = |shape| TensorView::new(Dtype::F32, shape, &values).unwrap();
        let tensors = BTreeMap::from([("a".into(), view(vec![2, 3])), ("b".into(), view(vec![6]))]);
        write(&path, &tensors, HashMap::from([("stamp".into(), "of this".into())])).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        check(&bytes).unwrap();
        assert_eq!(mark(&bytes, "stamp").unwrap().unwrap(), "of this");
        let blank = |at: usize| bytes[at] == b' ';
        for at in (0..bytes.len()).filter(|&at| !blank(at)) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(check(&flipped).is_err(), "byte {at}");
        }
        assert!(check(&bytes[..bytes.len() - 1]).is_err());
        std::fs::write(&path, safetensors::serialize(&tensors, None).unwrap()).unwrap();
        let foreign = check(&std::fs::read(&path).unwrap()).unwrap_err();
        assert!(foreign.to_string().contains("does not say"), "{foreign}");
    }
}
