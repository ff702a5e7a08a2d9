//! The pages in a browser: what scripts do, from `file://`, in headless Chromium.
//!
//! A script is added to a copy of the page; it acts as a reader would and writes what it found into
//! the document, which Chromium then prints. Without Chromium the tests say so and pass.

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::Fixture;

/// Chromium by the variable `CHROMIUM`, else by its usual names.
fn chromium() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM").filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let folders = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&folders)
        .flat_map(|folder| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name))
        })
        .find(|path| path.is_file());
    if found.is_none() {
        // Written past the test harness, which hides what passing tests print.
        let _ = writeln!(std::io::stderr(), "skipped: Chromium is not installed");
    }
    found
}

/// The document of a page after its scripts have run.
fn dump(chromium: &Path, page: &Path, width: u32) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(chromium)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--virtual-time-budget=4000",
            "--dump-dom",
        ])
        .arg(format!("--window-size={width},900"))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the script says first and last: `check(condition, words)` notes a failure.
const PRELUDE: &str = "
var failures = [];
function check(fine, words) { if (!fine) failures.push(words); }
window.addEventListener('error', function (e) { failures.push('error: ' + e.message); });
function key(target, name) {
  target.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true }));
}
function finish() {
  performance.getEntriesByType('resource').forEach(function (entry) {
    check(entry.name.indexOf('file:') === 0, 'request to ' + entry.name);
  });
  document.documentElement.setAttribute('data-failures', failures.join('; ') || 'none');
}
";

/// Runs `script` in a page after it has loaded; `before` runs before the page's own scripts.
fn act(site: &Path, page: &str, before: &str, script: &str, width: u32) {
    let Some(chromium) = chromium() else { return };
    let path = site.join(page);
    let html = std::fs::read_to_string(&path).unwrap();
    let copy = path.with_file_name(format!("acted-{}.html", std::process::id()));
    let acted = html
        .replacen("<head>", &format!("<head><script>{PRELUDE}{before}</script>"), 1)
        .replacen(
            "</body>",
            &format!(
                "<script>window.addEventListener('load', function () {{\n\
                 try {{ {script} }} catch (e) {{ failures.push(String(e)); }}\nfinish(); }});</script></body>"
            ),
            1,
        );
    std::fs::write(&copy, acted).unwrap();
    let document = dump(&chromium, &copy, width);
    std::fs::remove_file(&copy).unwrap();
    let (_, rest) = document
        .split_once("data-failures=\"")
        .unwrap_or_else(|| panic!("the script did not finish: {document:.2000}"));
    let (failures, _) = rest.split_once('"').unwrap();
    assert_eq!(failures, "none", "{page}");
}

fn site() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 6);
    fixture.write("content/about.md", include_str!("../content/about.md"));
    fixture.build().unwrap();
    let site = fixture.site();
    (folder, site)
}

const UNIT: &str = "networks/alexnet/conv5/0002/index.html";

#[test]
fn a_patch_shows_its_mammogram_by_pointer_focus_and_click() {
    let (_folder, site) = site();
    act(
        &site,
        UNIT,
        "",
        r#"
        var panel = document.getElementById('atlas-context');
        var patches = document.querySelectorAll('.patch');
        var frame = function () {
          var rect = panel.querySelector('.window');
          return rect && ['x', 'y', 'width'].map(function (n) { return rect.getAttribute(n); }).join(' ');
        };
        check(frame() === patches[0].dataset.box, 'the best patch is shown at first');
        key(document, 'Escape');
        check(!panel.querySelector('img'), 'Escape puts the mammogram away');
        patches[1].querySelector('img').dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' }));
        check(frame() === patches[1].dataset.box, 'pointing shows the mammogram');
        check(panel.querySelector('img').alt.indexOf(patches[1].dataset.mammogram) > 0, 'its own mammogram');
        check(panel.textContent.indexOf(patches[1].dataset.label) > 0, 'the label in words');
        patches[2].focus();
        check(frame() === patches[2].dataset.box, 'focus shows the mammogram');
        check(document.activeElement === patches[2], 'and stays on the patch');
        patches[3].click();
        patches[4].dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' }));
        check(frame() === patches[3].dataset.box, 'a click keeps the mammogram');
        key(document.body, 'Escape');
        check(!panel.querySelector('img') && !document.querySelector('.kept'), 'Escape ends that too');
        patches[5].dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'touch' }));
        check(!panel.querySelector('img'), 'a finger does not hover');
        patches[5].click();
        check(frame() === patches[5].dataset.box, 'a tap shows the mammogram');
        panel.querySelector('.context-close').click();
        check(!panel.querySelector('img'), 'the button puts it away');
        check(document.activeElement === patches[5], 'and gives the focus back');
        check(panel.getAttribute('aria-live') === 'polite', 'the panel is announced');
        "#,
        1280,
    );
}

