//! A layer's page in Chromium, from a disk: the contact sheet in its sizes, the map of units, the way to a unit
//! and back.
#![cfg(unix)]

use std::io::Write as _;
use std::path::Path;

use atlas::pack::{self, Form, Selection};
use serde_json::{Value, json};

use crate::support::chromium::{Browser, chromium};
use crate::support::{Fixture, edit_data};

const LAYER: &str = "networks/alexnet/conv5";

/// A site whose first layer has so many units, and a browser with a window of a size.
struct Place {
    folder: tempfile::TempDir,
    fixture: Fixture,
    browser: Browser,
}

impl Place {
    fn new(chromium: &Path, units: u32, size: [u32; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fixture = Fixture::new(folder.path(), units);
        Self::of(fixture, folder, chromium, size)
    }

    fn of(fixture: Fixture, folder: tempfile::TempDir, chromium: &Path, size: [u32; 2]) -> Self {
        fixture.build().unwrap();
        let path = |name: &str| folder.path().join(name);
        let browser = Browser::open(chromium, &path("profile"), &path("downloads"), size);
        Self { folder, fixture, browser }
    }

    fn address(&self, end: &str) -> String {
        format!("file://{}/{LAYER}/{end}", self.fixture.site().display())
    }

    /// Changes the data of the page's script.
    fn edit(&self, edit: impl FnOnce(&mut Value)) {
        edit_data(&self.fixture.site().join(LAYER).join("units.js"), edit);
    }

    fn go(&mut self, end: &str) {
        let address = self.address(end);
        self.browser.go(&address);
    }

    /// Sets a field of the form as a reader does.
    fn set(&mut self, name: &str, value: &str) {
        self.browser.eval(&format!(
            "(() => {{ const form = document.getElementById('atlas-filter'); \
             const field = form.elements.{name}; field.value = '{value}'; \
             (field.length && field[0].type === 'radio' ? form.querySelector('[name={name}]:checked') : field) \
             .dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
        ));
    }

    fn size(&mut self, [width, height]: [u32; 2], mobile: bool) {
        self.browser.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile }),
        );
    }

    fn end(self) {
        self.browser.close();
        drop(self.folder);
    }
}

/// Units that lie whole within the window.
const IN_SIGHT: &str = "Array.from(document.querySelectorAll('#atlas-units > li')).filter(li => { \
     const box = li.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight; }).length";

#[test]
fn a_contact_sheet_has_three_sizes_that_are_kept() {
    let Some(chromium) = chromium() else { return };
    let mut place = Place::new(&chromium, 400, [1440, 900]);
    place.edit(|data| data["units"][0]["label"] = "a name longer than any card ".repeat(5).into());
    place.size([1440, 900], false);
    place.go("index.html");
    place.browser.wait(&format!("{IN_SIGHT} >= 60"));
    place
        .browser
        .eval("document.getElementById('atlas-units').scrollIntoView({ behavior: 'instant' })");
    place.browser.wait(&format!("{IN_SIGHT} >= 100"));
    let full = place.browser.eval(IN_SIGHT).as_u64().unwrap();
    assert!(full < 200, "{full} units on a screen");

    // Beside a long name, too: headings of one line, pictures and captions at one height.
    let even = "(() => { const rows = Array.from(document.querySelectorAll('#atlas-units > li')).slice(0, 3); \
         const same = read => new Set(rows.map(row => Math.round(read(row) * 2))).size === 1; \
         return rows.every(row => row.querySelector('h2').getClientRects().length === 1 \
             && row.querySelector('h2').offsetHeight < 30 && row.querySelector('.unit-row-head').offsetHeight < 30 \
             && row.scrollWidth <= row.clientWidth) \
             && same(row => row.offsetHeight) && same(row => row.querySelector('.strip').getBoundingClientRect().top); })()";
    for (size, patches, columns) in [("small", 1, 16), ("medium", 2, 7), ("large", 4, 3)] {
        place.set("size", size);
        let found = place.browser.eval(
            "[document.querySelector('#atlas-units > li').querySelectorAll('img').length, \
             getComputedStyle(document.getElementById('atlas-units')).gridTemplateColumns.split(' ').length]",
        );
        assert_eq!(found, json!([patches, columns]), "{size}");
        assert_eq!(place.browser.eval(even), true, "{size}");
    }
    assert_eq!(place.browser.text("location.hash"), "#size=large");
    assert!(
        place
            .browser
            .text("document.querySelector('.unit-row-numbers').textContent")
            .contains("influence")
    );
    // Another page, without the choice in its address.
    let other = place.address("../../resnet18/layer4/index.html");
    place.browser.go(&other);
    assert_eq!(place.browser.text("document.getElementById('atlas-units').dataset.size"), "large");
    // The address of a view comes before what was kept.
    place.go("index.html#size=medium");
    assert_eq!(place.browser.text("document.getElementById('atlas-units').dataset.size"), "medium");
    place.end();
}

