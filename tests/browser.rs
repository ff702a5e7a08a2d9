//! The pages in a browser: what scripts do, from `file://`, in headless Chromium.
//!
//! A script is added to a copy of the page; it acts as a reader would and writes what it found into
//! the document, which Chromium then prints. Without Chromium the tests say so and pass.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use atlas::Sheet;
use atlas::pack::{self, Form, Selection};
use catalogue::Catalogue;
use record::{Difference, WholeMap};

use crate::support::Fixture;
use crate::support::chromium::{Browser, chromium};

/// The document of a page after its scripts have run.
fn dump(chromium: &Path, page: &Path, width: u32) -> String {
    dump_with(chromium, page, width, &["--virtual-time-budget=4000"])
}

fn dump_with(chromium: &Path, page: &Path, width: u32, more: &[&str]) -> String {
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
            "--dump-dom",
        ])
        .args(more)
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
async function until(condition, words) {
  for (var i = 0; i < 100 && !condition(); i += 1) await new Promise(function (next) { setTimeout(next, 20); });
  check(condition(), words);
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
                "<script>window.addEventListener('load', async function () {{\n\
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

/// As [`act`], in real time: for what runs on other threads of the browser, which its virtual time does
/// not wait for. A picture that is answered only when the script is done holds the page up.
fn act_in_real_time(page: &Path, script: &str) {
    let Some(chromium) = chromium() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let held = std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 512];
            let length = stream.read(&mut request).unwrap_or(0);
            held.push(stream);
            if request[..length].starts_with(b"GET /done") {
                break;
            }
        }
        for mut stream in held {
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        }
    });
    let html = std::fs::read_to_string(page).unwrap();
    let copy = page.with_file_name("acted.html");
    let acted = html
        .replacen("<head>", &format!("<head><script>{PRELUDE}</script>"), 1)
        .replacen(
            "</body>",
            &format!(
                "<img id=\"held\" src=\"http://127.0.0.1:{port}/hold\"><script>(async function () {{\n\
                 try {{ {script} }} catch (e) {{ failures.push(String(e)); }}\n\
                 document.documentElement.setAttribute('data-failures', failures.join('; ') || 'none');\n\
                 new Image().src = 'http://127.0.0.1:{port}/done'; }}());</script></body>"
            ),
            1,
        );
    std::fs::write(&copy, acted).unwrap();
    let document = dump_with(&chromium, &copy, 1280, &[]);
    // The browser is gone: whatever it still asks for, nobody waits.
    let _ = std::net::TcpStream::connect(("127.0.0.1", port))
        .map(|mut stream| stream.write_all(b"GET /done HTTP/1.1\r\n\r\n"));
    held.join().unwrap();
    let (_, rest) = document
        .split_once("data-failures=\"")
        .unwrap_or_else(|| panic!("the script did not finish: {document:.2000}"));
    let (failures, _) = rest.split_once('"').unwrap();
    assert_eq!(failures, "none", "{}", page.display());
}

fn site() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 6);
    fixture.ask_a_machine();
    fixture.write("content/about.md", include_str!("../content/about.md"));
    fixture.build().unwrap();
    let site = fixture.site();
    std::fs::write(site.join(HANDOUT), handout(&fixture)).unwrap();
    (folder, site)
}

/// Explanations as `explain --html` writes them, put beside the pages.
const HANDOUT: &str = "handout.html";

