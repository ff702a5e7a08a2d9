//! The viewer in Chromium, from a disk and from the server: how it is opened and left, what wheel, drag, keys and
//! fingers do to the very pixels, views side by side, tiles, the survey, a site in one file.
#![cfg(unix)]

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use atlas::pack::{self, Form, Selection};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::GrayImage;
use mammogram::View;
use serde_json::{Value, json};

use crate::support::chromium::{Browser, chromium};
use crate::support::viewing::*;
use crate::support::{Fixture, edit_data};

const UNIT: &str = "networks/alexnet/conv5/0002/index.html";
/// A mammogram whose page is there, and its size.
const MAMMOGRAM: &str = "phantom-003";
const SIZE: [f64; 2] = [384.0, 512.0];
/// The bar ends above it.
const DESKTOP: [u32; 2] = [1280, 900];

struct Place {
    folder: tempfile::TempDir,
    fixture: Fixture,
}

impl Place {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// A site of artifacts that are changed before.
    fn with(change: impl FnOnce(&mut Fixture)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut fixture = Fixture::new(folder.path(), 6);
        change(&mut fixture);
        fixture.build().unwrap();
        Self { folder, fixture }
    }

    fn site(&self) -> PathBuf {
        self.fixture.site()
    }

    fn root(&self) -> String {
        format!("file://{}/", self.site().display())
    }

    fn browser(&self, chromium: &Path, size: [u32; 2]) -> Browser {
        let path = |name: &str| self.folder.path().join(name);
        let mut browser = Browser::open(chromium, &path("profile"), &path("downloads"), size);
        browser.call("Log.enable", json!({}));
        screen(&mut browser, size, 1.0);
        browser
    }

    /// With the viewer open at the mammogram and the patient's other view.
    fn viewing(&self, chromium: &Path) -> Browser {
        let mut browser = self.browser(chromium, DESKTOP);
        browser.go(&format!("{}{}", self.root(), page(MAMMOGRAM)));
        browser.key("v");
        drawn(&mut browser, 2);
        browser
    }
}

/// The site as `unit-atlas serve` serves it, with what it forbids pages.
fn served(site: &Path) -> String {
    let (tell, news) = tokio::sync::watch::channel(serve::News::default());
    let (told, address) = std::sync::mpsc::channel();
    let site = site.to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            let names = serve::Names::new(Ipv4Addr::LOCALHOST.into(), Vec::new());
            serve::serve(site, listener, names, news).await;
            drop(tell);
        });
    });
    format!("http://{}/", address.recv().unwrap())
}

fn page(id: &str) -> String {
    format!("mammograms/{id}/index.html")
}

/// Whether something has the focus.
fn focused(selector: &str) -> String {
    format!("document.activeElement === document.querySelector({selector:?})")
}

#[test]
fn it_opens_in_every_way_and_closes_at_once_from_a_disk_and_from_the_server() {
    let Some(chromium) = chromium() else { return };
    let place = Place::new();
    for root in [place.root(), served(&place.site())] {
        let mut browser = place.browser(&chromium, DESKTOP);
        browser.go(&format!("{root}{}", page(MAMMOGRAM)));
        // Nothing of it comes before it is asked for.
        let parts = |browser: &mut Browser| {
            let asked = browser.requests();
            asked.iter().filter(|url| url.contains("/viewer.") || url.contains("/vendor/")).count()
        };
        assert_eq!(parts(&mut browser), 0);
        // Its button; the focus goes back there, and the page has heard of no key.
        browser.eval("document.querySelector('[data-viewer]').focus()");
        browser.key("Enter");
        browser.wait(OPEN);
        drawn(&mut browser, 2);
        assert_eq!(parts(&mut browser), 3);
        browser.wait("document.activeElement.matches('.viewer-pane')");
        assert_eq!(browser.nameless(), [""; 0]);
        browser.key("Escape");
        browser.wait(SHUT);
        browser.wait(&focused("[data-viewer]"));
        assert_eq!(browser.eval("document.querySelectorAll('.viewer-pane').length"), 0);
        // A click on the picture, beside the links in it; the key; the command.
        browser.eval("document.querySelector('.context-image img').click()");
        browser.wait(OPEN);
        browser.click(".viewer-close");
        browser.wait(SHUT);
        browser.key("v");
        browser.wait(OPEN);
        browser.key("Escape");
        browser.wait(SHUT);
        browser.key("/");
        browser.type_text("open in the viewer");
        browser.wait("document.querySelector('.search-results button')");
        browser.key("Enter");
        browser.wait(OPEN);
        browser.key("Escape");
        browser.wait(SHUT);
        // A case.
        let case = place.site().join("cases/alexnet");
        let case = std::fs::read_dir(case).unwrap().flatten().find(|one| one.path().is_dir());
        let case = case.unwrap().file_name().into_string().unwrap();
        browser.go(&format!("{root}cases/alexnet/{case}/index.html"));
        browser.key("v");
        browser.wait(OPEN);
        browser.wait("document.querySelector('.viewer-marks .heat .chance')");
        browser.wait("document.querySelector('.viewer-marks .overlay .deciding')");
        browser.key("Escape");
        // A patch: Enter, a double click, the picture beside it.
        browser.go(&format!("{root}{UNIT}"));
        browser.eval("document.querySelectorAll('.patch')[2].focus()");
        browser.key("Enter");
        browser.wait(OPEN);
        drawn(&mut browser, 1);
        let title = "document.querySelector('.viewer-title').textContent";
        assert!(browser.text(title).starts_with("Patch 3: "), "{}", browser.text(title));
        browser.wait("document.querySelector('.viewer-marks .overlay .region')");
        browser.wait("document.querySelector('.viewer-marks .heat image')");
        let [scale, ..] = matrix(&mut browser, 0);
        assert!(scale > 2.0, "it begins with the patch, not with the mammogram: {scale}");
        browser.eval("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'PageDown', bubbles: true, cancelable: true }))");
        browser.wait(&format!("{title}.startsWith('Patch 4: ')"));
        browser.key("Escape");
        browser.wait(SHUT);
        browser.wait("document.activeElement === document.querySelectorAll('.patch')[2]");
        let patch = browser.eval("(box => [box.x + 40, box.y + 40])(document.querySelectorAll('.patch')[1].getBoundingClientRect())");
        let patch = [0, 1].map(|at| patch[at].as_f64().unwrap());
        for count in 1..=2 {
            mouse(&mut browser, "mousePressed", patch, json!({ "clickCount": count }));
            mouse(&mut browser, "mouseReleased", patch, json!({ "clickCount": count }));
        }
        browser.wait(OPEN);
        browser.wait(&format!("{title}.startsWith('Patch 2: ')"));
        browser.key("Escape");
        browser.wait(SHUT);
        browser.wait("document.querySelectorAll('.patch')[1].classList.contains('kept')");
        browser.click("#atlas-context [data-viewer]");
        browser.wait(OPEN);
        browser.wait(&format!("{title}.startsWith('Patch 2: ')"));
        browser.key("Escape");
        // The list of keys tells it, where there is something to open.
        browser.key_with("?", 8);
        browser.wait("document.querySelector('dialog.keys[open]')");
        let keys = browser.text("document.querySelector('dialog.keys').innerText");
        assert!(keys.contains("window and level") && keys.contains("PageDown"), "{keys}");
        assert_eq!(browser.complaints(), [""; 0]);
        let asked = browser.requests();
        let others: Vec<&String> = asked
            .iter()
            .filter(|url| {
                !url.starts_with(&root) && !url.starts_with("data:") && *url != "about:blank"
            })
            .collect();
        assert!(others.is_empty(), "requests to others: {others:?}");
        browser.close();
    }
}