#[test]
fn a_sheet_within_a_single_file_is_drawn_too() {
    let Some(chromium) = chromium() else { return };
    let mut place = Place::new(&chromium, 150, [1440, 900]);
    let output = place.folder.path().join("atlas.html");
    let selection = Selection::default();
    let form = Form::SingleFile { selection: &selection, passphrase: None };
    pack::pack(&place.fixture.site(), &place.fixture.record(), "Unit atlas", form, &output)
        .unwrap();
    place.size([1440, 900], false);
    place.browser.go(&format!("file://{}#/{LAYER}/index.html", output.display()));
    let page = "document.querySelector('iframe').contentDocument";
    place
        .browser
        .wait(&format!("{page} && {page}.querySelectorAll('#atlas-units > li').length === 150"));
    place.end();
}

#[test]
fn a_phone_shows_units_on_its_first_screen() {
    let Some(chromium) = chromium() else { return };
    let mut place = Place::new(&chromium, 60, [390, 844]);
    place.size([390, 844], true);
    place.go("index.html");
    place.browser.wait(&format!("{IN_SIGHT} >= 4"));
    let shown = "getComputedStyle(document.querySelector('[name=sort]').parentNode).display";
    assert_eq!(place.browser.text(shown), "none", "filters are folded");
    place.browser.click("#atlas-more");
    assert_ne!(place.browser.text(shown), "none");
    assert_eq!(
        place.browser.text("document.getElementById('atlas-more').getAttribute('aria-expanded')"),
        "true"
    );
    place.end();
}

#[test]
fn units_are_found_by_what_a_machine_calls_them() {
    let Some(chromium) = chromium() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 12);
    fixture.ask_a_machine();
    let mut place = Place::of(fixture, folder, &chromium, [1000, 700]);
    place.go("index.html");
    let count = "document.getElementById('atlas-count').textContent";
    place.browser.wait(&format!("{count} === '12 units'"));
    place.set("called", "mass");
    place.browser.wait(&format!("{count}.startsWith('2 of 12')"));
    place.set("called", "");
    place.set("q", "calcifications");
    let found = place.browser.text(count);
    assert!(!found.starts_with("0"), "{found}");
    place.set("q", "");
    // People named the first unit; the machine's name of it is known all the same.
    let by: Vec<String> = ["readers", "unrecognizable", "machine", "automatic", "none"]
        .iter()
        .map(|source| {
            place.set("source", source);
            place.browser.text(count)
        })
        .collect();
    let units = |said: &String| said.split(' ').next().unwrap().parse::<u32>().unwrap_or(0);
    assert_eq!(by.iter().map(units).sum::<u32>(), 12, "{by:?}");
    assert!(units(&by[2]) > 0, "{by:?}");
    place.end();
}

