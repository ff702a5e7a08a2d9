//! Tables for other programs: `data/*.csv`, UTF-8 with a header row. Words that a person wrote are
//! guarded against spreadsheets that would run them as formulas.

use anyhow::Result;

use super::pages::Atlas;
use super::study_tables;
use super::text::coordinate;
use base::spreadsheet::guarded as text;
use base::{UnitId, digits};
use catalogue::{ConceptMatch, Kind, Place, Verdict, carried};
use record::explanation::Part;
use record::{Fractions, Share};

/// A table and what its columns mean.
pub(super) struct Table {
    /// Name of the file.
    pub(super) file: &'static str,
    /// What one row is.
    pub(super) row: &'static str,
    /// Columns with their meaning.
    pub(super) columns: &'static [(&'static str, &'static str)],
}

/// The tables of this module.
const TABLES: [Table; 9] = [
    Table {
        file: "networks.csv",
        row: "one network",
        columns: &[
            ("network", "name of the network"),
            ("layer_count", "number of dissected layers"),
            ("parameters", "number of trainable parameters"),
            ("auc", "area under the ROC curve, per patch; empty when one class is missing"),
            ("auc_low", "lower end of its 95% interval (DeLong)"),
            ("auc_high", "upper end of its 95% interval (DeLong)"),
            ("positives", "evaluated patches with cancer"),
            ("negatives", "evaluated patches without cancer"),
            ("weights_blake3", "BLAKE3 digest of the weights"),
        ],
    },
    Table {
        file: "units.csv",
        row: "one unit of a dissected layer",
        columns: &[
            ("network", "name of the network"),
            ("layer", "name of the layer"),
            ("unit", "number of the unit, from 1, four digits"),
            ("max_score", "greatest score over the patches"),
            ("threshold", "activation threshold T"),
            (
                "concept",
                "best match: the concept with the highest IoU, whatever that is, breast and background \
                 aside; empty without any",
            ),
            ("iou", "that IoU"),
            (
                "influence_rank",
                "rank by its influence on the cancer score among the live units of the layer; empty where it \
                 is not live",
            ),
            ("labels", "what it is called; empty where it has no name"),
            ("categories", "BI-RADS categories of its terms, separated by semicolons"),
            (
                "p_corrected",
                "probability of so good an agreement by chance, corrected for all concepts",
            ),
            ("cancer_auc", "area under the ROC curve of its score for cancer"),
            ("positive_share", "share of its activations above zero"),
            ("gradient_cancer", "mean gradient times activation for cancer"),
            ("weighted_cancer", "best score times its weight for cancer, where that is exact"),
            ("top8", "patches in which it is among the eight that speak most for cancer"),
            ("ablation", "fall of the area under the ROC curve when it is silenced"),
            ("kind", "live, dead or constant"),
            ("named_by", "consensus, readers, unrecognizable (to readers), automatic or none"),
            ("terms", "ids of the terms of what it is called, separated by semicolons"),
            ("detects", "ids of the concepts that it detects, separated by semicolons"),
        ],
    },
    Table {
        file: "concepts.csv",
        row: "one unit and one concept",
        columns: &[
            ("network", "name of the network"),
            ("layer", "name of the layer"),
            ("unit", "number of the unit, from 1, four digits"),
            ("concept", "term, malignant, benign, breast or background"),
            ("category", "pathology, finding, region or breast"),
            ("iou", "intersection over union, pooled over the annotated patches"),
            ("iou_within", "the same over the patches that hold some concept of the category"),
            (
                "auc",
                "area under the ROC curve of the unit's score for patches that hold the concept",
            ),
            ("chance_mean", "mean IoU when the masks are dealt out anew among the patches"),
            ("chance_high", "95th percentile of the same"),
            ("p", "probability of the IoU by chance"),
            ("p_corrected", "the same, corrected for the number of concepts"),
            (
                "detector",
                "true when the unit detects it: IoU above the level and, where chance was measured, beyond \
                 chance; never breast and background",
            ),
        ],
    },
    Table {
        file: "top_patches.csv",
        row: "one patch at the top of one unit",
        columns: &[
            ("network", "name of the network"),
            ("layer", "name of the layer"),
            ("unit", "number of the unit, from 1, four digits"),
            ("rank", "1 is the patch with the greatest score"),
            ("patch", "name of the patch"),
            ("score", "greatest activation of the unit in the patch"),
            ("mammogram", "the mammogram it was cut from"),
            ("x", "left edge of the patch in pixels of the mammogram"),
            ("y", "top edge"),
            ("width", "width"),
            ("height", "height"),
            ("positive", "true when the patch counts as cancer"),
            ("roi_x", "left edge of the receptive field of the best activation, in the mammogram"),
            ("roi_y", "its top edge"),
            ("roi_width", "its width, within the patch"),
            ("roi_height", "its height, within the patch"),
        ],
    },
    Table {
        file: "labels.csv",
        row: "one phenomenon that one reader saw in one unit",
        columns: &[
            ("reader", "pseudonym of the reader"),
            ("network", "name of the network"),
            ("layer", "name of the layer"),
            ("unit", "number of the unit, from 1, four digits"),
            ("phenomenon", "the reader's words"),
            ("terms", "ids of the lexicon terms the reader chose, separated by semicolons"),
            ("association", "malignant, benign, none or unsure"),
            ("confidence", "1, guessing, to 5, certain; may be empty"),
        ],
    },
    Table {
        file: "survey.csv",
        row: "one unit that readers are asked about",
        columns: &[
            ("study", "identifier of the study"),
            ("network", "name of the network"),
            ("layer", "name of the layer"),
            ("unit", "number of the unit, from 1, four digits"),
            ("reason", "why it was chosen: mostly cancer, random, influence or listed"),
            ("cancer_patches", "how many of the patches shown hold cancer"),
            ("patches", "how many patches are shown"),
            ("influence_rank", "rank of the unit by its influence on the cancer score"),
        ],
    },
    Table {
        file: "explanations.csv",
        row: "one mammogram and one network that scores it",
        columns: &[
            ("network", "name of the network"),
            ("layer", "layer whose units are held responsible"),
            ("mammogram", "the mammogram"),
            ("positive", "true when it has a malignant lesion"),
            ("patch", "the patch with the highest probability of cancer, which is explained"),
            ("probability", "that probability"),
            ("margin", "logit of cancer less the mean of the other classes' logits"),
            ("rest", "of the margin, what the units do not add"),
            ("evidence", "of the margin, the sum of what units add for cancer"),
            ("named", "share of the evidence that units named by people carry"),
            ("automatic", "share of the evidence that units with an automatic name carry"),
            ("place", "where the patch lies: malignant or benign (a lesion of it), or elsewhere"),
            ("verdict", "how the score stands to the truth, and where the network looked"),
            ("exact", "true when the contributions are exact, else gradient times activation"),
            ("units", "numbers of the units that add most, most first, separated by semicolons"),
            ("contributions", "what they add, likewise"),
        ],
    },
    Table {
        file: "next_units.csv",
        row: "one live unit that nobody was asked to name and that carries evidence, most first",
        columns: &[
            ("network", "name of the network"),
            ("layer", "name of the layer"),
            ("unit", "number of the unit, from 1, four digits"),
            ("evidence_share", "share of the network's evidence that it carries"),
        ],
    },
    Table {
        file: "patches.csv",
        row: "one patch of the data set",
        columns: &[
            ("patch", "name of the patch"),
            ("mammogram", "the mammogram it was cut from"),
            ("patient", "pseudonym of the patient"),
            ("split", "train, validation or test"),
            ("x", "left edge in pixels of the mammogram"),
            ("y", "top edge"),
            ("width", "width"),
            ("height", "height"),
            ("positive", "true when the patch counts as cancer"),
            (
                "lesion_fraction",
                "largest share of one malignant lesion that lies in the patch; this and all fractions \
                 are empty for patches that the source came with",
            ),
            ("patch_fraction", "share of the patch that malignant lesion covers"),
            ("breast_fraction", "share of the patch that breast covers"),
            ("benign", "true when the patch holds as much of benign lesions; it can be both"),
            ("lesion_fraction_malignant_mass", "as lesion_fraction, of malignant masses"),
            ("patch_fraction_malignant_mass", "as patch_fraction, of malignant masses"),
            ("lesion_fraction_malignant_calcification", "of malignant calcifications"),
            ("patch_fraction_malignant_calcification", "of malignant calcifications"),
            ("lesion_fraction_any", "of all lesions, whatever their pathology"),
            ("patch_fraction_any", "of all lesions, whatever their pathology"),
            ("lesion_fraction_mass", "of all masses"),
            ("patch_fraction_mass", "of all masses"),
            ("lesion_fraction_calcification", "of all calcifications"),
            ("patch_fraction_calcification", "of all calcifications"),
        ],
    },
];

