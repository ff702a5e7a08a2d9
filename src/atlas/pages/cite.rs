//! How to cite: BibTeX of the atlas, and of a unit of it, from what the project file says.

use anyhow::Result;
use serde::Serialize;

use super::navigation::{Entry, Menu};
use super::page::{Files, Head, Page, Site, html};
use crate::facts::Atlas;
use crate::facts::paths::{Link, network_href};
use crate::text;
use base::artifact::Fingerprint;

/// How to cite.
struct Cite;

pub(super) fn pages<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![html(Cite)]
}

impl Page for Cite {
    type View = View;
    const TEMPLATE: &'static str = "cite.html";

    fn path(&self) -> String {
        "cite/index.html".into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::under(Menu::More, 90, "Cite")
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas))
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head::new("How to cite", "How to cite this atlas and single units of it"))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    /// In words.
    sentence: String,
    /// BibTeX of the whole.
    atlas: String,
    /// BibTeX of a unit: `UNIT` stands for its name and `ADDRESS` for where its page is.
    unit: String,
    /// Whether authors, year or an address are missing in the project file.
    incomplete: bool,
    /// Citation of the source of the images.
    source: String,
    /// Short digest of what the atlas was made from: two atlases with the same are the same.
    state: String,
    networks: Vec<Link>,
}

pub(super) fn view(atlas: &Atlas) -> View {
    let config = atlas.inputs.config;
    let cited = &config.citation;
    let state = state(atlas);
    let year = cited.year.map(|year| year.to_string());
    let address = config.base_url.as_deref().map(|url| url.trim_end_matches('/'));
    let fields = |title: String, url: Option<String>| {
        let mut fields = vec![("title", format!("{{{title}}}"))];
        if !cited.authors.is_empty() {
            let authors: Vec<String> = cited.authors.iter().map(|a| latex(a)).collect();
            fields.insert(0, ("author", authors.join(" and ")));
        }
        fields.extend(year.clone().map(|year| ("year", year)));
        fields.extend(cited.doi.clone().map(|doi| ("doi", doi)));
        fields.extend(url.map(|url| ("url", url)));
        fields.push((
            "note",
            format!("Atlas state {state}, made with unit-atlas {}", env!("CARGO_PKG_VERSION")),
        ));
        fields
    };
    let title = latex(&config.title);
    let whole = fields(title.clone(), address.map(|url| format!("{url}/index.html")));
    let unit = fields(
        format!("{title}: unit UNIT"),
        Some(match address {
            Some(url) => format!("{url}/networks/UNIT/index.html"),
            None => "ADDRESS".into(),
        }),
    );
    View {
        sentence: sentence(atlas),
        atlas: bibtex("atlas", &whole),
        unit: bibtex("unit", &unit),
        incomplete: cited.authors.is_empty() || year.is_none() || address.is_none(),
        source: atlas.told(&atlas.inputs.manifest.source.citation),
        state,
        networks: atlas
            .inputs
            .exhibits
            .iter()
            .map(|exhibit| Link::new(&exhibit.config.name, network_href(&exhibit.config.name)))
            .collect(),
    }
}

/// Short digest of what the atlas was made from.
pub(super) fn state(atlas: &Atlas) -> String {
    Fingerprint::of(&atlas.inputs.provenance).as_str()[..12].to_string()
}

/// How to cite the atlas, in words.
pub(super) fn sentence(atlas: &Atlas) -> String {
    let config = atlas.inputs.config;
    let cited = &config.citation;
    let mut sentence = String::new();
    if !cited.authors.is_empty() {
        // Initials end with a full stop of their own.
        sentence.push_str(text::and(&cited.authors).trim_end_matches('.'));
        sentence.push_str(". ");
    }
    sentence.push_str(&config.title);
    if let Some(year) = cited.year {
        sentence.push_str(&format!(" ({year})"));
    }
    sentence.push('.');
    if let Some(doi) = &cited.doi {
        sentence.push_str(&format!(" https://doi.org/{doi}"));
    } else if let Some(url) = atlas.address("index.html") {
        sentence.push_str(&format!(" {url}"));
    }
    sentence
}

fn bibtex(key: &str, fields: &[(&str, String)]) -> String {
    let lines = fields.iter().map(|(name, value)| format!("  {name} = {{{value}}}"));
    format!("@misc{{{key},\n{}\n}}", lines.collect::<Vec<_>>().join(",\n"))
}

/// Text as BibTeX takes it.
fn latex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '\\' => out.push_str("{\\textbackslash}"),
            '~' => out.push_str("{\\textasciitilde}"),
            '^' => out.push_str("{\\textasciicircum}"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_within_its_field() {
        assert_eq!(latex("A_b} & {50%\\"), "A\\_b\\} \\& \\{50\\%{\\textbackslash}");
        let entry = bibtex("atlas", &[("title", "{x}".into()), ("year", "2026".into())]);
        assert_eq!(entry, "@misc{atlas,\n  title = {{x}},\n  year = {2026}\n}");
    }
}
