//! A datasheet of the data set, and the checklist of CLAIM: what is asked, what the atlas says of it, and what is open.

use anyhow::Result;
use serde::Serialize;

use super::navigation::{Entry, Menu};
use super::page::{Files, Head, Page, Site, html};
use crate::export::Table;
use crate::facts::Atlas;
use crate::facts::paths::{DATA, Link};
use crate::facts::reporting::{Answered, Document, Sheet, Standing};
use crate::text;

/// One of the documents.
struct Reporting(Document);

pub(super) fn pages<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    Document::ALL.into_iter().map(|document| html(Reporting(document))).collect()
}

impl Page for Reporting {
    type View = View;
    const TEMPLATE: &'static str = "reporting.html";

    fn path(&self) -> String {
        self.0.path()
    }

    fn entry(&self) -> Option<Entry> {
        match self.0 {
            Document::Datasheet => Entry::under(Menu::More, 42, "Datasheet"),
            Document::Claim => Entry::under(Menu::More, 44, "CLAIM checklist"),
        }
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        view(site.atlas, self.0)
    }

    fn head(&self, _: &Atlas, view: &Self::View) -> Result<Head> {
        let own = view.title.clone();
        Ok(Head::new(&view.title, &view.lead).below([Link::new("Data", DATA)], own, self.path()))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    title: String,
    lead: String,
    source: String,
    address: String,
    note: String,
    /// How many are answered, answered in part, and open.
    counts: [String; 3],
    sections: Vec<SectionView>,
    /// The same as a table.
    table: Option<Link>,
}

#[derive(Serialize)]
struct SectionView {
    name: String,
    items: Vec<ItemView>,
}

#[derive(Serialize)]
struct ItemView {
    /// Its number, where items are known by one.
    number: Option<String>,
    key: String,
    ask: String,
    standing: &'static str,
    said: Vec<SaidView>,
    own: Option<String>,
    /// What is open; empty where nothing is.
    open: String,
}

#[derive(Serialize)]
struct SaidView {
    text: String,
    href: &'static str,
}

fn view(atlas: &Atlas, document: Document) -> Result<View> {
    let Sheet { title, lead, source, address, note, .. } = document.sheet()?;
    let answered = document.answered(atlas)?;
    let count = |standing: Standing| {
        text::count(answered.iter().filter(|item| item.standing() == standing).count() as u64)
    };
    let file = format!("{}.csv", document.id());
    Ok(View {
        title,
        lead,
        source,
        address,
        note,
        counts: [Standing::Answered, Standing::Partly, Standing::Open].map(count),
        sections: answered
            .chunk_by(|a, b| a.item.section == b.item.section)
            .map(|items| SectionView {
                name: items[0].item.section.clone(),
                items: items.iter().map(|item| row(item, document)).collect(),
            })
            .collect(),
        table: Table::find(&file).map(|table| Link::new(file.as_str(), table.path())),
    })
}

fn row(answered: &Answered, document: Document) -> ItemView {
    let item = &answered.item;
    ItemView {
        number: (document == Document::Claim).then(|| item.key.clone()),
        key: item.key.clone(),
        ask: item.ask.clone(),
        standing: answered.standing().word(),
        said: answered
            .said
            .iter()
            .map(|said| SaidView { text: said.text.clone(), href: said.href })
            .collect(),
        own: answered.own.clone(),
        open: answered.open().to_owned(),
    }
}
