//! Cards of units to embed in other pages, where the atlas is published, and oEmbed's description of them.

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

use super::page::{File, Files, Head, Page, Site, html};
use super::parts::UnitCard;
use super::unit;
use crate::facts::Atlas;
use crate::keys::Keys;
use crate::text;
use base::UnitId;
use base::artifact::Fingerprint;
use record::dissection::{Layer, Unit};

/// Size of a card in pixels, for pages that embed it.
const SIZE: [u32; 2] = [640, 260];

/// Patches on a card.
const PATCHES: usize = 6;

/// A unit to embed.
struct Card<'a> {
    layer: &'a Layer,
    unit: &'a Unit,
}

/// What describes that to other pages.
struct OEmbed<'a>(Card<'a>);

/// Both, where the atlas is published.
pub(super) fn pages<'a>(atlas: &Atlas, layer: &'a Layer, unit: &'a Unit) -> Files<'a> {
    if atlas.inputs.config.base_url.is_none() {
        return Vec::new();
    }
    let card = || Card { layer, unit };
    vec![html(card()), Box::new(OEmbed(card()))]
}

impl Card<'_> {
    fn unit(&self) -> UnitId {
        UnitId::new(&self.layer.network, &self.layer.layer, self.unit.unit)
    }

    fn key_of(&self, atlas: &Atlas, keys: &Keys, path: &str) -> Fingerprint {
        unit::key(atlas, keys, path, (self.layer, self.unit))
    }
}

impl Page for Card<'_> {
    type View = View;
    const TEMPLATE: &'static str = "card.html";

    fn path(&self) -> String {
        path(&self.unit(), "html")
    }

    fn key(&self, atlas: &Atlas, keys: &Keys) -> Fingerprint {
        self.key_of(atlas, keys, &self.path())
    }

    fn view(&self, site: &Site) -> Result<View> {
        let entry = site.atlas.entry(self.layer, self.unit);
        Ok(View { unit: site.atlas.card(entry, PATCHES, 1.0) })
    }

    fn head(&self, _: &Atlas, _: &View) -> Result<Head> {
        Ok(Head::new(self.unit().to_string(), ""))
    }
}

impl File for OEmbed<'_> {
    fn path(&self) -> String {
        path(&self.0.unit(), "json")
    }

    fn key(&self, atlas: &Atlas, keys: &Keys) -> Fingerprint {
        self.0.key_of(atlas, keys, &self.path())
    }

    fn bytes(&self, site: &Site) -> Result<Vec<u8>> {
        let Card { layer, unit } = self.0;
        let title = unit::view(site.atlas, layer, unit)?.title();
        oembed(site.atlas, &self.0.unit(), &title)
    }
}

/// A card.
#[derive(Serialize)]
struct View {
    unit: UnitCard,
}

/// Path of a unit's card, without its ending: the page is `.html`, what describes it `.json`.
pub(super) fn path(unit: &UnitId, ending: &str) -> String {
    format!("embed/{unit}.{ending}")
}

/// The element that embeds a unit's card.
pub(super) fn element(atlas: &Atlas, unit: &UnitId) -> Option<String> {
    let address = text::escaped(&atlas.address(&path(unit, "html"))?);
    let [width, height] = SIZE;
    Some(format!(
        "<iframe src=\"{address}\" width=\"{width}\" height=\"{height}\" loading=\"lazy\" \
         title=\"Unit {unit}\"></iframe>"
    ))
}

/// oEmbed's answer for a unit.
fn oembed(atlas: &Atlas, unit: &UnitId, title: &str) -> Result<Vec<u8>> {
    let [width, height] = SIZE;
    let answer = json!({
        "version": "1.0",
        "type": "rich",
        "title": title,
        "provider_name": atlas.inputs.config.title,
        "provider_url": atlas.address("index.html"),
        "width": width,
        "height": height,
        "html": element(atlas, unit),
    });
    Ok(serde_json::to_vec(&answer)?)
}