fn handout(fixture: &Fixture) -> Vec<u8> {
    let explanation = &fixture.explanations[0];
    let previews: Vec<(Vec<u8>, [u32; 2])> = explanation
        .mammograms
        .iter()
        .map(|explained| {
            let member = &fixture.manifest.mammograms[explained.mammogram as usize];
            let file = fixture.previews.join(format!("{}.jpg", member.mammogram.id));
            (std::fs::read(file).unwrap(), member.preview.unwrap())
        })
        .collect();
    let whole = WholeMap {
        edge: 64.0,
        step: 16.0,
        rows: 2,
        columns: 3,
        probabilities: vec![None, Some(0.1), Some(0.4), Some(1.0), Some(0.0), None],
        difference: Difference { patches: 4, mean: 0.05, greatest: 0.25 },
    };
    let sheets: Vec<Sheet> = explanation
        .mammograms
        .iter()
        .zip(&previews)
        .zip([Some(true), None].into_iter().cycle())
        .map(|((explained, (bytes, size)), cancer)| Sheet {
            explanation,
            explained,
            scores: &fixture.networks[0].evaluation.scores,
            manifest: &fixture.manifest,
            store: &fixture.store,
            preview: Some((bytes, *size)),
            cancer,
            whole: cancer.is_some().then_some(&whole),
        })
        .collect();
    let layers = fixture.networks.iter().flat_map(|network| &network.layers);
    let detector = fixture.config.dissection.detector as f32;
    let catalogue =
        Catalogue::new(layers, &fixture.readers, &fixture.consensus, &fixture.lexicons, detector);
    atlas::handout(&fixture.config, &fixture.manifest.source, &catalogue, &sheets).unwrap()
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
        var patches = document.querySelectorAll('#atlas-patches .patch');
        var box = function (patch) {
          var at = /#y(\d+)_x(\d+)_h(\d+)_w/.exec(patch.getAttribute('href'));
          return [at[2], at[1], at[3]].join(' ');
        };
        var shows = function (patch, words) {
          return until(function () {
            var rect = panel.querySelector('.window');
            return rect && ['x', 'y', 'width'].map(function (n) { return rect.getAttribute(n); }).join(' ') === box(patch);
          }, words);
        };
        var point = function (patch, by) {
          patch.querySelector('img').dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: by }));
        };
        check(patches.length === 24, 'every patch is drawn: ' + patches.length);
        check(document.querySelectorAll('.levels .patch').length === 12, 'and those of lower scores');
        var ranks = Array.from(document.querySelectorAll('.groups .patch-grid'), function (list) {
          return Array.from(list.querySelectorAll('.rank'), function (rank) { return rank.textContent; }).join();
        });
        check(ranks.join(';') === '1,3,5;2,4,6', 'two kinds of patches: ' + ranks.join(';'));
        check(document.querySelector('.groups .patch').getAttribute('href') === patches[0].getAttribute('href'), 'of the same');
        await shows(patches[0], 'the best patch is shown at first');
        key(document, 'Escape');
        check(!panel.querySelector('img'), 'Escape puts the mammogram away');
        point(patches[1], 'mouse');
        await shows(patches[1], 'pointing shows the mammogram');
        var id = /mammograms\/([^/]+)/.exec(patches[1].getAttribute('href'))[1];
        check(panel.querySelector('img').alt.indexOf(id) > 0, 'its own mammogram');
        check(panel.textContent.indexOf(patches[1].querySelector('.truth').textContent) > 0, 'the label in words');
        patches[20].focus();
        await shows(patches[20], 'focus shows the mammogram');
        check(document.activeElement === patches[20], 'and stays on the patch');
        patches[3].click();
        await shows(patches[3], 'a click shows the mammogram');
        point(patches[4], 'mouse');
        await new Promise(function (next) { setTimeout(next, 100); });
        await shows(patches[3], 'and keeps it');
        key(document.body, 'Escape');
        check(!panel.querySelector('img') && !document.querySelector('.kept'), 'Escape ends that too');
        point(patches[5], 'touch');
        await new Promise(function (next) { setTimeout(next, 100); });
        check(!panel.querySelector('img'), 'a finger does not hover');
        patches[5].click();
        await shows(patches[5], 'a tap shows the mammogram');
        panel.querySelector('.context-close').click();
        check(!panel.querySelector('img'), 'the button puts it away');
        check(document.activeElement === patches[5], 'and gives the focus back');
        var low = document.querySelector('.levels .patch');
        low.click();
        await shows(low, 'patches of lower scores have their mammograms too');
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
        check(root.dataset.look === 'outline' && style().fill === 'none', 'the outline alone at first');
        check(document.querySelector('.looks [value=outline]').checked, 'and chosen');
        document.querySelector('.looks [value=dim]').click();
        check(style().fill !== 'none' && style().stroke !== 'none', 'dimmed outside');
        check(localStorage.getItem('unit-atlas-look') === 'dim', 'the look is kept');
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
fn arrows_move_among_patches_which_are_one_stop_of_tab() {
    let (_folder, site) = site();
    act(
        &site,
        UNIT,
        "",
        r#"
        var patches = Array.from(document.querySelectorAll('.patches-body .patch'));
        var stops = function () { return patches.filter(function (patch) { return patch.tabIndex === 0; }); };
        var left = false;
        document.querySelector('.pager').addEventListener('click', function (event) { event.preventDefault(); left = true; });
        check(stops().length === 1 && stops()[0] === patches[0], 'one stop, the best patch');
        patches[0].focus();
        key(document.activeElement, 'ArrowRight');
        check(document.activeElement === patches[1], 'right: the next');
        var at = patches[1].getBoundingClientRect();
        key(document.activeElement, 'ArrowDown');
        var below = document.activeElement.getBoundingClientRect();
        check(below.left === at.left && below.top > at.top, 'down: the one below');
        key(document.activeElement, 'ArrowUp');
        check(document.activeElement === patches[1], 'up: back');
        key(document.activeElement, 'End');
        check(document.activeElement === patches[patches.length - 1], 'the last');
        key(document.activeElement, 'ArrowRight');
        key(document.activeElement, 'ArrowDown');
        check(document.activeElement === patches[patches.length - 1], 'nothing follows it');
        key(document.activeElement, 'Home');
        key(document.activeElement, 'ArrowLeft');
        check(document.activeElement === patches[0] && !left, 'nor is before the first, no unit either');
        check(stops().length === 1, 'still one stop');
        "#,
        1280,
    );
}