#[test]
fn the_wheel_zooms_at_the_pointer_and_keys_and_buttons_move_the_picture() {
    let Some(chromium) = chromium() else { return };
    let stand = Place::new();
    let mut browser = stand.viewing(&chromium);
    browser.key("b");
    drawn(&mut browser, 1);
    let [left, top, width, height] = place(&mut browser, 0);
    // All of it, in the middle.
    let [scale, x, y] = matrix(&mut browser, 0);
    let fit = (width / SIZE[0]).min(height / SIZE[1]);
    assert!(near(scale, fit), "{scale}, not {fit}");
    let ends = [2.0 * x + scale * SIZE[0], 2.0 * y + scale * SIZE[1]];
    assert!(near(ends[0], width) && near(ends[1], height), "{ends:?} of {width} x {height}");
    // What is under the pointer stays there.
    // Whole pixels, as mice have them.
    let at = [left + 0.4 * width, top + 0.3 * height].map(f64::round);
    let under = |[scale, x, y]: [f64; 3]| [(at[0] - left - x) / scale, (at[1] - top - y) / scale];
    let before = under([scale, x, y]);
    for turned in [-100.0, -200.0, 100.0] {
        let was = matrix(&mut browser, 0)[0];
        wheel(&mut browser, at, turned);
        browser.wait(&format!("document.querySelector('.viewer-marks > g').transform.baseVal.consolidate().matrix.a {} {was}", if turned < 0.0 { ">" } else { "<" }));
        let now = under(matrix(&mut browser, 0));
        assert!(near(now[0], before[0]) && near(now[1], before[1]), "{before:?} {now:?}");
    }
    let shown = format!("{}% of 384 × 512 px", (100.0 * matrix(&mut browser, 0)[0]).round());
    assert_eq!(zoom(&mut browser), shown);
    // One to one, whatever pixels the screen has.
    for ratio in [1.0, 2.0] {
        screen(&mut browser, DESKTOP, ratio);
        browser.wait(&format!("devicePixelRatio === {ratio}"));
        browser.key("1");
        assert_eq!(matrix(&mut browser, 0)[0], 1.0 / ratio);
        assert_eq!(zoom(&mut browser), "100% of 384 × 512 px");
    }
    screen(&mut browser, DESKTOP, 1.0);
    browser.wait("devicePixelRatio === 1");
    browser.key("1");
    // Arrow keys, and the mouse's other buttons, whatever the tool.
    let before = matrix(&mut browser, 0);
    browser.key("ArrowRight");
    let after = matrix(&mut browser, 0);
    assert!(
        near(after[1], before[1] - 0.1 * width) && near(after[2], before[2]),
        "{before:?} {after:?}"
    );
    drag(&mut browser, at, [31.0, -17.0], "middle");
    let moved = matrix(&mut browser, 0);
    assert!(
        near(moved[1], after[1] + 31.0) && near(moved[2], after[2] - 17.0),
        "{after:?} {moved:?}"
    );
    drag(&mut browser, at, [0.0, -150.0], "right");
    assert!(near(matrix(&mut browser, 0)[0], 2.0 * moved[0]));
    // The tools by their keys.
    browser.key("p");
    let before = matrix(&mut browser, 0);
    drag(&mut browser, at, [-20.0, 8.0], "left");
    let after = matrix(&mut browser, 0);
    assert!(near(after[1], before[1] - 20.0) && near(after[2], before[2] + 8.0));
    browser.key("z");
    drag(&mut browser, at, [0.0, 150.0], "left");
    assert!(near(matrix(&mut browser, 0)[0], after[0] / 2.0));
    browser.key("m");
    mouse(&mut browser, "mouseMoved", at, json!({ "button": "none" }));
    browser.wait("document.querySelector('.viewer-lens canvas')");
    let lens = browser.eval("(box => [box.x + box.width / 2, box.y + box.height / 2])(document.querySelector('.viewer-lens').getBoundingClientRect())");
    assert!(
        near(lens[0].as_f64().unwrap(), at[0].round())
            || (lens[0].as_f64().unwrap() - at[0]).abs() < 1.0,
        "{lens} {at:?}"
    );
    browser.key("w");
    browser.wait("!document.querySelector('.viewer-lens')");
    // A double click fits, and so do two keys; a reset also undoes window and level.
    for count in 1..=2 {
        mouse(&mut browser, "mousePressed", at, json!({ "clickCount": count }));
        mouse(&mut browser, "mouseReleased", at, json!({ "clickCount": count }));
    }
    assert!(near(matrix(&mut browser, 0)[0], fit));
    browser.key("+");
    assert!(near(matrix(&mut browser, 0)[0], 1.25 * fit));
    browser.key("-");
    browser.key("+");
    browser.key("i");
    browser.key("r");
    assert!(near(matrix(&mut browser, 0)[0], fit));
    assert_eq!(
        browser.text("document.querySelector('.viewer-levels').textContent"),
        "C 128  W 256"
    );
    browser.close();
}

