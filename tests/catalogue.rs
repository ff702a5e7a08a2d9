//! Every surface says the same of each unit: pages, search, tables, figures, `labels stats` and `explain`
//! only format the catalogue. Over an atlas with settled, chosen, suggested, conflicting and refused
//! labels, automatic names, and units that are dead or constant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base::UnitId;
use catalogue::{Catalogue, Entry, Kind, Name, Source, concept_words};
use record::dissection::{Category, Layer};
use serde_json::Value;
use study::answer::ReaderFile;
use study::consensus::{Consensus, Settled};

use crate::support::Fixture;

const LAYER: &str = "alexnet/conv5";

fn reader(name: &str, answers: &str) -> ReaderFile {
    let text =
        format!("schema: 1\nstudy: test\nreader: {name}\nlexicon: bi-rads-5\nanswers:\n{answers}");
    serde_yaml::from_str(&text).unwrap()
}

/// Units 1 to 4 show the same in four ways; 5 divides its readers, 6 nobody recognises, 7 has no words that
/// stand for a term; 8 and 9 are dead and constant; the others nobody was asked about. The detector's
/// threshold is not the customary one.
fn fixture(folder: &Path) -> Fixture {
    let mut fixture = Fixture::new(folder, 16);
    fixture.config.dissection.detector = 0.0625;
    fixture.readers = vec![
        reader(
            "reader-a",
            "  - unit: alexnet/conv5/0001
    recognizable: yes
    phenomena:
      - {description: something else, terms: [calcifications], association: none}
  - unit: alexnet/conv5/0002
    recognizable: yes
    phenomena:
      - {description: '', terms: [mass, margin-spiculated], association: malignant}
  - unit: alexnet/conv5/0003
    recognizable: yes
    phenomena:
      - {description: spiculated mass, association: malignant}
  - unit: alexnet/conv5/0004
    recognizable: yes
    phenomena:
      - {description: innumerable stars, terms: [margin-spiculated], association: malignant}
  - unit: alexnet/conv5/0005
    recognizable: yes
    phenomena:
      - {description: 'a star, I think', terms: [margin-spiculated], association: malignant}
  - unit: alexnet/conv5/0006
    recognizable: no
  - unit: alexnet/conv5/0007
    recognizable: yes
    phenomena:
      - {description: zebra stripes, association: unsure}
",
        ),
        reader(
            "reader-b",
            "  - unit: alexnet/conv5/0005
    recognizable: yes
    phenomena:
      - {description: bright specks, terms: [calcifications], association: benign}
  - unit: alexnet/conv5/0006
    recognizable: no
",
        ),
    ];
    let terms = vec!["mass".to_owned(), "margin-spiculated".to_owned()];
    fixture.consensus = Consensus {
        units: vec![Settled {
            unit: UnitId::new("alexnet", "conv5", 1),
            label: "masses with spiculated edge".into(),
            categories: fixture.lexicons.categories(&terms),
            terms,
            association: None,
            note: None,
        }],
    };
    let layer = &mut fixture.networks[0].layers[0];
    let place = |id: &str| layer.concepts.iter().position(|concept| concept.id == id).unwrap();
    let (malignant, calm) = (place("malignant"), place("benign"));
    let [mass, margin] = ["mass", "margin-spiculated"].map(place);
    for unit in &mut layer.units {
        let mut found = |at: usize, iou: f32, adjusted: f32| {
            let agreement = &mut unit.matches[at];
            agreement.iou = iou;
            agreement.chance.as_mut().unwrap().adjusted = adjusted;
        };
        for at in [malignant, calm, mass, margin] {
            found(at, 0.01, 0.9);
        }
        match unit.unit {
            // Refused, yet it detects; its best match is no more than chance.
            6 => (found(mass, 0.2, 0.01), found(calm, 0.3, 0.5)).0,
            // Automatic: of two that it detects the better.
            10 => (found(mass, 0.2, 0.01), found(malignant, 0.1, 0.02)).0,
            11 => found(margin, 0.15, 0.05),
            // Above the threshold, but not beyond chance; beyond chance, but not above the threshold.
            12 => found(mass, 0.4, 0.06),
            13 => found(mass, 0.0625, 0.001),
            8 | 9 => found(mass, 0.5, 0.001),
            _ => {}
        }
    }
    for (unit, dead) in [(7, true), (8, false)] {
        let unit = &mut layer.units[unit];
        unit.top.clear();
        unit.sample.clear();
        if dead {
            unit.activations.range = [-2.0, 0.0];
            unit.score_range = [-1.0, 0.0];
        } else {
            unit.score_range = [1.0, 1.0];
        }
    }
    // What is held responsible: of every kind of name one.
    for explained in &mut fixture.explanations[0].mammograms {
        let part = explained.units[0].clone();
        let parts = [1, 5, 6, 10, 14].map(|unit| (unit, 0.5));
        explained.units = parts
            .map(|(unit, contribution)| record::explanation::Part {
                unit,
                contribution,
                ..part.clone()
            })
            .into();
        explained.positive = parts.into();
        explained.evidence = 2.5;
    }
    fixture.explanations[0].evidence = vec![0.0; 16];
    for unit in [1, 5, 6, 8, 10, 14] {
        fixture.explanations[0].evidence[unit - 1] = unit as f32;
    }
    fixture
}

