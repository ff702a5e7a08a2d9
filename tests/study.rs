//! The reader study on the pages: consensus, agreement, words of readers, and what is hostile in them.

use std::path::Path;

use lexicon::Lexicons;
use study::answer::{Questions, ReaderFile};
use study::consensus;
use study::labels::Dissected;

use crate::support::Fixture;
use crate::support::reading;

/// The fixture with the built-in lexicons; its first network is AlexNet with a few units.
fn fixture(folder: &Path) -> Fixture {
    let mut fixture = Fixture::new(folder, 16);
    fixture.lexicons = Lexicons::load(Path::new("/nowhere")).unwrap();
    fixture
}

fn layers() -> Vec<Dissected> {
    vec![Dissected { network: "alexnet".into(), layer: "conv5".into(), units: 16 }]
}

fn settle(fixture: &mut Fixture, path: &Path) -> usize {
    let (consensus, problems) = consensus::read(path, None, &layers(), &fixture.lexicons);
    fixture.consensus = consensus;
    problems.len()
}

/// Cells of the rows of the first table behind a heading, as text.
fn rows(html: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, rest) = html.split_once(heading).unwrap();
    let (_, body) = rest.split_once("<tbody>").unwrap();
    let (body, _) = body.split_once("</tbody>").unwrap();
    let cells =
        |row: &str| row.split("<td").chain(row.split("<th").skip(1)).skip(1).map(words).collect();
    body.split("<tr").skip(1).map(cells).collect()
}

/// Visible text of a piece of HTML that begins within a tag, blanks squeezed.
fn words(html: &str) -> String {
    let end = html.find("</td>").or_else(|| html.find("</th>")).unwrap_or(html.len());
    let pieces = html[..end].split('>').map(|piece| piece.split('<').next().unwrap_or_default());
    let text = pieces.skip(1).collect::<Vec<_>>().join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn figure_4_as_a_consensus_renders_as_its_table() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = fixture(folder.path());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/study/figure_4.yaml");
    // Nine of its units are not in this atlas.
    assert_eq!(settle(&mut fixture, &file), 9);
    fixture.build().unwrap();
    let html = fixture.page("birads/index.html");
    let found: Vec<[String; 3]> = rows(&html, "id=\"labelled\"")
        .into_iter()
        .map(|cells| {
            [cells[0].clone(), cells[1].clone(), cells[2].replace(" not in this atlas", "")]
        })
        .collect();
    let expected = [
        ["Mass - Margin", "masses with spiculated edge", "inception_v3/mixed_7a/0371"],
        ["Calcification", "calcifications, innumerable", "vgg16/conv5_3/0063"],
        ["Breast Composition", "high density area, large calcifications", "alexnet/conv5/0014"],
        ["Mass", "advanced cancers", "vgg16/conv5_3/0283"],
        ["Associated Features", "architectural distortion", "resnet152/layer4/0183"],
        [
            "Calcification, Associated Features",
            "calcifications, nearby tissue distortions",
            "vgg16/conv5_3/0048",
        ],
        ["Calcification, Mass", "calcification adjacent to masses", "resnet152/layer4/0253"],
        ["Breast Composition", "fatty breast texture", "resnet152/layer4/0005"],
        ["Associated Features", "structure close to nipple", "alexnet/conv5/0079"],
        ["-", "pectoralis muscle", "vgg16/conv5_3/0167"],
    ];
    assert_eq!(found, expected.map(|row| row.map(str::to_owned)));
    // Where the unit is there, so are its patches.
    let (_, table) = html.split_once("class=\"figure4 settled\"").unwrap();
    let (table, _) = table.split_once("</table>").unwrap();
    assert_eq!(table.matches("class=\"strip\"").count(), 1);
    assert_eq!(table.matches("not in this atlas").count(), 9);
    let csv = fixture.page("data/consensus.csv");
    assert_eq!(csv.lines().count(), 11);
    assert!(
        csv.contains("vgg16,conv5_3,0167,pectoralis muscle,pectoral-muscle,-,,,false"),
        "{csv}"
    );
    assert!(atlas::check(&fixture.site()).unwrap().is_empty());
}