#[test]
fn looks_and_theme_are_applied_and_remembered() {
    let (_folder, site) = site();
    act(
        &site,
        UNIT,
        "localStorage.clear();",
        r#"
        var root = document.documentElement;
        var path = document.querySelector('.patch svg path');
        var style = function () { return getComputedStyle(path); };
        check(root.dataset.look === 'dim' && style().fill !== 'none', 'dim at first');
        check(style().stroke !== 'none', 'with an outline');
        document.querySelector('.looks [value=outline]').click();
        check(style().fill === 'none' && style().stroke !== 'none', 'outline only');
        check(localStorage.getItem('unit-atlas-look') === 'outline', 'the look is kept');
        document.querySelector('.looks [value=none]').click();
        check(getComputedStyle(path.parentNode).display === 'none', 'no overlay');
        var before = getComputedStyle(document.body).backgroundColor;
        document.getElementById('atlas-theme').click();
        check(getComputedStyle(document.body).backgroundColor !== before, 'the theme changes');
        check(localStorage.getItem('unit-atlas-theme') === root.dataset.theme, 'the theme is kept');
        "#,
        1280,
    );
    act(
        &site,
        "networks/alexnet/conv5/index.html",
        "localStorage.setItem('unit-atlas-look', 'outline'); localStorage.setItem('unit-atlas-theme', 'light');",
        r#"
        check(document.documentElement.dataset.look === 'outline', 'the look is remembered');
        check(document.querySelector('.looks [value=outline]').checked, 'and chosen');
        check(getComputedStyle(document.querySelector('.picture path')).fill === 'none', 'and applied');
        check(document.documentElement.dataset.theme === 'light', 'the theme is remembered');
        "#,
        1280,
    );
}

#[test]
fn arrows_lead_to_the_neighbours_but_not_while_typing() {
    let (_folder, site) = site();
    act(
        &site,
        UNIT,
        "",
        r#"
        var followed = [];
        document.querySelector('.pager').addEventListener('click', function (event) {
          event.preventDefault();
          followed.push(event.target.closest('a').getAttribute('href'));
        });
        key(document.body, 'ArrowLeft');
        key(document.body, 'ArrowRight');
        check(followed.join(' ') === '../../../../networks/alexnet/conv5/0001/index.html ../../../../networks/alexnet/conv5/0003/index.html', 'arrows: ' + followed);
        key(document.querySelector('.looks input'), 'ArrowRight');
        var field = document.body.appendChild(document.createElement('input'));
        key(field, 'ArrowRight');
        document.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', altKey: true }));
        check(followed.length === 2, 'a field and the browser keep their arrows');
        "#,
        1280,
    );
}

#[test]
fn a_layer_is_filtered_and_sorted() {
    let (_folder, site) = site();
    act(
        &site,
        "networks/alexnet/conv5/index.html",
        "",
        r#"
        var form = document.getElementById('atlas-filter');
        var rows = function () {
          return Array.from(document.querySelectorAll('.unit-row')).filter(function (row) { return row.offsetParent; });
        };
        var type = function (words) {
          form.elements.q.value = words;
          form.elements.q.dispatchEvent(new Event('input', { bubbles: true }));
        };
        var sort = function (by) {
          form.elements.sort.value = by;
          form.elements.sort.dispatchEvent(new Event('change', { bubbles: true }));
          return rows().map(function (row) { return row.dataset; });
        };
        check(rows().length === 6, 'all units at first');
        type('SPICULATED edge');
        check(rows().length === 1 && rows()[0].dataset.unit === '0001', 'a label is found: ' + rows().length);
        check(document.getElementById('atlas-count').textContent === '1 of 6 units', 'and counted');
        type('no such words');
        check(rows().length === 0 && document.getElementById('atlas-none').offsetParent, 'nothing is said');
        type('');
        ['iou', 'score', 'cancer'].forEach(function (by) {
          var order = sort(by).map(function (d) { return +d[by]; });
          check(order.every(function (v, i) { return i === 0 || v <= order[i - 1]; }), by + ' ' + order);
        });
        var labels = sort('label').map(function (d) { return d.label; });
        check(labels.filter(Boolean).join() === labels.slice(0, labels.filter(Boolean).length).join(), 'labels first');
        check(sort('unit').map(function (d) { return d.unit; }).join() === '0001,0002,0003,0004,0005,0006', 'and back');
        "#,
        1280,
    );
}

#[test]
fn no_page_is_wider_than_a_phone() {
    let (_folder, site) = site();
    let Some(chromium) = chromium() else { return };
    let pages = [
        "index.html",
        "about/index.html",
        "birads/index.html",
        "data/index.html",
        "methods/index.html",
        "networks/alexnet/index.html",
        "networks/alexnet/conv5/index.html",
        "selection/index.html",
        UNIT,
    ];
    let mut frames = String::new();
    for page in pages {
        let path = site.join(page);
        let html = std::fs::read_to_string(&path).unwrap().replacen(
            "</body>",
            "<script>window.addEventListener('load', function () {\
             var root = document.documentElement;\
             parent.postMessage(root.scrollWidth - root.clientWidth, '*'); });</script></body>",
            1,
        );
        std::fs::write(&path, html).unwrap();
        frames.push_str(&format!(
            "<iframe width=390 height=800 style='border:0' src='{page}'></iframe>"
        ));
    }
    let wrapper = format!(
        "<html><body><script>var seen = []; window.addEventListener('message', function (e) {{\
         seen.push(e.data); document.documentElement.setAttribute('data-widths', seen.join(' ')); }});\
         </script>{frames}</body></html>"
    );
    std::fs::write(site.join("wrapper.html"), wrapper).unwrap();
    let document = dump(&chromium, &site.join("wrapper.html"), 1280);
    let (_, rest) = document.split_once("data-widths=\"").expect("no frame answered");
    let widths: Vec<&str> = rest.split('"').next().unwrap().split(' ').collect();
    assert_eq!(widths, vec!["0"; pages.len()], "pixels beyond the edge, in the order of loading");
}
