//! The reader survey: what is asked, what its files tell, and readers at work in Chromium.

use std::collections::BTreeSet;
use std::path::Path;

use base::UnitId;
use config::{Fineness, Select};
use study::about::{About, Subspecialty};
use study::code::{Coder, Codes};
use study::labels::{Dissected, Read};
use study::selection::{Reason, Selection, select};

use crate::support::Fixture;

/// Every file below a folder of the site with its text.
fn files(site: &Path, folder: &str) -> Vec<(String, Vec<u8>)> {
    walkdir::WalkDir::new(site.join(folder))
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(site).unwrap().to_string_lossy().into_owned();
            (path, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn selection(fixture: &Fixture) -> anyhow::Result<Selection> {
    let layers: Vec<_> = fixture
        .networks
        .iter()
        .flat_map(|n| n.layers.iter().map(|layer| (n.config.name.as_str(), layer)))
        .collect();
    select(&fixture.config, &layers, &fixture.manifest, &fixture.explanations, &|_| None)
}

/// Makes the first patches of a unit ones with cancer, or without.
fn show_cancer(fixture: &mut Fixture, unit: usize, count: usize) {
    let of = |positive: bool| -> Vec<u32> {
        let patches = fixture.manifest.patches.iter().enumerate();
        patches.filter(|(_, p)| p.positive == positive).map(|(i, _)| i as u32).collect()
    };
    let (cancer, none) = (of(true), of(false));
    let top = &mut fixture.networks[0].layers[0].units[unit].top;
    for (at, patch) in top.iter_mut().enumerate() {
        patch.patch = if at < count { cancer[at % cancer.len()] } else { none[at % none.len()] };
    }
}

#[test]
fn units_are_chosen_as_in_the_paper() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 40);
    fixture.config.survey.units = 10;
    fixture.config.survey.patches = 8;
    for unit in 0..40 {
        show_cancer(&mut fixture, unit, 0);
    }
    // All, mostly, half.
    for (unit, count) in [(7, 8), (21, 5), (30, 6), (33, 4)] {
        show_cancer(&mut fixture, unit, count);
    }
    let chosen = selection(&fixture).unwrap();
    let of = |network: &str, reason: Reason| -> Vec<u32> {
        let units = chosen.units.iter();
        units
            .filter(|u| u.unit.network() == network && u.reason == reason)
            .map(|u| u.unit.number())
            .collect()
    };
    assert_eq!(chosen.units.iter().filter(|u| u.unit.network() == "alexnet").count(), 10);
    assert_eq!(of("alexnet", Reason::Cancer), [8, 22, 31], "mostly cancer, and no more");
    assert_eq!(of("alexnet", Reason::Random).len(), 7, "the rest at random");
    let first =
        &chosen.units.iter().find(|u| u.unit == UnitId::new("alexnet", "conv5", 8)).unwrap();
    assert_eq!((first.cancer, first.shown), (8, 8));
    // The same again; others with another seed; each unit once.
    assert_eq!(selection(&fixture).unwrap(), chosen);
    let names: BTreeSet<_> = chosen.units.iter().map(|u| &u.unit).collect();
    assert_eq!(names.len(), chosen.units.len());
    // At most the share asked for.
    fixture.config.survey.cancer = 0.1;
    let fewer = selection(&fixture).unwrap();
    assert_eq!(fewer.units.iter().filter(|u| u.reason == Reason::Cancer).count(), 1);
    fixture.config.survey.cancer = 0.5;
    fixture.config.seed = 124;
    let other = selection(&fixture).unwrap();
    assert_ne!(
        other.units.iter().map(|u| &u.unit).collect::<Vec<_>>(),
        chosen.units.iter().map(|u| &u.unit).collect::<Vec<_>>()
    );
    assert!(other.units.iter().all(|u| chosen.units.iter().all(|c| c.code != u.code)));
}

#[test]
fn units_are_chosen_by_influence_or_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 20);
    fixture.config.survey.units = 3;
    for (at, unit) in fixture.networks[0].layers[0].units.iter_mut().enumerate() {
        unit.influence.as_mut().unwrap().rank = 20 - at as u32;
    }
    fixture.config.survey.select = Select::Influence;
    let names = |chosen: &Selection| -> Vec<String> {
        chosen.units.iter().map(|u| u.unit.to_string()).collect()
    };
    assert_eq!(
        names(&selection(&fixture).unwrap())[..3],
        ["alexnet/conv5/0018", "alexnet/conv5/0019", "alexnet/conv5/0020"]
    );
    // Of two units with evidence, and of the network that is explained.
    let before = fixture.config.clone();
    fixture.config.survey.select = Select::Evidence;
    let message = selection(&fixture).unwrap_err().to_string();
    assert!(message.contains("resnet18/layer4") && message.contains("evidence"), "{message}");
    fixture.config.survey.layers = vec![("alexnet".into(), "conv5".into())];
    let chosen = selection(&fixture).unwrap();
    assert_eq!(names(&chosen), ["alexnet/conv5/0001", "alexnet/conv5/0003"]);
    assert!(chosen.units.iter().all(|unit| unit.reason == Reason::Evidence));
    fixture.config.survey.units = 1;
    assert_eq!(names(&selection(&fixture).unwrap()), ["alexnet/conv5/0001"], "the most first");
    fixture.config = before;
    // Asked for more than there are.
    fixture.config.survey.units = 1000;
    assert_eq!(selection(&fixture).unwrap().units.len(), 32);
    let listed = ["resnet18/layer4/0002".to_owned(), "alexnet/conv5/0001".to_owned()];
    fixture.config.survey.select =
        Select::Listed(listed.iter().map(|unit| unit.parse().unwrap()).collect());
    fixture.config.survey.layers = Vec::new();
    assert_eq!(names(&selection(&fixture).unwrap()), listed);
    fixture.config.survey.select = Select::Listed(vec![UnitId::new("alexnet", "conv5", 99)]);
    let message = selection(&fixture).unwrap_err().to_string();
    assert!(message.contains("alexnet/conv5/0099") && message.contains("20 units"), "{message}");
    // Of dead and constant units there is nothing to ask.
    let units = &mut fixture.networks[0].layers[0].units;
    units[0].activations.range[1] = 0.0;
    units[1].score_range = [1.0, 1.0];
    fixture.config.survey.select = Select::Listed(vec![UnitId::new("alexnet", "conv5", 1)]);
    let message = selection(&fixture).unwrap_err().to_string();
    assert!(message.contains("0001") && message.contains("it is dead"), "{message}");
    fixture.config.survey.select = Select::Random;
    fixture.config.survey.layers = vec![("alexnet".into(), "conv5".into())];
    assert_eq!(selection(&fixture).unwrap().units.len(), 18);
}