#[test]
fn window_and_level_are_exact_to_the_pixel_and_kept() {
    let Some(chromium) = chromium() else { return };
    let stand = Place::new();
    let mut browser = stand.viewing(&chromium);
    for key in ["b", "l", "1"] {
        browser.key(key);
    }
    drawn(&mut browser, 1);
    let [left, top, ..] = place(&mut browser, 0);
    let [scale, x, y] = matrix(&mut browser, 0);
    assert_eq!(scale, 1.0);
    let plain = shot(&mut browser);
    // As a page shows it, with no line over it.
    let line = "(part => [part.getAttribute('slope'), part.getAttribute('intercept')].map(Number))\
                (document.querySelector('.viewer-filter feFuncG'))";
    assert_eq!(browser.eval(line), json!([1, 0]));
    let at = [left + x + 100.0, top + y + 100.0];
    drag(&mut browser, at, [-100.0, -40.0], "left");
    let [centre, width] = [88.0, 156.0];
    let (slope, intercept) = (255.0 / (width - 1.0), 0.5 - (centre - 0.5) / (width - 1.0));
    let found = browser.eval(line);
    assert!((found[0].as_f64().unwrap() - slope).abs() < 1e-12, "{found}");
    assert!((found[1].as_f64().unwrap() - intercept).abs() < 1e-12, "{found}");
    assert_eq!(browser.text("document.querySelector('.viewer-levels').textContent"), "C 88  W 156");
    let compare = |browser: &mut Browser, expected: &dyn Fn(f64) -> f64| {
        browser
            .eval("new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next)))");
        let now = shot(browser);
        let mut levels = std::collections::BTreeSet::new();
        for dy in (40..470).step_by(3) {
            for dx in (20..360).step_by(3) {
                let [px, py] = [(left + x).ceil() as u32 + dx, (top + y).ceil() as u32 + dy];
                let (was, is) =
                    (f64::from(plain.get_pixel(px, py)[0]), f64::from(now.get_pixel(px, py)[0]));
                let wanted = (255.0 * expected(was / 255.0)).clamp(0.0, 255.0);
                assert!(
                    (is - wanted).abs() < 1.001,
                    "at {dx}, {dy}: {was} became {is}, not {wanted}"
                );
                levels.insert(is as u32);
            }
        }
        assert!(levels.len() > 60, "only {} levels: nothing to compare", levels.len());
    };
    compare(&mut browser, &|v| slope * v + intercept);
    browser.key("i");
    compare(&mut browser, &|v| 1.0 - (slope * v + intercept));
    // By keys, with Shift.
    browser.key_with("ArrowLeft", 8);
    assert_eq!(
        browser.text("document.querySelector('.viewer-levels').textContent"),
        "C 88  W 152  inverted"
    );
    // Kept for the next picture, and by the browser; it is no answer to anything.
    browser.key("Escape");
    browser.go(&format!("{}{UNIT}", stand.root()));
    browser.key("v");
    drawn(&mut browser, 1);
    assert_eq!(
        browser.text("document.querySelector('.viewer-levels').textContent"),
        "C 88  W 152  inverted"
    );
    assert_eq!(
        browser.eval("document.querySelector('.viewer-marks .lesions').style.display"),
        "none"
    );
    browser.close();
}

