//! Where pages come from: the stages behind the site, with their settings, program, device and digests.
//!
//! One page for all: every page links to the stage there whose results it shows.

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::page::{Files, Head, Page, Site, html};
use crate::facts::Atlas;
use crate::facts::paths::{Link, PROVENANCE};
use crate::keys::Keys;
use crate::text;
use base::artifact::Fingerprint;
use base::text::size;
use config::Source;
use record::provenance::{File, Input, Kind, Origin, Stage};

/// Where pages come from.
struct Provenance;

pub(super) fn pages<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![html(Provenance)]
}

/// The place that tells where a page comes from.
pub(super) fn href(atlas: &Atlas, path: &str) -> String {
    let kind = Kind::of_page(path);
    match atlas.inputs.stages.iter().find(|stage| stage.kind == kind) {
        Some(stage) => format!("{PROVENANCE}#{}", stage.anchor),
        None => PROVENANCE.into(),
    }
}

impl Page for Provenance {
    type View = View;
    const TEMPLATE: &'static str = "provenance.html";

    fn path(&self) -> String {
        PROVENANCE.into()
    }

    fn key(&self, atlas: &Atlas, keys: &Keys) -> Fingerprint {
        keys.with_readers(&(self.path(), atlas.inputs.stages))
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas))
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head::new(
            "Provenance",
            "What this atlas was made from, by which program, on what, and with which settings",
        ))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    stages: Vec<StageView>,
    /// What the state of the atlas is a digest of.
    digests: Vec<(String, String)>,
    source: String,
    phantoms: Option<String>,
}

#[derive(Serialize)]
struct StageView {
    title: String,
    anchor: String,
    command: String,
    /// Version and device, or that nothing is known of the run.
    made: String,
    inputs: Vec<InputView>,
    options: Vec<(String, String)>,
    files: Vec<FileView>,
}

#[derive(Serialize)]
struct InputView {
    name: String,
    /// The stage it comes from, on this page.
    stage: Option<Link>,
    /// Otherwise, in words.
    from: String,
    blake3: String,
}

#[derive(Serialize)]
struct FileView {
    name: String,
    size: String,
    blake3: String,
}

pub(super) fn view(atlas: &Atlas) -> View {
    let inputs = &atlas.inputs;
    let clean = |value: &str| atlas.told(value);
    let digests = inputs.provenance.iter().map(|(name, value)| (clean(name), clean(value)));
    View {
        stages: inputs.stages.iter().map(|own| stage(own, inputs.stages)).collect(),
        digests: digests.collect(),
        source: inputs.manifest.source.name.clone(),
        phantoms: match &inputs.config.source {
            Source::Phantom { patients, height } => {
                Some(format!("{patients} patients, images {height} pixels high"))
            }
            _ => None,
        },
    }
}

fn stage(stage: &Stage, stages: &[Stage]) -> StageView {
    let input = |input: &Input| {
        let (stage, from) = match &input.from {
            Origin::Stage(at) => {
                let stage = stages.get(*at);
                (stage.map(|s| Link::new(&s.title, format!("#{}", s.anchor))), String::new())
            }
            Origin::Options => (None, "the options below".into()),
            Origin::Source => (None, "what the source holds".into()),
            Origin::Given(words) => (None, words.clone()),
            Origin::Lost(words) => (None, format!("{words}, no longer kept")),
        };
        let blake3 = input.blake3.as_ref().map(ToString::to_string).unwrap_or_default();
        InputView { name: input.name.clone(), stage, from, blake3 }
    };
    let option = |(name, value): &(String, Value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        (name.clone(), value)
    };
    let file = |file: &File| FileView {
        name: file.name.clone(),
        size: match file.count {
            Some(count) => {
                format!("{}, {}", text::counted(count, "file", "files"), size(file.bytes))
            }
            None => size(file.bytes),
        },
        blake3: file.blake3.to_string(),
    };
    StageView {
        title: stage.title.clone(),
        anchor: stage.anchor.clone(),
        command: stage.command.clone(),
        made: match (&stage.version, &stage.device) {
            (Some(version), Some(device)) => format!("unit-atlas {version} on {device}"),
            _ => "not noted: made by an earlier version".into(),
        },
        inputs: stage.inputs.iter().map(input).collect(),
        options: stage.options.iter().map(option).collect(),
        files: stage.files.iter().map(file).collect(),
    }
}
