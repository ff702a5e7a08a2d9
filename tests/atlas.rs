//! The built site: the same twice, complete, linked, inert to hostile text, open to a theme.

use std::collections::BTreeMap;
use std::path::Path;

use atlas::Record;
use base::{Notice, Split};
use config::Fineness;
use metrics::{Scored, Spread, compare};

use crate::support;
use crate::support::Fixture;
use crate::support::reading::main_text;

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            (path, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn mammograms_are_shown_as_fine_as_asked_in_tiles() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    let site = fixture.site();
    let tiles = site.join("mammograms/phantom-001/tiles");
    let outlines = |id: &str| {
        std::fs::read_to_string(site.join(format!("mammograms/{id}/outlines.js"))).unwrap()
    };
    let large = &mut fixture.manifest.mammograms[0].mammogram;
    (large.width, large.height) = (1100, 1500);
    fixture.build().unwrap();
    assert!(!tiles.exists() && !outlines("phantom-001").contains("tiles"));

    fixture.config.mammograms.height = Fineness::Source;
    fixture.build().unwrap();
    let sizes = "\"tiles\":{\"src\":\"mammograms/phantom-001/tiles/\",\"edge\":512,\
                 \"sizes\":[[275,375],[550,750],[1100,1500]]}";
    assert!(outlines("phantom-001").contains(sizes), "{}", outlines("phantom-001"));
    assert!(!outlines("phantom-002").contains("tiles"), "what was kept of it is all there is");
    assert_eq!(files(&tiles).len(), 1 + 4 + 9);
    let last = image::open(tiles.join("2/2_2.jpg")).unwrap().into_luma8();
    assert_eq!(last.dimensions(), (1100 - 1024, 1500 - 1024));
    // Greyer to the right, by 255 over 1100 columns.
    for (x, y) in [(0, 0), (75, 475)] {
        let grey = f64::from(last.get_pixel(x, y).0[0]);
        assert!((grey - 255.0 * f64::from(1024 + x) / 1100.0).abs() < 3.0, "{grey} at {x}");
    }
    assert_eq!(fixture.build().unwrap().written, 0);

    fixture.config.mammograms.height = Fineness::Pixels(1000);
    fixture.build().unwrap();
    assert!(outlines("phantom-001").contains("\"sizes\":[[367,500],[733,1000]]}"));
    assert_eq!(files(&tiles).len(), 1 + 4);
}

fn pages(folder: &Path) -> BTreeMap<String, String> {
    files(folder)
        .into_iter()
        .filter(|(path, _)| path.ends_with(".html"))
        .map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap()))
        .collect()
}

#[test]
fn builds_the_same_twice_and_then_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 20);
    fixture.write("content/about.md", "---\ntitle: About\n---\nText.\n");
    let first = fixture.build().unwrap();
    // Units, mammograms, terms and their list, cases and theirs.
    assert_eq!(first.pages, 11 + 2 + 1 + 2 + 2 + 20 + 12 + 12 + 7 + 1 + 3 + 1);
    assert_eq!(first.written, files(&fixture.site()).len());
    let second = fixture.build().unwrap();
    assert_eq!((second.written, second.removed), (0, 0));
    assert_eq!(
        (second.pages, second.images, second.bytes),
        (first.pages, first.images, first.bytes)
    );
    // Elsewhere, with one thread, it is the same to the byte.
    let other = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| fixture.build_to(other.path(), &folder.path().join("other.json"))).unwrap();
    assert!(files(&fixture.site()) == files(other.path()));
    let record = Record::read(&fixture.record()).unwrap();
    assert!(record.is_fresh(&fixture.stamp(), &fixture.site()));
    assert_eq!(record.files.len(), files(&fixture.site()).len());
}

#[test]
fn one_label_renders_only_what_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 8);
    fixture.build().unwrap();
    let before = files(&fixture.site());
    let answer = &mut fixture.readers[0].answers[2];
    assert_eq!(answer.unit, "alexnet/conv5/0003");
    answer.remarks = Some("Looked again.".into());
    // A page that was not rendered again keeps even what someone else made of it.
    let other = fixture.site().join("networks/alexnet/conv5/0004/index.html");
    let marked = std::fs::read_to_string(&other).unwrap().replacen("DOCTYPE", "doctype", 1);
    std::fs::write(&other, marked).unwrap();
    let report = fixture.build().unwrap();
    assert_eq!(report.written, 1, "{report:?}");
    assert!(fixture.page("networks/alexnet/conv5/0003/index.html").contains("Looked again."));
    assert!(fixture.page("networks/alexnet/conv5/0004/index.html").contains("doctype"));
    // Everything is rendered again for another title.
    fixture.config.title = "Another".into();
    let report = fixture.build().unwrap();
    // But the survey, which stands by itself and does not show it.
    let shows = |path: &&String| path.ends_with(".html") && *path != "survey/index.html";
    let pages = before.keys().filter(shows).count();
    // And what is searched, for the page that says how to cite the atlas has its title in prose; and what the tables
    // are said to be.
    assert_eq!(report.written, pages + 2);
    // And the answer's words reach every page that names the unit.
    fixture.readers[0].answers[2].recognizable = study::answer::Recognizable::Yes;
    fixture.readers[0].answers[2].phenomena = fixture.readers[0].answers[1].phenomena.clone();
    fixture.build().unwrap();
    for (path, words, times) in [
        ("networks/alexnet/conv5/units.js", "\"label\":\"pectoral muscle\"", 2),
        // With each unit, and with the term, whose page quotes both readers.
        ("data/search.js", "pectoralis muscle", 4),
        ("data/labels.csv", "pectoralis muscle", 2),
    ] {
        assert_eq!(fixture.page(path).matches(words).count(), times, "{path}");
    }
}