#[test]
fn the_patients_views_hang_side_by_side_and_follow_each_other() {
    let Some(chromium) = chromium() else { return };
    let stand = Place::new();
    let mut browser = stand.viewing(&chromium);
    // The right breast on the left, as on a light box; the one that was asked for is the active one.
    let titles =
        "Array.from(document.querySelectorAll('.viewer-title'), one => one.textContent).join('; ')";
    assert_eq!(browser.text(titles), "phantom-004, RIGHT MLO; phantom-003, LEFT MLO");
    assert_eq!(
        browser.eval("document.querySelectorAll('.viewer-pane')[1].classList.contains('active')"),
        true
    );
    let [left, top, width, height] = place(&mut browser, 1);
    let at = [left + 0.3 * width, top + 0.4 * height];
    wheel(&mut browser, at, -200.0);
    drag(&mut browser, at, [-40.0, -20.0], "left");
    let window = "Array.from(document.querySelectorAll('.viewer-levels'), one => one.textContent).join('; ')";
    assert_eq!(browser.text(window), "C 108  W 216; C 108  W 216");
    // The same scale; the middle mirrored, for it is the other breast.
    let views = [0, 1].map(|pane| matrix(&mut browser, pane));
    assert_eq!(views[0][0], views[1][0]);
    let [right, own] = [0, 1].map(|pane| {
        let ([scale, x, y], [.., width, height]) = (views[pane], place(&mut browser, pane));
        [(width / 2.0 - x) / scale / SIZE[0], (height / 2.0 - y) / scale / SIZE[1]]
    });
    assert!(
        (right[0] - (1.0 - own[0])).abs() < 1e-6 && (right[1] - own[1]).abs() < 1e-6,
        "{right:?} {own:?}"
    );
    assert!((own[0] - 0.5).abs() > 0.01, "{own:?}");
    // Unlinked, each for itself; linked again, the others come along.
    browser.key("k");
    browser.key("+");
    browser.key("i");
    let apart = [0, 1].map(|pane| matrix(&mut browser, pane));
    assert!(apart[0] == views[0] && apart[1][0] > views[1][0]);
    assert_eq!(browser.text(window), "C 108  W 216; C 108  W 216  inverted");
    browser.key("k");
    assert_eq!(matrix(&mut browser, 0)[0], apart[1][0]);
    assert_eq!(browser.text(window), "C 108  W 216  inverted; C 108  W 216  inverted");
    // Away with them, and back.
    browser.key("b");
    drawn(&mut browser, 1);
    assert_eq!(browser.text(titles), "phantom-003, LEFT MLO");
    browser.key("b");
    drawn(&mut browser, 2);
    browser.close();
}

/// The values of `Originals` in support/mod.rs.
fn twelve_bits(x: u32, y: u32) -> usize {
    ((x * 4095 / 383 + y) % 4096) as usize
}

