//! What an atlas says of how it was made, a sentence or two each, for its datasheet, its checklist and its metadata:
//! each fact once, by a name that `content/reporting/` uses.

use anyhow::{Result, bail};

use super::paths::{CASES, CONCEPTS, DATA, METHODS, PROVENANCE};
use super::words::{settings, weights};
use super::{Atlas, areas};
use crate::text;
use crate::text::counted;
use base::{Notice, Split};
use catalogue::{Place, Verdict};
use config::Labels;
use mammogram::Pathology;
use metrics::{Fixed, RESAMPLES};
use record::Manifest;
use record::tally::{self, Title};
use record::training::FEW_ALARMS;

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
        "kind" => (
            Some(format!(
                "Deep learning: {} that tell {} in patches of mammograms, and what their units respond to.",
                counted(exhibits.len(), "network", "networks"),
                manifest.classes().join(" from ")
            )),
            HOME,
        ),
        "design" => (Some("Retrospective: images that were there before.".into()), METHODS),
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
            Some(
                "Nothing leaves the source but pixels, what it states of lesions and images, and what a public data set \
                 publishes itself: no name, no date, no free text. Identifiers of DICOM files become pseudonyms. Letters that \
                 are burnt into an image stay in it."
                    .into(),
            ),
            METHODS,
        ),
        "missing" => (Some(missing(manifest)), DATA),
        "acquisition" => (acquisition(manifest), DATA),
        "labels" => (Some(labels(manifest)), METHODS),
        "annotators" => {
            let who = match about.phantom {
                true => "Nobody: the program that draws the images knows where their lesions are.".into(),
                false => format!("Those of the source, {}.", about.name),
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
        "test_size" => (
            Some(format!("{} in the test part.", of_part(manifest, Some(Split::Test)))),
            DATA,
        ),
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
            let mut devices: Vec<&str> = exhibits.iter().map(|e| e.evaluation.device.as_str()).collect();
            devices.dedup();
            let on = devices.join("; ");
            (
                Some(format!(
                    "unit-atlas {} (Rust, Candle){}.",
                    env!("CARGO_PKG_VERSION"),
                    if on.is_empty() { String::new() } else { format!(", on {on}") }
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
                Some(format!("epoch {epoch}, that with the highest AUC on the validation part"))
            }),
            METHODS,
        ),
        "ensembles" => (Some("None: every network stands for itself.".into()), METHODS),
        "measures" => (
            Some(format!(
                "Areas under the ROC curve per patch, mammogram and patient, whole and up to {} false alarms; average \
                 precision and probabilistic F1; sensitivity and specificity where one of them is held; calibration.",
                text::percent(FEW_ALARMS)
            )),
            PERFORMANCE,
        ),
        "uncertainty" => (
            Some(format!(
                "95% intervals by DeLong’s method and by drawing whole patients {} times, Wilson’s of shares; differences \
                 between networks by DeLong’s paired test. Agreement of units with concepts against {} permutations, \
                 corrected for the number of concepts.",
                text::count(RESAMPLES),
                inputs.config.dissection.permutations
            )),
            PERFORMANCE,
        ),
        "subgroups" => {
            let found = exhibits.iter().flat_map(|e| &e.evaluation.assessment.subgroups);
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
        "explained" => (
            Some(
                "By its units: what each responds to, what readers call that, how it agrees with outlines against chance, how \
                 much it moves the score; and for mammograms, which units their scores are made of."
                    .into(),
            ),
            CONCEPTS,
        ),
        "internal" => (
            each(&|e| e.evaluation.tells_cancer().then(|| format!("evaluated on the {} part", e.evaluation.split))),
            PERFORMANCE,
        ),
        "external" => (Some("This atlas has none.".into()), PERFORMANCE),
        "characteristics" => (Some(characteristics(atlas)), DATA),
        "performance" => (
            each(&|e| {
                let view = areas::auc_view(e)?;
                Some(format!("AUC per patch of {} on the {} part ({})", view.value, e.evaluation.split, view.phrase))
            }),
            PERFORMANCE,
        ),
        "points" => (
            each(&|e| {
                let points = &e.evaluation.assessment.levels.mammogram_max.operating_points;
                let point = points.iter().find(|point| point.fixed == Fixed::Specificity(0.9))?;
                let [sensitivity, specificity] = [point.sensitivity, point.specificity].map(|share| {
                    format!("{:.3} ({:.3} to {:.3})", share.value, share.low, share.high)
                });
                Some(format!("per mammogram a sensitivity of {sensitivity} at a specificity of {specificity}"))
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
        "relations" => (
            Some(match manifest.given.patches {
                true => "Of each patch its mammogram and patient are named.".into(),
                false => format!(
                    "Of each patch its mammogram and patient are named. Windows stand {} of their edge apart: neighbours \
                     share pixels.",
                    text::percent(cut.stride)
                ),
            }),
            DATA,
        ),
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
        "third_party" => (Some(format!("From the data set {}, not from the people.", about.name)), DATA),
        "raw" => (Some("The source is neither changed nor copied.".into()), METHODS),
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
        return "Patches and their labels are the source’s own.".into();
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
    if manifest.given.patients > 0 {
        return "The division into training, validation and test is the source’s own.".into();
    }
    let seed = match manifest.source.tells_seed() {
        true => format!(" (seed {})", manifest.seed),
        false => String::new(),
    };
    let [train, validation, test] = [Split::Train, Split::Validation, Split::Test]
        .map(|part| text::percent(manifest.shares.of(part)));
    format!(
        "Patients were divided at random{seed} into {train} training, {validation} validation and {test} test, those with \
         cancer, with other lesions and without any each for themselves."
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
        format!("{} {}", text::count(count), row.name)
    });
    text::and(&told.collect::<Vec<_>>())
}

fn counts(manifest: &Manifest) -> String {
    let part = |part: Split| format!("{part}: {}", of_part(manifest, Some(part)));
    let parts = tally::PARTS.map(part).join("; ");
    format!("{}. By part: {parts}.", of_part(manifest, None))
}

fn left_out(atlas: &Atlas) -> String {
    let manifest = atlas.inputs.manifest;
    let skipped = |notice: &&Notice| notice.skipped;
    match manifest.notices.iter().filter(skipped).count() {
        0 => "Nothing that should have been usable was left out.".into(),
        some => format!(
            "{} could not be used: the data page lists {}.",
            counted(some, "input", "inputs"),
            if some == 1 { "it" } else { "them" }
        ),
    }
}

fn selection(manifest: &Manifest) -> String {
    let mut has = vec![false; manifest.mammograms.len()];
    manifest.patches.iter().for_each(|patch| has[patch.mammogram as usize] = true);
    let with = has.iter().filter(|has| **has).count();
    let all = counted(has.len(), "mammogram", "mammograms");
    match manifest.given.patches {
        true => "The patches are those that the source has.".into(),
        false => format!(
            "Every window that holds enough breast is a patch: {} of {all} have one.",
            text::count(with as u64)
        ),
    }
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
        true => "Nothing is imputed, and nothing of this is missing: view, side, composition, places and pathology.".into(),
        false => format!("Nothing is imputed. Not stated: {}.", text::and(&told)),
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
        let mut counts = [0usize; 3];
        for explained in &explanation.mammograms {
            let cancer = manifest.mammograms[explained.mammogram as usize].mammogram.has_cancer();
            let place = Place::of(manifest, explained.patch);
            match Verdict::new(cancer, explained.probability, place) {
                Verdict::Missed => counts[0] += 1,
                Verdict::FalseAlarm(_) => counts[1] += 1,
                Verdict::HighCancer(Place::Elsewhere | Place::Benign) => counts[2] += 1,
                Verdict::HighCancer(_) | Verdict::NoAlarm => {}
            }
        }
        let [missed, alarms, elsewhere] = counts;
        format!(
            "{} misses {} and gives {} among {} at a probability of 0.5, and scores {} high away from the malignant lesion",
            explanation.network,
            counted(missed, "mammogram with cancer", "mammograms with cancer"),
            counted(alarms, "false alarm", "false alarms"),
            text::count(explanation.mammograms.len() as u64),
            counted(elsewhere, "cancer", "cancers"),
        )
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| format!("{}. The cases show why.", told.join("; ")))
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
