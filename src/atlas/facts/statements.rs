//! What an atlas says of how it was made, a sentence or two each, for its datasheet, its checklist and its metadata:
//! each fact once, by a name that `content/reporting/` uses.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::paths::{CASES, CONCEPTS, DATA, METHODS, PROVENANCE};
use super::words::{settings, weights};
use super::{Atlas, areas};
use crate::text;
use crate::text::counted;
use base::Split;
use catalogue::{Place, Verdict};
use config::Labels;
use mammogram::Pathology;
use metrics::{Fixed, RESAMPLES};
use record::Manifest;
use record::tally::{self, Title};
use record::training::{FEW_ALARMS, Level, Origin};

/// A fact, and the page that has more of it, from the root of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) href: &'static str,
}

const PERFORMANCE: &str = "performance/index.html";
const AGREEMENT: &str = "agreement/index.html";
const HOME: &str = "index.html";
const CITE: &str = "cite/index.html";

/// The fact of this name; `None` where the atlas does not know it.
///
/// # Errors
/// When there is no fact of this name.
pub(crate) fn statement(atlas: &Atlas, name: &str) -> Result<Option<Statement>> {
    let inputs = atlas.inputs;
    let manifest = inputs.manifest;
    let (cut, about) = (&manifest.patching, &manifest.source);
    let exhibits = inputs.exhibits;
    let each = |tell: &dyn Fn(&crate::inputs::Exhibit) -> Option<String>| {
        let told = exhibits.iter().filter_map(|e| Some(format!("{}: {}", e.config.name, tell(e)?)));
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| format!("{}.", told.join(". ")))
    };
    let (text, href) = match name {
        "kind" => {
            let telling = exhibits.iter().filter(|e| e.evaluation.tells_cancer()).count();
            let told = match telling {
                0 => String::new(),
                some => format!(
                    " {} {} {} in patches of mammograms.",
                    counted(some, "network", "networks"),
                    if some == 1 { "tells" } else { "tell" },
                    manifest.classes().join(" from ")
                ),
            };
            (Some(format!("Deep learning, and what units of {} respond to.{told}", counted(exhibits.len(), "network", "networks"))), HOME)
        }
        "design" => {
            let what = match about.phantom {
                true => "Synthetic images, drawn for the purpose.",
                false => "Images that had been taken before, for other reasons.",
            };
            (Some(what.into()), METHODS)
        }
        "goal" => (
            Some("To find out what single units of trained networks respond to, and how that relates to what readers see.".into()),
            METHODS,
        ),
        "source" => {
            let parts = [about.name.clone() + ".", atlas.told(&about.description), atlas.told(&about.citation)];
            (Some(parts.join(" ").trim().to_owned()), DATA)
        }
        "licence" => (about.licence.clone(), DATA),
        "left_out" => (Some(left_out(atlas)), DATA),
        "cutting" => ((!manifest.given.patches).then(|| cutting(manifest)), METHODS),
        "pixels" => (
            Some(format!(
                "A patch is {0} × {0} grey pixels of 8 bits. Finer values of a source are brought to 8 bits by the window or \
                 table that their file names, or from the least to the greatest.",
                cut.size
            )),
            METHODS,
        ),
        "selection" => (Some(selection(manifest)), METHODS),
        "privacy" => (
            Some(match about.phantom {
                true => "There is nobody to be known: the images are synthetic.".into(),
                false => String::from(
                    "Pixels leave the source, what it states of images and lesions, and what a public data set publishes itself. \
                     Dates, names and the other free text of headers do not; identifiers of DICOM files become pseudonyms. What a \
                     table gives as the source’s own words of a finding, or as a public name, is shown as it stands, and letters that \
                     are burnt into an image stay in it: both are the authors’ to look at.",
                ),
            }),
            METHODS,
        ),
        "missing" => (Some(missing(manifest)), DATA),
        "acquisition" => (acquisition(manifest), DATA),
        "labels" => (Some(labels(manifest)), METHODS),
        "annotators" => {
            let who = match about.phantom {
                true => "Nobody: the program that draws the images knows where their lesions are.".into(),
                false => format!("Those of the source ({}).", about.name),
            };
            (Some(who), DATA)
        }
        "test_labels" => (
            (!manifest.of_split(Split::Test).is_empty())
                .then(|| "As the other parts, by the same rule.".into()),
            METHODS,
        ),
        "agreement" => (
            (inputs.readers.len() > 1).then(|| {
                format!(
                    "{} named units; how far they agree stands on the page of readers.",
                    counted(inputs.readers.len(), "reader", "readers")
                )
            }),
            AGREEMENT,
        ),
        "split" => (Some(split(manifest)), METHODS),
        "counts" => (Some(counts(manifest)), DATA),
        "disjoint" => (
            Some(
                "Patients: all images of a patient are in the same part, by the patients that the source tells apart. Images \
                 with the same pixels under two patients are told on the data page."
                    .into(),
            ),
            DATA,
        ),
        "test_size" => {
            let mut splits: Vec<String> = exhibits.iter().map(|e| e.evaluation.split.to_string()).collect();
            splits.dedup();
            let of = match splits.is_empty() {
                true => String::new(),
                false => format!(" Figures of this atlas are of the {} part.", text::and(&splits)),
            };
            (Some(format!("In the test part {}.{of}", of_part(manifest, Some(Split::Test)))), DATA)
        }
        "networks" => (
            each(&|e| {
                let layers: Vec<String> = e.layers.iter().map(|layer| layer.layer.clone()).collect();
                Some(format!(
                    "{} parameters, input of {1} × {1} pixels, dissected at {2}",
                    text::count(e.evaluation.parameters),
                    e.evaluation.input,
                    text::and(&layers)
                ))
            }),
            METHODS,
        ),
        "software" => {
            let run = exhibits.iter().filter(|e| !matches!(e.evaluation.origin, Origin::Recorded { .. }));
            let mut devices: Vec<&str> = run.map(|e| e.evaluation.device.as_str()).collect();
            let recorded = devices.len() < exhibits.len();
            devices.dedup();
            let on = match devices.is_empty() {
                true => String::new(),
                false => format!(" Networks were run on {}.", devices.join("; ")),
            };
            let elsewhere = match recorded {
                true => " Recorded networks were run elsewhere, as their pages say.",
                false => "",
            };
            (
                Some(format!(
                    "These pages: unit-atlas {} (Rust, Candle).{on}{elsewhere} The provenance has the version behind each result.",
                    env!("CARGO_PKG_VERSION")
                )),
                PROVENANCE,
            )
        }
        "start" => (each(&|e| Some(weights(e))), METHODS),
        "training" => (
            each(&|e| {
                let training = e.config.training().filter(|_| e.evaluation.best_epoch().is_some())?;
                let all = settings(training).into_iter().map(|(name, value)| format!("{name} {value}"));
                Some(all.collect::<Vec<_>>().join(", "))
            }),
            METHODS,
        ),
        "chosen" => (
            each(&|e| {
                let epoch = e.evaluation.best_epoch()?;
                Some(format!(
                    "epoch {epoch}, the best on the validation part by AUC{}, or by loss where a class is missing there",
                    match e.evaluation.assessment.levels.mammogram_pooled.is_some() {
                        true => " of mammograms",
                        false => "",
                    }
                ))
            }),
            METHODS,
        ),
        "ensembles" => (Some("None: every network stands for itself.".into()), METHODS),
        "measures" => (
            exhibits.iter().any(|e| e.evaluation.tells_cancer()).then(|| {
                format!(
                    "Areas under the ROC curve per patch, mammogram and patient, whole and up to {} false alarms; average \
                     precision; sensitivity and specificity where one of them is held; calibration.",
                    text::percent(FEW_ALARMS)
                )
            }),
            PERFORMANCE,
        ),
        "uncertainty" => {
            let pairs = match exhibits.len() > 1 {
                true => "; differences between networks by DeLong’s paired test",
                false => "",
            };
            let chance = match inputs.config.dissection.permutations {
                0 => String::new(),
                draws => format!(
                    " Agreement of units with concepts is held against {draws} permutations, corrected for the number of concepts."
                ),
            };
            (
                Some(format!(
                    "95% intervals by DeLong’s method and by drawing whole patients {} times, of shares Wilson’s{pairs}.{chance}",
                    text::count(RESAMPLES)
                )),
                PERFORMANCE,
            )
        }
        "subgroups" => {
            let found = exhibits.iter().flat_map(|e| &e.evaluation.assessment.subgroups);
            let found = found.filter(|group| group.auc.is_some());
            let mut titles: Vec<String> = Vec::new();
            for group in found {
                let title = group.attribute.title().to_lowercase();
                if !titles.contains(&title) {
                    titles.push(title);
                }
            }
            let text = (!titles.is_empty())
                .then(|| format!("The area per patch is also that of subgroups: {}.", text::and(&titles)));
            (text, PERFORMANCE)
        }
        "explained" => {
            let mut told = vec!["what each unit responds to, and how that agrees with outlines".to_owned()];
            if !inputs.readers.is_empty() {
                told.push("what readers call it".into());
            }
            if !inputs.names.is_empty() {
                told.push("what a machine calls it".into());
            }
            if exhibits.iter().flat_map(|e| e.layers).any(|layer| layer.influence.is_some()) {
                told.push("how much it moves the score".into());
            }
            if !inputs.explanations.is_empty() {
                told.push("which units the scores of mammograms are made of".into());
            }
            (Some(format!("By the units of its layers: {}.", text::and(&told))), CONCEPTS)
        }
        "internal" => (
            each(&|e| e.evaluation.tells_cancer().then(|| format!("evaluated on the {} part", e.evaluation.split))),
            PERFORMANCE,
        ),
        "external" => (Some("This atlas has none.".into()), PERFORMANCE),
        "characteristics" => (Some(characteristics(atlas)), DATA),
        "performance" => (
            each(&|e| {
                let levels = &e.evaluation.assessment.levels;
                let auc = |level: &Level| Some(areas::AucView::of(level.auc?));
                let patch = auc(&levels.patch)?;
                let of = |view: areas::AucView| format!("{} ({})", view.value, view.phrase);
                let whole = levels.mammogram_pooled.as_ref().and_then(auc);
                let whole = whole.map_or(String::new(), |view| format!("of mammograms, as it was trained, {}; ", of(view)));
                Some(format!("AUC {whole}of patches {}, on the {} part", of(patch), e.evaluation.split))
            }),
            PERFORMANCE,
        ),
        "points" => (
            each(&|e| {
                let levels = &e.evaluation.assessment.levels;
                let level = levels.mammogram_pooled.as_ref().unwrap_or(&levels.mammogram_max);
                let points = &level.operating_points;
                let point = points.iter().find(|point| point.fixed == Fixed::Specificity(0.9))?;
                let [sensitivity, specificity] = [point.sensitivity, point.specificity].map(|share| {
                    format!("{:.3} ({:.3} to {:.3})", share.value, share.low, share.high)
                });
                Some(format!(
                    "per mammogram a sensitivity of {sensitivity} at a specificity of {specificity}, at a threshold that was \
                     chosen on the same mammograms"
                ))
            }),
            PERFORMANCE,
        ),
        "errors" => (errors(atlas), CASES),
        "limits" => (Some(limits(atlas)), METHODS),
        "use" => (
            Some("Research: nothing here is a medical device, or fit to judge a patient’s images.".into()),
            METHODS,
        ),
        "details" => (
            Some("All settings stand on the methods page, and where each result comes from in the provenance.".into()),
            PROVENANCE,
        ),
        "available" => (
            Some(
                "The program is free software. Tables of all results are on the data page; digests of weights and data in the \
                 provenance."
                    .into(),
            ),
            PROVENANCE,
        ),
        "authors" => {
            let authors = &inputs.config.citation.authors;
            ((!authors.is_empty()).then(|| format!("{}.", text::and(authors).trim_end_matches('.'))), CITE)
        }
        "instance" => (
            Some("A square window of a mammogram, one of several of a patient.".into()),
            DATA,
        ),
        "contents" => (
            Some("Its place in the mammogram, its labels and its shares of lesions are columns of patches.csv.".into()),
            DATA,
        ),
        "relations" => {
            let close = match !manifest.given.patches && cut.stride < 1.0 {
                true => format!(
                    " Windows stand {} of their edge apart: neighbours share pixels.",
                    text::percent(cut.stride)
                ),
                false => String::new(),
            };
            (Some(format!("Of each patch its mammogram and patient are named.{close}")), DATA)
        }
        "doubts" => {
            let doubts = manifest.notices.iter().filter(|notice| !notice.skipped).count();
            let text = match doubts {
                0 => "Nothing was seen that contradicts itself, and no two images have the same pixels.".into(),
                some => format!("{} are listed on the data page.", counted(some, "remark", "remarks")),
            };
            (Some(text), DATA)
        }
        "self_contained" => (Some("The patches do not; their mammograms are the source’s.".into()), DATA),
        "health" => (Some("Health data: what was found in breasts, and its pathology.".into()), DATA),
        "third_party" => (
            (about.kind != "folder").then(|| format!("From the data set {}, not from the people.", about.name)),
            DATA,
        ),
        "raw" => (
            Some("The source is not changed. Of its images the atlas has reduced copies, and finer ones where it is asked to.".into()),
            METHODS,
        ),
        "version" => (
            Some("A digest of the data set tells versions apart; it stands in the provenance.".into()),
            PROVENANCE,
        ),
        other => bail!("no fact is called `{other}`"),
    };
    Ok(text.map(|text| Statement { text, href }))
}

