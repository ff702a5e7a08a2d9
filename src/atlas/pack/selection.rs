//! Which files of a site a part of it needs.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::site::Record;
use crate::{check, drawn};
use record::provenance::SYNTHETIC;

/// A part of an atlas: some units, some layers; both empty is all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// `vgg16/conv5_3/0063`
    pub units: Vec<String>,
    /// `vgg16/conv5_3`
    pub layers: Vec<String>,
}

/// Pages that go with every part: how it was made, and what its units lead to.
const WITH_ALL: [&str; 4] = ["methods", "provenance", "cite", "compare"];

/// The files of a selection.
pub(super) struct Chosen {
    /// Pages to begin with, as (title, path).
    pub(super) start: Vec<(String, String)>,
    pub(super) files: BTreeSet<String>,
}

pub(super) fn choose(site: &Path, record: &Record, selection: &Selection) -> Result<Chosen> {
    let all = || record.files.keys().cloned();
    if *selection == Selection::default() {
        let start = vec![(String::new(), "index.html".to_string())];
        return Ok(Chosen { start, files: all().collect() });
    }
    let mut chosen = Chosen {
        start: Vec::new(),
        files: all().filter(|path| path.starts_with("assets/")).collect(),
    };
    for layer in &selection.layers {
        let folder = format!("networks/{layer}/");
        let page = format!("{folder}index.html");
        if layer.split('/').count() != 2 || !record.files.contains_key(&page) {
            bail!("the atlas has no layer {layer}; a layer is `network/layer`");
        }
        for path in all().filter(|path| path.starts_with(&folder)) {
            if path.ends_with("/index.html") && path != page {
                add_unit(site, &path, &mut chosen)?;
            }
            chosen.files.insert(path);
        }
        chosen.start.push((layer.clone(), page));
    }
    for unit in &selection.units {
        let page = format!("networks/{unit}/index.html");
        if unit.split('/').count() != 3 || !record.files.contains_key(&page) {
            bail!("the atlas has no unit {unit}; a unit is `network/layer/0063`");
        }
        add_unit(site, &page, &mut chosen)?;
        chosen.start.push((unit.clone(), page));
    }
    for page in WITH_ALL.map(|name| format!("{name}/index.html")) {
        if record.files.contains_key(&page) {
            let html = fs_err::read_to_string(site.join(&page))?;
            let pictures =
                pictures(&html).map(|source| source.trim_start_matches("../").to_owned());
            chosen.files.extend(pictures);
            chosen.files.insert(page);
        }
    }
    // The viewer draws a mammogram by its tiles where it has any.
    let tiles = all().filter(|path| {
        let id = path.strip_prefix("mammograms/").and_then(|path| path.split_once("/tiles/"));
        id.is_some_and(|(id, _)| chosen.files.contains(&format!("mammograms/{id}/outlines.js")))
    });
    let tiles: Vec<String> = tiles.collect();
    chosen.files.extend(tiles);
    // What a page names and the site does not have, such as the picture of a mammogram without one.
    chosen.files.retain(|path| record.files.contains_key(path));
    Ok(chosen)
}

/// A unit's page with its pictures, and the mammograms behind them.
fn add_unit(site: &Path, page: &str, chosen: &mut Chosen) -> Result<()> {
    let html = fs_err::read_to_string(site.join(page))?;
    let mut patches: BTreeSet<String> = BTreeSet::new();
    for source in pictures(&html) {
        if let Some((_, file)) = source.rsplit_once("/patches/") {
            patches.insert(file.into());
        }
    }
    let drawn = drawn::patches(&html).with_context(|| format!("{page}; build it again"))?;
    for patch in drawn {
        patches.insert(patch.picture.trim_start_matches("patches/").into());
    }
    for patch in patches {
        if let Some((id, _)) = patch.rsplit_once("-y") {
            chosen.files.insert(format!("mammograms/{id}.jpg"));
            chosen.files.insert(format!("mammograms/{id}/outlines.js"));
        }
        chosen.files.insert(format!("patches/{patch}"));
    }
    for data in [SYNTHETIC, "compare.js"] {
        chosen.files.insert(page.replace("index.html", data));
    }
    chosen.files.insert(page.into());
    Ok(())
}

/// Addresses of the pictures of a page, as it writes them.
fn pictures(html: &str) -> impl Iterator<Item = String> {
    let pictures = check::elements(html).into_iter().filter(|element| element.name == "img");
    pictures.filter_map(|element| element.get("src").map(str::to_owned))
}