#[test]
fn a_source_of_twelve_bits_is_windowed_as_pydicom_windows_it() {
    let Some(chromium) = chromium() else { return };
    let stand = Place::with(|fixture| {
        fixture.config.mammograms.depth = config::Depth::Source;
    });
    let golden: Value = serde_json::from_str(include_str!("golden/windowing.json")).unwrap();
    let mut browser = stand.viewing(&chromium);
    for key in ["b", "l", "1"] {
        browser.key(key);
    }
    drawn(&mut browser, 1);
    // As the source proposes.
    assert_eq!(browser.text(LEVELS), "C 2048  W 2000");
    let [left, top, ..] = place(&mut browser, 0);
    let [scale, x, y] = matrix(&mut browser, 0);
    assert_eq!((scale, x.fract(), y.fract()), (1.0, 0.0, 0.0));
    let [left, top] = [left + x, top + y].map(|at| at.round() as u32);
    let compare = |browser: &mut Browser, right: &dyn Fn(usize, u8) -> bool| {
        let seen = shot(browser);
        for py in 0..SIZE[1] as u32 {
            for px in 0..SIZE[0] as u32 {
                let (found, value) = (seen.get_pixel(left + px, top + py)[0], twelve_bits(px, py));
                assert!(right(value, found), "at {px}, {py}: {value} is shown as {found}");
            }
        }
    };
    let mut compared = 0;
    for deep in golden["deep"].as_array().unwrap().iter().filter(|one| one["function"] == "linear")
    {
        let [centre, width] = ["centre", "width"].map(|name| deep[name].as_f64().unwrap());
        let levels = STANDARD.decode(deep["levels"].as_str().unwrap()).unwrap();
        type_window(&mut browser, centre, width);
        assert!(browser.text(LEVELS).ends_with(&format!("W {width}")), "{}", browser.text(LEVELS));
        // What lies in the middle of two levels is either.
        let tie = |value: usize| {
            let level = 255.0 * ((value as f64 - (centre - 0.5)) / (width - 1.0) + 0.5);
            (level.rem_euclid(1.0) - 0.5).abs() < 1e-6
        };
        compare(&mut browser, &|value, found| {
            found == levels[value] || (tie(value) && found.abs_diff(levels[value]) == 1)
        });
        browser.key("i");
        browser.eval("new Promise(next => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(next))))");
        assert!(browser.text(LEVELS).ends_with("inverted"));
        // What lies between two levels is rounded up, inverted or not.
        let seen = shot(&mut browser);
        let found = seen.get_pixel(left + 200, top + 100)[0];
        assert!(found.abs_diff(255 - levels[twelve_bits(200, 100)]) <= 1);
        browser.key("i");
        compared += 1;
    }
    assert_eq!(compared, 5);
    // What is pointed at.
    let at = [f64::from(left) + 150.5, f64::from(top) + 77.5];
    mouse(&mut browser, "mouseMoved", at, json!({ "button": "none" }));
    let value = format!("value {}", twelve_bits(150, 77));
    browser.wait(&format!("document.querySelector('.viewer-value').textContent === '{value}'"));
    // A drag, by levels of what the source proposes; the windows of the source, by key and by the list.
    browser.key("r");
    let middle = {
        let [left, top, width, height] = place(&mut browser, 0);
        [left + width / 2.0, top + height / 2.0]
    };
    drag(&mut browser, middle, [-128.0, 0.0], "left");
    // In four steps of an eighth each.
    assert_eq!(browser.text(LEVELS), "C 2048  W 1172");
    browser.key("r");
    browser.key("n");
    assert_eq!(browser.text(LEVELS), "C 1000  W 300");
    let titles = "Array.from(document.querySelector('.viewer-bar select').options, one => one.textContent).join('; ')";
    assert_eq!(
        browser.text(titles),
        "Windows; Window 1: 2048 / 2000; Window 2: 1000 / 300; All values: 2048 / 4096"
    );
    assert_eq!(browser.text("document.querySelector('.viewer-bar select').value"), "1");
    browser.key("n");
    assert_eq!(browser.text(LEVELS), "C 2048  W 4096");
    // The magnifier shows the same greys.
    browser.key("1");
    type_window(&mut browser, 2048.0, 4096.0);
    browser.key("m");
    mouse(&mut browser, "mouseMoved", middle, json!({ "button": "none" }));
    browser.wait("document.querySelector('.viewer-lens canvas')");
    let lens = "(canvas => canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data[0])(document.querySelector('.viewer-lens canvas'))";
    let [px, py] = [middle[0].round() as u32 - left, middle[1].round() as u32 - top];
    let wanted = twelve_bits(px, py) / 16;
    browser.wait(&format!("Math.abs({lens} - {wanted}) < 6"));
    // Only scripts were loaded; a page from a disk asks for nothing else.
    let asked = browser.requests();
    let tiles: Vec<_> = asked.iter().filter(|url| url.contains("/tiles/")).collect();
    assert!(!tiles.is_empty() && tiles.iter().all(|url| url.ends_with(".js")), "{tiles:?}");
    assert_eq!(browser.complaints(), [""; 0]);
    // What is missing is said.
    let folder = stand.site().join(format!("mammograms/{MAMMOGRAM}/tiles"));
    std::fs::write(
        folder.join("0/0_0.js"),
        "(window.unitAtlasData=window.unitAtlasData||{})['x']='';",
    )
    .unwrap();
    browser.go(&format!("{}{}", stand.root(), page(MAMMOGRAM)));
    browser.key("v");
    browser.wait(
        "Array.from(document.querySelectorAll('.viewer-problem'), one => one.textContent).join().includes('could not be loaded')",
    );
    // Without what its values mean, the one picture is shown.
    std::fs::remove_file(folder.join("about.js")).unwrap();
    browser.go(&format!("{}{}", stand.root(), page(MAMMOGRAM)));
    browser.key("v");
    drawn(&mut browser, 1);
    browser.key("r");
    assert_eq!(browser.text(LEVELS), "C 128  W 256");
    browser.close();
}