/// How windows become patches.
pub(crate) fn cutting(manifest: &Manifest) -> String {
    let cut = &manifest.patching;
    format!(
        "A square window of {} of the image’s shorter side moves over each mammogram in steps of {} of its edge. It is kept \
         where breast covers at least {} of it, and resized to {size} × {size} pixels.",
        text::percent(cut.window),
        text::percent(cut.stride),
        text::percent(cut.min_breast),
        size = cut.size
    )
}

/// By what rule patches are labelled.
pub(crate) fn labels(manifest: &Manifest) -> String {
    let cut = &manifest.patching;
    let three = cut.classes == 3;
    if manifest.given.patches {
        return "The patches and their labels are the source’s own.".into();
    }
    match cut.labels {
        Labels::Lesion => format!(
            "A patch counts as cancer when at least {} of a malignant lesion lies in it, or when malignant lesion covers at \
             least {} of it. {}",
            text::percent(cut.min_lesion),
            text::percent(cut.min_patch),
            match three {
                true =>
                    "A patch that is no cancer counts as benign by the same rule for benign lesions, and every other as no lesion.",
                false => "Every other patch counts as no cancer, also one with a benign lesion.",
            }
        ),
        Labels::Image => format!(
            "Every patch has the label of its mammogram: cancer where that has a malignant lesion, {}. The data does not have \
             to say where a lesion is, and most patches of a mammogram with cancer hold none of it.",
            match three {
                true => "benign where it has a benign one alone, and otherwise no lesion",
                false => "and otherwise no cancer",
            }
        ),
    }
}

