//! Explanations by themselves: one HTML file that needs nothing else, to be handed on.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::case::{Scene, View, truth};
use super::frame::{Frame, Link, Site};
use super::parts::{MammogramView, PatchView, draw_lesions};
use crate::atlas::images;
use crate::atlas::labels::Labels;
use crate::atlas::theme::Theme;
use crate::config::Config;
use crate::explanation::record::{Explained, Explanation};
use crate::lexicon::Lexicons;
use crate::patch::{Manifest, Member, Store};
use crate::source::About;
use crate::study::naming::Names;

/// One explanation of a handout.
pub struct Sheet<'a> {
    /// Of this network.
    pub explanation: &'a Explanation,
    /// Of this mammogram.
    pub explained: &'a Explained,
    /// Probabilities of the classes of patches, the mammogram's among them.
    pub scores: &'a [(u32, Vec<f32>)],
    /// Where the numbers of mammogram and patches lead.
    pub manifest: &'a Manifest,
    /// Pixels of the patches.
    pub store: &'a Store,
    /// The whole mammogram as JPEG with its width and height, where there is one.
    pub preview: Option<(&'a [u8], [u32; 2])>,
    /// Whether it has cancer, where somebody says.
    pub cancer: Option<bool>,
}

#[derive(Serialize)]
struct HandoutView<'a> {
    /// Style sheets of the theme by their names.
    styles: BTreeMap<String, &'a str>,
    cases: Vec<View>,
    /// Digests of the networks' weights.
    weights: String,
}

/// Renders explanations into one HTML file, of a project whose data set is `about`. Units link to the
/// published atlas where `base_url` is known.
///
/// # Errors
/// When the theme cannot be used, or a picture not be encoded.
pub fn handout(
    config: &Config,
    about: &About,
    lexicons: &Lexicons,
    names: &Names,
    sheets: &[Sheet],
) -> Result<Vec<u8>> {
    let mut theme = Theme::load(config)?;
    let options = theme.options.clone();
    let site = Site {
        title: &config.title,
        phantom: about.phantom,
        source: &about.name,
        edge: config.patches.size,
        version: env!("CARGO_PKG_VERSION"),
        options,
    };
    theme.set("site", &site);
    let labels = Labels::of_nobody(lexicons);
    let mut weights: Vec<String> = Vec::new();
    for Explanation { network, weights_blake3, .. } in sheets.iter().map(|s| s.explanation) {
        let said = format!("{network} {weights_blake3}");
        if !weights.contains(&said) {
            weights.push(said);
        }
    }
    let styles = theme
        .assets()
        .filter_map(|(path, bytes)| {
            let name = path.strip_prefix("assets/")?.strip_suffix(".css")?.to_string();
            Some((name, std::str::from_utf8(bytes).ok()?))
        })
        .collect();
    let cases = sheets.iter().map(|sheet| sheet.view(config, &labels, names));
    let view =
        HandoutView { styles, cases: cases.collect::<Result<_>>()?, weights: weights.join(", ") };
    let frame = Frame {
        title: "What speaks for cancer".into(),
        description:
            "By the units of networks: where each was active in the patch that decides, how \
                      much it adds, and what readers call it."
                .into(),
        root: String::new(),
        path: "",
        nav: Vec::new(),
        crumbs: Vec::new(),
        caution: None,
        url: None,
        image: None,
        image_size: None,
        dataset: None,
        card: None,
    };
    let mut context = tera::Context::new();
    context.insert("page", &frame);
    context.insert("view", &view);
    theme.render("handout.html", &context)
}

impl Sheet<'_> {
    fn view(&self, config: &Config, labels: &Labels, names: &Names) -> Result<View> {
        let Sheet { explanation, explained, scores, manifest, store, preview, cancer } = *self;
        let inline = |bytes: &[u8]| format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes));
        let address = |path: &str| -> String {
            let base = config.base_url.as_deref().map(|base| base.trim_end_matches('/'));
            base.map(|base| format!("{base}/{path}")).unwrap_or_default()
        };
        let mut member: Member = manifest.mammograms[explained.mammogram as usize].clone();
        member.preview = preview.map(|(_, size)| size);
        let mut mammogram = MammogramView::new(labels, &member, draw_lesions(labels, &member));
        mammogram.src = preview.map(|(bytes, _)| inline(bytes)).unwrap_or_default();
        mammogram.href = String::new();
        let picture = images::encode(store.pixels(explained.patch), store.edge())
            .context("a patch cannot be encoded")?;
        let picture = inline(&picture);
        let patch = &manifest.patches[explained.patch as usize];
        let scene = Scene {
            explanation,
            explained,
            scores,
            manifest,
            names,
            kind: "",
            truth: cancer.map(truth).unwrap_or_default(),
        };
        let link = |title: String, path: String| Link::new(title, address(&path));
        Ok(scene.view(mammogram, link, |rank, part| {
            let seen = (part.score, part.overlay.as_str());
            PatchView::new(manifest, (rank, patch, picture.clone()), seen, 0.3)
        }))
    }
}
