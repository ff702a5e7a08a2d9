//! What a page is. Each kind is a type in a file of its own that says where it lies, what it is called,
//! where it stands in the navigation, what it follows from, what it shows and which template shows it.

use anyhow::Result;
use serde::Serialize;

use super::navigation::{Entry, Item, Navigation};
use super::provenance;
use crate::facts::Atlas;
use crate::facts::paths::Link;
use crate::inputs::Exhibit;
use crate::keys::Keys;
use base::artifact::Fingerprint;
use record::training::Origin;

/// A page of the site.
pub(super) trait Page: Sync {
    /// What its template knows as `view`.
    type View: Serialize;
    /// Its template in the theme.
    const TEMPLATE: &'static str;
    /// Whether it shows the way to the other pages.
    const NAVIGATION: bool = true;

    /// Its file, below the site.
    fn path(&self) -> String;

    /// Its place in the navigation, where it has one.
    fn entry(&self) -> Option<Entry> {
        None
    }

    /// What a search calls it, where what it says is searched.
    fn searched(&self) -> Option<Searched> {
        self.entry().map(|entry| Searched::new(entry.title, ""))
    }

    /// What it is made from; with the same it is not rendered again. Whoever lets a page show something
    /// new must put it in here.
    fn key(&self, _atlas: &Atlas, keys: &Keys) -> Fingerprint {
        keys.with_readers(&self.path())
    }

    /// What it shows.
    ///
    /// # Errors
    /// When what it shows cannot be rendered.
    fn view(&self, site: &Site) -> Result<Self::View>;

    /// What it says of itself.
    ///
    /// # Errors
    /// When that cannot be written.
    fn head(&self, atlas: &Atlas, view: &Self::View) -> Result<Head>;
}

/// A file of the site that is made from the atlas: a page, or data that a page's script loads.
pub(crate) trait File: Sync {
    /// Where it lies, below the site.
    fn path(&self) -> String;

    /// Its place in the navigation, where it has one.
    fn entry(&self) -> Option<Entry> {
        None
    }

    /// What a search calls it, where it is a page and what it says is searched.
    fn searched(&self) -> Option<Searched> {
        None
    }

    /// What it is made from; with the same it is not made again.
    fn key(&self, _atlas: &Atlas, keys: &Keys) -> Fingerprint {
        keys.with_readers(&self.path())
    }

    /// What is in it.
    ///
    /// # Errors
    /// When it cannot be rendered.
    fn bytes(&self, site: &Site) -> Result<Vec<u8>>;
}

/// What a search calls a page.
#[derive(Debug, Clone)]
pub(crate) struct Searched {
    pub(super) title: String,
    /// What it is, beside the title.
    pub(super) note: String,
}

impl Searched {
    pub(super) fn new(title: impl Into<String>, note: impl Into<String>) -> Self {
        Self { title: title.into(), note: note.into() }
    }
}

/// Files of one kind.
pub(super) type Files<'a> = Vec<Box<dyn File + 'a>>;

/// A page as a file: rendered by the theme.
struct Html<P>(P);

/// A page among the files of the site.
pub(super) fn html<'a>(page: impl Page + 'a) -> Box<dyn File + 'a> {
    Box::new(Html(page))
}

impl<P: Page> File for Html<P> {
    fn path(&self) -> String {
        self.0.path()
    }

    fn entry(&self) -> Option<Entry> {
        self.0.entry()
    }

    fn searched(&self) -> Option<Searched> {
        self.0.searched()
    }

    fn key(&self, atlas: &Atlas, keys: &Keys) -> Fingerprint {
        self.0.key(atlas, keys)
    }

    fn bytes(&self, site: &Site) -> Result<Vec<u8>> {
        let view = self.0.view(site)?;
        let path = self.0.path();
        let mut frame = site.frame(&path, self.0.head(site.atlas, &view)?);
        if !P::NAVIGATION {
            frame.nav = Vec::new();
        }
        site.render(P::TEMPLATE, &frame, &view)
    }
}

/// The site that pages are rendered for.
pub(crate) struct Site<'a> {
    pub(super) atlas: &'a Atlas<'a>,
    /// The way to its pages.
    pub(super) navigation: Navigation,
}

impl Site<'_> {
    /// What surrounds the page at a path.
    pub(super) fn frame<'b>(&self, path: &'b str, head: Head) -> Frame<'b> {
        Frame {
            head,
            root: "../".repeat(path.matches('/').count()),
            path,
            nav: self.navigation.at(path),
            provenance: provenance::href(self.atlas, path),
            url: self.atlas.address(path),
        }
    }

    /// A template with what it knows as `page` and as `view`.
    pub(super) fn render(
        &self,
        template: &str,
        frame: &Frame,
        view: &impl Serialize,
    ) -> Result<Vec<u8>> {
        let mut context = tera::Context::new();
        context.insert("page", frame);
        context.insert("view", view);
        self.atlas.theme.render(template, &context)
    }
}

/// What a page says of itself.
#[derive(Default, Serialize)]
pub(super) struct Head {
    pub(super) title: String,
    pub(super) description: String,
    /// The pages above it, and itself.
    pub(super) crumbs: Vec<Link>,
    /// What must be known of the network's weights.
    pub(super) caution: Option<String>,
    /// Address of a picture that stands for it.
    pub(super) image: Option<String>,
    /// Its width and height.
    pub(super) image_size: Option<[u32; 2]>,
    /// The atlas as a data set, in JSON-LD.
    pub(super) dataset: Option<String>,
    /// Address of what describes its card, and the element that embeds it.
    pub(super) card: Option<[String; 2]>,
}

impl Head {
    pub(super) fn new(title: impl Into<String>, description: impl Into<String>) -> Self {
        Self { title: title.into(), description: description.into(), ..Self::default() }
    }

    /// Below other pages: their links, then the page's own short title and path.
    pub(super) fn below<const N: usize>(
        self,
        above: [Link; N],
        own: impl Into<String>,
        path: String,
    ) -> Self {
        let own = Link { current: true, ..Link::new(own, path) };
        Self { crumbs: above.into_iter().chain([own]).collect(), ..self }
    }

    /// Of a network whose weights may not be what a reader expects.
    pub(super) fn of(self, exhibit: &Exhibit) -> Self {
        let name = &exhibit.config.name;
        let caution = match &exhibit.evaluation.origin {
            Origin::Recorded { .. } | Origin::Run { pretrained: Some(_), .. } => None,
            Origin::Run { pretrained: None, best_epoch: Some(_) } => {
                Some(format!("{name} was trained here from random weights."))
            }
            Origin::Run { pretrained: None, best_epoch: None } => {
                Some(format!("{name} has random weights: it was not trained."))
            }
        };
        Self { caution, ..self }
    }
}

/// What every page knows besides what it shows, as `page`.
#[derive(Default, Serialize)]
pub(super) struct Frame<'a> {
    #[serde(flatten)]
    pub(super) head: Head,
    /// Steps up to the root of the site: ``, `../`, …
    root: String,
    path: &'a str,
    nav: Vec<Item>,
    /// The page that tells where it comes from, and the place there.
    provenance: String,
    /// Its address, where the atlas is published.
    url: Option<String>,
}

impl Frame<'_> {
    /// Of a page by itself, without a site around it.
    pub(super) fn alone(head: Head) -> Self {
        Self { head, ..Self::default() }
    }
}