fn layers(fixture: &Fixture) -> Vec<&Layer> {
    fixture.networks.iter().flat_map(|network| &network.layers).collect()
}

fn catalogue<'a>(fixture: &'a Fixture) -> Catalogue<'a> {
    let detector = fixture.config.dissection.detector as f32;
    let Fixture { readers, consensus, lexicons, .. } = fixture;
    Catalogue::new(layers(fixture), readers, consensus, lexicons, detector)
}

fn table(fixture: &Fixture, file: &str) -> Vec<BTreeMap<String, String>> {
    let text = fixture.page(&format!("data/{file}"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// The value that a file of data for scripts puts under its path.
fn data(fixture: &Fixture, path: &str) -> Value {
    let file = fixture.page(path);
    let (_, value) = file.split_once("]=").unwrap();
    serde_json::from_str(value.trim_end().trim_end_matches(';')).unwrap()
}

/// Text of a piece of HTML, blanks squeezed.
fn words(html: &str) -> String {
    let pieces = html.split('<').map(|piece| piece.split_once('>').map_or(piece, |p| p.1));
    let text = pieces.collect::<Vec<_>>().join(" ");
    let text = text.replace("&#x27;", "'").replace("&quot;", "\"").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands between two marks, the first after another.
fn between<'t>(text: &'t str, after: &str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text.split_once(after).unwrap_or_else(|| panic!("no {after:?}"));
    let (_, rest) = rest.split_once(from).unwrap_or_else(|| panic!("no {from:?} after {after:?}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to:?} after {from:?}")).0
}

/// Rows of all tables of a page as the text of their cells.
fn rows(html: &str) -> Vec<Vec<String>> {
    html.split("<tr")
        .skip(1)
        .map(|row| {
            let row = row.split("</tr>").next().unwrap_or_default();
            let row = row.split_once('>').map_or("", |(_, cells)| cells);
            let cells = row.split("<td").flat_map(|cell| cell.split("<th"));
            cells.skip(1).map(|cell| words(&format!("<td{cell}"))).collect()
        })
        .collect()
}

#[test]
fn the_fixture_has_a_unit_of_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture(folder.path());
    let catalogue = catalogue(&fixture);
    let names: Vec<String> =
        catalogue.layers()[0].units.iter().map(|entry| entry.name.to_string()).collect();
    let spiculated = "mass, spiculated";
    assert_eq!(
        names[..13],
        [
            "masses with spiculated edge",
            spiculated,
            spiculated,
            spiculated,
            "mass, spiculated 1 of 2; calcifications 1 of 2",
            "nothing recognisable 2 of 2",
            "zebra stripes",
            "",
            "",
            "mass: automatic, IoU 0.20",
            "mass, spiculated: automatic, IoU 0.15",
            "",
            "",
        ]
    );
    let sources: BTreeSet<Source> = catalogue.units().map(|e| e.name.source()).collect();
    assert_eq!(sources.len(), 5);
    let kinds: Vec<Kind> = catalogue.layers()[0].units[7..10].iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [Kind::Dead, Kind::Constant, Kind::Live]);
}

#[test]
fn every_surface_says_the_same_of_a_unit() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture(folder.path());
    fixture.build().unwrap();
    let catalogue = catalogue(&fixture);
    let units = table(&fixture, "units.csv");
    let search = data(&fixture, "data/search.js");
    let birads = rows(&fixture.page("birads/index.html"));
    let home = fixture.page("index.html");
    for known in catalogue.layers() {
        let layer = format!("{}/{}", known.record.network, known.record.layer);
        let page = fixture.page(&format!("networks/{layer}/index.html"));
        let script = data(&fixture, &format!("networks/{layer}/units.js"));
        let categories = script["categories"].as_array().unwrap();
        let found = search["layers"].as_array().unwrap().iter().find(|l| l["name"] == *layer);
        for entry in &known.units {
            let (name, id) = (entry.name.to_string(), entry.id.to_string());
            let row = units
                .iter()
                .find(|row| format!("{}/{}/{}", row["network"], row["layer"], row["unit"]) == id)
                .unwrap();
            // The unit's own page.
            let own = fixture.page(&format!("networks/{id}/index.html"));
            let heading = words(between(&own, "<header class=\"unit-head\"", "<h1>", "</h1>"));
            let title =
                if name.is_empty() { format!("Unit {}", entry.id.digits()) } else { name.clone() };
            assert_eq!(heading, title, "{id}");
            let category = match own.contains("<span class=\"category\">") {
                true => words(between(&own, "unit-id", "<span class=\"category\">", "</span>")),
                false => String::new(),
            };
            assert_eq!(category, entry.categories.join(", "), "{id}");
            // The layer's page, with and without a script.
            let names = between(&page, "id=\"atlas-names\"", ">", "</ol>");
            let listed = words(between(names, &format!("{id}/index.html\""), "</a>", "\n"));
            assert_eq!(listed, name, "{id} in the list");
            let unit = &script["units"][entry.id.index()];
            assert_eq!(unit["label"], *name, "{id} in units.js");
            let of_script: Vec<&str> = unit["categories"]
                .as_array()
                .unwrap()
                .iter()
                .map(|at| categories[at.as_u64().unwrap() as usize].as_str().unwrap())
                .collect();
            let sorted = |list: Vec<&str>| -> BTreeSet<String> {
                list.into_iter().map(str::to_owned).collect()
            };
            let own_categories = entry.categories.iter().map(String::as_str).collect();
            assert_eq!(sorted(of_script), sorted(own_categories), "{id} in units.js");
            let detects = entry.detections().next().is_some();
            assert_eq!(unit["detects"].as_bool(), Some(detects), "{id} in units.js");
            let rank = entry.rank.map(u64::from);
            assert_eq!(unit["influence"].as_u64(), rank, "{id} in units.js");
            // The search.
            let label = found.unwrap()["labels"][entry.id.number().to_string()].as_str();
            assert_eq!(label.unwrap_or_default(), name, "{id} in the search");
            // The table.
            assert_eq!(row["labels"], name, "{id} in units.csv");
            assert_eq!(row["categories"], entry.categories.join("; "), "{id} in units.csv");
            assert_eq!(row["terms"], entry.terms.join("; "), "{id} in units.csv");
            assert_eq!(row["named_by"], entry.name.source().id(), "{id} in units.csv");
            let detected: Vec<&str> =
                entry.detections().map(|found| found.concept.id.as_str()).collect();
            assert_eq!(row["detects"], detected.join("; "), "{id} in units.csv");
            let best = entry.best_match().map(|best| best.concept.id.as_str());
            assert_eq!(row["concept"], best.unwrap_or_default(), "{id} in units.csv");
            let rank = entry.rank.map(|rank| rank.to_string()).unwrap_or_default();
            assert_eq!(row["influence_rank"], rank, "{id} in units.csv");
            // The BI-RADS table, one row per unit that people named.
            let tabled: Vec<_> = birads
                .iter()
                .filter(|row| row.len() == 4 && row[2] == id && !row[1].contains(", IoU"))
                .collect();
            assert_eq!(tabled.len(), usize::from(entry.name.is_by_people()), "{id}: {tabled:?}");
            for cells in tabled {
                let category = cells[0].replace(" suggested from the words", "");
                assert_eq!(category, entry.figure_4(), "{id} in the BI-RADS table");
                assert!(cells[1].starts_with(&name), "{id} in the BI-RADS table: {cells:?}");
            }
            // Cards.
            let card = format!("{id}/index.html\">{id}</a></h3>");
            if let Some((_, card)) = home.split_once(&card) {
                let label = words(between(card, "", "<p class=\"unit-card-label\">", "</p>"));
                // Under a heading that says that outlines name them, the words and the agreement alone.
                let found = match &entry.name {
                    Name::Automatic { words, iou, .. } => format!("{words}; IoU {iou:.2}"),
                    _ => name.clone(),
                };
                assert!(label.starts_with(&found), "{id} on the home page: {label}");
            }
        }
    }
    // Four ways to the same: none in a form of its own.
    for number in 1..=4 {
        assert_eq!(catalogue[&UnitId::new("alexnet", "conv5", number)].figure_4(), "Mass - Margin");
    }
}