#[test]
fn the_first_page_shows_one_unit_and_the_ways_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 8);
    fixture.build().unwrap();
    let home = fixture.page("index.html");
    let at = |mark: &str| home.find(mark).unwrap_or_else(|| panic!("no {mark}"));
    let order =
        ["class=\"example", "class=\"doors\"", "id=\"telling\"", "id=\"networks\"", "id=\"facts\""];
    assert!(order.is_sorted_by_key(|mark| at(mark)), "{order:?}");
    // The best detector of all, with the place of its first patch; names without how they were come by.
    let unit = |after: &str| {
        let rest = &home[at(after)..];
        rest[rest.find("networks/").unwrap()..].split("/index.html").next().unwrap().to_owned()
    };
    assert_eq!(unit("class=\"example-link\""), unit("id=\"telling\""));
    assert_eq!(home.matches("class=\"window\"").count(), 1);
    assert!(!home.contains(": automatic, IoU"), "{home}");
    let doors = &home[at("class=\"doors\"")..at("id=\"telling\"")];
    for door in ["methods/index.html", "networks/resnet18/layer4/index.html", "survey/index.html"] {
        assert!(doors.contains(door), "{door}: {doors}");
    }
    // What an atlas without detectors, without whole mammograms and with a page about itself says instead.
    fixture.config.dissection.detector = 0.99;
    fixture.manifest.mammograms.iter_mut().for_each(|member| member.preview = None);
    fixture.write("content/about.md", "---\ntitle: About\n---\nText.\n");
    fixture.build().unwrap();
    let home = fixture.page("index.html");
    assert!(
        home.contains("No unit of this atlas finds anything") && home.contains("comes closest")
    );
    assert!(!home.contains("example-whole") && !home.contains("id=\"telling\""));
    assert!(home.contains("about/index.html\">What is it?"));
}

#[test]
fn a_unit_page_answers_before_it_proves() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 6);
    fixture.build().unwrap();
    let html = fixture.page("networks/alexnet/conv5/0002/index.html");
    let summary = html.find("class=\"summary\"").unwrap();
    assert!(html.find("<h1").unwrap() < summary && summary < html.find("id=\"patches\"").unwrap());
    let (_, summary) = html.split_once("<dl class=\"summary\">").unwrap();
    let summary = words(summary.split("</dl>").next().unwrap());
    insta::assert_snapshot!("unit_summary", summary);
    let unit = &fixture.networks[0].layers[0].units[1];
    let with_cancer =
        unit.top.iter().filter(|top| fixture.manifest.patches[top.patch as usize].positive);
    for figure in [
        format!("{:.3} AUC for cancer", unit.cancer_auc.unwrap()),
        format!("{} of {} top patches with cancer", with_cancer.count(), unit.top.len()),
    ] {
        assert!(summary.contains(&figure), "{figure}: {summary}");
    }
}

#[test]
fn a_unit_page_is_small_and_holds_every_patch() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 6);
    fixture.build().unwrap();
    let html = fixture.page("networks/alexnet/conv5/0002/index.html");
    let (_, drawn) = html.split_once("id=\"atlas-drawn\">").unwrap();
    let drawn: serde_json::Value =
        serde_json::from_str(drawn.split("</script>").next().unwrap()).unwrap();
    let written = html.matches("class=\"patch\"").count();
    let unit = &fixture.networks[0].layers[0].units[1];
    let top = &drawn["top"];
    let count = top["mammogram"].as_array().unwrap().len();
    assert_eq!((written, written + count), (12, unit.top.len()));
    assert_eq!(drawn["levels"].as_array().unwrap().len(), unit.sample.len());
    for (at, kept) in unit.top[written..].iter().enumerate() {
        let patch = &fixture.manifest.patches[kept.patch as usize];
        let [x, y, edge] = ["x", "y", "edge"].map(|key| top[key][at].as_u64().unwrap() as u32);
        assert_eq!((x, y, edge), (patch.x, patch.y, patch.edge));
        assert_eq!(top["cancer"][at], patch.positive);
        assert_eq!(top["overlay"][at].as_str().unwrap().is_empty(), kept.overlay.is_empty());
        let id = top["mammogram"][at].as_str().unwrap();
        assert!(
            fixture.site().join(format!("patches/{id}-y{y}_x{x}_h{edge}_w{edge}.jpg")).exists()
        );
        assert!(fixture.site().join(format!("mammograms/{id}/outlines.js")).exists());
        let page = fixture.page(&format!("mammograms/{id}/index.html"));
        assert!(page.contains(&format!("id=\"y{y}_x{x}_h{edge}_w{edge}\"")));
        assert!(page.contains("alexnet/conv5/0002"));
    }
    // Overlays of the fixture have forty corners.
    assert!(html.len() < 32_000, "{}", html.len());
}

#[test]
fn concepts_and_mammograms_name_their_units() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 8);
    fixture.build().unwrap();
    insta::assert_snapshot!("concepts", main_text(&fixture.page("concepts/index.html")));
    assert!(!fixture.site().join("concepts/breast").exists());
    let term = fixture.page("concepts/margin-spiculated/index.html");
    insta::assert_snapshot!("concept", main_text(&term));
    let layer = &fixture.networks[0].layers[0];
    let at = layer.concepts.iter().position(|c| c.id == "margin-spiculated").unwrap();
    let best = layer.units.iter().max_by(|a, b| a.matches[at].iou.total_cmp(&b.matches[at].iou));
    let best = best.unwrap();
    let first = term.split("class=\"number\">IoU ").nth(1).unwrap();
    assert!(first.starts_with(&format!("{:.3}", best.matches[at].iou)), "{first:.20}");
    assert!(term.contains(&format!("networks/alexnet/conv5/{:04}/index.html", best.unit)));
    // The first patch of the first unit, and the mammogram it was cut from.
    let patch = &fixture.manifest.patches[layer.units[0].top[0].patch as usize];
    let id = &fixture.manifest.member(patch).mammogram.id;
    let page = words(&fixture.page(&format!("mammograms/{id}/index.html")));
    assert!(page.contains("alexnet/conv5/0001 mass, spiculated 2 of 2"), "{page}");
    assert!(page.contains("alexnet/conv5/0001 rank 1"), "{page}");
    let cut = fixture.manifest.patches.iter().filter(|p| p.mammogram == patch.mammogram).count();
    assert!(page.contains(&format!("validation split, {cut} patches")), "{page}");
}

#[test]
fn stale_files_go_and_foreign_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 6);
    // Cases show patches of their own.
    fixture.explanations.clear();
    fixture.build().unwrap();
    let foreign = fixture.site().join("networks/alexnet/conv5/0006/notes.txt");
    std::fs::write(&foreign, "mine").unwrap();
    fixture.networks[0].layers[0].units.truncate(4);
    let report = fixture.build().unwrap();
    assert!(report.removed >= 2, "{report:?}");
    assert!(!fixture.site().join("networks/alexnet/conv5/0005").exists());
    assert!(!fixture.site().join("networks/alexnet/conv5/0006/index.html").exists());
    assert!(foreign.exists());
    // Only what the units show is there.
    let shown: std::collections::BTreeSet<u32> = fixture
        .networks
        .iter()
        .flat_map(|n| &n.layers)
        .flat_map(|l| &l.units)
        .flat_map(|u| u.shown().map(|t| t.patch))
        .collect();
    let kept = files(&fixture.site()).keys().filter(|f| f.starts_with("patches/")).count();
    assert_eq!(kept, shown.len());
}