/// A table to be written, and what makes its rows.
pub(super) struct Export {
    /// Path in the site.
    pub(super) path: String,
    /// Whether readers' answers are among what it is made from.
    pub(super) of_readers: bool,
    table: &'static Table,
    rows: Rows,
}

/// Every table, as the data page documents it.
pub(super) fn all() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().chain(&study_tables::TABLES)
}

/// Every table, in the order of [`all`].
pub(super) fn tables() -> Vec<Export> {
    let makers: [(Maker, bool); 9] = [
        (networks, false),
        (units, true),
        (concepts, false),
        (top_patches, false),
        (labels, true),
        (survey, false),
        (explanations, true),
        (next, true),
        (patches, false),
    ];
    let own = makers.map(|(rows, of_readers)| (Rows::OneByOne(rows), of_readers));
    let of_study = study_tables::MAKERS.map(|rows| (Rows::AtOnce(rows), true));
    let export = |(table, (rows, of_readers)): (&'static Table, _)| Export {
        path: format!("data/{}", table.file),
        of_readers,
        table,
        rows,
    };
    all().zip(own.into_iter().chain(of_study)).map(export).collect()
}

impl Export {
    /// The table's bytes.
    pub(super) fn make(&self, atlas: &Atlas) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.table.columns.iter().map(|(name, _)| *name))?;
        match self.rows {
            Rows::OneByOne(rows) => rows(atlas, &mut |row| Ok(writer.write_record(&row)?))?,
            Rows::AtOnce(rows) => {
                rows(atlas).iter().try_for_each(|row| writer.write_record(row))?;
            }
        }
        Ok(writer.into_inner()?)
    }
}

