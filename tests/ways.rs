//! The ways to the pages in Chromium, as a reader goes them from a disk: the first page and the menus, on a phone,
//! by keyboard and without scripts; the search; units that are pinned, and compared.
#![cfg(unix)]

use std::path::Path;

use serde_json::json;

use crate::support::Fixture;
use crate::support::chromium::{Browser, chromium};

const UNIT: &str = "networks/alexnet/conv5/0002/index.html";

/// A site on a disk, open in a browser.
struct Place {
    folder: tempfile::TempDir,
    root: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixture = Fixture::new(folder.path(), 9);
        fixture.write("content/about.md", include_str!("../content/about.md"));
        fixture.build().unwrap();
        let root = format!("file://{}/", fixture.site().display());
        Self { folder, root }
    }

    fn open(&self, chromium: &Path, page: &str, size: [u32; 2]) -> Browser {
        let path = |name: &str| self.folder.path().join(name);
        let mut browser = Browser::open(chromium, &path("profile"), &path("downloads"), size);
        browser.call(
            "Emulation.setDeviceMetricsOverride",
            json!({
                "width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 600
            }),
        );
        browser.call("Emulation.setTouchEmulationEnabled", json!({ "enabled": size[0] < 600 }));
        browser.go(&format!("{}{page}", self.root));
        browser
    }
}

/// Whether something is seen.
fn seen(selector: &str) -> String {
    format!(
        "(node => node && node.checkVisibility() && node.getBoundingClientRect().height > 0)\
         (document.querySelector({selector:?}))"
    )
}

#[test]
fn a_phone_sees_pictures_first_and_has_the_way_behind_one_button() {
    let Some(chromium) = chromium() else { return };
    let place = Place::new();
    let mut browser = place.open(&chromium, "index.html", [390, 844]);
    let last = "document.querySelector('.example-patches > div').getBoundingClientRect().bottom";
    browser.wait(&format!("{last} > 0"));
    let bottom = browser.eval(last).as_f64().unwrap();
    assert!(bottom < 844.0, "the patches of the example end at {bottom}");
    let menu = seen("#atlas-menu");
    assert_eq!(browser.eval(&menu), false);
    browser.click(".menu-button");
    browser.wait(&menu);
    let items = browser.eval("document.querySelectorAll('#atlas-menu > ul > li').length");
    assert!(items.as_u64().unwrap() <= 7, "{items}");
    assert_eq!(browser.eval(&seen("#atlas-menu a[href='about/index.html']")), false);
    browser.click("#atlas-menu li:last-child summary");
    browser.wait(&seen("#atlas-menu a[href='about/index.html']"));
    browser.key("Escape");
    browser.wait(&format!("!({menu})"));
    browser.wait("document.activeElement.className.includes('menu-button')");
    // What is said of keys is not for who has none.
    browser.go(&format!("{}{UNIT}", place.root));
    let said = browser.text("document.querySelector('main').innerText");
    assert!(said.contains("Touch a patch") && !said.contains("Tab key"), "{said:.400}");
    for page in ["index.html", UNIT, "compare/index.html"] {
        for width in [320, 390] {
            browser.call(
                "Emulation.setDeviceMetricsOverride",
                json!({ "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": true }),
            );
            browser.go(&format!("{}{page}", place.root));
            let wider =
                "document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.eval(wider), 0, "{page} at {width}");
        }
    }
    browser.close();
}

#[test]
fn menus_open_by_keyboard_and_without_scripts() {
    let Some(chromium) = chromium() else { return };
    let place = Place::new();
    let mut browser = place.open(&chromium, "methods/index.html", [1280, 900]);
    let methods = seen("#atlas-menu a[aria-current='page']");
    assert_eq!(browser.eval(&methods), false);
    let more = "#atlas-menu summary[aria-current='true']";
    assert_eq!(browser.text(&format!("document.querySelector({more:?}).textContent")), "More");
    browser.eval(&format!("document.querySelector({more:?}).focus()"));
    browser.key("Enter");
    browser.wait(&methods);
    browser.key("Tab");
    browser.wait("document.activeElement.closest('.nav-menu ul')");
    browser.key("Escape");
    browser.wait(&format!("!({methods})"));
    browser.wait(&format!("document.activeElement === document.querySelector({more:?})"));
    // One at a time, and none when the page is pressed.
    browser.click("#atlas-menu li:last-child summary");
    browser.click("#atlas-menu li:nth-child(2) summary");
    browser.wait("document.querySelectorAll('.nav-menu[open]').length === 1");
    browser.click("h1");
    browser.wait("!document.querySelector('.nav-menu[open]')");

    browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    browser.go(&format!("{}methods/index.html", place.root));
    browser.click("#atlas-menu li:last-child summary");
    browser.wait(&methods);
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true }),
    );
    browser.go(&format!("{}methods/index.html", place.root));
    assert_eq!(browser.eval(&seen("#atlas-menu")), false);
    browser.click(".menu-button");
    browser.wait(&seen("#atlas-menu"));
    browser.click(".menu-close");
    browser.wait(&format!("!({})", seen("#atlas-menu")));
    browser.close();
}

