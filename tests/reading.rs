//! Mammograms that readers score before and after an explanation: which they are, what their files tell, readers at
//! work in Chromium, and what comes of their files.

use std::collections::BTreeSet;
use std::path::Path;

use config::Fineness;
use mammogram::Pathology;
use serde_json::{Value, json};
use study::cases::{Drawn, Key, draw};
use study::code::Coder;

use crate::support::Fixture;
use crate::support::project;

/// A fixture whose explained mammograms with cancer are numbers 4 and 10, of patients p02 and p05. Numbers 2, 3, 8 and
/// 9 are of patients without cancer, p01 and p04; the others belong to patients with cancer.
fn fixture(folder: &Path, cases: u32) -> Fixture {
    let mut fixture = Fixture::new(folder, 12);
    fixture.config.reading.cases = cases;
    fixture
}

fn drawn(fixture: &Fixture) -> Drawn<'_> {
    draw(&fixture.config, &fixture.explanations, &fixture.manifest).unwrap().unwrap()
}

fn numbers(drawn: &Drawn) -> BTreeSet<u32> {
    drawn.cases.iter().map(|case| case.explained.mammogram).collect()
}

/// Every file below a folder of the site with its text.
fn files(site: &Path, folder: &str) -> Vec<(String, String)> {
    walkdir::WalkDir::new(site.join(folder))
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(site).unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(entry.path()).unwrap();
            (path, String::from_utf8_lossy(&bytes).into_owned())
        })
        .collect()
}

/// What a script of the site gives to pages.
fn data(script: &str) -> Value {
    let (_, value) = script.split_once("]=").unwrap();
    serde_json::from_str(value.trim_end().trim_end_matches(';')).unwrap()
}

#[test]
fn cases_are_drawn_by_the_seed_one_of_a_patient_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = fixture(folder.path(), 4);
    let first = drawn(&fixture);
    assert_eq!((first.found(), first.wanted), ([2, 2], [2, 2]));
    let of = |number: &u32| fixture.manifest.mammograms[*number as usize].mammogram.patient.clone();
    let patients: BTreeSet<String> = numbers(&first).iter().map(of).collect();
    assert_eq!(patients.len(), 4, "{patients:?}");
    for case in &first.cases {
        assert_eq!(case.cancer, [4, 10].contains(&case.explained.mammogram));
    }
    assert!(first.cases.is_sorted_by_key(|case| &case.code));
    let codes = |of: &Drawn| of.cases.iter().map(|case| case.code.clone()).collect::<Vec<_>>();
    assert_eq!(codes(&drawn(&fixture)), codes(&first));
    // Asked for more, a patient comes twice; the other views of patients with cancer never do.
    let mut more = fixture.config.clone();
    more.reading.cases = 8;
    let all = draw(&more, &fixture.explanations, &fixture.manifest).unwrap().unwrap();
    assert_eq!((all.found(), all.wanted), ([2, 4], [4, 4]));
    assert_eq!(numbers(&all), [2, 3, 4, 8, 9, 10].into());
    // Another share, another seed.
    more.reading = config::Reading { cases: 2, cancer: 1.0, ..more.reading };
    let cancers = draw(&more, &fixture.explanations, &fixture.manifest).unwrap().unwrap();
    assert_eq!(numbers(&cancers), [4, 10].into());
    let drawn_by = |seed: u64| {
        let mut config = fixture.config.clone();
        config.seed = seed;
        numbers(&draw(&config, &fixture.explanations, &fixture.manifest).unwrap().unwrap())
    };
    assert!((0..16).any(|seed| drawn_by(seed) != drawn_by(123)), "always the same");
    // A lesion of unproven pathology: nobody knows.
    let before = codes(&first);
    drop(first);
    let lesion = &mut fixture.manifest.mammograms[3].mammogram.lesions[0];
    lesion.pathology = Pathology::Unproven;
    fixture.config.reading.cases = 8;
    assert_eq!(numbers(&drawn(&fixture)), [4, 8, 9, 10].into());
    // Another training is another explanation.
    fixture.explanations[0].weights_blake3 = "others".into();
    assert!(drawn(&fixture).cases.iter().all(|case| !before.contains(&case.code)));
    // What is named must be explained; without any explanation there is nothing to read.
    fixture.config.reading.network = Some("resnet18".into());
    let refused = draw(&fixture.config, &fixture.explanations, &fixture.manifest).unwrap_err();
    assert!(refused.to_string().contains("reading.network is resnet18"), "{refused}");
    assert!(draw(&fixture.config, &[], &fixture.manifest).unwrap().is_none());
    fixture.config.reading.cases = 0;
    assert!(draw(&fixture.config, &fixture.explanations, &fixture.manifest).unwrap().is_none());
}

