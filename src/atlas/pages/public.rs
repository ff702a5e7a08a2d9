//! What a published atlas says to other programs, where `base_url` is known: a description of the data set
//! for search engines, and a map of the site.

use anyhow::Result;
use serde_json::{Value, json};

use crate::facts::Atlas;
use crate::{export, script, text};

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
                "contentUrl": atlas.address(&table.path()),
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
        map.push_str(&format!("<url><loc>{}</loc></url>\n", text::escaped(&url)));
    }
    map.push_str("</urlset>\n");
    map.into_bytes()
}