#[test]
fn what_is_looked_at_stands_in_the_address() {
    let (_folder, site) = site();
    act(
        &site,
        UNIT,
        "localStorage.clear();",
        r#"
        document.querySelector('.looks [value=heat]').click();
        document.querySelectorAll('#atlas-patches .patch')[3].click();
        var size = document.querySelector('[name=zoom]');
        size.value = '1.5';
        size.dispatchEvent(new Event('input', { bubbles: true }));
        check(location.hash === '#look=heat&patch=4&zoom=1.5', 'patch, look and size: ' + location.hash);
        key(document.body, 'Escape');
        check(location.hash === '#look=heat&zoom=1.5', 'what is put away goes: ' + location.hash);
        // A link that is opened where the page is open already.
        location.hash = '#patch=2&look=dim&zoom=2';
        await until(function () { return document.querySelectorAll('#atlas-patches .patch')[1].classList.contains('kept'); }, 'another patch');
        check(document.documentElement.dataset.look === 'dim' && document.querySelector('.looks [value=dim]').checked, 'another look');
        check(document.documentElement.style.getPropertyValue('--zoom') === '2' && size.value === '2', 'another size');
        // What is open is closed first.
        var menu = document.querySelector('.unit-tools .menu');
        menu.open = true;
        key(document.body, 'Escape');
        check(!menu.open && document.querySelector('.kept'), 'Escape closes the menu alone');
        key(document.body, 'Escape');
        check(!document.querySelector('.kept'), 'and then the mammogram');
        "#,
        1280,
    );
    act(
        &site,
        UNIT,
        "localStorage.clear(); history.replaceState(null, '', '#patch=14&look=none&zoom=2');",
        r#"
        var patch = document.querySelectorAll('#atlas-patches .patch')[13];
        check(patch.classList.contains('kept'), 'a link shows the patch');
        check(document.documentElement.dataset.look === 'none', 'the look');
        check(document.querySelector('.looks [value=none]').checked, 'chosen');
        check(document.documentElement.style.getPropertyValue('--zoom') === '2', 'and the size');
        var panel = document.getElementById('atlas-context');
        await until(function () { return /^Patch 14:/.test(panel.querySelector('.context-patch').textContent); }, 'with its mammogram');
        check(localStorage.getItem('unit-atlas-look') === null, 'whose link it is does not choose for other pages');
        check(document.querySelector('.context [download]').getAttribute('href').endsWith('.jpg'), 'a patch can be saved');
        "#,
        1280,
    );
    act(
        &site,
        UNIT,
        "localStorage.clear(); history.replaceState(null, '', '#patch=900&look=nonsense&zoom=Infinity');",
        r#"
        check(!document.querySelector('.kept'), 'no such patch');
        check(document.documentElement.dataset.look === 'outline', 'no such look');
        check(Number(document.documentElement.style.getPropertyValue('--zoom')) === 1, 'no such size');
        "#,
        1280,
    );
}

