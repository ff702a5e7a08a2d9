//! What every page knows besides what it shows: the site, itself, and the way to the others.

use std::collections::BTreeMap;

use serde::Serialize;

use super::plan::Job;
use super::{Atlas, network_href, survey};
use crate::Exhibit;
use crate::theme::Theme;
use config::Config;
use mammogram::About;

/// What every template and component knows, as `site`.
#[derive(Serialize)]
pub(super) struct Site<'a> {
    pub(super) title: &'a str,
    /// Whether the images are synthetic: then every page says so.
    pub(super) phantom: bool,
    pub(super) source: &'a str,
    /// Edge of a patch in its own pixels: the view box of overlays.
    pub(super) edge: u32,
    pub(super) version: &'static str,
    /// The theme's options.
    pub(super) options: BTreeMap<String, String>,
}

impl Site<'_> {
    /// Makes it known to a theme: the site of a project with this data set, with patches of `edge` pixels.
    pub(super) fn introduce(theme: &mut Theme, config: &Config, about: &About, edge: u32) {
        let options = theme.options.clone();
        let site = Site {
            title: &config.title,
            phantom: about.phantom,
            source: &about.name,
            edge,
            version: env!("CARGO_PKG_VERSION"),
            options,
        };
        theme.set("site", &site);
    }
}

/// What every page knows of itself, as `page`.
#[derive(Default, Serialize)]
pub(super) struct Frame<'a> {
    pub(super) title: String,
    pub(super) description: String,
    /// Steps up to the root of the site: ``, `../`, …
    pub(super) root: String,
    pub(super) path: &'a str,
    pub(super) nav: Vec<Link>,
    pub(super) crumbs: Vec<Link>,
    /// What must be known of the network's weights.
    pub(super) caution: Option<String>,
    /// Its address, where the atlas is published.
    pub(super) url: Option<String>,
    /// Address of a picture that stands for it.
    pub(super) image: Option<String>,
    /// Its width and height.
    pub(super) image_size: Option<[u32; 2]>,
    /// The atlas as a data set, in JSON-LD.
    pub(super) dataset: Option<String>,
    /// Address of what describes its card, and the element that embeds it.
    pub(super) card: Option<[String; 2]>,
}

/// A link, from the root of the site.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Link {
    pub(super) title: String,
    pub(super) href: String,
    pub(super) current: bool,
}

impl Link {
    pub(super) fn new(title: impl Into<String>, href: impl Into<String>) -> Self {
        Self { title: title.into(), href: href.into(), current: false }
    }
}

impl Atlas<'_> {
    pub(super) fn frame<'b>(&self, job: &'b Job, title: String, description: String) -> Frame<'b> {
        Frame {
            title,
            description,
            root: "../".repeat(job.path.matches('/').count()),
            path: &job.path,
            nav: self.navigation(&job.path),
            url: self.address(&job.path),
            ..Frame::default()
        }
    }

    /// Pages of the atlas and of the content, in the order of their weights.
    pub(super) fn navigation(&self, path: &str) -> Vec<Link> {
        let mut weighted: Vec<(i64, Link)> = vec![(0, Link::new("Atlas", "index.html"))];
        for exhibit in self.inputs.exhibits {
            let name = &exhibit.config.name;
            weighted.push((10, Link::new(name, network_href(name))));
        }
        weighted.push((15, Link::new("Performance", "performance/index.html")));
        if !self.inputs.explanations.is_empty() {
            weighted.push((17, Link::new("Cases", "cases/index.html")));
        }
        weighted.push((20, Link::new("BI-RADS table", "birads/index.html")));
        weighted.push((22, Link::new("Concepts", "concepts/index.html")));
        weighted.push((25, Link::new("Readers", "agreement/index.html")));
        if !self.survey.is_empty() {
            weighted.push((26, Link::new("Survey", survey::SELECTION)));
        }
        weighted.push((30, Link::new("Methods", "methods/index.html")));
        weighted.push((40, Link::new("Data", "data/index.html")));
        weighted.push((90, Link::new("Cite", "cite/index.html")));
        for article in &self.articles {
            let href = format!("{}/index.html", article.slug);
            weighted.push((article.weight, Link::new(&article.title, href)));
        }
        weighted.sort_by_key(|(weight, _)| *weight);
        let mut links: Vec<Link> = weighted.into_iter().map(|(_, link)| link).collect();
        for link in &mut links {
            // A network's entry is current on all its pages.
            let folder = link.href.trim_end_matches("index.html");
            link.current = link.href == path || (!folder.is_empty() && path.starts_with(folder));
        }
        links
    }
}

/// What a reader of a network's pages must know of its weights.
pub(super) fn caution(exhibit: &Exhibit) -> Option<String> {
    let name = &exhibit.config.name;
    match (&exhibit.evaluation.pretrained, exhibit.evaluation.best_epoch) {
        (Some(_), _) => None,
        (None, Some(_)) => Some(format!("{name} was trained here from random weights.")),
        (None, None) => Some(format!("{name} has random weights: it was not trained.")),
    }
}