/// How patients were divided.
pub(crate) fn split(manifest: &Manifest) -> String {
    let patients: BTreeSet<&str> =
        manifest.mammograms.iter().map(|member| member.mammogram.patient.as_str()).collect();
    let given = manifest.given.patients as usize;
    if given >= patients.len() {
        return "The division into training, validation and test is the source’s own.".into();
    }
    let seed = match manifest.source.tells_seed() {
        true => format!(" (seed {})", manifest.seed),
        false => String::new(),
    };
    let [train, validation, test] = [Split::Train, Split::Validation, Split::Test]
        .map(|part| text::percent(manifest.shares.of(part)));
    let who = match given {
        0 => "Patients were".into(),
        some => format!(
            "The part of {} is the source’s own; the others were",
            counted(some, "patient", "patients")
        ),
    };
    format!(
        "{who} divided at random{seed} into {train} training, {validation} validation and {test} test, those with cancer, with \
         other lesions and without any each for themselves."
    )
}

/// What a part of the split, or all of it, holds.
fn of_part(manifest: &Manifest, part: Option<Split>) -> String {
    let groups = tally::tally(manifest);
    let whole = groups.iter().find(|group| group.title == Title::Whole);
    let count = |row: &tally::Row| match part {
        None => row.total(),
        Some(part) => {
            let at = tally::PARTS.iter().position(|known| *known == part);
            at.map_or(0, |at| row.counts[at])
        }
    };
    let told = whole.into_iter().flat_map(|group| &group.rows).map(|row| {
        let count = count(row);
        let name = match count {
            1 => row
                .name
                .replacen("patients", "patient", 1)
                .replacen("mammograms", "mammogram", 1)
                .replacen("patches", "patch", 1),
            _ => row.name.clone(),
        };
        format!("{} {name}", text::count(count))
    });
    text::and(&told.collect::<Vec<_>>())
}