#[test]
fn every_surface_counts_the_same_detectors() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture(folder.path());
    fixture.build().unwrap();
    let catalogue = catalogue(&fixture);
    let list = rows(&fixture.page("concepts/index.html"));
    let concepts_csv = table(&fixture, "concepts.csv");
    let figure = fixture.page("figures/concepts.csv");
    let mut figure = csv::Reader::from_reader(figure.as_bytes());
    let figure: Vec<BTreeMap<String, String>> =
        figure.deserialize().map(|row| row.unwrap()).collect();
    let networks = rows(&fixture.page("index.html"));
    for (at, known) in catalogue.layers().iter().enumerate() {
        let Layer { network, layer, concepts, .. } = known.record;
        let page = fixture.page(&format!("networks/{network}/{layer}/index.html"));
        let detectors = known.detectors().count();
        assert!(words(&page).contains(&format!("units; {detectors} detect")), "{network}");
        for concept in concepts.iter().filter(|c| c.category != Category::Breast) {
            let detecting: BTreeSet<String> =
                known.detecting(&concept.id).iter().map(|entry| entry.id.to_string()).collect();
            let count = detecting.len().to_string();
            let words = concept_words(&concept.id, &fixture.lexicons);
            let row = rows(&page).into_iter().find(|row| row.first() == Some(&words)).unwrap();
            assert_eq!(row[3], count, "{words} on the layer's page");
            let own = fixture.lexicons.term(&concept.id);
            let title = own.map_or(words.clone(), |entry| entry.term.name.clone());
            let row = list.iter().find(|row| row.first() == Some(&title)).unwrap();
            assert_eq!(row[3 + at], count, "{title} in the list of concepts");
            let page = fixture.page(&format!("concepts/{}/index.html", concept.id));
            let section =
                between(&page, &format!("{network}/{layer}</a>"), "patches; ", "detect it");
            assert!(section.starts_with(&format!("{count} unit")), "{title}: {section}");
            let told: BTreeSet<String> = concepts_csv
                .iter()
                .filter(|row| row["concept"] == concept.id && row["detector"] == "true")
                .filter(|row| row["network"] == *network && row["layer"] == *layer)
                .map(|row| format!("{}/{}/{}", row["network"], row["layer"], row["unit"]))
                .collect();
            assert_eq!(told, detecting, "{} in concepts.csv", concept.id);
        }
        let row = &figure[at];
        assert_eq!(row["Layer"], format!("{network}/{layer}"));
        assert_eq!(row["Detectors"], detectors.to_string());
        let home = networks.iter().find(|row| row.first() == Some(network)).unwrap();
        assert_eq!(home.last().unwrap(), &detectors.to_string(), "{network} on the home page");
    }
    // The threshold is the one in use, wherever it is said.
    for page in ["index.html", "birads/index.html", "networks/alexnet/conv5/index.html"] {
        let text = words(&fixture.page(page));
        assert!(text.contains("0.0625") && !text.contains("above 0.04"), "{page}");
    }
}