#[test]
fn lengths_are_measured_by_mouse_by_finger_and_by_keys_where_the_size_of_a_pixel_is_known() {
    let Some(chromium) = chromium() else { return };
    let stand = Place::with(|fixture| {
        for member in fixture.manifest.mammograms.iter_mut().take(4) {
            member.mammogram.micron = Some(100.0);
        }
    });
    let mut browser = stand.viewing(&chromium);
    for key in ["b", "1", "d"] {
        browser.key(key);
    }
    drawn(&mut browser, 1);
    let length = "document.querySelector('.viewer-length').textContent";
    let [left, top, width, height] = place(&mut browser, 0);
    let middle = [left + width / 2.0, top + height / 2.0].map(f64::round);
    drag(&mut browser, middle, [-120.0, 90.0], "left");
    assert_eq!(browser.text(length), "15.0 mm on detector or film");
    // It lies where it was drawn, whatever is looked at.
    let line = "(line => ['x1', 'y1', 'x2', 'y2'].map(name => Number(line.getAttribute(name))))(document.querySelector('.viewer-marks .length'))";
    let ends = browser.eval(line);
    let at = |number: usize| ends[number].as_f64().unwrap();
    assert!(near(at(2) - at(0), -120.0) && near(at(3) - at(1), 90.0), "{ends}");
    let [scale, x, y] = matrix(&mut browser, 0);
    assert!(near(left + x + scale * at(0), middle[0]) && near(top + y + scale * at(1), middle[1]));
    wheel(&mut browser, middle, -200.0);
    assert_eq!(browser.eval(line), ends);
    assert_eq!(browser.text(length), "15.0 mm on detector or film");
    // By keys: an end at the middle, the picture moved, the other end.
    browser.key("1");
    browser.key("Enter");
    let from = matrix(&mut browser, 0);
    for _ in 0..5 {
        browser.key("ArrowRight");
    }
    browser.key("ArrowDown");
    let to = matrix(&mut browser, 0);
    browser.key("Enter");
    let pixels = (from[1] - to[1]).hypot(from[2] - to[2]);
    assert!(pixels > 50.0, "{from:?} {to:?}");
    let said = format!("{:.1} mm on the detector or film", pixels / 10.0);
    assert_eq!(
        browser.text("document.querySelector('dialog.viewer [role=status]').textContent"),
        said
    );
    browser.key("ArrowRight");
    assert!(browser.text(length).starts_with(&said[..4]), "it has ended: {}", browser.text(length));
    browser.key("r");
    assert_eq!(browser.eval("document.querySelector('.viewer-length').hidden"), true);
    // By finger.
    screen(&mut browser, [390, 844], 1.0);
    browser.wait("innerWidth === 390");
    browser.key("1");
    let [left, top, width, height] = place(&mut browser, 0);
    let middle = [left + width / 2.0, top + height / 2.0].map(f64::round);
    touch(&mut browser, "touchStart", &[middle]);
    touch(&mut browser, "touchMove", &[[middle[0] + 10.0, middle[1]]]);
    touch(&mut browser, "touchMove", &[[middle[0] + 80.0, middle[1]]]);
    touch(&mut browser, "touchEnd", &[]);
    assert_eq!(browser.text(length), "8.0 mm on detector or film");
    // Not where nothing is known of it.
    screen(&mut browser, DESKTOP, 1.0);
    browser.key("Escape");
    let mut others = (5..=12).map(|number| format!("phantom-{number:03}"));
    let other = others.find(|id| stand.site().join(page(id)).exists()).unwrap();
    browser.go(&format!("{}{}", stand.root(), page(&other)));
    browser.key("v");
    browser.wait(OPEN);
    assert_eq!(browser.eval("document.querySelector('.viewer-length')"), Value::Null);
    let button = "document.querySelector('.viewer-bar [aria-keyshortcuts=d]').hidden";
    assert_eq!(browser.eval(button), true);
    assert_eq!(
        browser.text("document.querySelector('.viewer-bar [aria-pressed=true]').textContent"),
        "Window"
    );
    browser.close();
}

#[test]
fn four_views_hang_as_on_a_light_box_and_a_pair_of_them_alone() {
    let Some(chromium) = chromium() else { return };
    let stand = Place::with(|fixture| {
        for (number, member) in fixture.manifest.mammograms.iter_mut().take(4).enumerate() {
            member.mammogram.patient = "p00".into();
            member.mammogram.view = Some(if number < 2 { View::Cc } else { View::Mlo });
        }
    });
    let mut browser = stand.browser(&chromium, DESKTOP);
    browser.go(&format!("{}{}", stand.root(), page(MAMMOGRAM)));
    browser.key("v");
    drawn(&mut browser, 4);
    let titles = "Array.from(document.querySelectorAll('.viewer-title'), one => one.textContent.split(', ')[1]).join('; ')";
    assert_eq!(browser.text(titles), "RIGHT CC; LEFT CC; RIGHT MLO; LEFT MLO");
    // The chest walls of each pair together.
    let walls = |browser: &mut Browser, panes: usize| {
        for pane in 0..panes {
            let ([scale, x, _], [.., width, _]) = (matrix(browser, pane), place(browser, pane));
            let wall = if pane % 2 == 0 { x + scale * SIZE[0] - width } else { x };
            assert!(wall.abs() < 1.0, "pane {pane}: {wall}");
        }
    };
    walls(&mut browser, 4);
    browser.key("x");
    drawn(&mut browser, 2);
    assert_eq!(browser.text(titles), "RIGHT MLO; LEFT MLO");
    assert_eq!(
        browser.eval("document.querySelectorAll('.viewer-pane')[1].classList.contains('active')"),
        true
    );
    walls(&mut browser, 2);
    browser.key("b");
    drawn(&mut browser, 1);
    assert_eq!(browser.text(titles), "LEFT MLO");
    browser.key("b");
    drawn(&mut browser, 2);
    browser.key("x");
    drawn(&mut browser, 4);
    browser.close();
}

