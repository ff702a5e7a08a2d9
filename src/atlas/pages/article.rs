//! A page of prose, with the units, patches, pictures and tables that it embeds.

use anyhow::Result;
use serde::Serialize;

use super::embed;
use super::navigation::Entry;
use super::page::{Files, Head, Page, Site, html};
use crate::content;
use crate::facts::Atlas;
use crate::keys::Keys;
use base::artifact::Fingerprint;

/// A page of prose.
struct Article<'a>(&'a content::Article);

pub(super) fn pages<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    atlas.articles.iter().map(|article| html(Article(article))).collect()
}

#[derive(Serialize)]
pub(super) struct View {
    html: String,
}

impl Article<'_> {
    fn words(&self) -> Head {
        Head::new(&self.0.title, &self.0.title)
    }
}

impl Page for Article<'_> {
    type View = View;
    const TEMPLATE: &'static str = "article.html";

    fn path(&self) -> String {
        format!("{}/index.html", self.0.slug)
    }

    fn entry(&self) -> Option<Entry> {
        let content::Article { weight, title, .. } = self.0;
        Entry::of_prose(*weight, title)
    }

    fn key(&self, _: &Atlas, keys: &Keys) -> Fingerprint {
        keys.with_readers(&(self.path(), &self.0.text, &self.0.figures))
    }

    fn view(&self, site: &Site) -> Result<View> {
        let path = self.path();
        Ok(View { html: embed::html(site, &site.frame(&path, self.words()), self.0)? })
    }

    fn head(&self, _: &Atlas, _: &View) -> Result<Head> {
        Ok(self.words())
    }
}