#[test]
fn every_link_resolves_and_a_missing_image_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 8);
    fixture.write("content/about.md", include_str!("../content/about.md"));
    fixture.build().unwrap();
    let problems = atlas::check(&fixture.site()).unwrap();
    assert!(problems.is_empty(), "{}", problems[0]);
    let patch = files(&fixture.site()).into_keys().find(|f| f.starts_with("patches/")).unwrap();
    std::fs::remove_file(fixture.site().join(&patch)).unwrap();
    let problems = atlas::check(&fixture.site()).unwrap();
    assert!(!problems.is_empty() && problems.iter().all(|p| p.message.contains(&patch)));
}

#[test]
fn phantoms_are_called_phantoms_on_every_page_and_real_images_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    fixture.write("content/about.md", "---\ntitle: About\n---\nText.\n");
    fixture.build().unwrap();
    for (path, html) in pages(&fixture.site()) {
        assert!(html.contains("<strong>Phantoms.</strong>"), "{path}");
        assert!(html.contains("For research only"), "{path}");
    }
    fixture.manifest.source.phantom = false;
    fixture.build().unwrap();
    for (path, html) in pages(&fixture.site()) {
        assert!(!html.contains("<strong>Phantoms.</strong>"), "{path}");
    }
    // Random weights are said on every page of their network, and of no other.
    for (path, html) in pages(&fixture.site()) {
        let said = html.contains("resnet18 was trained here from random weights.");
        assert_eq!(said, path.starts_with("networks/resnet18"), "{path}");
    }
}

#[test]
fn no_path_of_this_machine_and_no_clock_reaches_the_site() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 4);
    fixture.build().unwrap();
    let machine = folder.path().to_string_lossy().into_owned();
    for (path, bytes) in files(&fixture.site()) {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&machine), "{path}");
        // Seconds of an epoch in the fixture.
        assert!(!text.contains("17.12") && !text.contains("18.12"), "{path}");
    }
    let data = fixture.page("data/index.html");
    assert!(data.contains("25 inputs could not be used") && data.contains("and 5 more"));
    assert!(fixture.page("methods/index.html").contains("alexnet-owt.pth"));
}

#[test]
fn of_very_many_notices_the_first_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    let notice = |skipped: bool| {
        move |number: u32| Notice {
            place: format!("image-{number:05}"),
            message: "has the pixels of another".into(),
            skipped,
        }
    };
    fixture.manifest.notices = (0..30_000).map(notice(true)).collect();
    fixture.manifest.notices.extend((0..20_000).map(notice(false)));
    fixture.build().unwrap();
    let page = fixture.page("data/index.html");
    assert!(page.len() < 200_000, "{}", page.len());
    assert_eq!(page.matches("has the pixels of another").count(), 1000);
    assert!(page.contains("30000 inputs could not be used. The first 500 are listed"));
    assert!(page.contains("The first 500 of 20000 are listed"));
}

#[test]
fn hostile_text_is_inert() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    let evil = "=HYPERLINK(\"x\")<script>alert(1)</script>\"onmouseover='x'";
    fixture.readers[0].reader = evil.into();
    fixture.readers[0].answers[0].remarks = Some(evil.into());
    fixture.readers[0].answers[0].phenomena[0].description = evil.into();
    fixture.readers[0].answers[0].phenomena[0].terms = vec![evil.into()];
    fixture.config.title = evil.into();
    fixture.manifest.source.description = evil.into();
    fixture.manifest.notices[0].message = evil.into();
    fixture.manifest.mammograms[1].mammogram.patient = "+1".into();
    fixture.manifest.mammograms[1].mammogram.facts.insert(evil.into(), evil.into());
    for member in &mut fixture.manifest.mammograms {
        for lesion in &mut member.mammogram.lesions {
            lesion.terms = vec![];
            lesion.source_words = evil.into();
        }
    }
    fixture.write(
        "content/evil.md",
        "---\ntitle: '<script>alert(2)</script>'\n---\n\
         <script>alert(3)</script>\n\n[x](javascript:alert(4)) <img src=x onerror=alert(5)>\n",
    );
    fixture.build().unwrap();
    for (path, html) in pages(&fixture.site()) {
        assert!(!html.contains("<script>"), "{path}");
        assert!(!html.contains("<img src=x"), "{path}");
        assert!(!html.contains("\"onmouseover"), "{path}");
        assert!(!html.to_lowercase().contains("=\"javascript:"), "{path}");
    }
    assert!(atlas::check(&fixture.site()).unwrap().is_empty());
    for (path, bytes) in files(&fixture.site()) {
        if path.ends_with(".js") && !path.starts_with("assets/") {
            let data = String::from_utf8(bytes.clone()).unwrap();
            assert!(!data.contains('<'), "{path}");
            let (_, value) = data.split_once("]=").unwrap();
            let value = value.trim_end().trim_end_matches(';');
            serde_json::from_str::<serde_json::Value>(value).unwrap();
        }
        if !path.ends_with(".csv") {
            continue;
        }
        for record in csv::Reader::from_reader(bytes.as_slice()).records() {
            for field in record.unwrap().iter() {
                // A dash alone is the category of what BI-RADS has no word for.
                let formula = field != "-" && field.starts_with(['=', '+', '-', '@', '\t', '\r']);
                assert!(
                    !formula || field.parse::<f64>().is_ok_and(|_| !field.starts_with('+')),
                    "{path}: {field}"
                );
            }
        }
    }
    fixture.manifest.mammograms[0].mammogram.id = "../../evil".into();
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(message.contains("../../evil") && message.contains("file name"), "{message}");
}