#[test]
fn a_link_gives_a_glance_at_what_it_leads_to() {
    let (_folder, site) = site();
    act(
        &site,
        UNIT,
        "",
        r#"
        var glance = function () { return document.querySelector('.glance'); };
        var point = function (target, by) {
          target.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: by }));
        };
        var next = document.querySelector('.pager [rel=next]');
        point(next, 'touch');
        await new Promise(function (then) { setTimeout(then, 600); });
        check(!glance(), 'a finger does not hover');
        point(next, 'mouse');
        await until(glance, 'pointing at a unit shows it');
        check(glance().querySelectorAll('img').length === 4, 'its best patches');
        check(/0003/.test(glance().textContent) && next.getAttribute('aria-describedby') === glance().id, 'and says which');
        point(glance().querySelector('img'), 'mouse');
        check(glance(), 'the pointer may rest on it');
        key(document.body, 'Escape');
        check(!glance() && !next.hasAttribute('aria-describedby'), 'Escape ends it at once');
        document.querySelector('#atlas-patches .patch').click();
        await until(function () { return document.querySelector('.context a[href*="mammograms/"]'); }, 'a mammogram is named');
        check(!glance(), 'where pictures are, there is none');
        document.querySelector('.crumbs a').focus();
        point(next, 'mouse');
        await until(glance, 'again');
        point(document.querySelector('h1'), 'mouse');
        check(!glance(), 'and away');
        "#,
        1280,
    );
    act(
        &site,
        "data/index.html",
        "",
        r#"
        var any = Array.from(document.querySelectorAll('main a')).find(function (one) { return /mammograms\/[^/]+\/index/.test(one.getAttribute('href') || ''); });
        check(any, 'the page names mammograms');
        any.dispatchEvent(new PointerEvent('pointerover', { bubbles: true, pointerType: 'mouse' }));
        await until(function () { return document.querySelector('.glance .context-image img'); }, 'pointing at a mammogram shows it');
        "#,
        1280,
    );
}