#[test]
fn the_search_finds_words_of_pages_and_marks_them_there() {
    let Some(chromium) = chromium() else { return };
    let place = Place::new();
    let mut browser = place.open(&chromium, UNIT, [1280, 900]);
    assert_eq!(
        browser.eval("Object.keys(window.unitAtlasData || {}).includes('data/search.js')"),
        false
    );
    browser.eval("document.querySelector('.crumbs a').focus()");
    browser.key_with("k", 2);
    browser.wait("document.querySelector('dialog.search[open]')");
    browser.wait("window.unitAtlasData && unitAtlasData['data/search.js']");
    // Escape closes at once, whatever is written; the focus is where it was, and the page has not heard of it.
    browser.type_text("conv5");
    browser.wait("document.querySelector('.search-results a')");
    browser.key("Escape");
    browser.wait("!document.querySelector('dialog[open]')");
    browser.wait("document.activeElement === document.querySelector('.crumbs a')");
    assert_eq!(browser.eval(&seen("#atlas-context .window")), true);
    // A typo, in the text of a page.
    browser.key("/");
    browser.type_text("receptve fields");
    browser.wait("document.querySelector('.search-passage mark')");
    assert_eq!(
        browser.text("document.querySelector('.search-passage mark').textContent"),
        "receptive"
    );
    browser.key("Enter");
    browser.wait("document.querySelector('mark.found')");
    assert!(browser.text("location.hash").starts_with("#find=receptive"));
    let inside = "(box => box.top >= 0 && box.bottom <= innerHeight)\
                  (document.activeElement.getBoundingClientRect())";
    browser.wait(&format!("document.activeElement.matches('mark.found') && {inside}"));
    // Pages of cases and concepts are searched too.
    let data = "unitAtlasData['data/search.js']";
    browser.key("/");
    browser.wait(&format!("window.unitAtlasData && {data}"));
    let cases = browser.eval(&format!(
        "{data}.pages.filter(page => page.href.startsWith('cases/alexnet/') && page.prose).length"
    ));
    assert!(cases.as_u64().unwrap() > 0);
    browser.wait(&format!(
        "{data}.terms.some(term => term.prose.includes('The units that match it best'))"
    ));
    browser.close();
}

#[test]
fn the_search_offers_what_can_be_done_on_the_page() {
    let Some(chromium) = chromium() else { return };
    let place = Place::new();
    let mut browser = place.open(&chromium, UNIT, [1280, 900]);
    let commands = "Array.from(document.querySelectorAll('.search-results button'), one => one.textContent).join()";
    browser.key_with("k", 2);
    let offered = browser.text(commands);
    for command in
        ["next unit, 0003", "Overlay: outline", "Cite this unit", "Pin this unit", "look", "keys"]
    {
        assert!(offered.contains(command), "{command}: {offered}");
    }
    browser.type_text("overlay none");
    let first = "(document.querySelector('.search-results button') || {}).textContent";
    browser.wait(&format!("({first} || '').startsWith('Overlay: none')"));
    browser.key("Enter");
    browser.wait("document.documentElement.dataset.look === 'none' && !document.querySelector('dialog[open]')");
    browser.key("/");
    browser.eval("document.querySelector('.search input').value = ''");
    browser.type_text("go to the next unit");
    browser.wait("document.querySelector('.search-results button')");
    browser.key("Enter");
    browser.wait(
        "location.pathname.endsWith('/0003/index.html') && document.readyState === 'complete'",
    );
    // Only what makes sense on a page.
    browser.go(&format!("{}methods/index.html", place.root));
    browser.key_with("k", 2);
    let offered = browser.text(commands);
    assert!(offered.contains("Copy the link") && !offered.contains("unit"), "{offered}");
    browser.key("Escape");
    // The keys.
    browser.key_with("?", 8);
    browser.wait("document.querySelector('dialog.keys[open]')");
    let keys = browser.text("document.querySelector('dialog.keys').innerText");
    assert!(keys.contains("Ctrl K") && !keys.contains("neighbouring"), "{keys}");
    browser.key("Escape");
    browser.wait("!document.querySelector('dialog[open]')");
    browser.close();
}