#[test]
fn cases_say_what_the_evidence_is_and_how_much_of_it_has_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 6);
    fixture.build().unwrap();
    let list = fixture.page("cases/index.html");
    // Of the evidence in all mammograms unit 1, which readers name as they do 2, has 2 of 3 parts; in each, 2 of 5.
    assert!(list.contains("People have named 2 units") && list.contains("<strong>67%</strong>"));
    assert!(list.contains("Units that people named account for 40% of the evidence"));
    // Of the cancers it finds, a quarter of the region lies in a lesion, which covers half of the patch.
    let found = fixture.explanations[0].mammograms.iter().filter(|explained| {
        let member = &fixture.manifest.mammograms[explained.mammogram as usize];
        explained.probability >= 0.5 && member.mammogram.has_cancer()
    });
    let found = found.count();
    assert!(found > 0);
    for unit in ["that contributes most", "with a name that contributes most"] {
        let cells = format!(
            "{unit}</th><td class=\"num\">{found}</td><td class=\"num\">25% <span \
             class=\"interval\">(50%)</span></td><td class=\"num\">0% <span class=\"interval\">(0%)</span>\
             </td><td class=\"num\">0 of {found}</td>"
        );
        assert!(list.contains(&cells), "{cells}");
    }
    // The other unit with evidence, 3, has been asked about: nothing is recognisable in it.
    assert_eq!(fixture.page("data/next_units.csv").lines().count(), 1);
    let explained = &fixture.explanations[0].mammograms;
    let table = fixture.page("data/explanations.csv");
    assert_eq!(table.lines().count(), explained.len() + 1);
    assert!(table.lines().nth(1).unwrap().ends_with(",false,0001; 0003,2; 1,0"));
    let cases: Vec<String> = files(&fixture.site())
        .into_keys()
        .filter(|path| path.starts_with("cases/alexnet/"))
        .collect();
    assert!((2..=4).contains(&cases.len()), "{}", cases.len());
    insta::assert_snapshot!("case", main_text(&fixture.page(&cases[0])));

    fixture.config.cases.list = vec!["nobody".into()];
    let message = fixture.build().unwrap_err().to_string();
    assert!(message.contains("`cases.list`") && message.contains("nobody"), "{message}");
}

#[test]
fn tables_hold_the_columns_of_the_design() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 4);
    fixture.build().unwrap();
    let table = |name: &str| {
        let text = fixture.page(&format!("data/{name}"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().iter().collect::<Vec<_>>().join(", ");
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_string).collect()).collect();
        (header, rows)
    };
    let (header, rows) = table("networks.csv");
    assert_eq!(
        header,
        "network, layer_count, parameters, auc, auc_low, auc_high, positives, negatives, weights_blake3, auc_no_interval"
    );
    assert_eq!(rows[0][..3], ["alexnet", "1", "57012034"]);
    let auc = fixture.networks[0].evaluation.auc.unwrap();
    let interval = auc.spread.interval().unwrap();
    assert_eq!(rows[0][3..6], [auc.value, interval.low, interval.high].map(|v| v.to_string()));
    assert_eq!(rows[0][9], "");
    let (header, rows) = table("units.csv");
    assert_eq!(
        header,
        "network, layer, unit, max_score, threshold, concept, iou, influence_rank, labels, categories, p_corrected, cancer_auc, positive_share, gradient_cancer, weighted_cancer, top8, ablation, kind, named_by, terms, detects, synthetic_activation, groups_p"
    );
    assert_eq!(rows.len(), 16);
    assert_eq!(rows[0][2], "0001");
    assert_eq!(rows[0][8], "mass, spiculated 2 of 2; calcifications 1 of 2");
    assert_eq!(rows[0][9], "Mass - Margin; Calcification");
    assert_eq!((rows[1][7].as_str(), rows[1][9].as_str()), ("2", ""));
    assert_eq!(rows[1][17..20], ["live", "readers", "pectoral-muscle"]);
    let (header, rows) = table("top_patches.csv");
    assert_eq!(
        header,
        "network, layer, unit, rank, patch, score, mammogram, x, y, width, height, positive, roi_x, roi_y, roi_width, roi_height"
    );
    assert_eq!(rows.len(), 16 * 24);
    assert_eq!(rows[0][12..], rows[0][7..11]);
    let (header, rows) = table("concepts.csv");
    assert_eq!(
        header,
        "network, layer, unit, concept, category, iou, iou_within, auc, chance_mean, chance_high, p, p_corrected, detector"
    );
    assert_eq!(rows.len(), 16 * 6);
    let of = |row: usize| [3, 4, 12].map(|column: usize| rows[row][column].as_str());
    assert_eq!(of(0), ["malignant", "pathology", "true"]);
    // However well a unit overlaps the breast, that is no name for it.
    assert_eq!(of(5), ["breast", "breast", "false"]);
    let (_, rows) = table("units.csv");
    assert!(rows.iter().all(|row| row[5] != "breast"));
    let (_, rows) = table("top_patches.csv");
    assert_eq!(rows[0][3], "1");
    let (header, rows) = table("labels.csv");
    assert_eq!(header, "reader, network, layer, unit, phenomenon, terms, association, confidence");
    assert_eq!(rows.len(), 4);
    assert_eq!(
        rows[0],
        [
            "reader-a",
            "alexnet",
            "conv5",
            "0001",
            "masses with spiculated edge",
            "margin-spiculated",
            "malignant",
            "4"
        ]
    );
    let (header, rows) = table("patches.csv");
    assert_eq!(
        header,
        "patch, mammogram, patient, split, x, y, width, height, positive, lesion_fraction, patch_fraction, breast_fraction, benign, lesion_fraction_malignant_mass, patch_fraction_malignant_mass, lesion_fraction_malignant_calcification, patch_fraction_malignant_calcification, lesion_fraction_any, patch_fraction_any, lesion_fraction_mass, patch_fraction_mass, lesion_fraction_calcification, patch_fraction_calcification"
    );
    assert_eq!(rows.len(), fixture.manifest.patches.len());
    let train = rows.iter().filter(|row| row[3] == "train").count();
    assert_eq!(train, fixture.manifest.of_split(Split::Train).len());
}

#[test]
fn the_data_page_counts_draws_and_shows_outlines() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    fixture.build().unwrap();
    let page = fixture.page("data/index.html");
    let members = &fixture.manifest.mammograms;
    let of = |wanted: mammogram::Pathology| {
        let lesions = members.iter().flat_map(|m| &m.mammogram.lesions);
        lesions.filter(|l| l.pathology == wanted).count()
    };
    let malignant = of(mammogram::Pathology::Malignant);
    assert!(malignant > 0);
    assert!(
        row(&page, "malignant").ends_with(&format!(" {malignant}")),
        "{}",
        row(&page, "malignant")
    );
    // Every mammogram of so few, with its outlines, and its picture is there.
    let sheet = page.split("<ul class=\"sheet\">").nth(1).unwrap().split("</ul>").next().unwrap();
    assert_eq!(sheet.matches("<figure>").count(), members.len());
    let outlined = members.iter().flat_map(|m| &m.mammogram.lesions).flat_map(|l| &l.outlines);
    assert_eq!(sheet.matches("class=\"lesion ").count(), outlined.count());
    for member in members {
        let picture = format!("mammograms/{}.jpg", member.mammogram.id);
        assert!(fixture.site().join(picture).is_file());
    }
    assert!(!page.contains("LOBULATED"));
    // Words of DDSM are shown with what they became, and what is lost.
    fixture.manifest.source.kind = "ddsm".into();
    fixture.build().unwrap();
    let page = fixture.page("data/index.html");
    let said = row(&page, "LOBULATED");
    assert!(said.contains("lobular") && said.contains("oval") && said.contains('*'), "{said}");
    assert!(!row(&page, "SPICULATED").contains('*'));
}