fn counts(manifest: &Manifest) -> String {
    let part = |part: Split| format!("{part}: {}", of_part(manifest, Some(part)));
    let parts = tally::PARTS.map(part).join("; ");
    format!("{}. By part: {parts}.", of_part(manifest, None))
}

/// What is not used, and why.
fn left_out(atlas: &Atlas) -> String {
    let manifest = atlas.inputs.manifest;
    let mut told = Vec::new();
    match manifest.notices.iter().filter(|notice| notice.skipped).count() {
        0 => {}
        some => told.push(format!(
            "The data page lists {} of what could not be used.",
            counted(some, "note", "notes")
        )),
    }
    let without = without_patch(manifest);
    if without > 0 {
        let some = counted(without, "mammogram gives", "mammograms give");
        told.push(format!(
            "{some} no patch: for lack of breast in a window, a view of a part of it, or a lesion that counts and has no place."
        ));
    }
    match told.is_empty() {
        true => "Nothing that was read was left out.".into(),
        false => told.join(" "),
    }
}

/// Mammograms of which there is no patch.
fn without_patch(manifest: &Manifest) -> usize {
    let mut has = vec![false; manifest.mammograms.len()];
    manifest.patches.iter().for_each(|patch| has[patch.mammogram as usize] = true);
    has.iter().filter(|has| !**has).count()
}