/// One row of a table.
pub(super) type Row = Vec<String>;

/// Takes rows one after another: all of them at once would fill the memory.
type Sink<'a> = dyn FnMut(Row) -> Result<()> + 'a;

type Maker = fn(&Atlas, &mut Sink) -> Result<()>;

/// How a table's rows are made.
enum Rows {
    OneByOne(Maker),
    /// For short tables.
    AtOnce(fn(&Atlas) -> Vec<Row>),
}

/// Network, layer and number of a unit.
fn place(unit: &UnitId) -> Row {
    vec![text(unit.network()), text(unit.layer()), unit.digits()]
}

fn survey(atlas: &Atlas, sink: &mut Sink) -> Result<()> {
    let selection = &atlas.survey.selection;
    selection.units.iter().try_for_each(|chosen| {
        let mut row = vec![text(&selection.study)];
        row.extend([text(chosen.unit.network()), text(chosen.unit.layer()), chosen.unit.digits()]);
        row.push(chosen.reason.words().into());
        row.extend([chosen.cancer, chosen.shown, chosen.influence].map(|n| n.to_string()));
        sink(row)
    })
}

fn explanations(atlas: &Atlas, sink: &mut Sink) -> Result<()> {
    let manifest = atlas.inputs.manifest;
    for of in atlas.inputs.explanations {
        let layer = atlas.catalogue.explaining(of);
        for explained in &of.mammograms {
            let mammogram = &manifest.mammograms[explained.mammogram as usize].mammogram;
            let place = Place::of(&manifest.patches[explained.patch as usize]);
            let carried = carried(explained, |unit| layer.and_then(|layer| layer.name(unit)));
            let parts = |value: &dyn Fn(&Part) -> String| {
                explained.units.iter().map(value).collect::<Vec<_>>().join("; ")
            };
            sink(vec![
                text(&of.network),
                text(&of.layer),
                text(&mammogram.id),
                mammogram.has_cancer().to_string(),
                text(&manifest.patch_name(&manifest.patches[explained.patch as usize])),
                explained.probability.to_string(),
                explained.margin.to_string(),
                explained.rest.to_string(),
                explained.evidence.to_string(),
                carried.people.to_string(),
                carried.automatic.to_string(),
                place.id().into(),
                Verdict::new(mammogram.has_cancer(), explained.probability, place).words().into(),
                of.exact.to_string(),
                parts(&|part| digits(part.unit)),
                parts(&|part| part.contribution.to_string()),
            ])?;
        }
    }
    Ok(())
}