#[test]
fn the_birads_table_has_the_form_of_figure_4() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 4);
    let report = fixture.build().unwrap();
    // One row per unit, terms with their counts, the readers' words below; anatomy has a dash for a
    // category.
    insta::assert_snapshot!("birads", main_text(&fixture.page("birads/index.html")));
    // An answer on a unit that is not in the atlas is told.
    assert_eq!(report.notices.len(), 1);
    assert!(report.notices[0].message.contains("vgg16/conv5_3/0063"));
}

/// What a reader sees of a piece of a page: its text, blanks squeezed.
fn words(html: &str) -> String {
    let mut text = String::new();
    for (i, piece) in html.split('<').enumerate() {
        let visible = if i == 0 { piece } else { piece.split_once('>').map_or("", |p| p.1) };
        text.push(' ');
        text.push_str(visible);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The row of a table that begins with this header cell.
fn row(html: &str, start: &str) -> String {
    let cut = |row: &str| row.split("</tr>").next().unwrap_or_default().to_string();
    let found = html.split("<tr").map(|row| words(&format!("<tr{}", cut(row))));
    let mut rows = found.filter(|row| row.starts_with(start));
    rows.next().unwrap_or_else(|| panic!("no row {start:?} in {}", words(html)))
}

#[test]
fn the_performance_page_says_what_the_evaluations_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 2);
    fixture.build().unwrap();
    let html = fixture.page("performance/index.html");
    let found = &fixture.networks[0].evaluation;
    let auc = found.auc.unwrap();
    let interval = auc.spread.interval().unwrap();
    let bootstrap = found.assessment.levels.patch.bootstrap.unwrap().interval().unwrap();
    assert!(auc.value > 0.8 && auc.value < 0.999, "{auc:?}");
    assert_eq!(
        row(&html, "alexnet 0.8632"),
        format!(
            "alexnet 0.8632 {:.3} ({:.3}–{:.3}) {:.3}–{:.3} {} {}",
            auc.value,
            interval.low,
            interval.high,
            bootstrap.low,
            bootstrap.high,
            found.positives,
            found.negatives
        )
    );
    assert_eq!(row(&html, "vgg16"), "vgg16 0.8929 – – – –");
    assert_eq!(row(&html, "inception_v3"), "inception_v3 0.8805 – – – –");
    assert_eq!(row(&html, "resnet152"), "resnet152 0.8757 – – – –");
    let other = fixture.networks[1].evaluation.auc.unwrap();
    assert!(row(&html, "resnet18 –").starts_with(&format!("resnet18 – {:.3} (", other.value)));
    assert!(html.contains("Not comparable."));

    // The paired test on the very scores.
    let cases = |network: usize| -> Vec<Scored> {
        let scores = &fixture.networks[network].evaluation.scores;
        let truth = |patch: u32| fixture.manifest.patches[patch as usize].positive;
        let case = |(n, p): &(u32, Vec<f32>)| Scored { score: p[1], positive: truth(*n) };
        scores.iter().map(case).collect()
    };
    let test = compare(&cases(0), &cases(1)).unwrap();
    assert!((test.difference - (auc.value - other.value)).abs() < 1e-12);
    let pair = row(&html, "alexnet resnet18");
    assert!(pair.starts_with(&format!("alexnet resnet18 +{:.3} (", test.difference)), "{pair}");
    let p = test.p.unwrap();
    let p = if p < 0.001 { "&lt; 0.001".into() } else { format!("{p:.3}") };
    assert!(pair.ends_with(&p), "{pair} {p}");
    // Both curves are in the chart and named without colour.
    assert_eq!(html.matches("class=\"mark\"").count(), 2);
    assert!(html.contains(&format!(">1 alexnet {:.3}<", auc.value)));

    fixture.manifest.source.kind = "ddsm".into();
    fixture.build().unwrap();
    assert!(fixture.page("performance/index.html").contains("Not comparable."), "phantoms");
    fixture.manifest.source.phantom = false;
    fixture.build().unwrap();
    assert!(!fixture.page("performance/index.html").contains("Not comparable."));
    fixture.manifest.source.kind = "mini_mias".into();
    fixture.build().unwrap();
    assert!(fixture.page("performance/index.html").contains("Not comparable."));
    assert!(fixture.page("index.html").contains("performance/index.html"));
}

#[test]
fn a_network_page_holds_levels_points_calibration_and_subgroups() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 2);
    fixture.build().unwrap();
    let html = fixture.page("networks/alexnet/index.html");
    let found = &fixture.networks[0].evaluation.assessment;
    let level = &found.levels.patient_max;
    let auc = level.auc.unwrap();
    let patient = row(&html, "patient greatest patch");
    assert!(
        patient.starts_with(&format!("patient greatest patch {:.3} (", auc.value)),
        "{patient}"
    );
    let counts = format!(" {} {}", level.positives, level.negatives);
    assert!(patient.ends_with(&counts), "{patient} {counts}");
    let point = &found.levels.patch.operating_points[1];
    let held = row(&html, "specificity ≥ 0.90");
    let shares = format!(
        " {:.3} ({:.3}–{:.3}) {:.3}",
        point.sensitivity.value,
        point.sensitivity.low,
        point.sensitivity.high,
        point.specificity.value
    );
    assert!(held.ends_with(&shares), "{held} {shares}");
    let (_, threshold) = held.split_once("0.90 ").unwrap();
    let threshold: f32 = threshold.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(Some(threshold), point.threshold);
    let calibration = found.calibration.as_ref().unwrap();
    assert!(html.contains(&format!("Brier score {:.3}", calibration.brier)));
    assert!(
        html.contains(&format!("expected calibration error {:.3}", calibration.expected_error))
    );
    assert_eq!(html.matches("class=\"dot\"").count(), calibration.bins.len());
    let (_, section) = html.split_once("id=\"subgroups\"").unwrap();
    for group in &found.subgroups {
        let term = fixture.lexicons.term(&group.value);
        let name = term.map_or(group.value.replace('-', " "), |entry| entry.term.name.clone());
        let area = group.auc.map_or("too few".into(), |auc| {
            let spread = match auc.spread {
                Spread::Interval(of) => format!("{:.3}–{:.3}", of.low, of.high),
                Spread::None(why) => format!("no interval: {why}"),
            };
            format!("{:.3} ({spread})", auc.value)
        });
        let start = format!("{name} {area}");
        assert_eq!(
            row(section, &start),
            format!("{start} {} {}", group.positives, group.negatives)
        );
    }
    let kinds: std::collections::BTreeSet<_> =
        found.subgroups.iter().map(|group| group.attribute).collect();
    assert_eq!(kinds.len(), 4, "{:?}", found.subgroups);
    assert!(!html.contains("Each class against the others"));

    fixture.manifest.patching.classes = 3;
    let scores = support::scores(&fixture.manifest, true);
    let evaluation = fixture.networks[0].evaluation.clone();
    fixture.networks[0].evaluation = support::rescored(evaluation, &fixture.manifest, scores);
    fixture.build().unwrap();
    let html = fixture.page("networks/alexnet/index.html");
    let (_, html) = html.split_once("id=\"classes\"").unwrap();
    let classes = fixture.networks[0].evaluation.assessment.classes.as_ref().unwrap();
    let benign = row(html, "benign");
    assert!(benign.starts_with(&format!("benign {}", classes.each[1].patches)), "{benign}");
    let called: Vec<String> = classes.confusion[1].iter().map(u32::to_string).collect();
    assert!(benign.ends_with(&called.join(" ")), "{benign}");
    assert!(html.contains(&format!("Mean of the areas {:.3}", classes.mean_auc.unwrap())));
}