#[test]
fn a_settled_unit_shows_the_consensus_with_the_readers_words_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = fixture(folder.path());
    let path = folder.path().join("consensus.yaml");
    std::fs::write(
        &path,
        "schema: 1\nstudy: test\nunits:\n  - unit: alexnet/conv5/0001\n    label: spiculated masses\n    \
         terms: [mass, margin-spiculated]\n    association: malignant\n    note: agreed on\n",
    )
    .unwrap();
    assert_eq!(settle(&mut fixture, &path), 0);
    fixture.build().unwrap();
    let birads = rows(&fixture.page("birads/index.html"), "id=\"labelled\"");
    assert_eq!(birads[0][0], "Mass - Margin");
    for said in [
        "spiculated masses",
        "agreed on",
        "reader-a: “masses with spiculated edge” associated with cancer",
        "reader-b: “calcifications, innumerable” not sure",
    ] {
        assert!(birads[0][1].contains(said), "{said:?} not in {:?}", birads[0][1]);
    }
    let unit = |number: u32| {
        reading::main_text(&fixture.page(&format!("networks/alexnet/conv5/{number:04}/index.html")))
    };
    insta::assert_snapshot!("settled_unit", unit(1));
    // The other unit stays in its reader's words.
    insta::assert_snapshot!("described_unit", unit(2));
}

#[test]
fn the_agreement_page_and_its_tables_hold_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = fixture(folder.path());
    let mut again = fixture.readers[0].answers[0].clone();
    again.repeat = true;
    again.phenomena[0].description = "seen another time".into();
    fixture.readers[0].answers.push(again);
    // b describes unit 2 in words alone, and sees nothing in unit 3.
    let extra: ReaderFile = serde_yaml::from_str(
        "schema: 1\nstudy: test\nreader: b\nlexicon: bi-rads-5\nanswers:\n  \
         - { unit: alexnet/conv5/0002, recognizable: yes, phenomena: [{ description: \
         'pectoral muscle, no calcifications', association: none }], seconds: 20 }\n  \
         - { unit: alexnet/conv5/0003, recognizable: no, seconds: 30 }\n",
    )
    .unwrap();
    fixture.readers[1].answers.extend(extra.answers);
    fixture.build().unwrap();
    // The unit of the network that is not in the atlas counts as answered.
    let page = fixture.page("agreement/index.html");
    let csv = fixture.page("data/agreement.csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let cells: Vec<Vec<String>> = reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let of = |who: &str, id: &str, coefficient: &str| {
        let row = cells.iter().find(|row| row[0] == who && row[3] == id && row[8] == coefficient);
        row.unwrap_or_else(|| panic!("{who} {id} {coefficient} in {csv}"))[9..].to_vec()
    };
    // Three units: yes yes, yes yes, no no.
    assert_eq!(of("readers", "recognizable", "krippendorff_alpha")[0], "1");
    assert_eq!(of("readers", "recognizable", "percent_agreement")[0], "1");
    assert_eq!(of("readers", "pectoral-muscle", "cohen_kappa")[0], "1", "by the suggested term");
    let undefined = of("reader with themself", "recognizable", "cohen_kappa");
    assert_eq!(undefined, ["", "", "", "all answers the same"]);
    insta::assert_snapshot!("agreement", reading::main_text(&page));
    // Text without terms: the suggestion and the words it comes from; nothing for what is negated.
    let unit = fixture.page("networks/alexnet/conv5/0002/index.html");
    assert!(unit.contains("<mark>pectoral muscle</mark>, no calcifications"), "{unit}");
    assert!(unit.contains("Suggested from the marked words"));
    // A repeat is no second reader.
    assert!(!fixture.page("networks/alexnet/conv5/0001/index.html").contains("another time"));
    assert!(!fixture.page("birads/index.html").contains("another time"));
    let readers = fixture.page("data/readers.csv");
    assert!(readers.contains("reader-b,alexnet,3,2,1,0,2,1,1,1,0,25\n"), "{readers}");
    assert!(atlas::check(&fixture.site()).unwrap().is_empty());
}