#[test]
fn every_surface_covers_the_same_terms() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture(folder.path());
    fixture.build().unwrap();
    let catalogue = catalogue(&fixture);
    let coverage = catalogue.coverage();
    let birads = fixture.page("birads/index.html");
    let readers = fixture.page("agreement/index.html");
    let csv = table(&fixture, "coverage.csv");
    let list = rows(&fixture.page("concepts/index.html"));
    for lexicon in coverage.chunk_by(|a, b| a.term.lexicon.id == b.term.lexicon.id) {
        let covered = lexicon.iter().filter(|row| row.is_covered()).count();
        let (name, terms) = (&lexicon[0].term.lexicon.name, lexicon.len());
        let said = format!("{name}: {covered} of {terms} terms");
        assert!(words(&birads).contains(&said), "{said} on the BI-RADS page");
        assert!(words(&readers).contains(&said), "{said} on the readers' page");
        for row in lexicon {
            let id = &row.term.term.id;
            for network in &fixture.networks {
                let name = &network.config.name;
                let told = csv
                    .iter()
                    .find(|line| line["term"] == *id && line["network"] == *name)
                    .unwrap();
                assert_eq!(
                    told["labelled"],
                    row.named_in(name).to_string(),
                    "{id} in coverage.csv"
                );
                let detected = row.outlined.then(|| row.detecting_in(name).to_string());
                assert_eq!(told["detected"], detected.unwrap_or_default(), "{id} in coverage.csv");
            }
            if let Some(cells) = list.iter().find(|row_| row_.first() == Some(&row.term.term.name))
            {
                let named = row.named.len();
                let named = if named == 0 { "–".into() } else { named.to_string() };
                assert_eq!(cells.last(), Some(&named), "{id} in the list of concepts");
            }
        }
    }
    // Not nothing, and not everything.
    let margin = coverage.iter().find(|row| row.term.term.id == "margin-spiculated").unwrap();
    assert_eq!((margin.named.len(), margin.detecting.len()), (5, 1));
}