#[test]
fn heat_shows_the_whole_map_where_it_is_at_hand() {
    let (_folder, site) = site();
    act(
        &site,
        UNIT,
        "localStorage.clear();",
        r#"
        var canvases = function () { return document.querySelectorAll('#atlas-patches canvas'); };
        check(canvases().length === 0, 'nothing is drawn before it is asked for');
        document.querySelector('.looks [value=heat]').click();
        check(canvases().length === 24, 'one per top patch: ' + canvases().length);
        check(localStorage.getItem('unit-atlas-look') === 'heat', 'the look is kept');
        check(document.querySelector('.heat-key').offsetParent, 'and explained');
        // The maps of these patches have their bump at row 3, column 3 of 7 by 7.
        var canvas = canvases()[0];
        var field = JSON.parse(document.getElementById('atlas-drawn').textContent).heat;
        var at = Math.round((field.centre + 3 * field.stride) / field.edge * canvas.width);
        var alpha = function (x, y) { return canvas.getContext('2d').getImageData(x, y, 1, 1).data[3]; };
        check(alpha(at, at) > 150, 'hot at the greatest activation: ' + alpha(at, at));
        check(alpha(2, 2) < 10 && alpha(canvas.width - 3, 2) < 10, 'clear elsewhere: ' + alpha(2, 2));
        document.querySelector('.looks [value=dim]').click();
        check(getComputedStyle(canvas).display === 'none', 'and away again');
        "#,
        1280,
    );
    act(
        &site,
        "networks/alexnet/conv5/index.html",
        "localStorage.setItem('unit-atlas-look', 'heat');",
        r#"
        check(document.querySelector('.looks [value=outline]').checked, 'where there are no maps, outlines');
        check(localStorage.getItem('unit-atlas-look') === 'heat', 'the choice stands');
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
        var numbers = function () { return rows().map(function (row) { return row.dataset.unit; }).join(); };
        var set = function (name, value) {
          form.elements[name].value = value;
          form.elements[name].dispatchEvent(new Event('input', { bubbles: true }));
        };
        var all = '0001,0002,0003,0004,0005,0006';
        check(numbers() === all, 'all units at first: ' + numbers());
        check(rows()[0].querySelectorAll('img').length === 1, 'with their best patches');
        check(rows()[0].querySelector('h2 a').href.endsWith('/networks/alexnet/conv5/0001/index.html'), 'and links');
        set('q', 'SPICULATED edge');
        check(numbers() === '0001', 'a label is found: ' + numbers());
        check(document.getElementById('atlas-count').textContent === '1 of 6 units', 'and counted');
        check(decodeURIComponent(location.hash) === '#q=SPICULATED edge', 'and stands in the address: ' + location.hash);
        set('q', 'no such words');
        check(rows().length === 0 && document.getElementById('atlas-none').offsetParent, 'nothing is said');
        set('q', '');
        check(location.hash === '', 'an empty filter leaves no trace: ' + location.hash);
        form.querySelector('[value=large]').click();
        check(rows()[0].querySelectorAll('img').length === 4, 'more of their patches');
        check(rows()[1].querySelector('.by').textContent === 'readers', 'and who named them');
        var value = function (row, name) { return parseFloat(row.querySelector('.' + name).textContent.replace(/^[^\d]+/, '')) || 0; };
        ['iou', 'score', 'cancer', 'influence'].forEach(function (by) {
          set('sort', by);
          var order = rows().map(function (row) { return value(row, by) * (by === 'influence' ? -1 : 1); });
          check(order.length === 6 && order.every(function (v, i) { return i === 0 || v <= order[i - 1]; }), by + ' ' + order);
        });
        set('sort', 'label');
        var words = rows().map(function (row) { return row.querySelector('p span').className; });
        check(words[0] === 'unit-label' && words[5] === 'faint', 'labels first: ' + words);
        set('sort', '');
        check(numbers() === all, 'and back');
        set('reader', '=reader-b');
        check(numbers() === '0001', 'by reader: ' + numbers());
        set('reader', '*');
        check(numbers() === '0001,0002,0003', 'by any reader: ' + numbers());
        form.querySelector('[type=reset]').click();
        await until(function () { return numbers() === all; }, 'cleared');
        check(location.hash === '#size=large', 'but for how they are shown: ' + location.hash);
        set('detector', '1');
        var detectors = numbers();
        check(detectors === '0001,0004', 'detectors: ' + detectors);
        set('detector', '0');
        check(numbers() === '0002,0003,0005,0006', 'and the others: ' + numbers());
        location.hash = '#sort=iou&detector=1&category=nonsense';
        await until(function () { return form.elements.detector.value === '1'; }, 'a view is read from the address');
        check(form.elements.sort.value === 'iou' && numbers().split(',').sort().join() === '0001,0004', 'and shown: ' + numbers());
        set('category', 'Mass - Margin');
        check(numbers() === '0001', 'by category: ' + numbers());
        "#,
        1280,
    );
}