#[test]
fn back_returns_to_the_place_and_units_follow_the_list() {
    let Some(chromium) = chromium() else { return };
    let mut place = Place::new(&chromium, 300, [1000, 700]);
    place.size([1000, 700], false);
    place.go("index.html");
    place.set("size", "medium");
    place.set("detector", "0");
    place.set("sort", "score");
    let list: Vec<String> = place.browser.text(
        "unitAtlas.layerUnits.wanted(unitAtlas.layerUnits.rows(unitAtlas.data('networks/alexnet/conv5/units.js')), \
         { detector: '0', sort: 'score' }).map(row => row.number).join()",
    ).split(',').map(str::to_owned).collect();
    assert!(list.len() > 150 && list.windows(2).any(|pair| pair[0] > pair[1]), "{list:?}");
    // Far down, where a page that has just been loaded has drawn nothing.
    let (deep, at) = (list.len() - 20, format!("[data-unit=\"{}\"]", list[list.len() - 20]));
    for _ in 0..20 {
        place
            .browser
            .eval("scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' })");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    place.browser.wait(&format!("document.querySelector('{at}')"));
    place.browser.eval(&format!(
        "document.querySelector('{at} h2 a').scrollIntoView({{ block: 'center', behavior: 'instant' }})"
    ));
    let top = place.browser.eval("scrollY").as_f64().unwrap();
    assert!(top > 1500.0, "{top}");
    place.browser.click(&format!("{at} h2 a"));
    let on = |number: &str| {
        format!(
            "location.pathname.endsWith('/{number}/index.html') && document.readyState === 'complete'"
        )
    };
    place.browser.wait(&on(&list[deep]));
    let said = place.browser.text("document.getElementById('atlas-list').textContent");
    assert_eq!(
        said,
        format!(
            "{} of {} in alexnet/conv5: detects a concept no, by best score",
            deep + 1,
            list.len()
        )
    );
    place.browser.click(".pager a[rel=next]");
    place.browser.wait(&on(&list[deep + 1]));
    place.browser.key("ArrowRight");
    place.browser.wait(&on(&list[deep + 2]));
    place.browser.click(".pager a[rel=prev]");
    place.browser.wait(&on(&list[deep + 1]));
    // Back four times, along the same list.
    for number in [deep + 2, deep + 1, deep] {
        place.browser.eval("void setTimeout(() => history.back())");
        place.browser.wait(&on(&list[number]));
        let next =
            place.browser.text("document.querySelector('.pager a[rel=next]').getAttribute('href')");
        assert!(next.ends_with(&format!("/{}/index.html", list[number + 1])), "{next}");
    }
    place.browser.eval("void setTimeout(() => history.back())");
    place
        .browser
        .wait("document.getElementById('atlas-units') && document.readyState === 'complete'");
    place.browser.wait(&format!("Math.abs(scrollY - {top}) < 2"));
    assert_eq!(place.browser.text("location.hash"), "#detector=0&sort=score&size=medium");
    assert_eq!(place.browser.text("document.getElementById('atlas-units').dataset.size"), "medium");
    assert_eq!(
        place.browser.text("document.activeElement.closest('[data-unit]').dataset.unit"),
        list[deep],
        "the unit that was opened has the focus"
    );

    // The link back leads to the list, at the unit.
    place.browser.click(&format!("{at} h2 a"));
    place.browser.wait(&on(&list[deep]));
    place.browser.click("#atlas-list a");
    place
        .browser
        .wait("document.getElementById('atlas-units') && document.readyState === 'complete'");
    place.browser.wait(&format!(
        "document.querySelector('{at}') && Math.abs(document.querySelector('{at}').getBoundingClientRect().top - innerHeight / 2) < 150"
    ));
    assert_eq!(place.browser.text("document.querySelector('[name=sort]').value"), "score");

    // Come to from elsewhere, a unit follows the numbers, and says so.
    place.go(&format!("{}/index.html", list[3]));
    let next =
        place.browser.text("document.querySelector('.pager a[rel=next]').getAttribute('href')");
    let number: u32 = list[3].parse().unwrap();
    assert!(next.ends_with(&format!("/{:04}/index.html", number + 1)), "{next}");
    assert_eq!(
        place.browser.text("document.getElementById('atlas-list').textContent"),
        "In the order of numbers of alexnet/conv5"
    );
    place.end();
}

/// The middle of what is drawn of a unit on the map, in the window.
fn spot(browser: &mut Browser, number: &str) -> [f64; 2] {
    let found = browser.eval(&format!(
        "(() => {{ const {{ layout, layerUnits }} = unitAtlas; const box = document.querySelector('.unit-map-frame'); \
         box.scrollIntoView({{ block: 'center', behavior: 'instant' }}); const edge = box.getBoundingClientRect(); \
         const row = layerUnits.rows(unitAtlas.data('{LAYER}/units.js')).find(one => one.number === '{number}'); \
         const [x, y] = layout.spot(layout.WHOLE, {{ width: box.clientWidth, height: box.clientHeight, reach: [1, 1] }}, row.unit.place); \
         return [edge.left + 1 + x, edge.top + 1 + y]; }})()"
    ));
    [found[0].as_f64().unwrap(), found[1].as_f64().unwrap()]
}

fn mouse(browser: &mut Browser, kind: &str, [x, y]: [f64; 2], more: Value) {
    let mut event = json!({ "type": kind, "x": x, "y": y });
    if kind != "mouseMoved" && kind != "mouseWheel" {
        event["button"] = "left".into();
        event["clickCount"] = 1.into();
    }
    if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
        event.extend(more);
    }
    browser.call("Input.dispatchMouseEvent", event);
}