#[test]
fn explanations_call_units_what_they_are_called_and_say_where_the_network_looked() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture(folder.path());
    fixture.build().unwrap();
    let catalogue = catalogue(&fixture);
    let of = |number: u32| &catalogue[&UnitId::new("alexnet", "conv5", number)];
    let explanation = &fixture.explanations[0];
    let config = &fixture.config;
    let shown =
        catalogue::cases(&fixture.explanations, &fixture.manifest, &config.cases, config.seed);
    assert!(shown.len() > 1);
    let list = fixture.page("cases/index.html");
    let csv = table(&fixture, "explanations.csv");
    for case in &shown {
        let member = &fixture.manifest.mammograms[case.explained.mammogram as usize];
        let id = &member.mammogram.id;
        let page = fixture.page(&format!("cases/alexnet/{id}/index.html"));
        let text = words(&page);
        let verdict = case.verdict.words();
        assert!(text.contains(verdict) && words(&list).contains(verdict), "{id}: {verdict}");
        assert!(text.contains("“masses with spiculated edge” (20% of the evidence)"), "{text}");
        assert!(text.contains("“mass” (automatic name, 20% of the evidence)"), "{text}");
        let parts = between(&page, "<ol class=\"parts\">", "", "</ol>");
        let told: Vec<String> = parts.split("<li>").skip(1).map(words).collect();
        for (part, told) in case.explained.units.iter().zip(&told) {
            let name = of(part.unit).name.to_string();
            let name = if name.is_empty() { "not named".into() } else { name };
            assert!(told.contains(&format!("{} {name}", of(part.unit).id)), "{told}");
        }
        let row = csv.iter().find(|row| row["mammogram"] == *id).unwrap();
        assert_eq!(row["verdict"], verdict);
        assert_eq!(row["named"], "0.4", "units 1 and 5");
        assert_eq!(row["automatic"], "0.2", "unit 10");
    }
    // The figure of a case.
    let id =
        &fixture.manifest.mammograms[explanation.mammograms[0].mammogram as usize].mammogram.id;
    let kind = config::figures::Kind::Case {
        mammogram: id.clone(),
        network: Some("alexnet".into()),
        patches: 5,
    };
    let look = config::figures::Look {
        width: kind.width(),
        dpi: 100,
        font: None,
        formats: vec![config::figures::Format::Csv],
    };
    let wanted = config::figures::Wanted { name: kind.stem(), kind, look };
    let drawn = fixture.with_inputs(|inputs| atlas::draw_figures(inputs, &[wanted]).unwrap());
    let drawn = drawn.into_iter().next().unwrap().unwrap();
    let (_, bytes) = drawn.files.iter().find(|(name, _)| name.ends_with(".csv")).unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    for row in reader.deserialize::<BTreeMap<String, String>>().map(Result::unwrap) {
        let name = catalogue[&row["Unit"].parse().unwrap()].name.to_string();
        assert_eq!(row["Called"], if name.is_empty() { "not named".into() } else { name });
    }
    // Worth naming next: live, and nobody was asked.
    let next: Vec<String> =
        table(&fixture, "next_units.csv").into_iter().map(|row| row["unit"].clone()).collect();
    assert_eq!(next, ["0014", "0010"]);
}