fn next(atlas: &Atlas, sink: &mut Sink) -> Result<()> {
    for of in atlas.inputs.explanations {
        for (entry, share) in atlas.catalogue.next(of) {
            let mut row = place(&entry.id);
            row.push(share.to_string());
            sink(row)?;
        }
    }
    Ok(())
}

fn networks(atlas: &Atlas, sink: &mut Sink) -> Result<()> {
    atlas
        .inputs
        .exhibits
        .iter()
        .map(|exhibit| {
            let found = exhibit.evaluation;
            let auc = |end: fn(&metrics::Auc) -> f64| {
                found.auc.as_ref().map(|auc| end(auc).to_string()).unwrap_or_default()
            };
            vec![
                text(&exhibit.config.name),
                exhibit.layers.len().to_string(),
                found.parameters.to_string(),
                auc(|a| a.value),
                auc(|a| a.low),
                auc(|a| a.high),
                found.positives.to_string(),
                found.negatives.to_string(),
                text(&found.weights_blake3),
            ]
        })
        .try_for_each(sink)
}

fn units(atlas: &Atlas, sink: &mut Sink) -> Result<()> {
    atlas
        .catalogue
        .units()
        .map(|entry| {
            let (unit, best) = (entry.record, entry.best_match());
            let influence = &unit.influence;
            let detects: Vec<&str> =
                entry.detections().map(|found| found.concept.id.as_str()).collect();
            let mut row = place(&entry.id);
            row.extend([
                unit.score_range[1].to_string(),
                unit.threshold.to_string(),
                best.map(|best| text(&best.concept.id)).unwrap_or_default(),
                best.map(|best| best.found.iou.to_string()).unwrap_or_default(),
                entry.rank.map(|rank| rank.to_string()).unwrap_or_default(),
                text(&entry.name.to_string()),
                text(&entry.categories.join("; ")),
                optional(best.and_then(|best| Some(best.found.chance?.adjusted))),
                optional(unit.cancer_auc),
                unit.activations.positive.to_string(),
                optional(influence.gradient.last().copied()),
                optional(influence.weighted.as_ref().and_then(|w| w.last().copied())),
                influence.top8.to_string(),
                optional(influence.ablation),
                match entry.kind {
                    Kind::Live => "live",
                    Kind::Dead => "dead",
                    Kind::Constant => "constant",
                }
                .into(),
                entry.name.source().id().into(),
                text(&entry.terms.join("; ")),
                text(&detects.join("; ")),
            ]);
            row
        })
        .try_for_each(sink)
}

