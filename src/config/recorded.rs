//! Networks whose activations were recorded elsewhere: what goes with `activations` in `atlas.yaml`, and
//! `activations.yaml`, which stands in the folder it names and says what was recorded.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_yaml::{Location, Spanned};

use crate::check::Check;
use crate::network::{Network, NetworkForm, Origin};
use crate::option::Value;
use crate::output::Output;
use crate::value::{NAME, no_folder, place};
use base::Field;
use base::yaml::{self, Mistake, Text, unknown};

/// Name of the file that says what a folder of recorded activations holds. It is written last: a folder without
/// it is one that is not recorded yet.
pub const RECORDING: &str = "activations.yaml";
/// The format of that file and of the parts beside it.
pub const RECORDING_FORMAT: u32 = 1;
/// Options of networks that are run, which do not go with `activations`.
pub(crate) const ONLY_RUN: [&str; 5] = ["weights", "outputs", "input", "pooling", "training"];
/// Most rows and columns of a map, most units of a layer, and most activations of one patch in one layer.
const LARGEST: (u32, usize, usize) = (4096, 1 << 20, 1 << 28);
/// Widest input in pixels.
const WIDEST: u32 = 1 << 16;
/// Widest field, in pixels: that of a network that sees its largest input from any place in it.
const FARTHEST: f32 = (WIDEST * 2) as f32;

/// A folder of recorded activations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recorded {
    /// Where it lies (absolute).
    #[serde(skip)]
    pub folder: PathBuf,
}

impl Recorded {
    /// Reads a network with `activations`.
    pub(crate) fn read_network(
        check: &Check<'_>,
        form: &NetworkForm,
        folder: &Spanned<PathBuf>,
        at: Location,
    ) -> Result<Network, Mistake> {
        let given = [
            form.weights.as_ref().map(|given| given.referenced),
            form.outputs.as_ref().map(|given| given.referenced),
            form.input.as_ref().map(|given| given.referenced),
            form.pooling.as_ref().map(|given| given.referenced),
            form.training.as_ref().map(|given| given.referenced),
        ];
        for (key, given) in ONLY_RUN.into_iter().zip(given) {
            if let Some(at) = given {
                let message = format!(
                    "`{key}` does not go with `activations`: a network whose activations were recorded is not \
                     run here, and {RECORDING} in that folder says what it is; leave `{key}` out"
                );
                return check.wrong(at, message);
            }
        }
        let name = String::of(check, "name", &form.name, None, at, &NAME)?;
        if let Some(why) = no_folder(&name) {
            let message = format!("the network `{name}` {why}; give it another name");
            return check.wrong(place(&form.name), message);
        }
        let path = check.resolve(&folder.value, folder.referenced)?;
        if path.starts_with(&check.output) {
            return check.wrong(
                folder.referenced,
                "`activations` lies in this project's own output folder, which may be removed; keep them \
                 elsewhere",
            );
        }
        let header = Header::find(&path)?;
        let known: Option<Vec<&str>> =
            header.as_ref().map(|h| h.layers.iter().map(|layer| layer.name.as_str()).collect());
        let layers = match &form.layers {
            None => known.iter().flatten().map(|&layer| layer.to_owned()).collect(),
            Some(list) if list.value.is_empty() => {
                return check.wrong(
                    place(&form.layers),
                    "`layers` is empty; leave it out for all that were recorded",
                );
            }
            Some(list) => {
                for layer in &list.value {
                    (NAME.read)(check, "layers", layer)?;
                    match &known {
                        Some(known) if !known.contains(&layer.value.as_str()) => {
                            let message = unknown("recorded layer", &layer.value, known);
                            return check.wrong(layer.referenced, message);
                        }
                        _ => {}
                    }
                }
                check
                    .unique(&list.value, |layer| format!("the layer `{layer}` is listed twice"))?;
                list.value.iter().map(|layer| layer.value.clone()).collect()
            }
        };
        Ok(Network { name, layers, origin: Origin::Recorded(Self { folder: path }) })
    }
}

/// What was recorded: `activations.yaml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// What the network is, in words.
    pub name: String,
    /// How many numbers of it were trained.
    pub parameters: u64,
    /// Edge of its input in pixels.
    pub input: u32,
    /// What each of its outputs stands for, in order: a class, or something beside the classes.
    pub classes: Vec<Output>,
    /// The layers, from the input on.
    pub layers: Vec<RecordedLayer>,
    /// How it was recorded, in words.
    pub made: String,
    /// What is to be known besides, a sentence each.
    pub notes: Vec<String>,
}