/// One portion of the list does not fill a tall screen; and paper cannot be scrolled.
#[test]
fn a_tall_screen_and_paper_show_every_unit() {
    let Some(chromium) = chromium() else { return };
    const UNITS: u32 = 130;
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), UNITS);
    fixture.build().unwrap();
    // Of the largest cards, the fewest are drawn at a time.
    let page =
        format!("file://{}/networks/alexnet/conv5/index.html#size=large", fixture.site().display());
    let profile = folder.path().join("profile");
    let mut browser = Browser::open(&chromium, &profile, folder.path(), [2560, 4000]);
    browser.go(&page);
    let drawn = "document.querySelectorAll('#atlas-units > li').length";
    // As far as the list is drawn, of what it is drawn ahead of the window.
    let below = "(document.getElementById('atlas-units').getBoundingClientRect().bottom - innerHeight) / 1000";
    let filled = format!("{drawn} === {UNITS} || {below} >= 1");
    browser.wait(&filled);
    browser.eval(
        "var field = document.querySelector('#atlas-filter [name=q]');
         ['0001', ''].forEach(function (words) {
           field.value = words;
           field.dispatchEvent(new Event('input', { bubbles: true }));
         });",
    );
    browser.wait(&filled);
    assert!(browser.eval(drawn).as_u64().unwrap() > 48, "more than two portions");
    // To its end by scrolling.
    for _ in 0..20 {
        browser.eval("scrollTo(0, document.documentElement.scrollHeight)");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    browser.wait(&format!("{drawn} === {UNITS}"));

    browser.call(
        "Emulation.setDeviceMetricsOverride",
        serde_json::json!({
            "width": 800, "height": 600, "deviceScaleFactor": 1, "mobile": false
        }),
    );
    browser.go(&page.replace("index.html", "index.html?print"));
    assert!(browser.eval(drawn).as_u64().unwrap() < u64::from(UNITS), "a small window draws some");
    let printed = browser.call("Page.printToPDF", serde_json::json!({}));
    assert!(printed["data"].as_str().unwrap().len() > 100_000, "a list with its pictures");
    assert_eq!(browser.eval(drawn).as_u64(), Some(u64::from(UNITS)));
    browser.call("Emulation.setEmulatedMedia", serde_json::json!({ "media": "print" }));
    let shown = "getComputedStyle(document.getElementById('atlas-units')).display";
    assert_ne!(browser.text(shown), "none");
    browser.close();
}

#[test]
fn units_of_a_case_can_be_switched_off_where_that_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 6);
    fixture.explanations[0].exact = true;
    fixture.build().unwrap();
    let cases = fixture.site().join("cases/alexnet");
    let case = std::fs::read_dir(&cases).unwrap().next().unwrap().unwrap().file_name();
    act(
        &fixture.site(),
        &format!("cases/alexnet/{}/index.html", case.to_string_lossy()),
        "",
        r#"
        var decision = JSON.parse(document.getElementById('atlas-decision').textContent);
        var of = function (logits) { return 1 / (1 + Math.exp(logits[0] - logits[1])); };
        var said = function () { return document.querySelector('.decision output').textContent; };
        check(said().indexOf(of(decision.logits).toFixed(2)) > 0, 'the probability stands there: ' + said());
        var fields = document.querySelectorAll('.parts select');
        check(fields.length === decision.units.length && fields.length > 0, 'a switch beside each unit');
        var set = function (field, value) {
          field.value = value;
          field.dispatchEvent(new Event('change', { bubbles: true }));
        };
        set(fields[0], 'off');
        var without = of(decision.logits.map(function (l, at) { return l - decision.units[0].adds[at]; })).toFixed(2);
        check(said().indexOf('→ ' + without + ' with 1 unit changed') > 0, 'without the first: ' + said());
        var written = document.querySelector('.parts li').textContent;
        check(written.indexOf('Without it ' + without) > 0, 'as the page says beside it: ' + written);
        var all = document.querySelector('.decision select');
        check(all.value === '', 'the units differ');
        set(all, 'on');
        check(fields[0].value === 'on' && said().indexOf('→') < 0, 'all are as they were: ' + said());
        "#,
        1280,
    );
}