const CARD: &str = "(document.querySelector('.unit-map-card').hidden ? '' : document.querySelector('.unit-map-card').textContent.trim())";
const ZOOM: &str = "Number(document.querySelector('.unit-map-frame').dataset.zoom)";
/// How many pixels of the map are painted as strongly as a unit that is not faded.
const PAINTED: &str = "(() => { const canvas = document.querySelector('.unit-map-frame canvas'); \
     const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height); \
     let n = 0; for (let at = 3; at < data.length; at += 4) if (data[at] > 200) n += 1; return n; })()";

#[test]
fn the_map_of_units_is_pointed_at_zoomed_filtered_and_opened() {
    let Some(chromium) = chromium() else { return };
    let mut place = Place::new(&chromium, 12, [1280, 900]);
    place.size([1280, 900], false);
    place.go("index.html");
    place.browser.click(".segments [value=map]");
    place.browser.wait("!document.getElementById('atlas-map').hidden && document.getElementById('atlas-units').hidden");
    assert_eq!(place.browser.text("location.hash"), "#view=map");
    place.browser.wait(&format!("{PAINTED} > 200"));
    let told = place.browser.text("document.getElementById('atlas-map').textContent");
    assert!(
        told.contains("respond to the same patches")
            && told.contains("On average 62% of the 10 units"),
        "{told}"
    );

    // Pointing shows a unit, a wheel zooms at it, dragging moves the map.
    let first = spot(&mut place.browser, "0001");
    mouse(&mut place.browser, "mouseMoved", first, json!({}));
    place.browser.wait(&format!("{CARD}.startsWith('0001')"));
    assert!(
        place.browser.text("document.querySelector('.unit-map-card img').src").ends_with(".jpg")
    );
    mouse(&mut place.browser, "mouseWheel", first, json!({ "deltaX": 0, "deltaY": -400 }));
    place.browser.wait(&format!("{ZOOM} > 1.5"));
    let [x, y] = first;
    mouse(&mut place.browser, "mouseMoved", [x + 1.0, y], json!({}));
    assert!(place.browser.text(CARD).starts_with("0001"), "it stays under the pointer");
    mouse(&mut place.browser, "mousePressed", [x, y], json!({}));
    mouse(&mut place.browser, "mouseMoved", [x + 30.0, y], json!({ "buttons": 1 }));
    mouse(&mut place.browser, "mouseMoved", [x + 60.0, y], json!({ "buttons": 1 }));
    mouse(&mut place.browser, "mouseReleased", [x + 60.0, y], json!({}));
    assert!(
        place.browser.eval("document.querySelector('.unit-map-frame')").is_object(),
        "dragging opens nothing"
    );
    mouse(&mut place.browser, "mouseMoved", [x, y + 60.0], json!({}));
    assert!(!place.browser.text(CARD).starts_with("0001"));
    place.browser.click("[data-zoom=all]");
    place.browser.wait(&format!("{ZOOM} === 1"));
    place.browser.click("[data-zoom=in]");
    place.browser.wait(&format!("{ZOOM} === 1.6"));
    place.browser.click("[data-zoom=out]");
    place.browser.wait(&format!("{ZOOM} === 1"));

    // The filter of the sheet: what it does not ask for fades, and cannot be pointed at.
    let all = place.browser.eval(PAINTED).as_u64().unwrap();
    place.set("detector", "1");
    place.browser.wait(&format!("{PAINTED} < {all}"));
    let hidden = spot(&mut place.browser, "0002");
    mouse(&mut place.browser, "mouseMoved", hidden, json!({}));
    assert_eq!(place.browser.text(CARD), "", "0002 detects nothing");
    place.set("detector", "");

    // Colours, each with its legend.
    let legend = "document.querySelector('.unit-map-legend').textContent";
    assert_eq!(place.browser.text(legend), "detects a conceptdetects none");
    place.set("colour", "influence");
    assert_eq!(place.browser.text(legend), "rank 1rank 12");
    place.set("colour", "category");
    let named = place.browser.text(legend);
    assert!(named.contains("Mass") && named.ends_with("none"), "{named}");
    assert_eq!(place.browser.text("location.hash"), "#view=map&colour=category");

    // A click opens the unit; back is the map, as it was.
    place.browser.click("[data-zoom=in]");
    place.browser.click("[data-zoom=in]");
    place.browser.wait(&format!("{ZOOM} === 2.56"));
    place.browser.click("[data-zoom=all]");
    place.browser.wait(&format!("{ZOOM} === 1"));
    let third = spot(&mut place.browser, "0003");
    mouse(&mut place.browser, "mouseMoved", third, json!({}));
    mouse(&mut place.browser, "mousePressed", third, json!({}));
    mouse(&mut place.browser, "mouseReleased", third, json!({}));
    place.browser.wait(
        "location.pathname.endsWith('/0003/index.html') && document.readyState === 'complete'",
    );
    assert!(
        place
            .browser
            .text("document.getElementById('atlas-list').textContent")
            .starts_with("3 of 12 in ")
    );
    place.browser.eval("void setTimeout(() => history.back())");
    place.browser.wait(
        "document.getElementById('atlas-map') && !document.getElementById('atlas-map').hidden",
    );
    place.browser.wait(&format!("{PAINTED} > 200"));
    assert_eq!(place.browser.text(legend), named);
    place.end();
}

