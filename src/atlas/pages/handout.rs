//! Explanations by themselves: one HTML file that needs nothing else, to be handed on.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::case::{Scene, View};
use super::page::{Frame, Head};
use super::parts::{MammogramView, PatchView};
use crate::facts::address;
use crate::facts::lesions::draw_lesions;
use crate::facts::paths::Link;
use crate::images;
use crate::labels::Labels;
use crate::theme::Theme;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use serde::Serialize;

use catalogue::{Catalogue, Place, Verdict};
use config::Config;
use mammogram::About;
use record::explanation::{Explained, Explanation};
use record::{Manifest, Member, Store, WholeMap};

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
    /// Of one pass over all of it, where that was asked for.
    pub whole: Option<&'a WholeMap>,
}

#[derive(Serialize)]
struct HandoutView<'a> {
    /// Style sheets and scripts of the theme by their names, as they stand within the file.
    styles: BTreeMap<String, &'a str>,
    scripts: BTreeMap<String, String>,
    cases: Vec<SheetView>,
    /// Digests of the networks' weights.
    weights: String,
}

#[derive(Serialize)]
struct SheetView {
    #[serde(flatten)]
    case: View,
    whole: Option<WholeView>,
}

/// The map of one pass as a picture.
#[derive(Serialize)]
struct WholeView {
    /// A pixel for each place.
    src: String,
    /// Where it lies in the mammogram: left, top, width and height.
    place: [f64; 4],
    highest: String,
    /// Patches that it was held against, and how far it is from them in hundredths.
    patches: usize,
    mean: String,
    greatest: String,
}

/// The colour of probability, as the style sheet's `chance`, and how much of it hides the mammogram at most.
const WARM: [u8; 3] = [0xff, 0x7a, 0x1a];
const STRONGEST: f32 = 0.85;

/// Renders explanations into one HTML file, of a project whose data set is `about`. Units link to the
/// published atlas where `base_url` is known.
///
/// # Errors
/// When the theme cannot be used, or a picture not be encoded.
pub fn handout(
    config: &Config,
    about: &About,
    catalogue: &Catalogue,
    sheets: &[Sheet],
) -> Result<Vec<u8>> {
    let mut theme = Theme::load(config)?;
    theme.introduce(config, about, config.patches.size);
    let labels = Labels::of_nobody(catalogue.lexicons());
    let mut weights: Vec<String> = Vec::new();
    for Explanation { network, weights_blake3, .. } in sheets.iter().map(|s| s.explanation) {
        let said = format!("{network} {weights_blake3}");
        if !weights.contains(&said) {
            weights.push(said);
        }
    }
    let assets = |kind: &'static str| {
        theme.assets().filter_map(move |(path, bytes)| {
            let name = path.strip_prefix("assets/")?.strip_suffix(kind)?.to_string();
            Some((name, std::str::from_utf8(bytes).ok()?))
        })
    };
    let styles = assets(".css").collect();
    // Within an element no script may hold what would end it; in its texts and patterns this means the same.
    let scripts =
        assets(".js").map(|(name, text)| (name, text.replace("</script", "<\\/script"))).collect();
    let cases = sheets.iter().map(|sheet| sheet.view(config, &labels, catalogue));
    let view = HandoutView {
        styles,
        scripts,
        cases: cases.collect::<Result<_>>()?,
        weights: weights.join(", "),
    };
    let frame = Frame::alone(Head::new(
        "The evidence for cancer",
        "By the units of networks: where each was active in the patch that decides, how much it adds, \
         and what it is called.",
    ));
    let mut context = tera::Context::new();
    context.insert("page", &frame);
    context.insert("view", &view);
    theme.render("handout.html", &context)
}

impl Sheet<'_> {
    fn view(&self, config: &Config, labels: &Labels, catalogue: &Catalogue) -> Result<SheetView> {
        let Sheet { explanation, explained, scores, manifest, store, preview, cancer, whole } =
            *self;
        let inline = |bytes: &[u8]| format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes));
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
            catalogue,
            verdict: cancer.map(|cancer| {
                Verdict::new(cancer, explained.probability, Place::of(manifest, explained.patch))
            }),
        };
        let link = |title: String, path: String| {
            Link::new(title, address(config, &path).unwrap_or_default())
        };
        let case = scene.view(mammogram, link, |rank, part| {
            let seen = (part.score, part.overlay.as_str());
            PatchView::new(manifest, (rank, patch, picture.clone()), seen, 0.3)
        })?;
        Ok(SheetView { case, whole: whole.map(WholeView::new).transpose()? })
    }
}

impl WholeView {
    fn new(map: &WholeMap) -> Result<Self> {
        let WholeMap { edge, step, rows, columns, probabilities, difference } = map;
        // As strong as it is probable, and clear where there is no breast.
        let pixels = probabilities.iter().flat_map(|probability| {
            let strength = 255.0 * STRONGEST * probability.unwrap_or(0.0);
            [WARM[0], WARM[1], WARM[2], strength.round() as u8]
        });
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes).write_image(
            &pixels.collect::<Vec<u8>>(),
            u32::try_from(*columns)?,
            u32::try_from(*rows)?,
            ExtendedColorType::Rgba8,
        )?;
        let start = (edge - step) / 2.0;
        Ok(Self {
            src: format!("data:image/png;base64,{}", STANDARD.encode(bytes)),
            place: [start, start, step * *columns as f64, step * *rows as f64],
            highest: map
                .highest()
                .map(|(highest, _)| format!("{:.0}%", 100.0 * highest))
                .unwrap_or_default(),
            patches: difference.patches,
            mean: format!("{:.1}", 100.0 * difference.mean),
            greatest: format!("{:.1}", 100.0 * difference.greatest),
        })
    }
}