fn selection(manifest: &Manifest) -> String {
    if manifest.given.patches {
        return "The patches are those that the source has.".into();
    }
    let all = manifest.mammograms.len();
    let cut = all - without_patch(manifest);
    format!(
        "{} of {} cut. Every window of these that holds enough breast is a patch.",
        text::count(cut as u64),
        counted(all, "mammogram is", "mammograms are")
    )
}

/// What is not stated, and of how many.
fn missing(manifest: &Manifest) -> String {
    let members = || manifest.mammograms.iter().map(|member| &member.mammogram);
    let lesions = || members().flat_map(|mammogram| &mammogram.lesions);
    let absent = [
        (
            "the view",
            members().filter(|m| m.view.is_none()).count(),
            members().count(),
            "mammograms",
        ),
        (
            "the side",
            members().filter(|m| m.laterality.is_none()).count(),
            members().count(),
            "mammograms",
        ),
        (
            "the composition",
            members().filter(|m| m.density.is_none()).count(),
            members().count(),
            "mammograms",
        ),
        ("the place", lesions().filter(|l| !l.is_placed()).count(), lesions().count(), "lesions"),
        (
            "the pathology",
            lesions().filter(|l| l.pathology == Pathology::Unproven).count(),
            lesions().count(),
            "lesions",
        ),
    ];
    let told = absent.iter().filter(|(_, count, _, _)| *count > 0).map(|(what, count, all, of)| {
        format!("{what} of {} of {} {of}", text::count(*count as u64), text::count(*all as u64))
    });
    let told: Vec<String> = told.collect();
    match told.is_empty() {
        true => "View, side, composition, places and pathology are stated of all.".into(),
        false => format!("Not stated: {}. What is not stated counts as such.", text::and(&told)),
    }
}

