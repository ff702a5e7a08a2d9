//! The pages, one module per kind: each is a type that implements [`page::Page`], or [`page::File`] where it
//! is data for a script. [`KINDS`] lists them; nothing else knows which there are.
//!
//! What a page shows is a plain serialisable view. Numbers are formatted here; templates only place them.
//! Links in views count from the root of the site, and a template puts `page.root` in front.

mod agreement;
mod article;
mod assessment;
mod birads;
mod card;
mod case;
mod cases;
mod cite;
mod compare;
mod concept;
mod concepts;
mod croissant;
mod data;
mod embed;
mod evidence;
mod example;
mod handout;
mod heads;
mod home;
mod layer;
mod mammogram;
mod methods;
mod naming;
mod navigation;
mod network;
mod page;
mod parts;
mod performance;
mod procedure;
mod provenance;
mod public;
mod reading;
mod reporting;
mod search;
mod selection;
mod summary;
mod survey;
mod synthetic;
mod unit;

use anyhow::Result;
use rayon::prelude::*;

pub use self::handout::{Sheet, handout};
use self::navigation::Navigation;
use self::page::{Files, Site};
use crate::facts::Atlas;
use crate::keys::Keys;
use crate::site::Writer;

/// The pages of one kind that an atlas has.
type Kind = for<'a> fn(&'a Atlas<'a>) -> Files<'a>;

/// Every kind, in the order of the site's map.
const KINDS: [Kind; 23] = [
    home::pages,
    performance::pages,
    birads::pages,
    naming::pages,
    agreement::pages,
    methods::pages,
    data::pages,
    reporting::pages,
    croissant::files,
    concepts::pages,
    cite::pages,
    compare::files,
    provenance::pages,
    search::files,
    selection::pages,
    survey::pages,
    reading::pages,
    cases::pages,
    case::pages,
    concept::pages,
    article::pages,
    networks,
    mammogram::pages,
];

/// Every file of an atlas, in the order of [`KINDS`].
fn files<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    KINDS.iter().flat_map(|kind| kind(atlas)).collect()
}

/// Networks, each with its layers, each with its units.
fn networks<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    let mut files = Files::new();
    for exhibit in atlas.inputs.exhibits {
        files.extend(network::pages(exhibit));
        for layer in exhibit.layers {
            files.extend(layer::pages(exhibit, layer));
            for unit in &layer.units {
                files.extend(unit::pages(exhibit, layer, unit));
                files.extend(card::pages(atlas, layer, unit));
            }
        }
    }
    files
}

/// Every page of a site, and every file of data that they load.
pub(super) struct Pages<'a> {
    site: Site<'a>,
    files: Files<'a>,
}

impl<'a> Pages<'a> {
    /// Of an atlas.
    ///
    /// # Errors
    /// On prose that embeds what is not there.
    pub(super) fn new(atlas: &'a Atlas<'a>) -> Result<Self> {
        embed::check(atlas)?;
        let files = files(atlas);
        let entries = files.iter().filter_map(|file| Some((file.entry()?, file.path())));
        let navigation = Navigation::new(entries.collect());
        Ok(Self { site: Site { atlas, navigation }, files })
    }

    /// Paths of all of them, in the order of [`KINDS`].
    pub(super) fn paths(&self) -> Vec<String> {
        self.files.iter().map(|file| file.path()).collect()
    }

    /// Map of the pages, where the atlas is published.
    pub(super) fn map(&self) -> Option<Vec<u8>> {
        self.site.atlas.inputs.config.base_url.as_ref()?;
        let paths = self.paths();
        Some(public::sitemap(self.site.atlas, paths.iter().map(String::as_str)))
    }

    /// Renders in parallel those of which something has changed, and writes each as it comes.
    ///
    /// # Errors
    /// When one cannot be rendered or written.
    pub(super) fn write(&self, keys: &Keys, writer: &Writer) -> Result<()> {
        self.files.par_iter().try_for_each(|file| {
            let key = file.key(self.site.atlas, keys);
            writer.write_made_from(&file.path(), key, || file.bytes(&self.site))
        })
    }
}