/// A number that may be unknown.
fn optional(value: Option<f32>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn concepts(atlas: &Atlas, sink: &mut Sink) -> Result<()> {
    for entry in atlas.catalogue.units() {
        for ConceptMatch { concept, found, detected } in entry.matches() {
            let chance = found.chance;
            let mut row = place(&entry.id);
            row.extend([
                text(&concept.id),
                super::pages::category_word(concept.category).into(),
                found.iou.to_string(),
                found.within.to_string(),
                optional(found.auc),
                optional(chance.map(|chance| chance.mean)),
                optional(chance.map(|chance| chance.high)),
                optional(chance.map(|chance| chance.p)),
                optional(chance.map(|chance| chance.adjusted)),
                detected.to_string(),
            ]);
            sink(row)?;
        }
    }
    Ok(())
}

fn top_patches(atlas: &Atlas, sink: &mut Sink) -> Result<()> {
    let manifest = atlas.inputs.manifest;
    // From pixels of the patch to pixels of the mammogram.
    let scale = |patch: &record::Patch| patch.edge as f32 / atlas.inputs.store.edge() as f32;
    for entry in atlas.catalogue.units() {
        for (at, top) in entry.record.top.iter().enumerate() {
            let patch = &manifest.patches[top.patch as usize];
            let mut row = place(&entry.id);
            row.extend([
                (at + 1).to_string(),
                text(&manifest.patch_name(patch)),
                top.score.to_string(),
                text(&manifest.member(patch).mammogram.id),
                patch.x.to_string(),
                patch.y.to_string(),
                patch.edge.to_string(),
                patch.edge.to_string(),
                patch.positive.to_string(),
                coordinate(patch.x as f32 + top.roi[0] * scale(patch)),
                coordinate(patch.y as f32 + top.roi[1] * scale(patch)),
                coordinate(top.roi[2] * scale(patch)),
                coordinate(top.roi[3] * scale(patch)),
            ]);
            sink(row)?;
        }
    }
    Ok(())
}

fn labels(atlas: &Atlas, sink: &mut Sink) -> Result<()> {
    for entry in atlas.catalogue.units() {
        for (reader, answer, phenomenon) in atlas.labels.phenomena(&entry.id) {
            let mut row = vec![text(&reader.reader)];
            row.extend(place(&entry.id));
            row.extend([
                text(&phenomenon.description),
                text(&phenomenon.terms.join("; ")),
                super::pages::association_word(phenomenon.association).into(),
                answer.confidence.map(|c| c.to_string()).unwrap_or_default(),
            ]);
            sink(row)?;
        }
    }
    Ok(())
}

fn patches(atlas: &Atlas, sink: &mut Sink) -> Result<()> {
    let manifest = atlas.inputs.manifest;
    manifest
        .patches
        .iter()
        .map(|patch| {
            let member = manifest.member(patch);
            let fractions = |of: &dyn Fn(&Fractions) -> f32| {
                patch.fractions.as_ref().map(|f| of(f).to_string()).unwrap_or_default()
            };
            let mut row = vec![
                text(&manifest.patch_name(patch)),
                text(&member.mammogram.id),
                text(&member.mammogram.patient),
                member.split.to_string(),
                patch.x.to_string(),
                patch.y.to_string(),
                patch.edge.to_string(),
                patch.edge.to_string(),
                patch.positive.to_string(),
                fractions(&|f| f.malignant.lesion),
                fractions(&|f| f.malignant.patch),
                fractions(&|f| f.breast),
                patch.benign.to_string(),
            ];
            let groups: [fn(&Fractions) -> Share; 5] = [
                |f| f.malignant_mass,
                |f| f.malignant_calcification,
                |f| f.any,
                |f| f.mass,
                |f| f.calcification,
            ];
            for group in groups {
                row.push(fractions(&|f| group(f).lesion));
                row.push(fractions(&|f| group(f).patch));
            }
            row
        })
        .try_for_each(sink)
}