#[test]
fn a_blind_survey_tells_no_network_label_answer_or_truth() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 20);
    for (at, member) in fixture.manifest.mammograms.iter_mut().enumerate() {
        // As DDSM calls them: the name says how it ended.
        let kind = ["cancer", "benign", "normal"][at % 3];
        let id = &mut member.mammogram.id;
        let name = format!("{kind}_0{at}");
        std::fs::rename(
            fixture.previews.join(format!("{id}.jpg")),
            fixture.previews.join(format!("{name}.jpg")),
        )
        .unwrap();
        *id = name;
    }
    fixture.build().unwrap();
    let site = fixture.site();
    let survey = files(&site, "survey");
    let images = survey.iter().filter(|(path, _)| path.ends_with(".jpg")).count();
    assert!(images > 12, "copies under other names: {images}");
    assert_eq!(survey.iter().filter(|(path, _)| path.starts_with("survey/units/")).count(), 32);
    for (path, bytes) in &survey {
        let text = String::from_utf8_lossy(bytes);
        for word in [
            "alexnet",
            "conv5",
            "resnet",
            "layer4",
            "cancer_",
            "benign_",
            "normal_",
            "positive",
            "score",
            "spiculated edge",
            "reader-a",
            "reader-b",
            "patches/",
            "mammograms/",
        ] {
            assert!(!path.contains(word), "{path}: {word}");
            assert!(path.ends_with(".jpg") || !text.contains(word), "{path}: {word}");
        }
    }
    // No link leads from the survey to the rest of the site.
    let page = fixture.page("survey/index.html");
    for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(link.starts_with('#') || link.starts_with("../assets/"), "{link}");
    }
    // The order is that of the codes, which follow from no number.
    let data = fixture.page("survey/data.js");
    let codes: Vec<&str> =
        data.split("\"code\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(codes.len(), 32);
    assert!(codes.is_sorted());
    // The authors' page has the names, and the table; both without the codes.
    let selection = fixture.page("selection/index.html");
    let table = fixture.page("data/survey.csv");
    assert!(selection.contains("networks/alexnet/conv5/0001/index.html"));
    assert_eq!(table.lines().count(), 33);
    assert!(codes.iter().all(|code| !selection.contains(code) && !table.contains(code)));
    assert_eq!(atlas::check(&site).unwrap(), []);
    // An open one shows those of the atlas.
    let other = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(other.path(), 4);
    fixture.config.survey.blind = false;
    fixture.build().unwrap();
    assert!(!fixture.site().join("survey/images").exists());
    assert!(fixture.page("survey/data.js").contains("\"patches/phantom-"));
}

/// In a blind survey and an open one.
#[test]
fn patches_are_cut_again_as_fine_as_asked() {
    for blind in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let mut fixture = Fixture::new(folder.path(), 4);
        fixture.config.survey.blind = blind;
        fixture.config.mammograms.height = Fineness::Pixels(1000);
        for member in &mut fixture.manifest.mammograms {
            let mammogram = &mut member.mammogram;
            (mammogram.width, mammogram.height) = (3 * mammogram.width, 3 * mammogram.height);
        }
        for patch in &mut fixture.manifest.patches {
            (patch.x, patch.y, patch.edge) = (3 * patch.x, 3 * patch.y, 3 * patch.edge);
        }
        let finest = fixture.manifest.patches[0].edge;
        assert!(finest > fixture.store.edge());
        for (wanted, edge) in [(Fineness::Source, finest), (Fineness::Pixels(120), 120)] {
            fixture.config.survey.resolution = Some(wanted);
            fixture.build().unwrap();
            let data = fixture.page("survey/data.js");
            let named = data.split("\"src\":\"").skip(1);
            let named: BTreeSet<&str> = named.map(|rest| rest.split('"').next().unwrap()).collect();
            assert!(!named.is_empty());
            for path in named {
                let place = if blind { "survey/images/" } else { "survey/patches/phantom-" };
                assert!(path.starts_with(place), "{path}");
                let image = image::open(fixture.site().join(path)).unwrap();
                assert_eq!((image.width(), image.height()), (edge, edge), "{path}");
            }
            // And so are whole mammograms, in tiles.
            let units = files(&fixture.site(), "survey/units");
            let text = String::from_utf8_lossy(&units[0].1).into_owned();
            let (_, rest) = text.split_once("\"tiles\":{\"src\":\"").unwrap();
            let src = rest.split('"').next().unwrap();
            let place = match (blind, wanted) {
                (true, _) => "survey/images/",
                // Finer than those of the atlas.
                (false, Fineness::Source) => "survey/mammograms/phantom-",
                (false, Fineness::Pixels(_)) => "mammograms/phantom-",
            };
            assert!(src.starts_with(place), "{src}");
            assert!(fixture.site().join(src).join("0/0_0.jpg").exists(), "{src}");
            assert_eq!(atlas::check(&fixture.site()).unwrap(), []);
        }
        // What is no finer than what was kept is no file of its own.
        fixture.config.survey.resolution = Some(Fineness::Pixels(64));
        fixture.build().unwrap();
        assert!(!fixture.site().join("survey/patches").exists());
    }
}

#[test]
fn an_open_survey_says_what_a_blind_one_hides() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    fixture.config.survey.blind = false;
    fixture.build().unwrap();
    let data = fixture.page("survey/data.js");
    assert!(data.contains("\"name\":\"alexnet/conv5/0001\"") && data.contains("\"positive\":"));
    // Never what others said.
    assert!(!data.contains("spiculated edge") && !data.contains("reader-a"));
}