#[test]
fn the_page_tells_no_network_label_or_truth_and_no_explanation_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = fixture(folder.path(), 4);
    for (at, member) in fixture.manifest.mammograms.iter_mut().enumerate() {
        // As DDSM calls them: the name says how it ended.
        let kind = ["cancer", "benign", "normal"][at % 3];
        let id = &mut member.mammogram.id;
        let name = format!("{kind}_0{at}");
        let [from, to] = [id.as_str(), &name].map(|id| fixture.previews.join(format!("{id}.jpg")));
        std::fs::rename(from, to).unwrap();
        *id = name;
        member.mammogram.patient = format!("patient-{}", at / 2);
    }
    // An open survey of units makes no open page of cases.
    for blind in [true, false] {
        fixture.config.survey.blind = blind;
        let report = fixture.build().unwrap();
        assert_eq!(report.fewer_cases, None);
        let found = files(&fixture.site(), "survey/cases");
        let count = |end: &str| found.iter().filter(|(path, _)| path.ends_with(end)).count();
        assert_eq!((count(".html"), count(".js")), (1, 1 + 4));
        // Each with its patient's other view and a patch. No patch is left to show as an example of a unit.
        assert_eq!(count(".jpg"), 4 * 3);
        for (path, text) in &found {
            for word in [
                "alexnet",
                "conv5",
                "resnet",
                "layer4",
                "cancer_",
                "benign_",
                "normal_",
                "positive",
                "patient-",
                "reader-a",
                "reader-b",
                "patches/",
                "mammograms/",
                "phantom-",
                "truth",
                "verdict",
                "false alarm",
            ] {
                assert!(!path.contains(word), "{path}: {word}");
                assert!(path.ends_with(".jpg") || !text.contains(word), "{path}: {word}");
            }
        }
        // Before it is asked for, nothing of the explanation is on the page.
        let page = fixture.page("survey/cases/index.html");
        let asked = fixture.page("survey/cases/data.js");
        for word in ["explained", "Probability", "overlay", "evidence", "edge", "malignant"] {
            assert!(!asked.contains(word), "{word}");
        }
        assert!(!page.contains("explained/"));
        for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(link.starts_with('#') || link.starts_with("../../assets/"), "{link}");
        }
        let asked = data(&asked);
        let cases = asked["cases"].as_array().unwrap();
        let codes: Vec<&str> = cases.iter().map(|case| case["code"].as_str().unwrap()).collect();
        assert!(
            codes.len() == 4
                && codes.is_sorted()
                && codes.iter().all(|code| code.starts_with("c-"))
        );
        for (case, code) in cases.iter().zip(&codes) {
            assert_eq!(case["views"].as_array().unwrap().len(), 2);
            let explained = data(&fixture.page(&format!("survey/cases/explained/{code}.js")));
            assert!(explained["words"].as_str().unwrap().starts_with("Probability of cancer 0."));
            // Two units contribute: readers name the first, nobody the second.
            let units = explained["units"].as_array().unwrap();
            assert_eq!(units.len(), 2);
            assert_eq!((&units[0]["from"], &units[0]["share"]), (&json!("readers"), &json!("40%")));
            assert!(
                units[0]["name"].as_str().unwrap().contains("spiculated"),
                "{}",
                units[0]["name"]
            );
            for picture in case["views"].as_array().unwrap().iter().chain([&explained]) {
                let path = picture["src"].as_str().unwrap();
                assert!(fixture.site().join(path).is_file(), "{path}");
            }
        }
        assert_eq!(atlas::check(&fixture.site()).unwrap(), []);
        // The authors find it on the page of the cases, which has no code.
        let authors = fixture.page("cases/index.html");
        assert!(
            authors.contains("survey/cases/index.html")
                && authors.contains("2 with cancer and 2 without")
        );
        assert!(codes.iter().all(|code| !authors.contains(code)));
    }
    // Fewer than asked for is said; none asked for is no page, and nothing is left of it.
    fixture.config.reading.cases = 8;
    let said = fixture.build().unwrap().fewer_cases.unwrap();
    assert!(
        said.contains("4 mammograms with cancer and 4 without") && said.contains("2 and 4 are put"),
        "{said}"
    );
    fixture.config.reading.cases = 0;
    assert_eq!(fixture.build().unwrap().fewer_cases, None);
    assert!(!fixture.site().join("survey/cases").exists());
    fixture.config.reading.cases = 4;
    fixture.explanations.clear();
    assert!(
        fixture.build().unwrap().fewer_cases.unwrap().contains("no network's scores are explained")
    );
}