#[test]
fn tiles_are_drawn_where_they_belong_and_only_those_that_are_needed() {
    let Some(chromium) = chromium() else { return };
    let stand = Place::new();
    // A rendition six times as fine as the picture: each tile of the finest level in a grey of its own.
    let (full, edge) = ([2304, 3072], 512);
    let folder = stand.site().join(format!("mammograms/{MAMMOGRAM}/tiles"));
    let sizes: Vec<[u32; 2]> = [8, 4, 2, 1].map(|part| [full[0] / part, full[1] / part]).to_vec();
    let grey = |column: u32, row: u32| (30 + 35 * column + 6 * row) as u8;
    for (level, [width, height]) in (0..).zip(&sizes) {
        let part = full[0] / width;
        for row in 0..height.div_ceil(edge) {
            for column in 0..width.div_ceil(edge) {
                let size = [edge.min(width - column * edge), edge.min(height - row * edge)];
                let tile = GrayImage::from_fn(size[0], size[1], |x, y| {
                    let whole = |at: u32, along: u32| (at * edge + along) * part / edge;
                    image::Luma([grey(whole(column, x), whole(row, y))])
                });
                let path = folder.join(format!("{level}/{column}_{row}.jpg"));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                tile.save(path).unwrap();
            }
        }
    }
    edit_data(&stand.site().join(format!("mammograms/{MAMMOGRAM}/outlines.js")), |data| {
        data["size"] = json!(full);
        data["lesions"] = json!([]);
        data["tiles"] = json!({ "src": format!("mammograms/{MAMMOGRAM}/tiles/"), "edge": edge, "sizes": sizes });
    });
    // The page's drawing is in the source's pixels too.
    let file = stand.site().join(page(MAMMOGRAM));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("viewBox=\"0 0 384 512\"", "viewBox=\"0 0 2304 3072\""))
        .unwrap();
    let mut browser = stand.browser(&chromium, DESKTOP);
    browser.go(&format!("{}{}", stand.root(), page(MAMMOGRAM)));
    browser.key("v");
    browser.wait(OPEN);
    browser.key("b");
    browser.key("l");
    drawn(&mut browser, 1);
    let asked = |browser: &mut Browser, level: u32| {
        let all = browser.requests();
        all.iter().filter(|url| url.contains(&format!("/tiles/{level}/"))).count()
    };
    assert_eq!(asked(&mut browser, 3), 0, "all of it fits a screen without the finest level");
    assert!(zoom(&mut browser).ends_with("% of 2304 × 3072 px"), "{}", zoom(&mut browser));
    let check = |browser: &mut Browser| {
        let [left, top, width, height] = place(browser, 0);
        let [scale, x, y] = matrix(browser, 0);
        let seen = shot(browser);
        let mut compared = 0;
        for row in 0..6 {
            for column in 0..5 {
                // In the middle of a tile, and near two of its corners.
                for share in [0.5, 0.1, 0.9] {
                    let [tx, ty] =
                        [column, row].map(|at| (f64::from(at) + share) * f64::from(edge));
                    let [px, py] = [x + tx * scale, y + ty * scale];
                    let inside = px > 5.0 && px < width - 5.0 && py > 30.0 && py < height - 30.0;
                    if !inside || tx > f64::from(full[0]) {
                        continue;
                    }
                    let found = seen.get_pixel((left + px) as u32, (top + py) as u32)[0];
                    assert!(found.abs_diff(grey(column, row)) <= 2, "{column}, {row}: {found}");
                    compared += 1;
                }
            }
        }
        compared
    };
    assert!(check(&mut browser) > 60);
    browser.key("1");
    drawn(&mut browser, 1);
    browser.wait("document.querySelector('.viewer-pane').dataset.state === 'loaded'");
    assert_eq!(zoom(&mut browser), "100% of 2304 × 3072 px");
    assert!(check(&mut browser) >= 6);
    let finest = asked(&mut browser, 3);
    assert!((6..=20).contains(&finest), "{finest} of 30 tiles for a part of it");
    // A tile that is missing is said.
    std::fs::remove_dir_all(folder.join("3")).unwrap();
    browser.key("Escape");
    browser.go(&format!("{}{}", stand.root(), page(MAMMOGRAM)));
    browser.key("v");
    browser.wait(OPEN);
    browser.key("1");
    browser.wait(
        "document.querySelector('.viewer-problem').textContent.includes('could not be loaded')",
    );
    browser.close();
}

#[test]
fn on_a_phone_a_finger_pans_and_two_zoom_and_everything_is_in_reach() {
    let Some(chromium) = chromium() else { return };
    let stand = Place::new();
    let mut browser = stand.browser(&chromium, [390, 844]);
    browser.go(&format!("{}{}", stand.root(), page(MAMMOGRAM)));
    browser.click("[data-viewer]");
    browser.wait(OPEN);
    // One view at a time, the others in a list.
    browser.wait(
        "document.querySelectorAll('.viewer-pane[data-state=loaded]:not([hidden])').length === 1",
    );
    let views = "document.querySelector('.viewer-bar select[aria-label=View]').options.length";
    assert_eq!(browser.eval(views), 2);
    let small = "Array.from(document.querySelectorAll('.viewer-bar button, .viewer-bar select')) \
         .filter(one => one.checkVisibility() && (one.offsetWidth < 44 || one.offsetHeight < 44)) \
         .map(one => one.textContent).join()";
    assert_eq!(browser.text(small), "");
    let bottom = "document.querySelector('.viewer-bar').getBoundingClientRect().bottom";
    assert_eq!(browser.eval(bottom), 844);
    browser.key("b");
    drawn(&mut browser, 1);
    let [left, top, width, height] = place(&mut browser, 0);
    assert!(height > 500.0, "{height} for the picture");
    let at = [left + width / 2.0, top + height / 2.0];
    let before = matrix(&mut browser, 0);
    let pair = |apart: f64| [[at[0] - apart, at[1]], [at[0] + apart, at[1]]];
    touch(&mut browser, "touchStart", &pair(40.0));
    touch(&mut browser, "touchMove", &pair(60.0));
    touch(&mut browser, "touchMove", &pair(80.0));
    touch(&mut browser, "touchEnd", &[]);
    let zoomed = matrix(&mut browser, 0);
    assert!((zoomed[0] / before[0] - 2.0).abs() < 0.05, "{before:?} {zoomed:?}");
    touch(&mut browser, "touchStart", &[at]);
    touch(&mut browser, "touchMove", &[[at[0] + 30.0, at[1] + 12.0]]);
    touch(&mut browser, "touchEnd", &[]);
    let moved = matrix(&mut browser, 0);
    assert!(
        (moved[1] - zoomed[1] - 30.0).abs() < 1.0 && (moved[2] - zoomed[2] - 12.0).abs() < 1.0,
        "{zoomed:?} {moved:?}"
    );
    // Window and level by their tool.
    browser.click(".viewer-bar button[aria-keyshortcuts=w]");
    touch(&mut browser, "touchStart", &[at]);
    touch(&mut browser, "touchMove", &[[at[0] - 50.0, at[1]]]);
    touch(&mut browser, "touchEnd", &[]);
    assert_eq!(
        browser.text("document.querySelector('.viewer-levels').textContent"),
        "C 128  W 206"
    );
    for width in [320, 390] {
        screen(&mut browser, [width, 844], 1.0);
        browser.wait(&format!("innerWidth === {width}"));
        let wider = "document.querySelector('.viewer-room').scrollWidth - innerWidth";
        assert_eq!(browser.eval(wider), 0);
        assert_eq!(browser.text(small), "", "at {width}");
    }
    browser.click(".viewer-close");
    browser.wait(SHUT);
    browser.close();
}