#[test]
fn what_readers_say_of_themselves_is_on_no_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 4);
    fixture.readers[0].about = Some(About {
        given_at: "2001-02-03T04:05:06Z".into(),
        consent: Some("fedcba9876543210fedcba9876543210".into()),
        years: Some(77),
        subspecialty: Some(Subspecialty::InTraining),
        mammograms_per_year: Some(98_765),
    });
    fixture.build().unwrap();
    for (path, bytes) in files(&fixture.site(), "") {
        let text = String::from_utf8_lossy(&bytes);
        for mark in ["2001-02-03", "fedcba98", "98765", "98,765", "77 years"] {
            assert!(!text.contains(mark), "{path}: {mark}");
        }
        let script = path.starts_with("assets/");
        assert!(script || !text.contains("in_training"), "{path}");
    }
}

/// The units behind the codes of a fixture's survey, as the program knows them.
fn codes(fixture: &Fixture) -> (Codes, Vec<Dissected>) {
    let coder = Coder::new(fixture.config.seed, &fixture.config.survey.study);
    let layers: Vec<_> = fixture
        .networks
        .iter()
        .flat_map(|n| n.layers.iter().map(|layer| (n.config.name.clone(), layer)))
        .collect();
    let units = layers.iter().flat_map(|(network, layer)| {
        layer.units.iter().map(move |unit| {
            let unit = UnitId::new(network.as_str(), layer.layer.as_str(), unit.unit);
            (unit, layer.weights_blake3.as_str())
        })
    });
    let dissected = layers.iter().map(|(network, layer)| Dissected {
        network: network.clone(),
        layer: layer.layer.clone(),
        units: layer.units.len() as u32,
    });
    (Codes::new(&coder, units), dissected.collect())
}

#[cfg(unix)]
mod readers {
    use std::path::PathBuf;

    use super::*;
    use crate::support::chromium::{Browser, chromium, downloaded};
    use crate::support::static_server;
    use serde_json::Value;
    use study::import::{Report, import_read};

    const DESKTOP: [u32; 2] = [1280, 900];

    /// A site with a survey of twelve units and three repeats, and folders for a browser.
    struct Place {
        fixture: Fixture,
        folder: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            Self::asking(|_| {})
        }