#[test]
fn a_theme_replaces_one_file_or_one_block() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    fixture.config.theme = "mine".into();
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(message.contains("no theme `mine`") && message.contains("`default`"), "{message}");
    fixture.write("themes/mine/assets/atlas.css", "body { color: teal }");
    fixture.write("themes/mine/assets/logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
    fixture.write(
        "themes/mine/templates/unit.html",
        "{% extends \"default/unit.html\" %}{% block scores %}<p>No {{ view.number }}</p>{% endblock scores %}",
    );
    fixture.write(
        "themes/mine/templates/base.html",
        "{% extends \"default/base.html\" %}{% block footer %}Our hospital{% endblock footer %}",
    );
    fixture.build().unwrap();
    let unit = fixture.page("networks/alexnet/conv5/0003/index.html");
    assert!(unit.contains("<p>No 0003</p>") && !unit.contains("id=\"scores\""));
    assert!(unit.contains("id=\"concepts\"") && unit.contains("Our hospital"));
    assert!(fixture.page("index.html").contains("Our hospital"));
    assert_eq!(fixture.page("assets/atlas.css"), "body { color: teal }");
    assert!(fixture.page("assets/atlas.js").contains("use strict"));
    assert!(fixture.site().join("assets/logo.svg").exists());
    let before = atlas::surroundings(&fixture.config).unwrap();
    fixture.write("themes/mine/templates/unit.html", "\n{% if %}");
    assert_ne!(atlas::surroundings(&fixture.config).unwrap(), before);
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(
        message.contains("`mine`")
            && message.contains(" themes/mine/templates/unit.html:2:")
            && message.contains('^'),
        "{message}"
    );
    fixture.write("themes/mine/templates/unit.html", "a\n {{ view.nothing.at_all }}");
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(message.contains("unit.html:2:") && message.contains("^^"), "{message}");
}

#[test]
fn the_methods_are_drawn_from_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 3);
    fixture.build().unwrap();
    let page = fixture.page("methods/index.html");
    let grid = page.split_once("<figure aria-labelledby=\"figure-grid\">").unwrap().1;
    let (grid, _) = grid.split_once("</figure>").unwrap();
    // Every window of that mammogram with its label, the shown one with its picture.
    let id = grid.split("mammograms/").nth(1).unwrap().split(".jpg").next().unwrap();
    let manifest = &fixture.manifest;
    let own: Vec<_> = manifest
        .patches
        .iter()
        .filter(|patch| manifest.mammograms[patch.mammogram as usize].mammogram.id == id)
        .collect();
    assert!(!own.is_empty());
    assert_eq!(grid.matches("class=\"grid-window").count(), own.len());
    let positive = own.iter().filter(|patch| patch.positive).count();
    assert_eq!(grid.matches("class=\"grid-label positive\"").count(), positive);
    assert_eq!(grid.matches("class=\"grid-window example\"").count(), 1);
    assert!(grid.contains(&format!("../patches/{id}-y")));
    // The layers there are, the dissected ones with their units.
    let (_, chains) = page.split_once("id=\"chains\"").unwrap();
    let (chains, rest) = chains.split_once("</section>").unwrap();
    for layer in ["conv1", "conv4", "layer3"] {
        assert!(chains.contains(&format!("<span class=\"layer\">{layer}</span>")), "{layer}");
    }
    assert_eq!(chains.matches("class=\"layer dissected\"").count(), 2);
    // One patch: its map, its overlay, its score.
    let (_, passage) = rest.split_once("id=\"passage\"").unwrap();
    let (passage, _) = passage.split_once("</section>").unwrap();
    let name = passage.split("href=\"../networks/").nth(1).unwrap().split("/index").next().unwrap();
    let unit = fixture.page(&format!("networks/{name}/index.html"));
    let overlay = passage.rsplit("H-9Z").next().unwrap().split('"').next().unwrap();
    assert!(unit.contains(overlay) && overlay.len() > 20, "{overlay}");
    assert!(
        passage.matches("<rect").count() > 10 && passage.matches("class=\"greatest\"").count() == 1
    );
}

#[test]
fn answers_without_a_description_go_by_their_terms() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 3);
    let answer = fixture.readers[0].answers.first_mut().unwrap();
    let unit = answer.unit.clone();
    answer.phenomena.truncate(1);
    answer.phenomena[0].description = String::new();
    answer.phenomena[0].terms = vec!["mass".into(), "margin-spiculated".into()];
    fixture.readers.truncate(1);
    fixture.build().unwrap();
    let page = fixture.page(&format!("networks/{unit}/index.html"));
    assert!(page.contains("<h1>mass, spiculated</h1>"), "{unit}");
    for page in [page, fixture.page("birads/index.html"), fixture.page("concepts/mass/index.html")]
    {
        assert!(!page.contains("“”") && !page.contains("<em></em>"));
    }
    assert!(fixture.page("data/units.csv").contains("\"mass, spiculated\""));
}