/// A recorded layer.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedLayer {
    /// Its name, which is safe as that of a folder.
    pub name: String,
    /// How many units it has.
    pub units: usize,
    /// Rows and columns of a map; there are as many of either.
    pub map: [u32; 2],
    /// Where a unit looks, in pixels of the network's input.
    pub field: Field,
    /// Whether it was recorded what each unit adds to the outputs.
    pub contributions: bool,
    /// Whether the layer is averaged over its locations and weighted into the outputs, with nothing between.
    pub linear: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderForm {
    format: Spanned<u32>,
    name: Spanned<String>,
    parameters: u64,
    input: Spanned<u32>,
    classes: Spanned<Vec<Output>>,
    layers: Spanned<Vec<Spanned<LayerForm>>>,
    made: Spanned<String>,
    #[serde(default)]
    notes: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerForm {
    name: Spanned<String>,
    units: Spanned<usize>,
    map: Spanned<Vec<u32>>,
    #[serde(default)]
    field: Option<Spanned<f32>>,
    #[serde(default)]
    stride: Option<Spanned<f32>>,
    #[serde(default)]
    centre: Option<Spanned<f32>>,
    #[serde(default)]
    contributions: bool,
    #[serde(default)]
    linear: Option<Spanned<bool>>,
}

impl Header {
    /// The header of a folder; `None` where there is none: nothing is recorded there yet.
    ///
    /// # Errors
    /// When it cannot be read or is wrong: names the place.
    pub fn find(folder: &Path) -> Result<Option<Self>, Mistake> {
        let path = folder.join(RECORDING);
        match path.exists() {
            true => Self::parse(&yaml::read(&path)?, &path).map(Some),
            false => Ok(None),
        }
    }

    /// Reads the text of a header that stands in a file.
    ///
    /// # Errors
    /// When it is wrong: names the place.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Mistake> {
        let text = Text { path, text };
        let form: HeaderForm = text.parse()?;
        let wrong = |at: Location, message: String| Err(text.mistake(at, message));
        if form.format.value != RECORDING_FORMAT {
            return wrong(
                form.format.referenced,
                format!(
                    "`format` is {}; this version reads {RECORDING_FORMAT}: record once more with the \
                     package of this version",
                    form.format.value
                ),
            );
        }
        let input = form.input.value;
        if !(1..=WIDEST).contains(&input) {
            return wrong(
                form.input.referenced,
                format!(
                    "`input` is {input}; expected the edge of the input in pixels, 1 to {WIDEST}"
                ),
            );
        }
        if form.classes.value.is_empty() {
            return wrong(
                form.classes.referenced,
                "`classes` is empty; it says what each output stands for, such as normal, benign, cancer or \
                 unused"
                    .into(),
            );
        }
        let words = |key: &str, given: &Spanned<String>| match given.value.trim() {
            words if !words.is_empty() && !words.chars().any(char::is_control) => {
                Ok(words.to_owned())
            }
            _ => Err(text.mistake(given.referenced, format!("`{key}` is words on one line"))),
        };
        let name = words("name", &form.name)?;
        let made = words("made", &form.made)?;
        let notes = form.notes.iter().map(|note| words("notes", note)).collect::<Result<_, _>>()?;
        let mut layers: Vec<RecordedLayer> = Vec::new();
        for layer in &form.layers.value {
            let read = layer.value.read(text, input)?;
            // Folders that differ in case alone are one on many machines.
            if layers.iter().any(|other| other.name.eq_ignore_ascii_case(&read.name)) {
                let message =
                    format!("the layer `{}` is listed twice, if not in the same case", read.name);
                return wrong(layer.value.name.referenced, message);
            }
            layers.push(read);
        }
        if layers.is_empty() {
            return wrong(form.layers.referenced, "`layers` is empty; record at least one".into());
        }
        Ok(Self {
            name,
            parameters: form.parameters,
            input,
            classes: form.classes.value,
            layers,
            made,
            notes,
        })
    }

    /// A layer by its name.
    pub fn layer(&self, name: &str) -> Option<&RecordedLayer> {
        self.layers.iter().find(|layer| layer.name == name)
    }
}