#[test]
fn dead_and_constant_units_are_counted_and_show_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture(folder.path());
    fixture.build().unwrap();
    let page = words(&fixture.page(&format!("networks/{LAYER}/index.html")));
    assert!(page.contains("1 is dead") && page.contains("1 is constant"), "{page}");
    for (number, why) in [(8, "Dead:"), (9, "Constant:")] {
        let page = fixture.page(&format!("networks/{LAYER}/{number:04}/index.html"));
        assert!(words(&page).contains(why), "{number}");
        assert!(!page.contains("class=\"patch\"") && page.contains("it is not live"));
    }
    let asked = table(&fixture, "survey.csv");
    assert!(asked.len() > 10);
    assert!(!asked.iter().any(|row| {
        row["network"] == "alexnet" && ["0008", "0009"].contains(&row["unit"].as_str())
    }));
    assert!(atlas::check(&fixture.site()).unwrap().is_empty());
    // Ranks are among the live.
    let catalogue = catalogue(&fixture);
    let ranks: Vec<u32> =
        catalogue.layers()[0].units.iter().filter_map(|entry| entry.rank).collect();
    assert_eq!(ranks, (1..=14).collect::<Vec<u32>>());
    let named = |entry: &&Entry| !entry.kind.is_live() && !entry.name.is_none();
    assert_eq!(catalogue.units().filter(named).count(), 0);
}