/// What the source says of how images were taken.
fn acquisition(manifest: &Manifest) -> Option<String> {
    let views = tally::tally(manifest).into_iter().find(|group| group.title == Title::Views)?;
    let views: Vec<String> =
        views.rows.iter().map(|row| format!("{} {}", text::count(row.total()), row.name)).collect();
    let microns = || manifest.mammograms.iter().filter_map(|member| member.mammogram.micron);
    let [least, most] = [microns().fold(f64::INFINITY, f64::min), microns().fold(0.0, f64::max)];
    let pixels = match microns().next() {
        None => String::new(),
        Some(_) if least == most => format!(" A pixel is {least:.0} micrometres wide."),
        Some(_) => format!(" Pixels are {least:.0} to {most:.0} micrometres wide."),
    };
    Some(format!("Views: {}.{pixels}", text::and(&views)))
}

/// What images and lesions are like.
fn characteristics(atlas: &Atlas) -> String {
    let told = tally::tally(atlas.inputs.manifest).into_iter().filter_map(|group| {
        let what = match group.title {
            Title::Densities => "Composition",
            Title::Pathologies => "Pathology of lesions",
            Title::Terms => "Lesions by term",
            Title::Whole | Title::Views => return None,
        };
        let name = |row: &tally::Row| match atlas.labels.term(&row.name) {
            Some(_) => atlas.labels.name(&row.name),
            None => row.name.clone(),
        };
        let rows: Vec<String> = group
            .rows
            .iter()
            .take(8)
            .map(|row| format!("{} {}", text::count(row.total()), name(row)))
            .collect();
        Some(format!("{what}: {}.", rows.join(", ")))
    });
    let told: Vec<String> = told.collect();
    format!("{} By part they stand on the data page.", told.join(" "))
}

/// Cancers that networks miss, and false alarms.
fn errors(atlas: &Atlas) -> Option<String> {
    let manifest = atlas.inputs.manifest;
    let told = atlas.inputs.explanations.iter().map(|explanation| {
        let (mut missed, mut alarms, mut cancers) = (0usize, 0usize, 0usize);
        for explained in &explanation.mammograms {
            let cancer = manifest.mammograms[explained.mammogram as usize].mammogram.has_cancer();
            cancers += usize::from(cancer);
            match Verdict::new(cancer, explained.probability, Place::of(manifest, explained.patch)) {
                Verdict::Missed => missed += 1,
                Verdict::FalseAlarm(_) => alarms += 1,
                Verdict::HighCancer(_) | Verdict::NoAlarm => {}
            }
        }
        let others = explanation.mammograms.len() - cancers;
        format!(
            "{} misses {missed} of {cancers} with cancer and gives {alarms} false alarms among {others} without",
            explanation.network
        )
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| {
        format!(
            "By the patch with the highest probability of cancer, called cancer from 0.5 on: of mammograms, {}. The cases show \
             what the scores are made of.",
            told.join("; ")
        )
    })
}

/// What is to be known before anything is concluded.
fn limits(atlas: &Atlas) -> String {
    let manifest = atlas.inputs.manifest;
    let mut told: Vec<String> = Vec::new();
    if manifest.source.phantom {
        told.push("The images are synthetic: nothing here is a finding on patients.".into());
    }
    told.extend(atlas.boxes());
    told.extend(atlas.labels_of_images().map(str::to_owned));
    let unplaced =
        manifest.mammograms.iter().flat_map(|m| &m.mammogram.lesions).filter(|l| !l.is_placed());
    match unplaced.count() {
        0 => {}
        some => {
            told.push(format!("The place of {} is not known.", counted(some, "lesion", "lesions")))
        }
    }
    if !manifest.given.patches && manifest.patching.stride < 1.0 {
        told.push("Patches of a mammogram overlap, so they are not independent cases.".into());
    }
    if atlas
        .inputs
        .exhibits
        .iter()
        .any(|e| e.evaluation.split == Split::Validation && e.evaluation.best_epoch().is_some())
    {
        told.push(
            "The epoch was chosen on the part that figures are of, so these are somewhat too good."
                .into(),
        );
    }
    told.push(
        "Networks see patches alone, without the other view, the other breast or earlier images."
            .into(),
    );
    told.join(" ")
}