#[test]
fn units_are_pinned_anywhere_and_compared() {
    let Some(chromium) = chromium() else { return };
    let place = Place::new();
    let mut browser = place.open(&chromium, UNIT, [1280, 900]);
    let pinned =
        "Array.from(document.querySelectorAll('.tray li a'), link => link.textContent).join()";
    assert_eq!(browser.eval(&seen(".tray")), false);
    browser.key("p");
    browser.wait(&seen(".tray"));
    assert_eq!(
        browser.text("document.querySelector('[data-pin]').getAttribute('aria-pressed')"),
        "true"
    );
    // On a card of a layer's page, and on a unit of another network.
    browser.go(&format!("{}networks/alexnet/conv5/index.html", place.root));
    browser.wait("document.querySelector('#atlas-units [data-pin][aria-pressed=true]')");
    browser.click("#atlas-units li:nth-child(4) [data-pin]");
    browser.wait(&format!("{pinned} === 'alexnet/conv5/0002,alexnet/conv5/0004'"));
    browser.go(&format!("{}networks/resnet18/layer4/0001/index.html", place.root));
    browser.click("main [data-pin]");
    browser.wait(&format!("{pinned}.endsWith(',resnet18/layer4/0001')"));
    browser.click(".tray-compare");
    browser.wait("document.querySelectorAll('#atlas-compared > li').length === 3");
    let asked = "#units=alexnet/conv5/0002,alexnet/conv5/0004,resnet18/layer4/0001";
    assert_eq!(browser.text("location.hash"), asked);
    assert_eq!(browser.eval("document.querySelectorAll('.compared-patches img').length"), 18);
    assert_eq!(browser.eval(&seen(".tray")), false, "the page shows them itself");
    let command =
        "unit-atlas figure table alexnet/conv5/0002 alexnet/conv5/0004 resnet18/layer4/0001";
    assert_eq!(
        browser.text("document.getElementById('atlas-compared-command').textContent"),
        command
    );
    // A unit's best patch is at its very top, and each unit says something of the others'.
    let first = browser.text("document.querySelector('#atlas-same tbody td .number').textContent");
    assert!(first.starts_with("top "), "{first}");
    let cells =
        "Array.from(document.querySelectorAll('#atlas-same td .number'), one => one.textContent)";
    let cells = browser.eval(cells);
    let cells: Vec<&str> = cells.as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    assert!(cells.len() >= 15 && !cells.contains(&"not known"), "{cells:?}");
    browser.click("#atlas-compared li:nth-child(2) .compared-head button");
    browser.wait("document.querySelectorAll('#atlas-compared > li').length === 2");
    assert_eq!(browser.text("location.hash"), "#units=alexnet/conv5/0002,resnet18/layer4/0001");
    // A link keeps a comparison, whatever is pinned; what is not here is said.
    browser.go(&format!(
        "{}compare/index.html#units=alexnet/conv5/0005,alexnet/conv5/0777",
        place.root
    ));
    browser.wait("document.querySelectorAll('#atlas-compared > li').length === 1");
    browser.wait("document.getElementById('atlas-compared-missing').textContent.includes('0777')");
    // No more than six.
    browser.go(&format!("{}networks/alexnet/conv5/index.html", place.root));
    browser.wait("document.querySelectorAll('#atlas-units [data-pin]').length === 9");
    for at in 1..=9 {
        let pin = format!("#atlas-units li:nth-child({at}) [data-pin]");
        let pressed = format!("document.querySelector({pin:?}).getAttribute('aria-pressed')");
        if browser.text(&pressed) == "false" {
            browser.click(&pin);
        }
    }
    browser.wait("document.querySelectorAll('.tray li').length === 6");
    browser.wait("document.querySelector('.tray-said').textContent.includes('unpin one first')");
    // On paper they stand below each other, without what only a screen has.
    browser.go(&format!("{}compare/index.html", place.root));
    browser.wait("document.querySelectorAll('#atlas-compared > li').length === 6");
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    browser.wait(&seen("#atlas-compared li:last-child .compared-patches img"));
    browser.wait(&seen("#atlas-same tbody td"));
    assert_eq!(browser.eval(&seen(".compared-keep")), false);
    browser.call("Emulation.setEmulatedMedia", json!({ "media": "" }));
    // On a phone they scroll sideways, and the page does not.
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true }),
    );
    browser.go(&format!("{}compare/index.html", place.root));
    browser.wait("document.querySelectorAll('#atlas-compared > li').length === 6");
    let wider = "(node => node.scrollWidth > node.clientWidth)(document.querySelector('.compared-scroll')) \
                 && document.documentElement.scrollWidth === document.documentElement.clientWidth";
    browser.wait(wider);
    browser.close();
}