#[test]
fn units_are_shown_by_patches_of_patients_in_no_case() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture(folder.path(), 2);
    fixture.build().unwrap();
    let drawn = drawn(&fixture);
    let (manifest, survey) = (&fixture.manifest, &fixture.config.survey);
    let patient = |number: u32| manifest.mammograms[number as usize].mammogram.patient.as_str();
    let patients: BTreeSet<&str> =
        drawn.cases.iter().map(|case| patient(case.explained.mammogram)).collect();
    let coder = Coder::new(fixture.config.seed, &survey.study);
    let others =
        manifest.patches.iter().filter(|patch| !patients.contains(patient(patch.mammogram)));
    let allowed: BTreeSet<String> = others
        .map(|patch| coder.picture(&format!("example {}", manifest.patch_name(patch))))
        .map(|name| format!("survey/cases/images/{name}.jpg"))
        .collect();
    for case in &drawn.cases {
        let explained = data(&fixture.page(&format!("survey/cases/explained/{}.js", case.code)));
        for unit in explained["units"].as_array().unwrap() {
            let examples = unit["examples"].as_array().unwrap();
            assert_eq!(examples.len(), 3);
            for example in examples {
                let path = example["src"].as_str().unwrap();
                assert!(allowed.contains(path) && fixture.site().join(path).is_file(), "{path}");
            }
        }
    }
}

#[test]
fn mammograms_are_as_fine_as_those_of_the_atlas() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = fixture(folder.path(), 2);
    fixture.config.mammograms.height = Fineness::Pixels(1000);
    for member in &mut fixture.manifest.mammograms {
        let mammogram = &mut member.mammogram;
        (mammogram.width, mammogram.height) = (3 * mammogram.width, 3 * mammogram.height);
    }
    for patch in &mut fixture.manifest.patches {
        (patch.x, patch.y, patch.edge) = (3 * patch.x, 3 * patch.y, 3 * patch.edge);
    }
    fixture.build().unwrap();
    let asked = data(&fixture.page("survey/cases/data.js"));
    let view = &asked["cases"][0]["views"][1];
    let src = view["tiles"]["src"].as_str().unwrap();
    assert!(src.starts_with("survey/cases/images/"), "{src}");
    assert!(fixture.site().join(src).join("0/0_0.jpg").is_file(), "{src}");
    assert_eq!(view["size"], json!([1152, 1536]));
    assert_eq!(atlas::check(&fixture.site()).unwrap(), []);
}