#[test]
fn everything_is_found_by_keyboard() {
    let (_folder, site) = site();
    act(
        &site,
        UNIT,
        "",
        r#"
        key(document.body, '/');
        var dialog = document.querySelector('dialog.search');
        check(dialog && dialog.open, 'a slash opens the search');
        var input = dialog.querySelector('input');
        check(document.activeElement === input, 'and puts the cursor in');
        var links = function () { return Array.from(dialog.querySelectorAll('.search-results a')); };
        var type = function (words) {
          input.value = words;
          input.dispatchEvent(new Event('input', { bubbles: true }));
        };
        var first = function (words, end) {
          type(words);
          check(links().length > 0 && links()[0].href.endsWith(end), words + ': ' + (links()[0] || {}).href);
        };
        await until(function () { return window.unitAtlasData && unitAtlasData['data/search.js']; }, 'its data is loaded');
        await until(function () { type('methods'); return links().length > 0; }, 'and found in');
        first('methods', '/methods/index.html');
        first('alexnet/conv5/0003', '/networks/alexnet/conv5/0003/index.html');
        first('layer4 7', '/networks/resnet18/layer4/0007/index.html');
        first('PECTORALIS', '/networks/alexnet/conv5/0002/index.html');
        first('spiculated', '/concepts/margin-spiculated/index.html');
        first('phantom-005', '/mammograms/phantom-005/index.html');
        first('reader-b', '/networks/alexnet/conv5/0001/index.html');
        type('xylophone');
        check(links().length === 0 && /Nothing/.test(dialog.textContent), 'nothing is said');
        type('conv5');
        key(input, 'ArrowDown');
        check(document.activeElement === links()[0], 'down leads to the results');
        key(links()[0], 'ArrowDown');
        check(document.activeElement === links()[1], 'and further');
        key(links()[1], 'ArrowUp');
        key(links()[0], 'ArrowUp');
        check(document.activeElement === input, 'up leads back');
        key(input, '/');
        check(input.value === 'conv5', 'a slash within the field is a slash');
        "#,
        1280,
    );
}

#[test]
fn a_handout_holds_the_viewer() {
    let (_folder, site) = site();
    act_in_real_time(
        &site.join(HANDOUT),
        r#"
        var one = function (selector) { return document.querySelector(selector); };
        check(one('[data-viewer]').offsetParent, 'a button is seen');
        one('[data-viewer]').click();
        await until(function () { return one('.viewer-pane[data-state=loaded]'); }, 'the viewer draws');
        check(one('dialog.viewer').open, 'it is open');
        check(one('.viewer-marks .heat .chance') && one('.viewer-marks .overlay .deciding'), 'heat and the deciding patch are over it');
        check(/^\d+% of 384 × 512 px/.test(one('.viewer-zoom').textContent), one('.viewer-zoom').textContent);
        check(!document.querySelector('script[src], link[rel=stylesheet]'), 'nothing is loaded');
        check(document.documentElement.dataset.look === 'dim', 'it looks as it was made');
        "#,
    );
}

#[test]
fn one_file_opens_its_pages_and_an_encrypted_one_only_by_its_passphrase() {
    let (folder, site) = site();
    let record = folder.path().join("output/work/site.json");
    let (all, output) = (Selection::default(), folder.path().join("atlas.html"));
    let pack = |selection: &Selection, passphrase| {
        let form = Form::SingleFile { selection, passphrase };
        pack::pack(&site, &record, "Unit atlas", form, &output).unwrap();
    };
    pack(&all, None);
    act_in_real_time(
        &output,
        r#"
        var page = function () { var frame = document.querySelector('iframe'); return frame && frame.contentDocument; };
        var has = function (selector) { return function () { return page() && page().querySelector(selector); }; };
        await until(has('.unit-cards img'), 'the home page is shown');
        check(document.title === 'Unit atlas', 'with its title: ' + document.title);
        var drawn = function () { var img = has('.picture img')(); return img && img.complete && img.naturalWidth > 0; };
        page().querySelector('.unit-card h3 a').click();
        await until(has('#atlas-patches'), 'a link leads to a unit');
        check(/^#\/networks\//.test(location.hash), 'which the address names: ' + location.hash);
        await until(drawn, 'its pictures are drawn');
        await until(function () { return page() && page().querySelectorAll('#atlas-patches img').length === 24; }, 'its scripts run');
        await until(has('#atlas-context .window'), 'and load data');
        page().querySelector('.patch').dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true }));
        await until(has('dialog[open]'), 'the search opens');
        page().querySelector('.masthead-title').click();
        await until(has('.unit-cards img'), 'and back');
        check(location.hash === '#/index.html', 'to its address: ' + location.hash);
        "#,
    );
    let unit = Selection { units: vec!["alexnet/conv5/0001".into()], layers: vec![] };
    pack(&unit, Some("correct horse"));
    act_in_real_time(
        &output,
        r#"
        var page = function () { var frame = document.querySelector('iframe'); return frame && frame.contentDocument; };
        var has = function (selector) { return function () { return page() && page().querySelector(selector); }; };
        var field = document.querySelector('input[type=password]');
        var said = function () { return document.getElementById('said').textContent; };
        var enter = function (words) { field.value = words; document.querySelector('form button').click(); };
        await until(function () { return field.offsetParent; }, 'it asks for the passphrase');
        enter('correct house');
        for (var i = 0; i < 200 && !/does not open/.test(said()); i += 1) await new Promise(function (next) { setTimeout(next, 200); });
        check(/does not open/.test(said()), 'a wrong one is refused: ' + said());
        check(!page(), 'and shows nothing');
        enter('correct horse');
        for (var j = 0; j < 200 && !(page() && page().querySelector('#atlas-patches')); j += 1) await new Promise(function (next) { setTimeout(next, 200); });
        await until(function () { return has('h1')() && /spiculated/.test(has('h1')().textContent); }, 'the right one opens the unit');
        page().querySelector('.masthead-title').click();
        await until(function () { return has('body')() && /Not in this file/.test(page().body.textContent); }, 'what is not within is said');
        "#,
    );
}