#[test]
fn the_survey_opens_it_and_tells_it_nothing() {
    let Some(chromium) = chromium() else { return };
    let stand = Place::new();
    let mut browser = stand.browser(&chromium, DESKTOP);
    browser.go(&format!("{}survey/index.html", stand.root()));
    begin(&mut browser, "document");
    browser.click(".survey-grid li:nth-child(3) button");
    drawn(&mut browser, 1);
    let said = browser.text("document.querySelector('dialog.viewer').innerText");
    assert!(
        said.contains("Patch 3") && !said.contains("phantom") && !said.contains("cancer"),
        "{said}"
    );
    browser.wait("document.querySelector('.viewer-marks .overlay .window')");
    // Its keys are no answers, and what was set is none.
    for key in ["y", "n", "m", "w", "ArrowRight"] {
        browser.key(key);
    }
    assert_eq!(browser.eval("location.hash"), "#unit-1");
    browser.key("Escape");
    browser.wait(SHUT);
    browser.wait("document.activeElement === document.querySelectorAll('.survey-patch')[2]");
    assert_eq!(
        browser.eval("document.querySelector('input[name=recognizable]:checked')"),
        Value::Null
    );
    let kept = browser.text("Object.keys(localStorage).filter(key => key.startsWith('unit-atlas-survey:')).map(key => localStorage[key]).join()");
    assert!(!kept.contains("centre") && !kept.contains("tool"), "{kept}");
    // By the key, at the patch that is looked at, and from the mammogram beside it.
    browser.key("v");
    browser.wait(OPEN);
    browser.key("Escape");
    browser.wait(SHUT);
    browser.click(".survey-mammogram img");
    browser.wait(OPEN);
    browser.wait("document.querySelector('.viewer-title').textContent === 'Patch 3'");
    browser.key("Escape");
    browser.wait(SHUT);
    browser.key("y");
    browser.wait("document.querySelector('input[name=recognizable]:checked').value === 'yes'");
    assert_eq!(browser.complaints(), [""; 0]);
    browser.close();
}

#[test]
fn a_site_in_one_file_has_it_too() {
    let Some(chromium) = chromium() else { return };
    let stand = Place::new();
    let output = stand.folder.path().join("atlas.html");
    let record = stand.folder.path().join("output/work/site.json");
    let form = Form::SingleFile { selection: &Selection::default(), passphrase: None };
    pack::pack(&stand.site(), &record, "Unit atlas", form, &output).unwrap();
    let inside = "(document.querySelector('iframe') || {}).contentDocument";
    let mut browser = stand.browser(&chromium, DESKTOP);
    browser.go(&format!("file://{}#/{}", output.display(), page(MAMMOGRAM)));
    browser.wait(&format!("{inside} && {inside}.querySelector('[data-viewer]')"));
    browser.wait("document.querySelector('iframe').contentWindow.unitAtlas.viewer");
    browser.eval(&format!("{inside}.querySelector('[data-viewer]').click()"));
    browser.wait(&format!(
        "{inside}.querySelectorAll('.viewer-pane[data-state=loaded]').length === 2"
    ));
    let plain = shot(&mut browser);
    browser.key("i");
    browser.eval("new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next)))");
    let inverted = shot(&mut browser);
    let at = |shot: &GrayImage| shot.get_pixel(960, 450)[0];
    assert!(
        at(&plain).abs_diff(255 - at(&inverted)) <= 2 && at(&plain) > 20,
        "{} {}",
        at(&plain),
        at(&inverted)
    );
    browser.key("Escape");
    browser.wait(&format!("!{inside}.querySelector('dialog[open]')"));
    // The survey in it.
    browser.go(&format!("file://{}#/survey/index.html", output.display()));
    begin(&mut browser, inside);
    browser.eval(&format!("{inside}.querySelectorAll('.survey-patch')[1].click()"));
    browser.wait(&format!(
        "{inside}.querySelectorAll('.viewer-pane[data-state=loaded]').length === 1"
    ));
    let said = browser.text(&format!("{inside}.querySelector('dialog.viewer').innerText"));
    assert!(said.contains("Patch 2") && !said.contains("phantom"), "{said}");
    browser.close();
}