#[test]
fn the_map_of_units_is_reached_by_keyboard() {
    let Some(chromium) = chromium() else { return };
    let mut place = Place::new(&chromium, 12, [1280, 900]);
    place.go("index.html#view=map");
    place.browser.wait(&format!("{PAINTED} > 200"));
    place.browser.eval("document.querySelector('[data-zoom=all]').focus()");
    place.browser.key("Tab");
    place.browser.wait(&format!(
        "document.activeElement.className.includes('unit-map-frame') && {CARD} !== ''"
    ));
    // The units lie in rows of four: to the end of one, and down.
    for _ in 0..4 {
        place.browser.key("ArrowLeft");
    }
    for _ in 0..3 {
        place.browser.key("ArrowUp");
    }
    place.browser.wait(&format!("{CARD}.startsWith('0001')"));
    place.browser.key("ArrowRight");
    place.browser.key("ArrowDown");
    place.browser.wait(&format!("{CARD}.startsWith('0006')"));
    assert!(
        place
            .browser
            .text("document.getElementById('atlas-map-said').textContent")
            .starts_with("0006, ")
    );
    place.browser.eval("document.querySelector('.unit-map-frame').dispatchEvent(new KeyboardEvent('keydown', { key: '+', bubbles: true }))");
    place.browser.wait(&format!("{ZOOM} === 1.6 && {CARD}.startsWith('0006')"));
    place.browser.key("Escape");
    place.browser.wait(&format!("{CARD} === ''"));
    place.browser.key("ArrowRight");
    place.browser.wait(&format!("{CARD} !== ''"));
    let number = place.browser.text(CARD)[..4].to_owned();
    assert_eq!(place.browser.nameless(), [""; 0]);
    place.browser.key("Enter");
    place.browser.wait(&format!("location.pathname.endsWith('/{number}/index.html')"));
    place.end();
}