/// axe-core, a checker of accessibility, by the variable `AXE_CORE`: the path of its `axe.min.js`.
#[test]
fn axe_finds_nothing() {
    let Some(axe) = std::env::var_os("AXE_CORE").filter(|path| !path.is_empty()) else {
        let _ = writeln!(std::io::stderr(), "skipped: AXE_CORE names no axe.min.js");
        return;
    };
    let axe = PathBuf::from(axe);
    let (_folder, site) = site();
    for page in &pages(&site) {
        let script = format!(
            r#"
            await new Promise(function (next, fail) {{
              var script = document.createElement('script');
              script.src = 'file://{}';
              script.onload = next;
              script.onerror = fail;
              document.head.appendChild(script);
            }});
            var found = await axe.run(document, {{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }});
            found.violations.forEach(function (violation) {{
              check(false, violation.id + ' ' + violation.nodes.slice(0, 3).map(function (node) {{ return node.html; }}).join(' ').replace(/"/g, "'"));
            }});
            "#,
            axe.display()
        );
        let before = match page.as_str() {
            COMPARE => {
                "history.replaceState(null, '', '#units=alexnet/conv5/0002,resnet18/layer4/0001');"
            }
            _ => "",
        };
        act(&site, page, before, &script, 1280);
    }
}

/// One page of each kind.
const PAGES: [&str; 19] = [
    "index.html",
    "about/index.html",
    "cases/index.html",
    "agreement/index.html",
    "birads/index.html",
    "cite/index.html",
    COMPARE,
    "concepts/index.html",
    "concepts/mass/index.html",
    "data/index.html",
    "mammograms/phantom-003/index.html",
    "methods/index.html",
    "naming/index.html",
    "networks/alexnet/index.html",
    "networks/alexnet/conv5/index.html",
    "performance/index.html",
    "selection/index.html",
    "networks/resnet18/layer4/0001/index.html",
    UNIT,
];

const COMPARE: &str = "compare/index.html";

/// Those, a case, whose mammogram is drawn by lot, and a handout.
fn pages(site: &Path) -> Vec<String> {
    let mut cases: Vec<String> = std::fs::read_dir(site.join("cases/alexnet"))
        .unwrap()
        .map(|case| case.unwrap().file_name().into_string().unwrap())
        .collect();
    cases.sort();
    let case = format!("cases/alexnet/{}/index.html", cases[0]);
    PAGES.iter().map(|page| (*page).to_string()).chain([case, HANDOUT.to_string()]).collect()
}

#[test]
fn no_page_is_wider_than_a_phone() {
    let (_folder, site) = site();
    let Some(chromium) = chromium() else { return };
    let mut frames = String::new();
    for page in &pages(&site) {
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
    assert_eq!(
        widths,
        vec!["0"; PAGES.len() + 2],
        "pixels beyond the edge, in the order of loading"
    );
}
