//! What tests do in the viewer: the mouse, fingers, what is shown where.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::GrayImage;
use serde_json::{Value, json};

use super::chromium::Browser;

/// A window of a size with so many pixels of the screen in one of the page; narrow ones are touched.
pub(crate) fn screen(browser: &mut Browser, [width, height]: [u32; 2], ratio: f64) {
    let phone = width < 600;
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        json!({ "width": width, "height": height, "deviceScaleFactor": ratio, "mobile": phone }),
    );
    browser.call("Emulation.setTouchEmulationEnabled", json!({ "enabled": phone }));
}

/// Waits until the viewer has drawn so many pictures.
#[track_caller]
pub(crate) fn drawn(browser: &mut Browser, panes: usize) {
    const FRAMES: &str = "new Promise(next => \
        requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(next))))";
    // That a press asks for other tiles is known in the frame after it; until then the old ones count as loaded.
    browser.eval(FRAMES);
    browser.wait(&format!(
        "document.querySelectorAll('.viewer-pane[data-state=loaded]').length === {panes} \
         && document.querySelectorAll('.viewer-pane').length === {panes}"
    ));
    // What was loaded is drawn in the frame after the next.
    browser.eval(FRAMES);
}

/// Scale, left and top of the drawing over a pane's picture: where the source's pixels lie in the pane.
pub(crate) fn matrix(browser: &mut Browser, pane: usize) -> [f64; 3] {
    let text = browser.text(&format!(
        "document.querySelectorAll('.viewer-marks > g')[{pane}].getAttribute('transform')"
    ));
    let inside = text.trim_start_matches("matrix(").trim_end_matches(')');
    let numbers: Vec<f64> = inside.split(' ').map(|number| number.parse().unwrap()).collect();
    assert_eq!(
        (numbers.len(), numbers[0], numbers[1], numbers[2]),
        (6, numbers[3], 0.0, 0.0),
        "{text}"
    );
    [numbers[0], numbers[4], numbers[5]]
}

/// Left, top, width and height of a pane in the window.
pub(crate) fn place(browser: &mut Browser, pane: usize) -> [f64; 4] {
    let found = browser.eval(&format!(
        "(pane => {{ const box = pane.getBoundingClientRect(); \
         return [box.left, box.top, pane.clientWidth, pane.clientHeight]; }})\
         (document.querySelectorAll('.viewer-pane')[{pane}])"
    ));
    [0, 1, 2, 3].map(|at| found[at].as_f64().unwrap())
}

pub(crate) fn mouse(browser: &mut Browser, kind: &str, [x, y]: [f64; 2], more: Value) {
    let mut event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    browser.call("Input.dispatchMouseEvent", event);
}

/// Drags by a button of the mouse.
pub(crate) fn drag(browser: &mut Browser, from: [f64; 2], by: [f64; 2], button: &str) {
    let buttons = match button {
        "left" => 1,
        "right" => 2,
        _ => 4,
    };
    let held = json!({ "button": button, "buttons": buttons });
    let to = |share: f64| [from[0] + share * by[0], from[1] + share * by[1]];
    mouse(browser, "mouseMoved", from, json!({ "button": "none" }));
    mouse(browser, "mousePressed", from, held.clone());
    for step in 1..=4 {
        mouse(browser, "mouseMoved", to(f64::from(step) / 4.0), held.clone());
    }
    mouse(browser, "mouseReleased", to(1.0), json!({ "button": button }));
}

pub(crate) fn wheel(browser: &mut Browser, at: [f64; 2], turned: f64) {
    let more = json!({ "button": "none", "deltaX": 0, "deltaY": turned });
    mouse(browser, "mouseWheel", at, more);
}

/// Fingers at these places.
pub(crate) fn touch(browser: &mut Browser, kind: &str, fingers: &[[f64; 2]]) {
    let points: Vec<Value> =
        (0..).zip(fingers).map(|(id, [x, y])| json!({ "x": x, "y": y, "id": id })).collect();
    browser.call("Input.dispatchTouchEvent", json!({ "type": kind, "touchPoints": points }));
}

/// What the window shows, in grey.
pub(crate) fn shot(browser: &mut Browser) -> GrayImage {
    let found = browser.call("Page.captureScreenshot", json!({ "format": "png" }));
    let bytes = STANDARD.decode(found["data"].as_str().unwrap()).unwrap();
    image::load_from_memory(&bytes).unwrap().to_luma8()
}

pub(crate) fn near(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() < 0.01
}

pub(crate) fn zoom(browser: &mut Browser) -> String {
    browser.text("document.querySelector('.viewer-zoom').textContent")
}

pub(crate) const OPEN: &str = "document.querySelector('dialog.viewer[open] .viewer-pane')";

pub(crate) const SHUT: &str = "!document.querySelector('dialog[open]')";

pub(crate) const LEVELS: &str = "document.querySelector('.viewer-levels').textContent";

/// Types centre and width of the window into the bar.
pub(crate) fn type_window(browser: &mut Browser, centre: f64, width: f64) {
    for (label, value) in [("centre", centre), ("width", width)] {
        browser.eval(&format!(
            "(field => {{ field.focus(); field.select(); }})(document.querySelector('.viewer-bar input[aria-label=\"Window {label}\"]'))"
        ));
        browser.type_text(&value.to_string());
        browser.key("Enter");
        browser.wait("document.activeElement.matches('.viewer-pane')");
    }
    browser.eval("new Promise(next => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(next))))");
}

/// Goes into the survey, to its first unit; `inside` is the document that holds it.
pub(crate) fn begin(browser: &mut Browser, inside: &str) {
    browser.wait(&format!("{inside} && {inside}.getElementById('survey-start') && !{inside}.getElementById('survey-welcome').hidden"));
    browser.eval(&format!(
        "{inside}.getElementById('survey-name').value = 'a'; {inside}.getElementById('survey-start').requestSubmit()"
    ));
    browser.wait(&format!("!{inside}.getElementById('survey-overview').hidden"));
    browser.eval(&format!("{inside}.getElementById('survey-next-open').click()"));
    browser.wait(&format!("{inside}.querySelectorAll('.survey-patch').length > 3"));
}