#[test]
fn shortcodes_embed_the_atlas_and_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 3);
    let picture = image::GrayImage::new(7, 5);
    std::fs::create_dir_all(folder.path().join("content/images")).unwrap();
    picture.save(folder.path().join("content/images/scheme.png")).unwrap();
    fixture.write(
        "content/tour.md",
        "---\ntitle: Tour\n---\nFirst:\n{{ unit(\"alexnet/conv5/0001\") }}\nthen\n\n\
         {{ patch(\"resnet18/layer4/0002\", 3) }}\n\n\
         {{ figure(\"scheme.png\", \"A <scheme>\") }}\n\n{{ table(\"units.csv\", 2) }}\n",
    );
    fixture.build().unwrap();
    let page = fixture.page("tour/index.html");
    let (first, _) = page.split_once("<p>then</p>").unwrap();
    assert!(first.contains("<p>First:</p>") && first.contains("alexnet/conv5/0001/index.html\">"));
    assert_eq!(first.matches("class=\"picture\"").count(), 6);
    assert!(words(&page).contains("Patch 3 of resnet18/layer4/0002"), "{}", words(&page));
    let long = words(&page).split(' ').any(|word| {
        word.split_once('.').is_some_and(|(_, behind)| {
            behind.len() > 7 && behind.bytes().all(|byte| byte.is_ascii_digit())
        })
    });
    assert!(!long, "tables are rounded: {}", words(&page));
    assert!(page.contains("width=\"7\" height=\"5\" alt=\"A &lt;scheme&gt;\""), "{page}");
    assert!(fixture.site().join("images/scheme.png").exists());
    assert!(words(&page).contains("units.csv , with 13 more rows"), "{}", words(&page));
    assert!(!page.contains('\u{E000}') && atlas::check(&fixture.site()).unwrap().is_empty());
    for (code, said) in [
        ("{{ unit(\"alexnet/conv5/0063\") }}", "0001 to 0003"),
        ("{{ unit(\"vgg16/conv5_3/0063\") }}", "alexnet/conv5 and resnet18/layer4"),
        ("{{ patch(\"alexnet/conv5/0001\", 99) }}", "24 top patches"),
        ("{{ figure(\"../../atlas.yaml\", \"x\") }}", "content/images"),
        ("{{ table(\"unit.csv\", 3) }}", "did you mean `units.csv`"),
        ("{{ units(\"alexnet/conv5/0001\") }}", "expected `unit("),
    ] {
        fixture.write("content/tour.md", &format!("---\ntitle: Tour\n---\nText.\n\n {code}\n"));
        let message = format!("{:#}", fixture.build().unwrap_err());
        let place =
            message.contains("tour.md") && message.contains("6 |") && message.contains("^^^");
        assert!(message.contains(said) && place, "{message}");
    }
}

#[test]
fn a_theme_can_show_what_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 2);
    // As themes/README.md has it.
    fixture.write(
        "themes/look/templates/unit.html",
        "{% extends \"default/unit.html\" %}\n{% block footer %}<pre>{{ __tera_context }}</pre>{% endblock footer %}",
    );
    fixture.config.theme = "look".into();
    fixture.build().unwrap();
    let given = words(&fixture.page("networks/alexnet/conv5/0002/index.html"));
    for name in ["summary", "max_score", "crumbs", "phantom"] {
        assert!(given.contains(&format!("&quot;{name}&quot;: ")), "{name}: {given}");
    }
}

#[test]
fn themes_extend_each_other_and_have_options() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 2);
    fixture.config.theme = "paper".into();
    fixture.config.theme_options = [("footer".into(), "Our <ward>".into())].into();
    fixture.build().unwrap();
    let home = fixture.page("index.html");
    assert!(home.contains("assets/paper.css") && home.contains("Our &lt;ward&gt;"));
    assert!(!home.contains("atlas-theme") && fixture.site().join("assets/atlas.css").exists());
    // A theme of the project on the built-in paper, with an option of its own.
    fixture.write("themes/ward/theme.yaml", "extends: paper\noptions: { ward: three }\n");
    fixture.write(
        "themes/ward/templates/cite.html",
        "{% extends \"paper/cite.html\" %}{% block state %}Ward {{ site.options.ward }}{% endblock %}",
    );
    fixture.config.theme = "ward".into();
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(!message.is_empty(), "paper has no cite.html of its own: {message}");
    fixture.write(
        "themes/ward/templates/cite.html",
        "{% extends \"default/cite.html\" %}{% block state %}Ward {{ site.options.ward }}{% endblock %}",
    );
    fixture.build().unwrap();
    let cite = fixture.page("cite/index.html");
    assert!(cite.contains("Ward three") && cite.contains("assets/paper.css"));
    fixture.config.theme_options = [("wards".into(), "x".into())].into();
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(message.contains("did you mean `ward`"), "{message}");
    fixture.config.theme_options.clear();
    for (yaml, said) in [
        ("extends: nowhere\n", "no theme `nowhere`"),
        ("extends: ward\n", "ward"),
        ("extend: paper\n", "did you mean `extends`"),
    ] {
        fixture.write("themes/ward/theme.yaml", yaml);
        let message = format!("{:#}", fixture.build().unwrap_err());
        assert!(message.contains(said), "{message}");
    }
    fixture.write("themes/ward/theme.yaml", "extends: other\n");
    fixture.write("themes/other/theme.yaml", "extends: ward\n");
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(message.contains("in turn"), "{message}");
}

#[test]
fn the_citation_says_what_the_project_states() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 2);
    fixture.build().unwrap();
    assert!(fixture.page("cite/index.html").contains("not stated by this atlas"));
    fixture.config.title = "Units & more".into();
    fixture.config.base_url = Some("https://example.org/atlas/".into());
    fixture.config.citation = config::Citation {
        authors: vec!["Wu, J.".into(), "Zhou, B.".into()],
        year: Some(2026),
        doi: Some("10.1234/x".into()),
    };
    fixture.build().unwrap();
    let page = fixture.page("cite/index.html").replace("&amp;", "&");
    assert!(page.contains("Wu, J. and Zhou, B. Units & more (2026)"), "{page}");
    for field in [
        "author = {Wu, J. and Zhou, B.}",
        "title = {{Units \\& more}}",
        "year = {2026}",
        "doi = {10.1234/x}",
        "url = {https://example.org/atlas/networks/UNIT/index.html}",
    ] {
        assert!(page.replace("&#x2F;", "/").contains(field), "{field}: {page}");
    }
    let unit = fixture.page("networks/alexnet/conv5/0002/index.html");
    assert!(unit.contains("cite/index.html#unit=alexnet/conv5/0002"));
}

