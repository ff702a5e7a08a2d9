//! What a published atlas says to other programs, where `base_url` is known: addresses and pictures for
//! links to it, a description of the data set for search engines, a map of the site, and cards of units
//! to embed in other pages.

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Atlas, UnitCard};
use crate::{export, script};
use base::UnitId;
use catalogue::Entry;
use config::Config;

/// Size of a card in pixels, for pages that embed it.
const SIZE: [u32; 2] = [640, 260];
/// Patches on a card.
const PATCHES: usize = 6;

/// A card.
#[derive(Serialize)]
pub(super) struct CardView {
    unit: UnitCard,
}

impl Atlas<'_> {
    /// The absolute address of a path of the site.
    pub(super) fn address(&self, path: &str) -> Option<String> {
        address(self.inputs.config, path)
    }
}

/// The absolute address of a path of a project's site, where it is published.
pub(super) fn address(config: &Config, path: &str) -> Option<String> {
    let base = config.base_url.as_deref()?;
    Some(format!("{}/{path}", base.trim_end_matches('/')))
}

/// Path of a unit's card, without its ending: the page is `.html`, what describes it `.json`.
pub(super) fn card_path(unit: &UnitId, ending: &str) -> String {
    format!("embed/{unit}.{ending}")
}

pub(super) fn card(atlas: &Atlas, entry: &Entry) -> CardView {
    CardView { unit: atlas.card(entry, PATCHES, 1.0) }
}

/// The element that embeds a unit's card.
pub(super) fn frame_element(atlas: &Atlas, unit: &UnitId) -> Option<String> {
    let address = escaped(&atlas.address(&card_path(unit, "html"))?);
    let [width, height] = SIZE;
    Some(format!(
        "<iframe src=\"{address}\" width=\"{width}\" height=\"{height}\" loading=\"lazy\" \
         title=\"Unit {unit}\"></iframe>"
    ))
}

/// oEmbed's answer for a unit.
pub(super) fn oembed(atlas: &Atlas, unit: &UnitId, title: &str) -> Result<Vec<u8>> {
    let [width, height] = SIZE;
    let answer = json!({
        "version": "1.0",
        "type": "rich",
        "title": title,
        "provider_name": atlas.inputs.config.title,
        "provider_url": atlas.address("index.html"),
        "width": width,
        "height": height,
        "html": frame_element(atlas, unit),
    });
    Ok(serde_json::to_vec(&answer)?)
}

/// The atlas as a schema.org data set.
pub(super) fn dataset(atlas: &Atlas, description: &str) -> Result<Option<String>> {
    let Some(url) = atlas.address("index.html") else { return Ok(None) };
    let config = atlas.inputs.config;
    let person = |name: &String| json!({"@type": "Person", "name": name});
    let tables: Vec<Value> = export::all()
        .map(|table| {
            json!({
                "@type": "DataDownload",
                "name": table.file,
                "encodingFormat": "text/csv",
                "contentUrl": atlas.address(&format!("data/{}", table.file)),
            })
        })
        .collect();
    let mut set = json!({
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": config.title,
        "description": description,
        "url": url,
        "isBasedOn": atlas.inputs.manifest.source.name,
        "distribution": tables,
    });
    let cited = &config.citation;
    if !cited.authors.is_empty() {
        set["creator"] = cited.authors.iter().map(person).collect();
    }
    if let Some(year) = cited.year {
        set["datePublished"] = year.to_string().into();
    }
    if let Some(doi) = &cited.doi {
        set["identifier"] = format!("https://doi.org/{doi}").into();
    }
    script::json(&set).map(Some)
}

/// `sitemap.xml` of the pages among these paths.
pub(super) fn sitemap<'p>(atlas: &Atlas, paths: impl Iterator<Item = &'p str>) -> Vec<u8> {
    let mut map = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    let pages = paths.filter(|path| path.ends_with(".html") && !path.starts_with("embed/"));
    for url in pages.filter_map(|path| atlas.address(path)) {
        map.push_str(&format!("<url><loc>{}</loc></url>\n", escaped(&url)));
    }
    map.push_str("</urlset>\n");
    map.into_bytes()
}

fn escaped(text: &str) -> String {
    [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")]
        .iter()
        .fold(text.to_string(), |text, (from, to)| text.replace(*from, to))
}