impl LayerForm {
    fn read(&self, text: Text<'_>, input: u32) -> Result<RecordedLayer, Mistake> {
        let wrong = |at: Location, message: String| Err(text.mistake(at, message));
        let name = &self.name.value;
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(safe) {
            return wrong(
                self.name.referenced,
                format!("the layer `{name}` cannot be a folder; expected {}", NAME.words),
            );
        }
        if let Some(why) = no_folder(name) {
            let message = format!("the layer `{name}` {why}; record it under another name");
            return wrong(self.name.referenced, message);
        }
        let (edge, most_units, most) = LARGEST;
        let units = self.units.value;
        if !(1..=most_units).contains(&units) {
            let message = format!("`units` of {name} is {units}; expected 1 to {most_units}");
            return wrong(self.units.referenced, message);
        }
        let map = match self.map.value[..] {
            [rows, columns] if rows == columns && (1..=edge).contains(&rows) => [rows, columns],
            _ => {
                let message = format!(
                    "`map` of {name} is {:?}; expected rows and columns, as many of either, such as [7, 7]",
                    self.map.value
                );
                return wrong(self.map.referenced, message);
            }
        };
        if units * (map[0] * map[1]) as usize > most {
            let message = format!("{name} has more than {most} activations of one patch");
            return wrong(self.map.referenced, message);
        }
        let length = |key: &str, given: &Option<Spanned<f32>>, otherwise: f32| match given {
            None => Ok(otherwise),
            Some(given) if (0.0..=FARTHEST).contains(&given.value) && given.value > 0.0 => {
                Ok(given.value)
            }
            Some(given) => Err(text.mistake(
                given.referenced,
                format!("`{key}` of {name} is {}; expected pixels of the input", given.value),
            )),
        };
        let (wide, cells) = (input as f32, map[0] as f32);
        let stride = length("stride", &self.stride, wide / cells)?;
        // In the middle of the input, as far as it is not said.
        let centre = length(
            "centre",
            &self.centre,
            ((wide - (cells - 1.0) * stride) / 2.0).max(f32::MIN_POSITIVE),
        )?;
        if let Some(given) = self.centre.as_ref().filter(|given| given.value > wide) {
            let message = format!(
                "`centre` of {name} is {}, outside of the input of {input} pixels; it is where the first cell looks",
                given.value
            );
            return wrong(given.referenced, message);
        }
        // Wherever such a field is centred, it holds the whole input.
        let edge = length("field", &self.field, 2.0 * wide)?;
        let linear = self.linear.as_ref().is_some_and(|linear| linear.value);
        if let Some(given) = self.linear.as_ref().filter(|_| linear && !self.contributions) {
            return wrong(
                given.referenced,
                format!("{name} is said to be linear, which only its contributions can show"),
            );
        }
        let field = Field { edge, stride, centre };
        let contributions = self.contributions;
        Ok(RecordedLayer { name: name.clone(), units, map, field, contributions, linear })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "\
format: 1
name: ViT-B/16 of torchvision
parameters: 85800194
input: 224
classes: [normal, cancer]
layers:
  - { name: block12, units: 768, map: [14, 14] }
  - { name: layer4, units: 512, map: [7, 7], field: 435, stride: 32, centre: 16.5, contributions: true, linear: true }
made: unit_atlas 0.1.0, PyTorch 2.15.0, cpu, float16
notes: [The class token was dropped.]
";

    fn parse(text: &str) -> Result<Header, Mistake> {
        Header::parse(text, Path::new("mine/activations.yaml"))
    }

    #[test]
    fn what_is_not_said_of_a_field_is_the_whole_input_on_a_grid_in_its_middle() {
        let header = parse(WHOLE).unwrap();
        let [block, layer] = &header.layers[..] else { panic!("two layers") };
        assert_eq!(block.field, Field { edge: 448.0, stride: 16.0, centre: 8.0 });
        assert_eq!(layer.field, Field { edge: 435.0, stride: 32.0, centre: 16.5 });
        assert!(layer.contributions && layer.linear && !block.contributions);
        assert_eq!(header.classes, [Output::Normal, Output::Cancer]);
        assert_eq!((header.notes.len(), header.parameters), (1, 85_800_194));
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (from, to, line, says) in [
            ("format: 1", "format: 2", 1, "`format` is 2; this version reads 1"),
            ("input: 224", "input: 0", 4, "`input` is 0; expected the edge"),
            ("[normal, cancer]", "[]", 5, "says what each output stands for"),
            ("[normal, cancer]", "[normal, malign]", 5, "malign"),
            ("name: block12", "name: blocks/12", 7, "cannot be a folder"),
            ("name: block12", "name: layer4", 8, "listed twice"),
            ("name: block12", "name: Layer4", 8, "listed twice"),
            ("name: block12", "name: index.html", 7, "ends as no folder of a site may"),
            ("name: block12", "name: con", 7, "is a device on Windows"),
            ("centre: 16.5", "centre: 225", 8, "outside of the input of 224 pixels"),
            ("field: 435", "field: 1e30", 8, "expected pixels of the input"),
            ("map: [14, 14]", "map: [14, 7]", 7, "as many of either"),
            ("map: [14, 14]", "map: [197]", 7, "such as [7, 7]"),
            ("units: 768", "units: 0", 7, "`units` of block12 is 0"),
            ("field: 435", "field: -1", 8, "`field` of layer4 is -1"),
            ("contributions: true, ", "", 8, "only its contributions can show"),
            ("parameters: 85800194\n", "", 0, "parameters"),
            ("made:", "mode:", 0, "mode"),
        ] {
            assert!(WHOLE.contains(from), "{from}");
            let mistake = parse(&WHOLE.replacen(from, to, 1)).unwrap_err();
            let told = mistake.to_string();
            assert!(told.contains(says) && told.contains("activations.yaml"), "{to}: {told}");
            assert!(line == 0 || mistake.line == line, "{to}: {told}");
        }
    }

    #[test]
    fn a_folder_without_the_file_is_not_recorded_yet() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Header::find(folder.path()).unwrap(), None);
        std::fs::write(folder.path().join(RECORDING), WHOLE).unwrap();
        assert!(Header::find(folder.path()).unwrap().is_some());
    }
}