        /// The same with something else.
        fn asking(change: impl FnOnce(&mut Fixture)) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let mut fixture = Fixture::new(folder.path(), 12);
            fixture.config.survey.units = 6;
            fixture.config.survey.patches = 8;
            fixture.config.survey.repeats = 0.25;
            fixture.config.survey.contact = Some("study@example.org".into());
            fixture.readers.clear();
            change(&mut fixture);
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
            format!("file://{}", self.fixture.site().join("survey/index.html").display())
        }

        /// As `labels import` does it.
        fn import(&self, file: &Path) -> Report {
            let (codes, layers) = codes(&self.fixture);
            let read = Ok(Read::open(file).unwrap().decoded(&codes));
            let labels = self.folder.path().join("content/labels");
            import_read(
                std::iter::once(read.map(|read| vec![read])),
                &labels,
                study::labels::read(&labels),
                &layers,
                &self.fixture.lexicons,
            )
            .unwrap()
        }
    }

    fn begin(browser: &mut Browser, name: &str) {
        browser.wait("!document.getElementById('survey-welcome').hidden");
        browser.click("#survey-name");
        browser.type_text(name);
        browser.key("Enter");
        browser.wait("!document.getElementById('survey-overview').hidden");
    }

    /// Saves the file, and moves it to where the next one does not replace it.
    fn saved(browser: &mut Browser, place: &Place) -> PathBuf {
        browser.eval("location.hash = 'send'");
        browser.wait("!document.getElementById('survey-send').hidden");
        browser.key("Enter");
        let file = downloaded(&place.path("downloads"));
        let sent = "document.getElementById('survey-sent').textContent";
        browser.wait(&format!("{sent}.includes('study@example.org')"));
        let kept = (0..).map(|n| place.folder.path().join(format!("saved-{n}")));
        let folder = kept.into_iter().find(|folder| !folder.exists()).unwrap();
        std::fs::create_dir(&folder).unwrap();
        let target = folder.join(file.file_name().unwrap());
        std::fs::rename(&file, &target).unwrap();
        target
    }

    fn on_unit(browser: &mut Browser, number: usize) {
        browser.wait(&format!(
            "!document.getElementById('survey-unit').hidden && \
             document.getElementById('survey-unit-title').textContent === 'Unit {number} of 15' && \
             document.querySelectorAll('.survey-patch').length === 8"
        ));
    }

    fn answers(file: &Path) -> Vec<Value> {
        let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        file["answers"].as_array().unwrap().clone()
    }

    #[test]
    fn two_readers_answer_over_several_sittings_and_their_files_come_in() {
        let place = Place::new();
        let url = place.url();
        two_readers(place, &url, "file:");
    }

    #[test]
    fn two_readers_do_the_same_from_a_folder_of_a_web_server() {
        let place = Place::new();
        let root = static_server::serve(&place.fixture.site(), "/study/");
        two_readers(place, &format!("{root}survey/index.html"), &root);
    }

    /// The whole study at `url`; what the page asks for begins with `origin`.
    fn two_readers(place: Place, url: &str, origin: &str) {
        let Some(mut browser) = place.browser("profile", DESKTOP) else { return };
        browser.go(url);
        begin(&mut browser, "Reader A");
        assert_eq!(browser.eval("document.querySelectorAll('.survey-units li').length"), 15);
        assert_eq!(
            browser.eval("document.querySelectorAll('.survey-units li:first-child img').length"),
            8
        );
        // The first, by hand: a term by typing, own words with odd characters, two phenomena.
        browser.key("Enter");
        on_unit(&mut browser, 1);
        browser.key("y");
        browser.key("t");
        browser.type_text("spicu");
        browser.key("Enter");
        browser.wait("document.querySelector('.survey-chips').textContent.includes('spiculated')");
        browser.key("m");
        browser.key("d");
        browser.type_text("masses, \"hard\" <b>edge</b>\nsecond line");
        browser.key("Escape");
        browser.key("a");
        browser.type_text("pectoral");
        browser.key("Enter");
        browser.key("x");
        browser.key_with("4", 8);
        browser.key("r");
        browser.type_text("=1+1");
        browser.key_with("Enter", 2);
        on_unit(&mut browser, 2);
        // Nothing to see: two keys.
        browser.key("n");
        browser.key("Enter");
        on_unit(&mut browser, 3);
        // Terms used before, by number: three keys.
        for key in ["1", "b", "Enter"] {
            browser.key(key);
        }
        on_unit(&mut browser, 4);
        browser.key("u");
        browser.key("Enter");
        on_unit(&mut browser, 5);
        // Begun, not finished: what is missing is said, the way on stays open.
        browser.key("y");
        browser.key("Enter");
        browser
            .wait("document.getElementById('survey-problem').textContent.includes('Name a term')");
        browser.key("Escape");
        browser.key("Escape");
        browser.key("ArrowRight");
        on_unit(&mut browser, 6);
        browser.close();

        // A second sitting: all is there, also what was begun.
        let mut browser = place.browser("profile", DESKTOP).unwrap();
        browser.go(url);
        browser.wait("document.querySelector('.survey-readers button')");
        let known = browser.text("document.querySelector('.survey-readers').textContent");
        assert!(known.contains("Go on as Reader A") && known.contains("4 answers"), "{known}");
        browser.click(".survey-readers button");
        browser.wait(
            "document.getElementById('survey-progress-words').textContent === '4 of 15 answered'",
        );
        let states = browser.text(
            "Array.from(document.querySelectorAll('.survey-answered'), n => n.textContent).slice(0, 6).join('|')",
        );
        assert!(states.starts_with("yes; spiculated: masses, \"hard\" <b>edge</b>"), "{states}");
        assert!(states.ends_with("|no|yes; spiculated|not sure|begun|open"), "{states}");
        // Back to the second, to correct it.
        browser.click(".survey-units li:nth-child(2) a");
        on_unit(&mut browser, 2);
        browser.wait("document.querySelector('input[name=recognizable][value=no]').checked");
        for key in ["y", "2", "s", "Enter"] {
            browser.key(key);
        }
        on_unit(&mut browser, 3);
        let file = saved(&mut browser, &place);
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with("test_reader-a_20") && name.ends_with(".json"), "{name}");
        let first = answers(&file);
        assert_eq!(first.len(), 4, "what is begun is not in the file");
        assert_eq!(
            first[0]["phenomena"][0]["description"],
            "masses, \"hard\" <b>edge</b>\nsecond line"
        );
        assert_eq!(first[0]["phenomena"][0]["terms"], serde_json::json!(["margin-spiculated"]));
        assert_eq!(first[0]["phenomena"][1]["terms"], serde_json::json!(["pectoral-muscle"]));
        assert_eq!(first[0]["phenomena"][1]["association"], "none");
        assert_eq!((&first[0]["confidence"], &first[0]["remarks"]), (&4.into(), &"=1+1".into()));
        assert_eq!(first[1]["phenomena"][0]["association"], "unsure");
        assert_eq!(first[3]["recognizable"], "unsure");
        browser.close();

        // On another computer, from the file, to the end: by clicks, three per unit.
        let mut browser = place.browser("elsewhere", DESKTOP).unwrap();
        browser.go(url);
        browser.wait("!document.getElementById('survey-welcome').hidden");
        browser.upload("#survey-file", &file);
        browser.wait(
            "document.getElementById('survey-progress-words').textContent === '4 of 15 answered'",
        );
        browser.click("#survey-next-open");
        on_unit(&mut browser, 5);
        browser.key("t");
        browser.type_text("mass");
        browser.key("Enter");
        browser.key("b");
        browser.key("Enter");
        for number in 6..=15 {
            on_unit(&mut browser, number);
            browser.click(".survey-quick button");
            browser.click(".survey-association input[value=malignant]");
            browser.click("#survey-done");
        }
        browser.wait("!document.getElementById('survey-send').hidden");
        let file = saved(&mut browser, &place);
        let all = answers(&file);
        assert_eq!(all.len(), 15);
        assert_eq!(all.iter().filter(|a| a["repeat"] == true).count(), 3);
        assert!(all.iter().all(|a| a["unit"].as_str().unwrap().starts_with("u-")));
        assert_eq!(browser.nameless(), [""; 0]);
        browser.close();

        // The files come in: what was typed, under the units' names; a second time changes nothing.
        let report = place.import(&file);
        assert_eq!((report.readers[0].added(), report.warnings.len()), (15, 0));
        let labels = place.folder.path().join("content/labels/reader-a.yaml");
        let before = std::fs::read(&labels).unwrap();
        let report = place.import(&file);
        assert_eq!((report.readers[0].kept, report.readers[0].added()), (15, 0));
        assert_eq!(std::fs::read(&labels).unwrap(), before);
        let stored = Read::open(&labels).unwrap().content();
        let (codes, _) = codes(&place.fixture);
        for (answer, typed) in stored.answers.iter().zip(&all) {
            assert_eq!(answer.unit().as_ref(), codes.unit(typed["unit"].as_str().unwrap()));
            let mut written = serde_json::to_value(answer).unwrap();
            written["unit"] = typed["unit"].clone();
            // A whole number of seconds is a number all the same.
            written["seconds"] = typed["seconds"].clone();
            assert_eq!(&written, typed);
        }

        // A second reader, where the first was: another order.
        let mut browser = place.browser("profile", DESKTOP).unwrap();
        browser.go(url);
        begin(&mut browser, "reader-b");
        let order = "unitAtlas.survey.order(unitAtlas.data('survey/data.js'), NAME).join()";
        assert_ne!(
            browser.text(&order.replace("NAME", "'reader-b'")),
            browser.text(&order.replace("NAME", "'Reader A'"))
        );
        browser.key("Enter");
        on_unit(&mut browser, 1);
        browser.key("y");
        browser.key("t");
        browser.type_text("mass");
        browser.key("Enter");
        browser.key("m");
        browser.key("Enter");
        for number in 2..=15 {
            on_unit(&mut browser, number);
            // Three keys: the term used before, its association, on.
            let keys = if number % 3 == 0 { ["n", "n"] } else { ["1", "b"] };
            keys.iter().for_each(|key| browser.key(key));
            browser.key("Enter");
        }
        browser.wait("!document.getElementById('survey-send').hidden");
        let second = saved(&mut browser, &place);
        assert_eq!(answers(&second).len(), 15);
        assert_eq!(place.import(&second).readers[0].added(), 15);
        assert_eq!(place.import(&second).readers[0].added(), 0);
        // A file of another reader, or no file of the survey, is not taken.
        browser.upload("#survey-merge", &file);
        browser.wait(
            "document.getElementById('survey-merge-words').textContent.includes('not of reader-b')",
        );
        for (text, words) in [
            ("{\"schema\": 1, \"study\": \"other\"}", "another study"),
            ("not a file", "not JSON"),
            ("[1]", "not a saved file"),
            (
                "{\"schema\": 1, \"study\": \"test\", \"lexicon\": \"bi-rads-5\", \"reader\": \"reader-b\", \
              \"answers\": [{\"unit\": \"u-x\", \"recognizable\": \"<script>\"}]}",
                "not one of yes, no, unsure",
            ),
        ] {
            let hostile = place.folder.path().join("hostile.json");
            std::fs::write(&hostile, text).unwrap();
            browser.upload("#survey-merge", &hostile);
            browser.wait(&format!(
                "document.getElementById('survey-merge-words').textContent.includes({words:?})"
            ));
        }
        let own = browser.requests();
        assert!(
            own.iter().all(|url| url.starts_with(origin)
                || url.starts_with("blob:")
                || url == "about:blank"),
            "{own:?}"
        );
        browser.close();

        // The site shows what they said.
        let mut fixture = place.fixture;
        fixture.readers = ["reader-a", "reader-b"]
            .map(|name| {
                let path = place.folder.path().join(format!("content/labels/{name}.yaml"));
                Read::open(&path).unwrap().content()
            })
            .to_vec();
        fixture.build().unwrap();
        let table = fixture.page("birads/index.html");
        assert!(
            table.contains("masses, &quot;hard&quot; &lt;b&gt;edge&lt;&#x2F;b&gt;")
                || table.contains("&lt;b&gt;edge"),
            "not in the table"
        );
        // What only terms say goes by their names.
        assert!(table.contains("<em>mass</em>"), "terms are not in the table");
        let agreement = fixture.page("agreement/index.html");
        for words in ["Reader A", "reader-b", "Krippendorff"] {
            assert!(agreement.contains(words), "agreement: {words}");
        }
        let statistics = fixture.page("data/agreement.csv");
        assert!(statistics.lines().count() > 5, "{statistics}");
    }

    #[test]
    fn from_a_web_server_it_is_the_same() {
        let place = Place::new();
        let Some(mut browser) = place.browser("profile", DESKTOP) else { return };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/survey/index.html", listener.local_addr().unwrap());
        let (_tell, news) = tokio::sync::watch::channel(serve::News::default());
        runtime.spawn(serve::serve(
            place.fixture.site(),
            listener,
            serve::Names::new([127, 0, 0, 1].into(), Vec::new()),
            news,
        ));
        browser.go(&url);
        begin(&mut browser, "reader-c");
        browser.key("Enter");
        on_unit(&mut browser, 1);
        browser.key("n");
        browser.key("Enter");
        on_unit(&mut browser, 2);
        browser.close();
        let mut browser = place.browser("profile", DESKTOP).unwrap();
        browser.go(&url);
        browser.wait("document.querySelector('.survey-readers button')");
        browser.click(".survey-readers button");
        browser.wait(
            "document.getElementById('survey-progress-words').textContent === '1 of 15 answered'",
        );
        browser.key("Enter");
        on_unit(&mut browser, 2);
        browser.key("u");
        // Two windows: what one has changed since stands in the other.
        browser.eval(
            "(() => { const study = unitAtlas.data('survey/data.js'); \
             const key = unitAtlas.survey.records(study, localStorage).keyOf('reader-c'); \
             const record = JSON.parse(localStorage.getItem(key)); \
             const slot = unitAtlas.survey.order(study, 'reader-c')[1]; \
             record.answers[slot].remarks = 'from elsewhere'; \
             record.answers[slot].answered_at = new Date(Date.now() + 1000).toISOString(); \
             localStorage.setItem(key, JSON.stringify(record)); })()",
        );
        browser.key("o");
        browser.wait(
            "document.getElementById('survey-progress-words').textContent === '2 of 15 answered'",
        );
        let file = saved(&mut browser, &place);
        assert_eq!(answers(&file)[1]["remarks"], "from elsewhere");
        assert!(answers(&file).iter().all(|a| a["seconds"].is_u64()));
        assert_eq!(place.import(&file).readers[0].added(), 2);
        browser.close();
    }

    #[test]
    fn what_the_controls_do_is_seen_and_keys_can_be_switched_off() {
        let place = Place::new();
        let Some(mut browser) = place.browser("profile", DESKTOP) else { return };
        browser.go(&place.url());
        begin(&mut browser, "a");
        browser.key("Enter");
        on_unit(&mut browser, 1);
        let filter = "getComputedStyle(document.querySelector('.survey-grid img')).filter";
        assert_eq!(browser.text(filter), "brightness(1) contrast(1)");
        for key in ["]", "]", "}", "i"] {
            browser.key(key);
        }
        assert_eq!(browser.text(filter), "brightness(1.2) contrast(1.1) invert(1)");
        browser.key("0");
        assert_eq!(browser.text(filter), "brightness(1) contrast(1)");
        let look = "document.documentElement.dataset.look";
        assert_eq!(browser.text(look), "dim");
        browser.key("h");
        assert_eq!(browser.text(look), "outline");
        let width = "document.querySelector('.survey-grid li').offsetWidth";
        let before = browser.eval(width).as_f64().unwrap();
        for _ in 0..6 {
            browser.key("+");
        }
        assert!(browser.eval(width).as_f64().unwrap() > before);
        // Patches by Tab and arrows; the mammogram with a frame; larger by `z`.
        browser.eval("document.querySelector('.survey-patch').focus()");
        browser.key("ArrowRight");
        browser.wait("document.getElementById('survey-context').dataset.patch === '1'");
        assert_eq!(
            browser
                .eval("document.querySelectorAll('.survey-patch')[1] === document.activeElement"),
            true
        );
        let film = "document.querySelector('.survey-mammogram').offsetWidth";
        let fit = browser.eval(film).as_f64().unwrap();
        assert!(fit > 100.0);
        browser.key("z");
        let double = browser.eval(film).as_f64().unwrap();
        assert!((double - 2.0 * fit).abs() <= 3.0, "{fit} {double}");
        // Keys are written on the controls, and can be switched off.
        assert_eq!(
            browser.text("document.querySelector('#survey-add').getAttribute('aria-keyshortcuts')"),
            "a"
        );
        browser.key("Escape");
        browser.click("#survey-keys");
        browser.key("y");
        assert_eq!(
            browser.eval("document.querySelector('input[name=recognizable]:checked')"),
            Value::Null
        );
        browser.click("#survey-keys");
        browser.key("y");
        assert_eq!(
            browser.text("document.querySelector('input[name=recognizable]:checked').value"),
            "yes"
        );
        // Letters in a text field are letters.
        browser.key("d");
        browser.key("n");
        assert_eq!(browser.text("document.querySelector('.survey-words').value"), "n");
        assert_eq!(
            browser.text("document.querySelector('input[name=recognizable]:checked').value"),
            "yes"
        );
        // The list of terms: groups, arrows, Escape; and what a reader of the screen is told.
        browser.key("Escape");
        browser.key("t");
        browser.wait("document.querySelectorAll('[role=option]').length === 6");
        assert_eq!(browser.nameless(), [""; 0]);
        browser.key("ArrowDown");
        let active = browser.text("document.activeElement.getAttribute('aria-activedescendant')");
        assert!(active.ends_with("-mass"), "{active}");
        browser.key("Escape");
        browser.key("Escape");
        browser.key("?");
        browser.wait("document.getElementById('survey-help').open");
        browser.key("Escape");
        browser.close();
    }

    /// On a mammography monitor.
    #[test]
    fn patches_fill_the_screen_and_what_was_chosen_is_kept_or_taken_back() {
        let place = Place::new();
        let Some(mut browser) = place.browser("profile", [2048, 2560]) else { return };
        browser.go(&place.url());
        let welcome = "document.getElementById('survey-welcome').textContent";
        let said = browser.text(welcome);
        for words in ["12 units, 3 of them a second time", "that takes about 15 minutes."] {
            assert!(said.contains(words), "{said}");
        }
        begin(&mut browser, "a");
        browser.key("Enter");
        on_unit(&mut browser, 1);
        // As large as all of them can be, and the mammogram of the best at once.
        browser.wait("document.querySelector('.survey-mammogram')");
        let size = "document.querySelector('.survey-grid .picture').offsetWidth";
        let large = browser.eval(size).as_f64().unwrap();
        assert!(large > 150.0, "{large}");
        let below =
            "document.getElementById('survey-grid').getBoundingClientRect().bottom - innerHeight";
        assert!(browser.eval(below).as_f64().unwrap() <= 0.0);
        browser.key("+");
        let larger = browser.eval(size).as_f64().unwrap();
        assert!(larger > large, "{larger} {large}");
        browser.key("]");
        browser.eval("window.before = true; location.reload()");
        browser.wait("!window.before && document.readyState === 'complete'");
        on_unit(&mut browser, 1);
        let filter = "getComputedStyle(document.querySelector('.survey-grid img')).filter";
        assert_eq!(browser.text(filter), "brightness(1.1) contrast(1)");
        assert_eq!(browser.eval(size).as_f64().unwrap(), larger);
        browser.key("0");
        assert_eq!(browser.eval(size).as_f64().unwrap(), large);

        // A phrase is two terms, and each change is taken back by itself.
        let chips = "Array.from(document.querySelectorAll('.survey-chips li'), li => li.firstChild.data).join()";
        let chosen =
            "String((document.querySelector('input[name=recognizable]:checked') || {}).value)";
        let undo = "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'z', ctrlKey: true, bubbles: true }))";
        browser.key("t");
        browser.type_text("spikulated masses");
        browser.key("Enter");
        assert_eq!(browser.text(chips), "spiculated,mass");
        assert_eq!(browser.text(chosen), "yes");
        browser.key("Escape");
        browser.key("u");
        assert_eq!(browser.text(chosen), "unsure");
        for (button, terms, seen) in [
            (false, "spiculated,mass", "yes"),
            (true, "spiculated", "yes"),
            (false, "", "undefined"),
        ] {
            if button {
                browser.click("#survey-undo");
            } else {
                browser.eval(undo);
            }
            assert_eq!((browser.text(chips), browser.text(chosen)), (terms.into(), seen.into()));
        }
        assert_eq!(browser.eval("document.getElementById('survey-undo').hidden"), true);
        browser.close();
    }

    #[test]
    fn a_tablet_and_a_phone_have_room_for_it() {
        let place = Place::new();
        let Some(chromium) = chromium() else { return };
        for size in [[820, 1180], [500, 800]] {
            let profile = place.path(&format!("profile-{}", size[0]));
            let mut browser = Browser::open(&chromium, &profile, &place.path("downloads"), size);
            browser.go(&place.url());
            let beyond =
                "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.eval(beyond), 0);
            begin(&mut browser, "a");
            assert_eq!(browser.eval(beyond), 0);
            browser.key("Enter");
            on_unit(&mut browser, 1);
            assert_eq!(browser.eval(beyond), 0, "{size:?}");
            // A click shows it large, and hides no other patch; keys show the mammogram over the patches.
            browser.click(".survey-patch");
            browser.wait("document.querySelector('dialog.viewer[open] .viewer-pane')");
            browser.key("Escape");
            browser.wait("!document.querySelector('dialog[open]')");
            browser.key("ArrowRight");
            browser.wait("document.querySelector('.survey-mammogram')");
            assert_eq!(browser.eval(beyond), 0, "{size:?}");
            browser.click("#survey-context-close");
            browser.wait("!document.querySelector('.survey-mammogram')");
            // What can be pressed is large enough.
            let small = browser.text(
                "Array.from(document.querySelectorAll('#survey-unit button, #survey-unit a, #survey-unit label:has(input)'))\
                 .filter(n => n.offsetParent && (n.offsetWidth < 24 || n.offsetHeight < 24))\
                 .map(n => n.textContent + ' ' + n.offsetWidth + 'x' + n.offsetHeight).join('; ')",
            );
            assert_eq!(small, "");
            browser.close();
        }
    }

    #[test]
    fn without_storage_the_reader_is_warned_and_can_still_save() {
        let place = Place::new();
        let Some(mut browser) = place.browser("profile", DESKTOP) else { return };
        browser.call(
            "Page.addScriptToEvaluateOnNewDocument",
            serde_json::json!({ "source":
                "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } });" }),
        );
        browser.go(&place.url());
        browser.wait(
            "document.getElementById('survey-warning').textContent.includes('keeps nothing')",
        );
        begin(&mut browser, "a");
        browser.key("Enter");
        on_unit(&mut browser, 1);
        browser.key("n");
        browser.key("Enter");
        on_unit(&mut browser, 2);
        let file = saved(&mut browser, &place);
        assert_eq!(answers(&file).len(), 1);
        browser.close();
    }

    /// How a reader works.
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Hands {
        Mouse,
        Keys,
        Phone,
    }

    impl Hands {
        /// Presses an element, which must be in reach.
        fn press(self, browser: &mut Browser, selector: &str) {
            match self {
                Self::Mouse => browser.click(selector),
                Self::Keys => {
                    // By the Tab key, as far as it is.
                    let on = format!("document.activeElement.matches({selector:?})");
                    let found = (0..60).any(|_| {
                        browser.key("Tab");
                        browser.eval(&on) == true
                    });
                    assert!(found, "{selector} is not reached by Tab");
                    let is_choice = "/^(radio|checkbox)$/.test(document.activeElement.type)";
                    let key = if browser.eval(is_choice) == true { " " } else { "Enter" };
                    browser.key(key);
                }
                Self::Phone => {
                    browser.wait(&format!("document.querySelector({selector:?})"));
                    let place = format!(
                        "(() => {{ const node = document.querySelector({selector:?}); \
                         node.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
                         const r = node.getBoundingClientRect(); \
                         return [r.x + r.width / 2, r.y + r.height / 2].join(); }})()"
                    );
                    // Once nothing moves any more.
                    let mut before = String::new();
                    let place = loop {
                        let now = browser.text(&place);
                        if now == before {
                            break now;
                        }
                        before = now;
                        std::thread::sleep(std::time::Duration::from_millis(60));
                    };
                    let (x, y) = place.split_once(',').unwrap();
                    let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                    assert!(
                        (0.0..390.0).contains(&x) && (0.0..844.0).contains(&y),
                        "{selector}: {place}"
                    );
                    let point = serde_json::json!([{ "x": x, "y": y }]);
                    let touch = |kind: &str, points: &Value| serde_json::json!({ "type": kind, "touchPoints": points });
                    browser.call("Input.dispatchTouchEvent", touch("touchStart", &point));
                    browser.call(
                        "Input.dispatchTouchEvent",
                        touch("touchEnd", &serde_json::json!([])),
                    );
                }
            }
        }

        /// Answers the open unit, the `number`th, in the fewest steps that this way has.
        fn answer(self, browser: &mut Browser, number: usize) {
            match (self, number % 3) {
                (Self::Keys, 1) if number == 1 => {
                    browser.key("t");
                    browser.type_text("spiculated mass");
                    browser.key("Enter");
                    browser.key("m");
                    browser.key("Enter");
                    // From the field of terms Enter leads to the association first.
                }
                (Self::Keys, 0) => ["n", "Enter"].iter().for_each(|key| browser.key(key)),
                (Self::Keys, _) => ["1", "b", "Enter"].iter().for_each(|key| browser.key(key)),
                (_, 0) => {
                    self.press(browser, "input[name=recognizable][value=no]");
                    self.press(browser, "#survey-done");
                }
                _ => {
                    if number == 1 {
                        // The first term, from the list.
                        self.press(browser, ".survey-find-input");
                        browser.wait("document.querySelector('[role=option]')");
                        self.press(browser, "[role=option]");
                    } else {
                        self.press(browser, ".survey-quick button");
                    }
                    self.press(browser, ".survey-association input[value=malignant]");
                    self.press(browser, "#survey-done");
                }
            }
        }
    }

    /// From the link to the file: a text to agree to, questions, two units to practise on, ten units with a reload
    /// in between, the file, and where everything is.
    fn path_of_a_reader(hands: Hands) {
        let place = Place::asking(|fixture| {
            fixture.config.survey.units = 5;
            fixture.config.survey.repeats = 0.0;
            fixture.config.survey.practice = 2;
            // All detect something beyond chance, masses or spicules.
            for layer in fixture.networks.iter_mut().flat_map(|network| &mut network.layers) {
                for unit in &mut layer.units {
                    let found = &mut unit.matches[2 + unit.unit as usize % 2];
                    found.iou = 0.1 + 0.01 * unit.unit as f32;
                    found.chance.as_mut().unwrap().adjusted = 0.01;
                }
            }
            fixture.config.survey.background =
                vec![config::Background::Years, config::Background::Subspecialty];
            let consent = fixture.config.root.join("consent.md");
            std::fs::create_dir_all(&fixture.config.root).unwrap();
            std::fs::write(&consent, "# Taking part\n\nYou may **stop** <b>at any time</b>.\n")
                .unwrap();
            fixture.config.survey.consent = Some(consent);
        });
        let size = if hands == Hands::Phone { [500, 844] } else { DESKTOP };
        let Some(mut browser) = place.browser("profile", size) else { return };
        if hands == Hands::Phone {
            browser.call(
                "Emulation.setDeviceMetricsOverride",
                serde_json::json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true }),
            );
            browser
                .call("Emulation.setTouchEmulationEnabled", serde_json::json!({ "enabled": true }));
        }
        browser.go(&place.url());
        browser.wait("!document.getElementById('survey-welcome').hidden");
        let beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        if hands == Hands::Keys {
            let on = "document.activeElement.id === 'survey-name'";
            while browser.eval(on) != true {
                browser.key("Tab");
            }
        } else {
            hands.press(&mut browser, "#survey-name");
        }
        browser.type_text("Reader A");
        if hands == Hands::Keys {
            browser.key("Enter");
        } else {
            hands.press(&mut browser, "#survey-start button");
        }

        // What there is to agree to stands before everything else; nothing is kept before.
        browser.wait("!document.getElementById('survey-about').hidden");
        assert_eq!(browser.eval(beyond), 0);
        let text = browser.text("document.querySelector('.survey-consent').innerHTML");
        assert!(
            text.contains("<h2>Taking part</h2>") && text.contains("<strong>stop</strong>"),
            "{text}"
        );
        assert!(text.contains("&lt;b&gt;at any time"), "{text}");
        let kept =
            "Object.keys(localStorage).filter(key => key.startsWith('unit-atlas-survey:')).length";
        assert_eq!(browser.eval(kept), 0);
        browser.eval("location.hash = 'unit-1'");
        browser.wait("!document.getElementById('survey-about').hidden");
        browser.eval("document.getElementById('survey-about-title').focus()");
        hands.press(&mut browser, "#survey-agree");
        if hands == Hands::Keys {
            browser.key("Tab");
        } else {
            hands.press(&mut browser, "#survey-about-years");
        }
        browser.type_text("12");
        hands.press(&mut browser, "#survey-about-form button");

        // Practice, which tells what is known, and is not counted.
        for number in 1..=2 {
            browser.wait(&format!(
                "document.getElementById('survey-unit-title').textContent === 'Practice {number} of 2' && \
                 document.querySelectorAll('.survey-patch').length === 8"
            ));
            assert_eq!(browser.eval(beyond), 0);
            hands.answer(&mut browser, 3);
            browser.wait("!document.getElementById('survey-feedback').hidden");
            let said = browser.text("document.getElementById('survey-feedback').textContent");
            assert!(
                said.contains("fit this best: ") && said.contains("nothing was recognisable"),
                "{said}"
            );
            match hands {
                Hands::Keys => browser.key("Enter"),
                _ => hands.press(&mut browser, "#survey-done"),
            }
        }
        browser.wait(
            "document.getElementById('survey-progress-words').textContent === '0 of 10 answered'",
        );
        assert_eq!(browser.eval(beyond), 0);
        match hands {
            Hands::Keys => browser.key("Enter"),
            _ => hands.press(&mut browser, "#survey-next-open"),
        }

        let on_unit = |browser: &mut Browser, number: usize| {
            browser.wait(&format!(
                "document.getElementById('survey-unit-title').textContent === 'Unit {number} of 10' && \
                 document.querySelectorAll('.survey-patch').length === 8"
            ));
        };
        for number in 1..=10 {
            on_unit(&mut browser, number);
            if number == 6 {
                browser.eval("window.before = true; location.reload()");
                browser.wait("!window.before && document.readyState === 'complete'");
                on_unit(&mut browser, number);
            }
            assert_eq!(browser.eval(beyond), 0);
            let hint = "Array.from(document.querySelectorAll('.survey-key')).some(node => node.offsetParent)";
            assert_eq!(browser.eval(hint), hands != Hands::Phone, "hints of keys");
            hands.answer(&mut browser, number);
        }

        // The file, and where everything is.
        browser.wait("!document.getElementById('survey-send').hidden");
        match hands {
            Hands::Keys => browser.key("Enter"),
            _ => hands.press(&mut browser, "#survey-save"),
        }
        browser.wait("!document.getElementById('survey-thanks').hidden");
        let file = downloaded(&place.path("downloads"));
        let said = browser.text("document.getElementById('survey-thanks').textContent");
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for words in
            ["10 of 10 units", &name, "Send it to study@example.org", "sent nothing to anyone"]
        {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert_eq!(browser.eval(beyond), 0);
        assert_eq!(browser.nameless(), [""; 0]);
        assert_eq!(browser.failures(), [""; 0]);
        browser.close();
        let all = answers(&file);
        assert_eq!(all.len(), 10);
        assert_eq!(all.iter().filter(|answer| answer["recognizable"] == "no").count(), 3);
        let asked = &place.fixture.page("survey/data.js");
        let practised = asked.split("\"practice\":").nth(1).unwrap();
        for answer in &all {
            assert!(!practised.contains(answer["unit"].as_str().unwrap()), "practised and asked");
        }
        if hands == Hands::Keys {
            assert_eq!(all[0]["phenomena"][0]["terms"].as_array().unwrap().len(), 2, "of a phrase");
        }
        // It comes in, with what was agreed to and said.
        assert_eq!(place.import(&file).readers[0].added(), 10);
        let labels = place.folder.path().join("content/labels/reader-a.yaml");
        let about = Read::open(&labels).unwrap().content().about.unwrap();
        assert_eq!((about.years, about.subspecialty), (Some(12), None));
        assert_eq!(about.consent.as_ref().map(String::len), Some(32));
    }

    #[test]
    fn a_reader_gets_from_the_link_to_the_end_with_a_mouse() {
        path_of_a_reader(Hands::Mouse);
    }

    #[test]
    fn a_reader_gets_from_the_link_to_the_end_by_keys() {
        path_of_a_reader(Hands::Keys);
    }

    #[test]
    fn a_reader_gets_from_the_link_to_the_end_on_a_phone() {
        path_of_a_reader(Hands::Phone);
    }
}