#[test]
fn a_published_atlas_describes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 3);
    fixture.build().unwrap();
    assert!(fixture.site().join(".nojekyll").exists());
    assert!(!fixture.site().join("sitemap.xml").exists() && !fixture.site().join("embed").exists());
    assert!(!fixture.page("index.html").contains("og:title"));
    fixture.config.base_url = Some("https://example.org/a&b/".into());
    let report = fixture.build().unwrap();
    let plain = |path: &str| fixture.page(path).replace("&amp;", "&").replace("&#x2F;", "/");
    let unit = plain("networks/alexnet/conv5/0001/index.html");
    let base = "https://example.org/a&b";
    for link in [
        format!("rel=\"canonical\" href=\"{base}/networks/alexnet/conv5/0001/index.html\""),
        format!("property=\"og:image\" content=\"{base}/embed/alexnet/conv5/0001.jpg\""),
        format!("oembed\" href=\"{base}/embed/alexnet/conv5/0001.json\""),
        "og:title\" content=\"alexnet/conv5/0001: mass, spiculated 2 of 2; calcifications 1 of 2"
            .into(),
    ] {
        assert!(unit.contains(&link), "{link}: {unit}");
    }
    let answer = fixture.page("embed/alexnet/conv5/0001.json");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let element = answer["html"].as_str().unwrap();
    assert!(element.contains("https://example.org/a&amp;b/embed/alexnet/conv5/0001.html"));
    assert_eq!((answer["version"].as_str(), answer["type"].as_str()), (Some("1.0"), Some("rich")));
    let card = fixture.page("embed/alexnet/conv5/0001.html");
    assert!(card.contains("For research only") && card.contains("<base target=\"_top\">"));
    let home = fixture.page("index.html");
    let (_, data) = home.split_once("application/ld+json\">").unwrap();
    let data: serde_json::Value =
        serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    assert_eq!(data["@type"], "Dataset");
    assert_eq!(data["distribution"][1]["contentUrl"], format!("{base}/data/units.csv"));
    let map = plain("sitemap.xml");
    let cards = 3 + 12;
    assert_eq!(map.matches("<loc>").count(), report.pages - cards);
    assert!(map.contains(&format!("<loc>{base}/concepts/mass/index.html</loc>")));
    assert!(atlas::check(&fixture.site()).unwrap().is_empty());
}

#[test]
fn a_bad_content_page_stops_the_build_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 2);
    fixture.write("content/bad.md", "---\ntitle: x\nweight: heavy\n---\nText.\n");
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(
        message.contains("bad.md") && message.contains('3') && message.contains("weight"),
        "{message}"
    );
    fixture.write("content/bad.md", "---\ntitle: x\n---\nText.\n");
    fixture.write("content/methods.md", "---\ntitle: x\n---\nText.\n");
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(message.contains("methods.md") && message.contains("rename"), "{message}");
}

#[test]
fn artifacts_that_do_not_fit_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 3);
    fixture.networks[0].layers[0].units[1].top[0].patch = 1_000_000;
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(
        message.contains("unit 2 of alexnet/conv5") && message.contains("dissect"),
        "{message}"
    );
    let mut fixture = Fixture::new(folder.path(), 3);
    fixture.manifest.patches.pop();
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(message.contains("prepare"), "{message}");
    let fixture = Fixture::new(folder.path(), 3);
    let shown = fixture.networks[0].layers[0].units[0].top[0].patch;
    let id = &fixture.manifest.member(&fixture.manifest.patches[shown as usize]).mammogram.id;
    std::fs::remove_file(fixture.previews.join(format!("{id}.jpg"))).unwrap();
    let message = format!("{:#}", fixture.build().unwrap_err());
    assert!(message.contains(id.as_str()) && message.contains("preview"), "{message}");
}

#[test]
fn a_network_without_units_or_auc_still_has_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 2);
    fixture.readers.clear();
    fixture.explanations.clear();
    fixture.networks[0].layers.clear();
    let mut scores = support::scores(&fixture.manifest, true);
    scores.retain(|(patch, _)| !fixture.manifest.patches[*patch as usize].positive);
    let evaluation = fixture.networks[0].evaluation.clone();
    fixture.networks[0].evaluation = support::rescored(evaluation, &fixture.manifest, scores);
    fixture.networks[0].evaluation.origin =
        record::training::Origin::Run { pretrained: None, best_epoch: None };
    fixture.networks[0].history.clear();
    fixture.networks[1].layers[0].units.clear();
    fixture.networks[1].layers[0].concepts.clear();
    fixture.build().unwrap();
    assert!(fixture.page("networks/alexnet/index.html").contains("one class only"));
    let performance = fixture.page("performance/index.html");
    assert!(performance.contains("No two networks have scored the same patches"));
    assert!(fixture.page("birads/index.html").contains("No reader has labelled a unit yet"));
    assert!(atlas::check(&fixture.site()).unwrap().is_empty());
}

#[test]
fn two_thousand_units_take_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 2);
    let layer = support::layer(&fixture.manifest, "alexnet", "conv5", 2000, 64);
    fixture.networks[0].layers = vec![layer];
    let first = fixture.build().unwrap();
    assert!(first.pages > 2000);
    assert!(first.seconds < 30.0, "{first:?}");
    let page = std::fs::metadata(fixture.site().join("networks/alexnet/conv5/index.html")).unwrap();
    assert!(page.len() < 4 << 20, "{}", page.len());
    let second = fixture.build().unwrap();
    assert_eq!(second.written, 0);
    eprintln!(
        "2,000 units: {:.1} s, again {:.1} s, {} MB, layer page {} kB",
        first.seconds,
        second.seconds,
        first.bytes >> 20,
        page.len() >> 10
    );
}

/// `cargo test --test suite -- --ignored showcase` leaves a site to look at in `target/showcase`.
#[test]
#[ignore = "writes a site for looking at"]
fn showcase() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/showcase");
    let mut fixture = Fixture::new(&folder, 256);
    fixture.write("content/about.md", include_str!("../content/about.md"));
    // The second network tells three classes apart, so that its page shows that part too.
    let mut three = fixture.manifest.clone();
    three.patching.classes = 3;
    let evaluation = fixture.networks[1].evaluation.clone();
    let scores = support::scores(&three, false);
    fixture.networks[1].evaluation = support::rescored(evaluation, &three, scores);
    let report = fixture.build().unwrap();
    eprintln!("{report:?}\n{}", fixture.site().join("index.html").display());
}