#[test]
fn the_map_of_units_is_pinched_and_tapped_on_a_phone() {
    let Some(chromium) = chromium() else { return };
    let mut place = Place::new(&chromium, 12, [390, 844]);
    place.size([390, 844], true);
    place.browser.call(
        "Emulation.setTouchEmulationEnabled",
        json!({ "enabled": true, "maxTouchPoints": 2 }),
    );
    place.go("index.html#view=map");
    place.browser.wait(&format!("{PAINTED} > 200"));
    let touch = |browser: &mut Browser, kind: &str, points: &[[f64; 2]]| {
        let points: Vec<Value> = points
            .iter()
            .enumerate()
            .map(|(id, [x, y])| json!({ "x": x, "y": y, "id": id }))
            .collect();
        browser.call("Input.dispatchTouchEvent", json!({ "type": kind, "touchPoints": points }));
    };
    // A finger sees first what it opens next.
    let unit = spot(&mut place.browser, "0006");
    touch(&mut place.browser, "touchStart", &[unit]);
    touch(&mut place.browser, "touchEnd", &[]);
    place.browser.wait(&format!("{CARD}.startsWith('0006')"));
    let [x, y] = unit;
    touch(&mut place.browser, "touchStart", &[[x - 20.0, y], [x + 20.0, y]]);
    for reach in [30.0, 40.0, 60.0] {
        touch(&mut place.browser, "touchMove", &[[x - reach, y], [x + reach, y]]);
    }
    touch(&mut place.browser, "touchEnd", &[]);
    place.browser.wait(&format!("{ZOOM} > 2"));
    let wide = place.browser.eval("document.documentElement.scrollWidth - innerWidth");
    assert_eq!(wide, 0, "nothing is wider than the phone");
    place.browser.click("[data-zoom=all]");
    place.browser.wait(&format!("{ZOOM} === 1"));
    let unit = spot(&mut place.browser, "0006");
    for _ in 0..2 {
        touch(&mut place.browser, "touchStart", &[unit]);
        touch(&mut place.browser, "touchEnd", &[]);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    place.browser.wait("location.pathname.endsWith('/0006/index.html')");
    place.end();
}

/// A measurement, for who runs the test with `--nocapture`.
fn tell(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

#[test]
fn a_layer_of_2048_units_is_filtered_at_once_on_a_slow_processor() {
    let Some(chromium) = chromium() else { return };
    let mut place = Place::new(&chromium, 6, [1440, 900]);
    place.edit(|data| {
        let units = data["units"].as_array().unwrap().clone();
        data["units"] = units.iter().cycle().take(2048).cloned().collect();
        for (_, column) in data["patches"].as_object_mut().unwrap() {
            let values = column.as_array().unwrap().clone();
            *column = values.iter().cycle().take(2048 * 4).cloned().collect();
        }
    });
    place.size([1440, 900], false);
    place.go("index.html");
    place.browser.wait("document.getElementById('atlas-count').textContent.includes('2048')");
    place.browser.call("Emulation.setCPUThrottlingRate", json!({ "rate": 4 }));
    let choices = [
        ("q", ["spiculated", "a"]),
        ("sort", ["iou", "label"]),
        ("detector", ["1", "0"]),
        ("cancer", ["25", ""]),
    ];
    for view in ["sheet", "map"] {
        place.set("view", view);
        for (name, values) in choices {
            // The least of some times, of more where other programs take theirs: of the script that answers, and of the
            // longest that draws the map after it.
            let times = place.browser.eval(&format!(
                "(async () => {{ const form = document.getElementById('atlas-filter'); const field = form.elements.{name}; \
                 const usual = window.requestAnimationFrame; let longest = 0; \
                 window.requestAnimationFrame = step => usual.call(window, now => {{ const start = performance.now(); step(now); \
                 longest = Math.max(longest, performance.now() - start); }}); \
                 const least = [Infinity, Infinity]; const values = {}; \
                 for (let i = 0; i < 14 || (i < 60 && least.some(time => time >= 50)); i += 1) {{ field.value = values[i % 2]; longest = 0; const start = performance.now(); \
                 field.dispatchEvent(new Event('input', {{ bubbles: true }})); \
                 const took = performance.now() - start; await new Promise(next => setTimeout(next, 200)); \
                 if (i > 1) [took, longest].forEach((time, at) => {{ least[at] = Math.min(least[at], time); }}); }} \
                 window.requestAnimationFrame = usual; field.value = ''; return least; }})()",
                json!(values)
            ));
            let [answer, frame] = [0, 1].map(|at| times[at].as_f64().unwrap());
            tell(&format!(
                "2,048 units, {view}, {name}: {answer:.1} ms, then frames of {frame:.1} ms"
            ));
            assert!(answer < 50.0, "{view}, {name}: {answer:.0} ms");
            assert!(frame < 50.0, "{view}, {name}: {frame:.0} ms in a frame");
        }
    }
    place.end();
}

#[test]
fn without_a_script_every_unit_is_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 30);
    fixture.build().unwrap();
    let page = std::fs::read_to_string(fixture.site().join(LAYER).join("index.html")).unwrap();
    let list = page.split("id=\"atlas-names\"").nth(1).unwrap().split("</ol>").next().unwrap();
    for number in 1..=30 {
        assert!(
            list.contains(&format!("{LAYER}/{number:04}/index.html\">{number:04}</a>")),
            "{number}"
        );
    }
    // Where too few units are live, there is no map, and no word of one.
    let few = Fixture::new(folder.path(), 2);
    few.build().unwrap();
    let page = std::fs::read_to_string(few.site().join(LAYER).join("index.html")).unwrap();
    assert!(
        !page.contains("atlas-map") && !page.contains("unit-map.js") && page.contains("layer.js")
    );
}