/// What a coordinator does: a site, readers' files, the analysis.
#[test]
fn files_of_readers_are_analysed_by_the_projects_truth() {
    let project = project::Project::new(
        "source: { kind: phantom, patients: 12, height: 256 }\n\
         patches: { size: 48 }\n\
         split: { train: 0.25, validation: 0.75, test: 0 }\n\
         networks: [{ name: resnet10, input: 48, layers: [layer4], training: false }]\n\
         dissection: { top: 8, permutations: 0 }\n\
         survey: { study: cases-study }\n\
         reading: { cases: 8 }\n",
    );
    project.run(&["run", "-q"]).expect(0);
    project.run(&["check"]).expect(0);
    project.run(&["verify"]).expect(0);
    let told = project.run(&["pack", "--output", "all.zip"]).expect(0);
    assert!(told.err.is_empty(), "{}", told.err);
    let site = project.site();
    let asked = String::from_utf8(site[Path::new("survey/cases/data.js")].clone()).unwrap();
    let asked = data(&asked);
    let codes: Vec<&str> = asked["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["code"].as_str().unwrap())
        .collect();
    assert!(codes.len() >= 6, "{codes:?}");
    let score = |score: usize| json!({ "score": score, "seconds": 30, "scored_at": "2026-11-20T10:00:00.000Z" });
    let mut paths = Vec::new();
    for (number, reader) in ["A", "B"].into_iter().enumerate() {
        let cases: Vec<Value> = (0..codes.len())
            .map(|at| {
                let before = (37 * (at + 3) * (number + 2)) % 101;
                json!({ "case": codes[at], "before": score(before), "after": score((before + 29 * at) % 101) })
            })
            .collect();
        let file = json!({
            "schema": 1, "kind": "cases", "study": "cases-study", "reader": reader,
            "saved_at": "2026-11-21T10:00:00.000Z", "cases": cases,
        });
        let name = format!("cases-study_cases_{}_2026-11-21.json", reader.to_lowercase());
        project.write(&name, file.to_string());
        paths.push(name);
    }
    let of_files: Vec<&str> = ["study", "mrmc", &paths[0], &paths[1], "--json"].into();
    let files = [of_files.clone(), vec!["--table", "scores.csv"]].concat();
    let files: Value = serde_json::from_str(&project.run(&files).expect(0).out).unwrap();
    // The same as of the equivalent table, whose truths are the manifest's.
    let table = project.run(&["study", "mrmc", "scores.csv", "--json"]).expect(0);
    assert_eq!(files, serde_json::from_str::<Value>(&table.out).unwrap());
    assert_eq!(files["conditions"], json!(["without", "with"]));
    let manifest: Value = serde_json::from_slice(
        &std::fs::read(project.path("output/work/dataset/manifest.json")).unwrap(),
    )
    .unwrap();
    let text = std::fs::read_to_string(project.path("scores.csv")).unwrap();
    assert_eq!(text.lines().count(), 1 + 2 * 2 * codes.len());
    for row in csv::Reader::from_reader(text.as_bytes()).records() {
        let row = row.unwrap();
        let mammograms = manifest["mammograms"].as_array().unwrap();
        let of = mammograms.iter().find(|of| of["id"] == row[5]).unwrap();
        let cancer = of["lesions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|lesion| lesion["pathology"] == "malignant");
        assert_eq!(&row[4], if cancer { "cancer" } else { "no cancer" });
    }
    // What is bad is told, and the rest analysed.
    project.write("broken.json", "{");
    let told = project.run(&["study", "mrmc", &paths[0], "broken.json", &paths[1]]).expect(2);
    assert!(told.err.contains("skipped: broken.json"), "{}", told.err);
    assert!(told.out.contains("2 readers scored"), "{}", told.out);
    project
        .run(&["study", "mrmc", "broken.json"])
        .expect_error(&["no file can be used", "broken.json"]);
    project
        .run(&["study", "mrmc", &paths[0], "scores.csv"])
        .expect_error(&["give one table, or files of readers of cases"]);
    project
        .run(&["study", "mrmc", &paths[0], "--truth", "scores.csv"])
        .expect_error(&["the truth is the data set"]);
    project
        .run(&["study", "mrmc", "scores.csv", "--table", "other.csv"])
        .expect_error(&["`--table` goes with the files of readers"]);
    project
        .run(&["study", "mrmc", &paths[0], "--table", "output/site/x.csv"])
        .expect_error(&["belongs to the project"]);
    // Of another seed there are other cases, and of another study other readers.
    project.edit("reading:", "seed: 7\nreading:");
    project.run(&["study", "mrmc", &paths[0]]).expect_error(&["not known here"]);
    project.edit("study: cases-study", "study: other-study");
    project
        .run(&["study", "mrmc", &paths[0]])
        .expect_error(&["belongs to the study `cases-study`"]);
}

#[cfg(unix)]
mod readers {
    use std::io::Write as _;
    use std::path::PathBuf;

    use super::*;
    use crate::support::chromium::{Browser, chromium, downloaded};

    /// A site with four cases, and folders for a browser.
    struct Place {
        fixture: Fixture,
        folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let mut fixture = fixture(folder.path(), 4);
            fixture.config.survey.contact = Some("study@example.org".into());
            fixture.build().unwrap();
            Self { fixture, folder }
        }

        fn path(&self, name: &str) -> PathBuf {
            let path = self.folder.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            path
        }

        fn browser(&self, profile: &str, size: [u32; 2]) -> Option<Browser> {
            let chromium = chromium()?;
            Some(Browser::open(&chromium, &self.path(profile), &self.path("downloads"), size))
        }

        fn url(&self) -> String {
            format!("file://{}", self.fixture.site().join("survey/cases/index.html").display())
        }
    }

    fn begin(browser: &mut Browser, name: &str) {
        browser.wait("!document.getElementById('reading-welcome').hidden");
        browser.click("#reading-name");
        browser.type_text(name);
        browser.key("Enter");
        browser.wait("!document.getElementById('reading-overview').hidden");
    }

    fn on_case(browser: &mut Browser, number: usize) {
        browser.wait(&format!(
            "!document.getElementById('reading-case').hidden && \
             document.getElementById('reading-case-title').textContent === 'Case {number} of 4' && \
             document.querySelector('#reading-main-view img').complete"
        ));
    }

    const EXPLAINED: &str = "!document.getElementById('reading-explained').hidden && \
                             document.querySelectorAll('.reading-unit').length === 2";

    /// A score, and on.
    fn score(browser: &mut Browser, score: &str) {
        score.chars().for_each(|digit| browser.key(&digit.to_string()));
        browser.key("Enter");
    }

    /// Waits for the explanation, and as long as a press is taken for one of before.
    fn explained(browser: &mut Browser) {
        browser.wait(EXPLAINED);
        std::thread::sleep(std::time::Duration::from_millis(750));
    }

    fn saved(browser: &mut Browser, place: &Place) -> Value {
        browser.wait("!document.getElementById('reading-send').hidden");
        browser.key("Enter");
        let file = downloaded(&place.path("downloads"));
        browser.wait(
            "document.getElementById('reading-sent').textContent.includes('study@example.org')",
        );
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("test_cases_reader-a_20") && name.ends_with(".json"), "{name}");
        let bytes = std::fs::read(&file).unwrap();
        std::fs::rename(&file, place.folder.path().join(&name)).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// What the browser, or the page, keeps of the first case.
    const KEPT: &str = "(r => r.answers[unitAtlas.survey.order(unitAtlas.reading.study(unitAtlas.data('survey/cases/data.js')), 'Reader A')[0]])\
                        (JSON.parse(localStorage.getItem('unit-atlas-reading:test:reader a')))";

    #[test]
    fn presses_windows_and_a_full_storage_fix_no_score_unseen_and_lose_none() {
        let place = Place::new();
        let Some(mut browser) = place.browser("profile", [1280, 900]) else { return };
        browser.go(&place.url());
        begin(&mut browser, "Reader A");
        browser.key("Enter");
        on_case(&mut browser, 1);
        // Pressed twice, and emptied while the explanation is on its way: the first score is that which was given.
        browser.type_text("");
        browser.click("#reading-number");
        browser.type_text("50");
        browser.eval("window.slow = unitAtlas.load; unitAtlas.load = (path, then) => setTimeout(() => window.slow(path, then), 400)");
        browser.key("Enter");
        assert_eq!(browser.eval("document.getElementById('reading-form').inert"), true);
        browser.key("Enter");
        browser.key("Backspace");
        browser.wait(EXPLAINED);
        browser.key("Enter");
        browser.eval("document.getElementById('reading-form').requestSubmit()");
        assert_eq!(
            browser.text(&format!("JSON.stringify([{KEPT}.before.score, {KEPT}.after.scored_at])")),
            "[50,\"\"]"
        );
        // What another window confirmed stays when this one leaves.
        browser.eval(
            "(key => { const r = JSON.parse(localStorage.getItem(key)); \
             Object.values(r.answers)[0].after = { score: 80, birads: '', seconds: 1, scored_at: new Date().toISOString() }; \
             localStorage.setItem(key, JSON.stringify(r)); })('unit-atlas-reading:test:reader a')",
        );
        browser.key("o");
        browser.wait("!document.getElementById('reading-overview').hidden");
        assert_eq!(browser.text(&format!("String({KEPT}.after.score)")), "80");
        // Where nothing more can be kept, the file has it all the same.
        browser.eval("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }");
        browser.eval("location.hash = 'case-2'");
        on_case(&mut browser, 2);
        score(&mut browser, "30");
        browser.wait(EXPLAINED);
        browser.wait("!document.getElementById('survey-warning').hidden");
        browser.key("Escape");
        browser.key("e");
        browser.wait("!document.getElementById('reading-send').hidden");
        let text = browser.text("document.getElementById('reading-text').value");
        assert!(text.contains("\"score\": 30") && text.contains("\"score\": 80"), "{text}");
        browser.close();
    }

    #[test]
    fn cases_are_read_by_keyboard_over_two_sittings_and_the_file_is_analysed() {
        let place = Place::new();
        let Some(mut browser) = place.browser("profile", [1280, 900]) else { return };
        let url = place.url();
        browser.go(&url);
        assert_eq!(
            browser.text("document.getElementById('reading-count').textContent"),
            "4 mammograms"
        );
        begin(&mut browser, "Reader A");
        browser.key("Enter");
        on_case(&mut browser, 1);
        // Nothing is set, nothing of the explanation is there, and no score is no way on.
        let hidden = "document.getElementById('reading-explained').hidden && \
                      !document.querySelector('.reading-unit, #reading-patch img, #reading-main-view rect') && \
                      Object.keys(window.unitAtlasData).join() === 'survey/cases/data.js'";
        assert_eq!(browser.eval(hidden), true);
        let slider = "document.getElementById('reading-slider')";
        assert_eq!(browser.text(&format!("{slider}.getAttribute('aria-valuetext')")), "not set");
        browser.key("Enter");
        browser.wait(
            "document.getElementById('reading-problem').textContent.includes('Give a score first')",
        );
        assert_eq!(browser.eval(hidden), true);
        // The focus is in the number by now; what is no score is none.
        browser.type_text("350");
        browser.key("Enter");
        assert_eq!(browser.eval(hidden), true);
        browser.key("Backspace");
        assert_eq!(browser.text(&format!("{slider}.value")), "35");
        browser.key("Escape");
        // A category by arrows.
        browser.key("b");
        browser.key("ArrowRight");
        browser.key("ArrowRight");
        browser.key("Enter");
        explained(&mut browser);
        let first = "document.getElementById('reading-first').textContent";
        assert_eq!(browser.text(first), "Your first score was 35, BI-RADS 2. It is fixed.");
        assert_eq!(browser.text("document.getElementById('reading-done').textContent"), "Keep 35");
        let words = browser.text("document.getElementById('reading-explained').textContent");
        for part in [
            "Probability of cancer 0.",
            "spiculated",
            "named by readers",
            "40% of the evidence",
            "readers recognised nothing in it",
        ] {
            assert!(words.contains(part), "{part:?} not in {words}");
        }
        // Its place in the mammogram, with what the chosen unit saw.
        assert_eq!(browser.eval("document.querySelectorAll('#reading-main-view rect, #reading-main-view .region').length"), 2);
        let moved = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.eval(moved), 0);
        // A reload changes nothing of it.
        browser.eval("window.before = true; location.reload()");
        browser.wait("!window.before && document.readyState === 'complete'");
        on_case(&mut browser, 1);
        explained(&mut browser);
        assert_eq!(browser.text(first), "Your first score was 35, BI-RADS 2. It is fixed.");
        score(&mut browser, "60");
        on_case(&mut browser, 2);
        assert_eq!(browser.text("document.getElementById('reading-number').value"), "");
        assert_eq!(browser.eval("document.getElementById('reading-explained').hidden"), true);
        score(&mut browser, "20");
        explained(&mut browser);
        browser.key("r");
        browser.type_text("dense");
        browser.key_with("Enter", 2);
        on_case(&mut browser, 3);
        // By pointer: the slider where it stands, the viewer with the patient's other view.
        browser.click("#reading-slider");
        assert_eq!(browser.text("document.getElementById('reading-number').value"), "50");
        browser.click("#reading-main-view .reading-picture");
        browser.wait("document.querySelectorAll('dialog.viewer[open] .viewer-pane').length === 2");
        browser.key("Escape");
        browser.wait("!document.querySelector('dialog[open]')");
        browser.click("#reading-done");
        explained(&mut browser);
        browser.close();

        // A second sitting, from where the first ended.
        let mut browser = place.browser("profile", [1280, 900]).unwrap();
        browser.go(&url);
        browser.wait("document.querySelector('#reading-readers button')");
        let known = browser.text("document.getElementById('reading-readers').textContent");
        assert!(known.contains("Go on as Reader A") && known.contains("2 cases scored"), "{known}");
        browser.click("#reading-readers button");
        browser.wait(
            "document.getElementById('reading-progress-words').textContent === '2 of 4 scored'",
        );
        let states = "Array.from(document.querySelectorAll('.reading-cases .survey-answered'), n => n.textContent).join()";
        assert_eq!(browser.text(states), "scored,scored,second score to be confirmed,open");
        browser.key("e");
        let half = saved(&mut browser, &place);
        assert_eq!(half["cases"].as_array().unwrap().len(), 3);
        assert!(half["cases"][2].get("after").is_none());
        browser.eval("location.hash = 'overview'");
        browser.wait("!document.getElementById('reading-overview').hidden");
        browser.key("Enter");
        on_case(&mut browser, 3);
        explained(&mut browser);
        browser.key("Enter");
        on_case(&mut browser, 4);
        score(&mut browser, "100");
        explained(&mut browser);
        score(&mut browser, "0");
        let whole = saved(&mut browser, &place);
        assert_eq!(browser.nameless(), [""; 0]);
        let own = browser.requests();
        assert!(
            own.iter().all(|url| url.starts_with("file:")
                || url.starts_with("blob:")
                || url == "about:blank"),
            "{own:?}"
        );
        browser.close();

        let cases = whole["cases"].as_array().unwrap();
        let scores: Vec<[u64; 2]> = cases
            .iter()
            .map(|case| ["before", "after"].map(|part| case[part]["score"].as_u64().unwrap()))
            .collect();
        assert_eq!(scores, [[35, 60], [20, 20], [50, 50], [100, 0]]);
        assert_eq!(
            (&cases[0]["before"]["birads"], &cases[0]["after"]["birads"]),
            (&json!("2"), &json!("2"))
        );
        assert_eq!(cases[1]["remarks"], "dense");
        assert!(
            cases.iter().all(|case| case["before"]["seconds"].is_u64()
                && case["before"]["scored_at"].is_string())
        );
        assert!(!whole.to_string().contains("cancer") && !whole.to_string().contains("phantom-"));
        // As `study mrmc` reads it.
        let fixture = &place.fixture;
        let coder = Coder::new(fixture.config.seed, &fixture.config.survey.study);
        let weights =
            fixture.networks.iter().map(|network| network.evaluation.weights_blake3.as_str());
        let key = Key::new(&coder, &fixture.manifest, weights);
        let path = place.folder.path().join("whole.json");
        std::fs::write(&path, whole.to_string()).unwrap();
        let project = study::scores::Project { study: "test", key: &key };
        let (readings, rows) =
            study::scores::read_saved(&[path], &project, &study::scores::Given::default()).unwrap();
        assert!(readings.notices.is_empty(), "{:?}", readings.notices);
        let scored = readings.scored.unwrap();
        assert_eq!((scored.positive, scored.negative, rows.len()), (2, 2, 8));
        assert_eq!(scored.readers, ["Reader A"]);
    }

    #[test]
    fn a_saved_file_goes_on_on_another_computer_and_strange_ones_are_refused() {
        let place = Place::new();
        let Some(mut browser) = place.browser("profile", [1280, 900]) else { return };
        browser.go(&place.url());
        begin(&mut browser, "Reader A");
        browser.key("Enter");
        on_case(&mut browser, 1);
        score(&mut browser, "7");
        explained(&mut browser);
        score(&mut browser, "9");
        on_case(&mut browser, 2);
        browser.key("e");
        // Letters in a field are letters.
        saved(&mut browser, &place);
        browser.close();
        let file = std::fs::read_dir(place.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|end| end == "json"))
            .unwrap();
        let mut browser = place.browser("elsewhere", [1280, 900]).unwrap();
        browser.go(&place.url());
        browser.wait("!document.getElementById('reading-welcome').hidden");
        let hostile = place.folder.path().join("hostile.json");
        for (text, words) in [
            ("nothing", "not JSON"),
            ("{\"schema\": 1, \"kind\": \"cases\", \"study\": \"x\"}", "another study"),
        ] {
            std::fs::write(&hostile, text).unwrap();
            browser.upload("#reading-file", &hostile);
            browser.wait(&format!(
                "document.getElementById('reading-file-problem').textContent.includes({words:?})"
            ));
        }
        browser.upload("#reading-file", &file);
        browser.wait(
            "document.getElementById('reading-progress-words').textContent === '1 of 4 scored'",
        );
        // Keys can be switched off.
        browser.key("Enter");
        on_case(&mut browser, 2);
        browser.click("#survey-keys");
        browser.eval("document.activeElement.blur()");
        browser.key("5");
        assert_eq!(browser.text("document.getElementById('reading-number').value"), "");
        browser.close();
    }

    #[test]
    fn a_phone_has_room_for_it_and_axe_finds_nothing() {
        let place = Place::new();
        let Some(mut browser) = place.browser("profile", [1280, 900]) else { return };
        let axe = std::env::var_os("AXE_CORE").filter(|path| !path.is_empty());
        if axe.is_none() {
            let _ = writeln!(std::io::stderr(), "skipped: AXE_CORE names no axe.min.js");
        }
        let axe = axe.map(|path| std::fs::read_to_string(path).unwrap());
        let looked = |browser: &mut Browser, what: &str| {
            let beyond =
                "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            for width in [1280, 390, 320] {
                browser.call(
                    "Emulation.setDeviceMetricsOverride",
                    json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 1000 }),
                );
                assert_eq!(browser.eval(beyond), 0, "{what} at {width}");
                let small = browser.text(
                    "Array.from(document.querySelectorAll('button, a:not(#reading-send-open a), label:has(input), input[type=range], input[type=text]'))\
                     .filter(n => n.offsetParent && !n.classList.contains('skip') && (n.offsetWidth < 24 || n.offsetHeight < 24))\
                     .map(n => n.outerHTML + ' ' + n.offsetWidth + 'x' + n.offsetHeight).join('; ')",
                );
                assert_eq!(small, "", "{what} at {width}");
                let Some(axe) = &axe else { continue };
                browser.eval(&format!("{axe}; 0"));
                let found = browser.text(
                    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })\
                     .then(found => found.violations.map(one => one.id + ' ' + one.nodes.map(node => node.html).join(' ')).join('; '))",
                );
                assert_eq!(found, "", "{what} at {width}");
            }
        };
        browser.go(&place.url());
        browser.wait("!document.getElementById('reading-welcome').hidden");
        looked(&mut browser, "welcome");
        begin(&mut browser, "a");
        looked(&mut browser, "overview");
        browser.eval("location.hash = 'case-1'");
        on_case(&mut browser, 1);
        looked(&mut browser, "case");
        score(&mut browser, "5");
        explained(&mut browser);
        looked(&mut browser, "explanation");
        browser.eval("location.hash = 'send'");
        browser.wait("!document.getElementById('reading-send').hidden");
        looked(&mut browser, "send");
        browser.close();
    }
}