#[test]
fn expert_and_automatic_labels_meet_in_a_table_with_their_units() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = fixture(folder.path());
    let layer = &mut fixture.networks[0].layers[0];
    let concept = layer.concepts.iter().position(|c| c.id == "mass").unwrap();
    for unit in &mut layer.units {
        for (at, found) in unit.matches.iter_mut().enumerate() {
            found.iou = 0.2;
            let Some(chance) = &mut found.chance else { continue };
            chance.adjusted = if at == concept && unit.unit <= 2 { 0.01 } else { 0.5 };
        }
    }
    fixture.build().unwrap();
    let page = fixture.page("agreement/index.html");
    let row = &rows(&page, "id=\"automatic\"")[0];
    // Unit 1: two readers, one says mass: that is half of them. Unit 2: pectoral muscle.
    assert_eq!(row[0], "1 alexnet/conv5/0001", "{row:?}");
    assert_eq!(row[3], "1 alexnet/conv5/0002", "{row:?}");
    assert!(page.contains("href=\"../networks/alexnet/conv5/0001/index.html\""));
    let csv = fixture.page("data/expert_automatic.csv");
    assert!(
        csv.contains("alexnet,conv5,0002,mass,only outside BI-RADS,pectoral-muscle,false"),
        "{csv}"
    );
    assert!(page.contains("the label named that term in 1 of 2 (50%)"));
}

#[test]
fn without_readers_the_page_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = fixture(folder.path());
    fixture.readers.clear();
    fixture.build().unwrap();
    let page = fixture.page("agreement/index.html");
    assert!(page.contains("No reader has answered yet") && !page.contains("study-paragraph"));
    assert_eq!(fixture.page("data/agreement.csv").lines().count(), 1);
    assert!(atlas::check(&fixture.site()).unwrap().is_empty());
}

#[test]
fn hostile_words_in_every_field_are_inert() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = fixture(folder.path());
    let evil = "=cmd|'/c calc'!A1</script><script>alert(1)</script><img src=x onerror=alert(2)>\"onmouseover='x'{{ 7*7 }}";
    for reader in &mut fixture.readers {
        reader.reader = format!("{evil}{}", reader.reader);
        reader.study = evil.into();
        for answer in &mut reader.answers {
            answer.remarks = Some(evil.into());
            answer.answered_at = Some(evil.into());
            answer.questions = Some(Questions {
                q1: evil.into(),
                q2: evil.into(),
                q3: evil.into(),
                q4: evil.into(),
            });
            for phenomenon in &mut answer.phenomena {
                phenomenon.description = format!("{evil} mass {evil}");
                phenomenon.terms.clear();
            }
        }
    }
    let path = folder.path().join("consensus.yaml");
    let quoted = serde_json::to_string(evil).unwrap();
    std::fs::write(
        &path,
        format!(
            "schema: 1\nstudy: {quoted}\nunits:\n  - unit: alexnet/conv5/0003\n    label: {quoted}\n    \
             terms: [mass]\n    note: {quoted}\n  - unit: \"=a/<script>/0001\"\n    label: {quoted}\n    \
             categories: [\"-\"]\n"
        ),
    )
    .unwrap();
    settle(&mut fixture, &path);
    assert_eq!(fixture.consensus.units.len(), 2);
    fixture.build().unwrap();
    for entry in walkdir::WalkDir::new(fixture.site()) {
        let entry = entry.unwrap();
        let name = entry.path().to_string_lossy().into_owned();
        if name.ends_with(".html") {
            let html = std::fs::read_to_string(entry.path()).unwrap();
            for bad in ["<script>", "<img src=x", "\"onmouseover", "49"] {
                let found = html.contains(bad) && (bad != "49" || html.contains("'x'49"));
                assert!(!found, "{bad} in {name}");
            }
        } else if name.ends_with(".csv") {
            for record in csv::Reader::from_path(entry.path()).unwrap().records() {
                for cell in record.unwrap().iter() {
                    let formula = cell.starts_with(['=', '+', '@', '\t', '\r'])
                        || (cell.starts_with('-') && cell != "-" && cell.parse::<f64>().is_err());
                    assert!(!formula, "{name}: {cell}");
                }
            }
        }
    }
    assert!(atlas::check(&fixture.site()).unwrap().is_empty());
}
